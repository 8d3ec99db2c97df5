"""`mlpjax info`."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from mlpjax.cli import _compiled, _model, _report, _run_dir
from mlpjax.cli._parser import parse

ABOUT = """Versions, devices, where data and compiled programs are kept; with a run directory, all about the run.

Examples:
  mlpjax info
  mlpjax info runs/digits-20270101-120000
"""

PACKAGES = ("mlpjax", "jax", "jaxlib", "optax", "numpy")


@dataclass(frozen=True)
class Options:
    """What to tell about.

    Attributes:
        run_dir: a directory that mlpjax train wrote.
    """

    run_dir: Path | None = None


def run(args: list[str]) -> int:
    """Tell as the arguments say."""
    (options,) = parse("info", ABOUT, args, Options, positional={"run_dir": "[RUN_DIR]"})
    _report.table(_machine() if options.run_dir is None else _run(options.run_dir))
    return 0


def _machine() -> dict[str, str]:
    import jax

    versions = {name: _run_dir.version(name) for name in PACKAGES}
    devices = ", ".join(f"{d.id}: {d.device_kind} ({d.platform})" for d in jax.devices())
    python = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    caches = {"data cache": _cache(), "compiled programs": _compiled.describe()}
    return versions | {"Python": python, "devices": devices} | caches


def _cache() -> str:
    from mlpjax.data._download import cache_directory

    try:
        return str(cache_directory(None))
    except (ImportError, RuntimeError) as error:  # no pooch, or no home directory
        return str(error)


def _run(path: Path) -> dict[str, str]:
    from mlpjax import trees

    path = _run_dir.named(path)
    model = _model.load(path, even_diverged=True)
    recipe, about = model.problem.recipe, model.config["run"]
    tests = [record.get("test") or {} for record in _run_dir.read_log(path)]
    tested = [test["accuracy"] for test in tests if test.get("accuracy") is not None]
    rows = {name: str(about[name]) for name in ("mlpjax", "jax") if name in about}
    rows |= {
        "sizes": "-".join(str(size) for size in model.problem.sizes),
        "parameters": f"{trees.count(model.params):,}",
        "status": str(model.status),
        "steps": f"{model.status.step:,} of {about.get('steps', 0):,}",
        "accuracy": f"{100 * tested[-1]:.2f} %" if tested else "not yet tested",
    }
    recipe_rows = {name: _text(value) for name, value in vars(recipe).items()}
    return rows | {"recipe": ""} | recipe_rows


def _text(value: object) -> str:
    return " ".join(str(v) for v in value) if isinstance(value, tuple) else str(value)
