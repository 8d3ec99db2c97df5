"""The roofline of this machine, and where training steps lie under it.

    python -m benchmarks.roofline [--rounds 7] [--seconds 0.3]

The two limits are measured: the rate of multiplications and additions in a product of square matrices, the best of
several sizes; and the bytes per second of a sum of two arrays too large for the caches (two read, one written). Then
steps of `training.run` with SGD for some nets and batch sizes: their operations are those of the products of matrices,
their bytes at least the parameters read forward and backward, gradients written and read, parameters written, and the
batch. Writes docs/figures/data/roofline.json.
"""

import argparse
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import measure, options, workloads
from benchmarks.rivals import floor, ours
from benchmarks.rivals.problem import Problem

TARGET = pathlib.Path(__file__).parents[1] / "docs" / "figures" / "data" / "roofline.json"
NETS = {"[784, 128, 10]": (784, 128, 10), "[784, 512, 512, 10]": (784, 512, 512, 10), "12 M weights": workloads.WIDE}
BATCHES = (1, 4, 16, 64, 128, 256, 1024)


def least(work, rounds: int) -> float:
    """The shortest of several times."""
    work()
    return min(measure.sample(work)[0].seconds for _ in range(rounds))


def matmul_rate(rounds: int) -> tuple[float, dict[int, float]]:
    """Operations per second of products of square float32 matrices, by size."""
    rates = {}
    for n in (256, 512, 1024, 2048):
        a = jnp.ones((n, n), jnp.float32)
        times = max(1, int(2e9 / (2 * n**3)))
        # scaled, so that the numbers stay near 1; each product needs the one before
        chain = jax.jit(lambda a, times=times, n=n: jax.lax.fori_loop(0, times, lambda _, b: (b @ a) * (1 / n), a))
        rates[n] = times * 2 * n**3 / least(lambda chain=chain, a=a: jax.block_until_ready(chain(a)), rounds)
    return max(rates.values()), rates


def bandwidth(rounds: int, megabytes: int = 256) -> float:
    """Bytes per second that a sum of two large arrays moves."""
    a = jnp.ones(megabytes * 250_000, jnp.float32)
    b = a + 1
    add = jax.jit(lambda a, b: a + b)
    return 3 * a.nbytes / least(lambda: jax.block_until_ready(add(a, b)), rounds)


def one(sizes, batch: int, seconds: float, rounds: int) -> dict:
    """The rate of a step, and how many operations it does for each byte that it must move."""
    rng = np.random.default_rng(0)
    n = max(4096, batch)
    x, y = rng.random((n, 784), np.float32), rng.integers(0, 10, n).astype(np.int32)
    layers = workloads.initial(sizes)

    def problem(steps):
        return Problem(x, y, np.zeros((steps, batch), np.int32), layers, "relu", "cross-entropy", "sgd", 0.01)

    steps = 4
    while True:
        work = ours.run(problem(steps))()
        taken = least(work, 1)
        if taken > seconds / 3 or steps > 4000:
            break
        steps = max(steps + 1, min(4 * steps, int(steps * seconds / taken)))
    taken = least(work, rounds)
    parameters, operations = sum(W.size for W, _ in layers), floor.operations(problem(steps))
    moved = 4.0 * steps * (5 * parameters + batch * 784)
    return {"batch": batch, "rate": operations / taken, "intensity": operations / moved, "step": taken / steps}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rounds", type=options.positive, default=7, help="of which the shortest counts (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=0.3, help="of one timed call, about (default: %(default)s)")
    arguments = parser.parse_args()
    peak, rates = matmul_rate(arguments.rounds)
    found = {
        "machine": measure.machine(),
        "peak": peak,
        "rates": rates,
        "bandwidth": bandwidth(arguments.rounds),
        "nets": {
            name: [one(sizes, batch, arguments.seconds, arguments.rounds) for batch in BATCHES]
            for name, sizes in NETS.items()
        },
    }
    TARGET.write_text(json.dumps(found, indent=1) + "\n")
    print(f"{peak / 1e9:.0f} GFLOP/s, {found['bandwidth'] / 1e9:.1f} GB/s")
    for name, points in found["nets"].items():
        for point in points:
            share = point["rate"] / peak
            print(f"{name:20} batch {point['batch']:5}: {point['rate'] / 1e9:6.1f} GFLOP/s, {share:.0%} of the peak")


if __name__ == "__main__":
    main()
