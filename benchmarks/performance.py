"""mlpjax and its rivals side by side: times, ratios, and whether what is expected of them holds.

    python -m benchmarks.performance                     everything, in about an hour
    python -m benchmarks.performance epoch xor           some of it (--list names them)
    python -m benchmarks.performance --page              write the tables of the page from the figures kept so far

Needs `pip install -e '.[bench]'` and a machine that is left alone meanwhile. Each workload's figures go to
docs/figures/data/performance.json, with hardware and versions; `--page` is implied. Three workloads start processes of
their own: `cold` (from nothing to the end of one epoch), `first-second` (the same, part by part) and `accuracy` (from
nothing to an accuracy on the test set).
"""

import argparse
import functools
import json
import pathlib
import sys

from benchmarks import measure, options, tables, workloads

DATA = pathlib.Path(__file__).parents[1] / "docs/figures/data/performance.json"
TOLERANCE = 5e-3  # of the mean losses: rounding differs, and some hundred steps let it grow


def compare(workload: workloads.Workload, rounds: int, missing: dict[str, str], say) -> dict:
    """Run a workload, and judge it."""
    _, losses = measure.interleave(workload.contestants, rounds=0, warm_up=1, say=say)
    agree(workload, losses)
    samples, _ = measure.interleave(workload.contestants, rounds=rounds, warm_up=1, say=say)
    for name, make in workload.contestants.items():
        if isinstance(make, workloads.repeated):
            samples[name] = [s._replace(seconds=s.seconds * make.times) for s in samples[name]]
    return {
        "title": workload.title,
        "unit": workload.unit,
        "machine": measure.machine(),
        "missing": missing,
        "rows": [row(workload, name, samples) for name in (ranked(samples) if workload.bars else samples)],
        "bars": [
            measure.judged(samples, bar.ours, other, bar.limit)
            for bar in workload.bars
            if (other := theirs(samples, bar.theirs))
        ],
    }


def agree(workload: workloads.Workload, losses: dict[str, float]) -> None:
    """All contestants must have done the same work."""
    ours = losses[next(iter(workload.contestants))]
    for name, loss in losses.items():
        if name not in workload.unequal and not abs(loss - ours) <= TOLERANCE * abs(ours):
            raise SystemExit(f"{name} did other work: its mean loss is {loss:.6g}, not {ours:.6g}.")


def ranked(samples) -> list[str]:
    return sorted(samples, key=lambda name: measure.summary(samples[name])["median"])


def row(workload, name, samples) -> dict:
    """One contestant: its times, its rate, and how many times longer than the first of the workload it takes."""
    first = next(iter(workload.contestants))
    summary = measure.summary(samples[name])
    rate = {"rate": workload.work / summary["median"]}
    flops = {"flops": workload.operations / summary["median"]} if workload.operations else {}
    return {"name": name, **summary, **rate, **flops, "ratio": measure.ratio(samples, name, first)._asdict()}


def theirs(samples, name: str) -> str | None:
    """A contestant, or of a library (a name without a dot) the fastest idiom; its scan is a comparison of its own."""
    own = [n for n in ranked(samples) if n == name or (n.startswith(f"{name}.") and "scan" not in n)]
    own = [name] if name in own else own
    return own[0] if own else None


def depth(rounds: int, say) -> dict:
    from benchmarks import depth

    return depth.measure_depth(rounds=rounds, say=say) | {"machine": measure.machine()}


def sweep_layouts(rounds: int, say) -> dict:
    from benchmarks import layouts

    return layouts.measure_layouts(rounds, say)


def catalog(directory: str | None) -> dict:
    """By name: a function of (rounds, say) that returns what is kept."""

    def of(make, **options):
        def go(rounds, say):
            missing: dict[str, str] = {}
            note = lambda name, error: missing.update({name: f"{type(error).__name__}: {error}"[:200]})
            return compare(make(directory=directory, missing=note, **options), rounds, missing, say)

        return go

    from benchmarks import fresh_runs

    return {
        "epoch": of(workloads.small),
        "epoch-512": of(workloads.medium),
        "decisions": of(workloads.decisions),
        "decisions-512": of(workloads.decisions, sizes=(784, 512, 512, 10)),
        "fit": of(workloads.fit),
        "xor": of(workloads.xor),
        "ensemble": of(workloads.ensemble),
        **{
            f"wide-{batch}-{optimizer}": of(workloads.wide, batch=batch, optimizer=optimizer)
            for batch in (256, 1024)
            for optimizer in ("sgd", "adam")
        },
        "depth": depth,
        "layouts": sweep_layouts,
        "cold": functools.partial(fresh_runs.cold, directory),
        "first-second": functools.partial(fresh_runs.first_second, directory),
        "accuracy": functools.partial(fresh_runs.accuracy, directory),
    }


def keep(name: str, result: dict) -> None:
    kept = json.loads(DATA.read_text()) if DATA.exists() else {}
    DATA.write_text(json.dumps(kept | {name: result}, indent=1, default=float) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="all by default: see --list")
    parser.add_argument("--list", action="store_true", help="name the workloads and end")
    parser.add_argument("--page", action="store_true", help="only write the tables")
    parser.add_argument(
        "--rounds",
        type=options.positive,
        default=measure.ROUNDS,
        help="to count (default: %(default)s; fewer are shown, not kept)",
    )
    parser.add_argument(
        "--data-dir", type=options.mnist, metavar="DIR", help="MNIST's four files (default: mlpjax's own)"
    )
    arguments = parser.parse_args()
    known = catalog(arguments.data_dir)
    if arguments.list:
        print(*known, sep="\n")
        return
    if unknown := set(arguments.workloads) - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    for name in [] if arguments.page else arguments.workloads or known:
        say = lambda line, name=name: print(f"\r\033[K{name}: {line}", end="", file=sys.stderr, flush=True)
        result = known[name](arguments.rounds, say)
        print(file=sys.stderr)
        print(tables.table(result))
        if arguments.rounds >= measure.ROUNDS:
            keep(name, result)
        else:
            print(f"Not kept: a figure of the page needs {measure.ROUNDS} rounds.")
    tables.write(json.loads(DATA.read_text()))


if __name__ == "__main__":
    main()
