"""What `import mlpjax` adds to `import jax, optax, jaxtyping`.

Two fresh interpreters take turns, one with and one without mlpjax, so that drift of the machine hits both alike. Inside
them the statement `import mlpjax` is timed too, and within it the passes of Python's garbage collector: JAX leaves the
heap so full that a pass over all of it falls due in whatever allocates next, and that is whose cost it is. The bar is
for the statement without these passes; the other numbers stand beside it. Exit status 1 if the upper end of the
bootstrap interval exceeds the bar.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile

REQUIRED = "import jax, optax, jaxtyping"
TIMED = """
import gc
from time import perf_counter
begun, collecting = perf_counter(), []
{required}
gc.callbacks.append(lambda phase, info: collecting.append(perf_counter() if phase == "stop" else -perf_counter()))
middle = perf_counter()
{statement}
end = perf_counter()
print(1e3 * (end - begun), 1e3 * (end - middle), 1e3 * sum(collecting))
"""


def milliseconds(statement, cache):
    """Times of requirements and statement, of the statement alone, and of collecting garbage during it."""
    code = TIMED.format(required=REQUIRED, statement=statement)
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return tuple(map(float, run.stdout.split()))


def interval(values, *, resamples=10_000, level=0.95):
    """Median and its bootstrap interval."""
    generator = random.Random(0)
    medians = sorted(statistics.median(generator.choices(values, k=len(values))) for _ in range(resamples))
    tail = round((1 - level) / 2 * resamples)
    return statistics.median(values), medians[tail], medians[-tail - 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=30, help="pairs of interpreters (default: 30)")
    parser.add_argument("--bar", type=float, default=40.0, help="largest accepted cost in milliseconds (default: 40)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        milliseconds("import mlpjax", cache)  # writes the byte code, reads the files into the page cache
        pairs = [(milliseconds("pass", cache), milliseconds("import mlpjax", cache)) for _ in range(options.pairs)]
    judged = [last - collecting for _, (_, last, collecting) in pairs]
    rows = {
        REQUIRED: [without[0] for without, _ in pairs],
        "  … and import mlpjax": [with_[0] for _, with_ in pairs],
        "difference of the pairs": [with_[0] - without[0] for without, with_ in pairs],
        "the statement itself": [last for _, (_, last, _) in pairs],
        "  of it collecting garbage": [collecting for _, (_, _, collecting) in pairs],
        "  of it importing": judged,
    }
    print(f"{options.pairs} pairs; median and 95 % bootstrap interval, in milliseconds")
    for name, values in rows.items():
        print("{:<30s} {:8.1f}  [{:.1f}, {:.1f}]".format(name, *interval(values)))
    upper = interval(judged)[2]
    print(f"bar: {options.bar:g} ms: {'kept' if upper <= options.bar else 'EXCEEDED'}")
    raise SystemExit(upper > options.bar)


if __name__ == "__main__":
    main()
