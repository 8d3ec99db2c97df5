"""What `import mlpjax` adds to `import jax, optax, jaxtyping`, and what all of its rooms add at their first use.

Fresh interpreters take turns, so that drift of the machine hits all alike. Inside them the statement is timed too, and
within it the passes of Python's garbage collector: JAX leaves the heap so full that a pass over all of it falls due in
whatever allocates next. The bar is for `import mlpjax`, these passes included; the rooms are shown with and without.
Exit status 1 if the upper end of the bootstrap interval exceeds the bar.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile

REQUIRED = "import jax, optax, jaxtyping"
ROOMS = "import mlpjax; [getattr(mlpjax, name) for name in mlpjax.__all__]"
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
    parser.add_argument("--rounds", type=int, default=30, help="rounds of interpreters (default: 30)")
    parser.add_argument("--bar", type=float, default=40.0, help="largest accepted cost in milliseconds (default: 40)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        milliseconds(ROOMS, cache)  # writes the byte code, reads the files into the page cache
        rounds = [[milliseconds(s, cache) for s in ("import mlpjax", ROOMS)] for _ in range(options.rounds)]
    judged = [whole for (_, whole, _), _ in rounds]
    rows = {
        "import mlpjax": judged,
        "every room of it": [whole for _, (_, whole, _) in rounds],
        "  of it collecting garbage": [collecting for _, (_, _, collecting) in rounds],
        "  of it importing": [whole - collecting for _, (_, whole, collecting) in rounds],
        REQUIRED: [whole - last for _, (whole, last, _) in rounds],
    }
    print(f"{options.rounds} rounds; median and 95 % bootstrap interval, in milliseconds")
    for name, values in rows.items():
        print("{:<30s} {:8.1f}  [{:.1f}, {:.1f}]".format(name, *interval(values)))
    upper = interval(judged)[2]
    print(f"bar: {options.bar:g} ms: {'kept' if upper <= options.bar else 'EXCEEDED'}")
    raise SystemExit(upper > options.bar)


if __name__ == "__main__":
    main()
