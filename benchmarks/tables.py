"""The tables of the page "Performance", as Markdown, from the figures that `performance` keeps."""

import pathlib

FOLDER = pathlib.Path(__file__).parents[1] / "docs/figures/tables"
NAMES = {
    "mlpjax": "**mlpjax**",
    "mlpjax, jax.grad": "mlpjax, gradients by `jax.grad`",
    "matmuls alone": "the products of matrices alone",
    "equinox.idiom": "Equinox, jitted step",
    "equinox.idiom_flat": "Equinox, jitted step, flattened",
    "equinox.scan": "Equinox, one scan",
    "equinox.ensemble": "Equinox, one scan, vmapped",
    "nnx.idiom": "Flax NNX, `nnx.jit`",
    "nnx.idiom_cached": "Flax NNX, `nnx.cached_partial`",
    "nnx.idiom_functional": "Flax NNX, split and merge under `jax.jit`",
    "nnx.scan": "Flax NNX, one scan",
    "pytorch.eager": "PyTorch, eager, fused optimizer",
    "pytorch.eager_default": "PyTorch, eager",
    "pytorch.dataloader": "PyTorch, `DataLoader`",
    "pytorch.compiled_model": "PyTorch, compiled network",
    "pytorch.compiled": "PyTorch, compiled step",
    "pytorch.ensemble": "PyTorch, `torch.func`",
    "pytorch.ensemble_compiled": "PyTorch, `torch.func`, compiled",
    "scikit.fit": "scikit-learn",
}


def named(name: str) -> str:
    """What a contestant is called on the page."""
    own, times, count = name.partition(" × ")
    return NAMES.get(own, own) + times + count


def seconds(value: float) -> str:
    for unit, scale in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if value * scale >= 1:
            return f"{value * scale:.3g}\u00a0{unit}" if value * scale < 1000 else f"{value * scale:,.0f}\u00a0{unit}"
    return f"{value * 1e6:.2g} µs"


def quantity(value: float) -> str:
    for letter, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= scale:
            return f"{value / scale:.3g} {letter}"
    return f"{value:.3g} "


def interval(found: dict) -> str:
    if found["low"] == found["high"]:  # of a contestant over itself
        return f"{found['median']:.3g}"
    return f"{found['median']:.3g} [{found['low']:.3g}, {found['high']:.3g}]"


def table(result: dict) -> str:
    """One workload: its contestants, what was expected and what was found, and on what machine."""
    columns = [name for name in ("rate", "flops", "compile", "ratio", "note") if any(name in r for r in result["rows"])]
    heads = {"rate": result.get("unit", ""), "flops": "FLOP/s", "compile": "trace and compile"}
    heads |= {"ratio": "relative to ours", "note": result.get("note", "")}
    lines = [f"| {result['title']} | time | {' | '.join(heads[name] for name in columns)} |"]
    lines += ["|---|---:|" + "---:|" * len(columns)]
    for row in result["rows"]:
        lines.append(f"| {named(row['name'])} | {seconds(row['median'])} | {' | '.join(cells(row, columns))} |")
    for name, reason in result.get("missing", {}).items():
        lines.append(f"| {named(name)} | not measured: {reason} |" + " |" * len(columns))
    return "\n".join(lines) + "\n\n" + bars(result) + measured(result)


def cells(row: dict, columns: list[str]) -> list[str]:
    show = {"rate": quantity, "flops": quantity, "compile": seconds, "ratio": interval, "note": str}
    return [show[name](row[name]) if name in row else "" for name in columns]


def bars(result: dict) -> str:
    """What was expected, and whether it holds."""
    if not result["bars"]:
        return ""
    lines = ["| expected, as a ratio of times | found | |", "|---|---:|---|"]
    for bar in result["bars"]:
        what = bar.get("what") or f"{named(bar['ours'])}: at most {limit(bar['limit'])} × {named(bar['theirs'])}"
        verdict = bar["verdict"] if bar["verdict"] == "kept" else f"**{bar['verdict']}**"
        lines.append(f"| {what} | {interval(bar)} | {verdict} |")
    return "\n".join(lines) + "\n\n"


def limit(value: float) -> str:
    return f"{value:.3g}" if value >= 0.1 else f"1/{1 / value:,.0f}"


def measured(result: dict) -> str:
    """How often, and on what."""
    info = result["machine"]
    rounds = min((row["rounds"] for row in result["rows"] if "rounds" in row), default=0)
    often = f"{rounds} round{'s' if rounds > 1 else ''} on " if rounds else ""
    versions = ", ".join(f"{name} {version}" for name, version in info["versions"].items())
    place = f"{info['processor']}, {info['cores']} cores, {info['vectors']}"
    return f"{often}{place}; Python {info['python']}, {versions}; {info['day']}.\n{{ .machine }}\n"


def write(results: dict[str, dict]) -> None:
    """A file for each result, and none for what is there no more."""
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.glob("*.md"):
        if file.stem not in results:
            file.unlink()
    for name, result in results.items():
        (FOLDER / f"{name}.md").write_text(table(result), "utf-8")
