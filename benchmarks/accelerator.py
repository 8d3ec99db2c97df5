"""The benchmarks of an accelerator: one GPU or TPU.

    python -m benchmarks.accelerator [--data-dir DIR]               everything, in less than eight minutes
    python -m benchmarks.accelerator parts ensemble                 some of it (--list names them)
    python -m benchmarks.accelerator --without settle epoch-small-128
    python -m benchmarks.accelerator --small                        is the command sound? Tried on a CPU

Needs JAX with its plugin for the accelerator (`pip install 'jax[cuda13]'`), Equinox if its scan is to stand beside, and
a card that nobody else uses. Each workload's figures go to docs/figures/data/accelerator.json as soon as they are
there, and its table to standard output; what fails or finds no memory is noted, and the rest goes on. Leave
`JAX_COMPILATION_CACHE_DIR` unset, or the seconds to compile are those of a warm cache. Times are of the host's clock
around a call that has waited for its result; losses are read afterwards.

Workloads: `card` (the rates of the card itself: products of large matrices in three precisions, and copying), `epoch-…`
(an epoch of MNIST in JAX's default precision, which is TF32 on GPUs that have it), `ensemble` (1 to 16,384 XOR nets),
`parts` (the first epoch with one thing left out or done otherwise), `wide-…` (12 million weights in float32, TF32 and
bfloat16), `compile` (seconds of each program of the others).

Where to look first on a GPU
----------------------------
This is read off the source of XLA, not measured: `parts` measures it.

- A scan is a loop on the host that launches every kernel of every step, at some microseconds each, while a product of
  a small net takes one. `instructions` in the figures says how many fusions, calls and copies a program has: nearly as
  many launches has a step. `XLA_FLAGS=--xla_gpu_enable_command_buffer=+WHILE,+CONDITIONAL` asks for loop and branches
  in one CUDA graph; it is no default.
- A `lax.cond` reads its condition on the host and waits for it: the queue of launches runs dry. `training.run` has one
  at each step (`settle`, which acts at every 32nd and at the last), and one more with a validation set. `settle` (left
  out) and `branches` (both ways gone, one chosen) say what the first costs, "evaluating within the run" against "after
  it" the second. The remedy would be a scan of scans: an inner one without branches between two looks.
- `only_if` is a branch on the CPU alone; elsewhere old and new numbers are both there and one is chosen: `choice`.
- Whether the gradient is finite takes a reduction for each matrix and one more reading of all of them: `finite`.
- The permutation is some dozens of integer operations for each index, unrolled; they should be one or two fusions with
  the gather: `shuffle`.
- Nets of an ensemble are batched products of 4 × 2 matrices. If `instructions` has custom-calls there, they went to
  cuBLAS, which is made for larger ones.
- With a small batch of the wide net, Adam is bound by memory: its numbers are read four times and written three times
  at each step. The tables compare with the products alone plus that traffic at the rate of copying.
"""

import argparse
import contextlib
import gc
import json
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

import jax

from benchmarks import measure, options, tables
from benchmarks.on_device import facts, parts
from benchmarks.on_device.plans import FULL, SMALL, TINY, Plan
from benchmarks.on_device.programs import Program
from benchmarks.on_device.workloads import Bench, Entry, Samples, multiplying

ROOT = pathlib.Path(__file__).parents[1]
DATA, TRIED = ROOT / "docs/figures/data/accelerator.json", ROOT / "build/accelerator.json"
Say = Callable[[str], None]


class TimeIsUp(Exception):
    """Said of what was left out."""


def said(error: Exception) -> str:
    """The first line of an error, short enough for a table."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def from_host(program: Program) -> str | None:
    """What a timed call still takes from the host, where JAX notices: nothing should be."""
    try:
        with jax.transfer_guard_host_to_device("disallow"):
            program()()
    except Exception as error:  # the guard's own
        return said(error)
    return None


def build(entry: Entry, end: float, say: Say) -> tuple[dict[str, Program], dict[str, str]]:
    """Compile what can be compiled, each called once; and why the others cannot."""
    made, missing = {}, {}
    for name, make in entry.makers.items():
        try:
            if time.monotonic() > end:
                raise TimeIsUp("--minutes were over")
            program = make()
            program()()
            program.built["from_host"] = from_host(program)
            made[name] = program
            say(f"{name}: compiled in {program.built['compile']:.2f} s")
        except Exception as error:  # no memory, no library, no kernel: the table says so
            missing[name] = said(error)
            say(f"{name}: {missing[name]}")
    return made, missing


def how_often(made: dict[str, Program], plan: Plan) -> int:
    """Rounds for which there is time, at least five."""
    once = sum(measure.sample(program())[0].seconds for program in made.values())
    return max(min(5, plan.rounds), min(plan.rounds, int(plan.seconds / (2 * once or 1))))


def compare(entry: Entry, plan: Plan, end: float, say: Say) -> dict[str, Any]:
    """Run a workload, and judge it."""
    with multiplying(entry.precision):
        made, missing = build(entry, end, say)
        rounds = how_often(made, plan)
        say(f"{rounds} rounds")
        samples, last = measure.interleave(made, rounds=rounds, warm_up=1) if made else ({}, {})
    losses = {name: value() if callable(value) else value for name, value in last.items()}
    bars, found = [bar for bar in entry.bars if {bar.ours, bar.theirs} <= set(samples)], entry.found(samples)
    return {
        "title": entry.title,
        "unit": entry.unit,
        "machine": facts.machine(),
        "missing": missing,
        "rows": [row(entry, name, samples) | made[name].built | told(found.get(name), losses[name]) for name in made],
        "bars": [measure.judged(samples, *bar) for bar in bars],
        "unequal": unequal(entry, losses),
        "precision": entry.precision or "default",
        "peak_bytes": facts.memory("peak_bytes_in_use"),
    }


def row(entry: Entry, name: str, samples: Samples) -> dict[str, Any]:
    """One program: its times, its rate, and how many times longer than the first it takes."""
    summary, first = measure.summary(samples[name]), next(iter(samples))
    work = entry.work[name] if isinstance(entry.work, dict) else entry.work
    rate = {"rate": work / summary["median"]}
    flops = {"flops": entry.operations / summary["median"]} if entry.operations else {}
    return {"name": name, **summary, **rate, **flops, "ratio": measure.ratio(samples, name, first)._asdict()}


def told(shares: dict[str, measure.Interval] | None, loss: float | None) -> dict[str, Any]:
    """The rest of a row: its mean loss, and its shares in figures and in words."""
    if not shares:
        return {"loss": loss}
    figures = {what: share._asdict() for what, share in shares.items()}
    return {"loss": loss, "shares": figures, "note": "; ".join(f"{share} {what}" for what, share in shares.items())}


def unequal(entry: Entry, losses: dict[str, float]) -> list[str]:
    """Whose mean loss is not that of the first, though it should be."""
    compared = {name: loss for name, loss in losses.items() if name not in entry.unequal}
    first = next(iter(compared.values()), 0.0)
    return [name for name, loss in compared.items() if not abs(loss - first) <= entry.tolerance * abs(first)]


def compiling(results: dict[str, dict]) -> dict[str, Any]:
    """The table of seconds to compile, from the rows of all others."""
    rows = []
    for workload, result in results.items():
        for row in result["rows"] if workload != "compile" else []:
            counted = ", ".join(f"{number} {kind}" for kind, number in row.get("instructions", {}).items())
            note = f"traced in {row['trace']:.2f} s: {counted}" if "trace" in row else "tracing included"
            rows.append({"name": f"{workload}: {row['name']}", "median": row["compile"], "note": note})
    return {"title": "Seconds to compile", "unit": "s", "machine": facts.machine(), "rows": rows, "bars": []}


def keep(path: pathlib.Path, name: str, result: dict[str, Any]) -> None:
    """Beside what is there already."""
    results = (json.loads(path.read_text()) if path.exists() else {}) | {name: result}
    results["compile"] = compiling(results)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1, default=float) + "\n")


def chosen(bench: Bench, wanted: list[str]) -> list[tuple[str, Callable[[], Entry]]]:
    """The workloads that are wanted, and the card's rates if one of them is compared with these."""
    names = {*wanted, *(["card"] if any("wide" in name for name in wanted) else [])}
    return [(name, make) for name, make in bench.catalog() if name in names or not names]


def attempt(name: str, make: Callable[[], Entry], plan: Plan, end: float, say: Say) -> dict[str, Any]:
    """A workload's figures, or why there are none: it must not take the others with it."""
    try:
        return compare(make(), plan, end, say)
    except Exception as error:
        say(said(error))
        nothing = {"missing": {name: said(error)}, "rows": [], "bars": [], "unequal": []}
        return {"title": name, "unit": "", "machine": facts.machine(), **nothing}


def run_all(bench: Bench, wanted: list[str], path: pathlib.Path, minutes: float, left_out: list[str]) -> None:
    """Each workload that is wanted, kept as soon as it is measured."""
    began = time.monotonic()
    end = began + 60 * minutes
    for name, make in chosen(bench, wanted):
        say = lambda line, name=name: print(f"{time.monotonic() - began:4.0f} s  {name}: {line}", file=sys.stderr)
        if time.monotonic() > end:
            say("left out: --minutes were over")
            continue
        result = attempt(name, make, bench.plan, end, say) | {"without": left_out}
        if result["unequal"]:
            say(f"other mean losses than the first: {', '.join(result['unequal'])}")
        keep(path, name, result)
        print(tables.table(result), flush=True)
        gc.collect()  # the buffers of one workload are gone before the next


def parse(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="all by default: see --list")
    parser.add_argument("--list", action="store_true", help="name the workloads and end")
    parser.add_argument("--small", dest="plan", action="store_const", const=SMALL, help="sizes for trying it on a CPU")
    parser.add_argument("--tiny", dest="plan", action="store_const", const=TINY, help="sizes for a test")
    parser.set_defaults(plan=FULL)
    parser.add_argument("--without", action="append", default=[], choices=list(parts.PARTS), help="leave out a part")
    parser.add_argument(
        "--data-dir", type=options.mnist, metavar="DIR", help="MNIST's four files (default: random images)"
    )
    parser.add_argument(
        "--out", type=pathlib.Path, metavar="FILE", help="of the figures (small ones: build/accelerator.json)"
    )
    parser.add_argument("--minutes", type=float, default=7.0, help="after so many nothing more is begun")
    arguments = parser.parse_args(words)
    known = [name for name, _ in Bench(arguments.plan, None).catalog()]
    if arguments.list:
        print(*known, sep="\n")
        parser.exit()
    if lost := set(arguments.workloads) - set(known):
        parser.error(f"unknown: {', '.join(sorted(lost))}; there are {', '.join(known)}")
    if arguments.out and arguments.out.is_dir():
        parser.error(f"--out must name a file; {arguments.out} is a folder")
    if arguments.plan is FULL and jax.default_backend() == "cpu":
        parser.error("JAX finds no accelerator here; --small tries the command on the CPU")
    return arguments


def main(words: list[str] | None = None) -> None:
    arguments = parse(words)
    path = arguments.out or (DATA if arguments.plan is FULL else TRIED)
    if arguments.without and not arguments.out:
        path = path.with_stem("-".join([path.stem, "without", *arguments.without]))
    bench = Bench(arguments.plan, arguments.data_dir)
    left_out = parts.without(*arguments.without) if arguments.without else contextlib.nullcontext()
    with left_out:
        run_all(bench, arguments.workloads, path, arguments.minutes, arguments.without)
    print(f"kept in {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
