"""How the benchmarks measure: contestants interleaved in random order, ratios of neighbours, bootstrap intervals.

A time alone says little on a machine that is shared: processes come and go, the clock drifts. So contestants take
turns, a round has each of them once, in random order, and what is judged is the ratio of two times of the same round.
Each sample notes what share of the machine's processors other processes took meanwhile; rounds with more than `FOREIGN`
of it are left out, and counted.
"""

import importlib.metadata
import os
import pathlib
import platform
import random
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

FOREIGN = 0.05  # of all processors
ROUNDS = 15
PACKAGES = ("jax", "jaxlib", "optax", "numpy", "equinox", "flax", "torch", "scikit-learn")


class Sample(NamedTuple):
    """One time: seconds, and the share of all processors that others took during it."""

    seconds: float
    foreign: float


class Interval(NamedTuple):
    """A median and its 95 % bootstrap interval."""

    median: float
    low: float
    high: float

    def __str__(self):
        return f"{self.median:.3g} [{self.low:.3g}, {self.high:.3g}]"


def busy() -> float:
    """Seconds that all processors of this machine have worked since it started; 0 where the system does not say."""
    stat = pathlib.Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own() -> float:
    """Seconds of processor time that this process and the children that it has waited for have taken."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def sample(work: Callable[[], object]) -> tuple[Sample, object]:
    """Time one call, and keep what it returns."""
    before, began = busy() - own(), time.perf_counter()
    result = work()
    seconds = time.perf_counter() - began
    foreign = max(0.0, busy() - own() - before) / (seconds * (os.cpu_count() or 1))
    return Sample(seconds, foreign), result


def interleave(
    contestants: Mapping[str, Callable[[], Callable[[], object]]],
    *,
    rounds: int = ROUNDS,
    warm_up: int = 2,
    run_up: float = 1.0,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[dict[str, list[Sample]], dict[str, object]]:
    """Times of all contestants, round by round.

    Args:
        contestants: by name, a function that prepares (not timed) and returns what is timed. That must have finished
            its work when it returns.
        rounds: how many are kept.
        warm_up: rounds before them, for compiling and caches.
        run_up: what takes less than so many seconds is done twice in a row, and the second time counts: threads of the
            one before that still spin, caches that it filled and a processor that was idle must not slow it.
        say: told what happens.

    Returns:
        Samples by name, one per round, and what each returned last.
    """
    names, samples, last = list(contestants), {name: [] for name in contestants}, {}
    for turn in range(-warm_up, rounds):
        for name in random.sample(names, len(names)):
            taken, last[name] = sample(contestants[name]())
            if taken.seconds < run_up:
                taken, last[name] = sample(contestants[name]())
            if turn >= 0:
                samples[name].append(taken)
            else:
                say(f"{name}: {taken.seconds:.3f} s (warming up)")
        if turn >= 0:
            say(f"round {turn + 1} of {rounds}")
    return samples, last


def quiet(samples: Mapping[str, list[Sample]], names: tuple[str, ...]) -> list[int]:
    """The rounds in which others took little of the machine from any of these; all of them if under five are left."""
    rounds = range(len(samples[names[0]]))
    kept = [i for i in rounds if all(samples[name][i].foreign <= FOREIGN for name in names)]
    return kept if len(kept) >= 5 else list(rounds)


def interval(values, draws: int = 10_000) -> Interval:
    """Median, and its 95 % bootstrap interval."""
    values = np.asarray(values, float)
    medians = np.median(np.random.default_rng(0).choice(values, (draws, len(values))), axis=1)
    return Interval(float(np.median(values)), *map(float, np.quantile(medians, [0.025, 0.975])))


def ratio(samples: Mapping[str, list[Sample]], ours: str, theirs: str) -> Interval:
    """Time of one over time of the other, round by round."""
    return interval([samples[ours][i].seconds / samples[theirs][i].seconds for i in quiet(samples, (ours, theirs))])


def verdict(found: Interval, limit: float) -> str:
    """Kept if the whole interval keeps the limit, missed if none of it does, else undecided."""
    return "kept" if found.high <= limit else "missed" if found.low > limit else "undecided"


def judged(samples: Mapping[str, list[Sample]], ours: str, theirs: str, limit: float) -> dict[str, object]:
    """What is published of an expectation: that the time of `ours` is at most `limit` times that of `theirs`."""
    found = ratio(samples, ours, theirs)
    return {"ours": ours, "theirs": theirs, "limit": limit, **found._asdict(), "verdict": verdict(found, limit)}


def summary(samples: list[Sample]) -> dict[str, float]:
    """What is published of one contestant: median, quartiles, rounds, and the interference."""
    seconds = [taken.seconds for taken in samples]
    quartiles = statistics.quantiles(seconds, n=4) if len(seconds) > 1 else [seconds[0]] * 3
    return {
        "median": statistics.median(seconds),
        "lower_quartile": quartiles[0],
        "upper_quartile": quartiles[2],
        "least": min(seconds),
        "rounds": len(seconds),
        "disturbed": sum(taken.foreign > FOREIGN for taken in samples),
    }


def machine() -> dict[str, object]:
    """Hardware and versions, as far as they can be known."""
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    family = {
        key: next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{key}\t")), "")
        for key in ("cpu family", "model")
    }
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "processor": f"{model or platform.processor()} (family {family['cpu family']}, model {family['model']})",
        "cores": os.cpu_count(),
        "vectors": "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else platform.machine(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "versions": versions,
        "day": time.strftime("%Y-%m-%d"),
    }
