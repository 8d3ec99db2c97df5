"""Backpropagation by hand against `jax.grad`: the ratio of their times, in interleaved pairs.

    python benchmarks/backprop.py [--sizes 784 512 512 10] [--batch 128] [--pairs 30] [--steps 20]

Both are timed as a user meets them: alone, as one jitted call (`gradient`), and in a compiled run with Adam (`step`).
A ratio is judged by the upper end of the bootstrap interval of its median; the bar is 1.10.
"""

import argparse
import os
import platform
import random
import time

import jax
import numpy as np
import optax

from mlpjax import backprop, losses, mlp, training
from mlpjax.data import Dataset

LOSS = losses.softmax_cross_entropy
BAR = 1.10


def contestants(sizes, batch, steps):
    """Pairs of functions of no argument, by name: (by hand, by autodiff)."""
    keys = jax.random.split(jax.random.key(0), 3)
    params = jax.jit(lambda k: mlp.init(k, sizes))(keys[0])
    x = jax.random.normal(keys[1], (batch * steps, sizes[0]))
    y = jax.random.randint(keys[2], (batch * steps,), 0, sizes[-1])
    objective = training.supervised(mlp.apply, LOSS)
    gradients = {"hand": backprop.supervised(loss=LOSS), "auto": jax.value_and_grad(objective)}
    one, whole = Dataset(x[:batch], y[:batch]), Dataset(x, y)
    optimizer = optax.adam(1e-3)
    state = training.start(keys[0], params, optimizer=optimizer)

    def run(fn):
        settings = dict(objective=objective, optimizer=optimizer, steps=steps, batch_size=batch, value_and_grad=fn)
        return jax.jit(lambda state, data: training.run(state, data, **settings)).lower(state, whole).compile()

    alone = {name: jax.jit(fn).lower(params, one, None).compile() for name, fn in gradients.items()}
    inside = {name: run(fn) for name, fn in gradients.items()}
    return {
        "gradient": {name: lambda f=f: [f(params, one, None) for _ in range(steps)] for name, f in alone.items()},
        "step": {name: lambda f=f: f(state, whole) for name, f in inside.items()},
    }


def seconds(fn):
    start = time.perf_counter()
    jax.block_until_ready(fn())
    return time.perf_counter() - start


def pairs(hand, auto, count):
    """Times of both, in random order within each pair, after two rounds that do not count."""
    rows = []
    for _ in range(count + 2):
        row = {}
        for name, fn in random.sample([("hand", hand), ("auto", auto)], 2):
            row[name] = seconds(fn)
        rows.append((row["hand"], row["auto"]))
    return np.asarray(rows[2:])


def interval(ratios, rng, draws=10_000):
    """Median, and its 95 % bootstrap interval."""
    medians = np.median(rng.choice(ratios, (draws, len(ratios))), axis=1)
    return np.median(ratios), *np.quantile(medians, [0.025, 0.975])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[784, 512, 512, 10])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--steps", type=int, default=20, help="steps in one timed call")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    machine = f"jax {jax.__version__}, {platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}; sizes {arguments.sizes}, batch {arguments.batch}")
    worst = 0.0
    for name, pair in contestants(arguments.sizes, arguments.batch, arguments.steps).items():
        times = pairs(pair["hand"], pair["auto"], arguments.pairs)
        median, low, high = interval(times[:, 0] / times[:, 1], rng)
        ms = 1e3 * np.median(times, axis=0) / arguments.steps
        print(f"{name:9} by hand {ms[0]:.3f} ms, autodiff {ms[1]:.3f} ms; ratio {median:.3f} [{low:.3f}, {high:.3f}]")
        worst = max(worst, high)
    print(f"{'kept' if worst <= BAR else 'MISSED'}: upper limit {worst:.3f}, bar {BAR:.2f}")
    raise SystemExit(int(worst > BAR))


if __name__ == "__main__":
    main()
