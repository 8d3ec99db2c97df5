"""What each activation costs against ReLU: least times of interleaved rounds, kept where the book's table reads them.

    python benchmarks/activations.py [--rounds 400] [--batch 128] [--width 512] [--output FILE]

`alone` is one compiled call that computes σ and σ′ of a layer's pre-activations, batch × width of them; `gradient` is
loss and gradient of a network 784-width-width-10 on one batch, by backpropagation.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import time

import jax
import numpy as np

from mlpjax import activations, backprop, losses, mlp
from mlpjax.data import Dataset

OUTPUT = pathlib.Path(__file__).parents[1] / "docs" / "figures" / "data" / "activations.json"


def alone(activation, batch, width):
    """σ and σ′ at normally distributed pre-activations."""
    z = jax.random.normal(jax.random.key(0), (batch, width))
    compiled = jax.jit(lambda z: (activation(z), activation.prime(z))).lower(z).compile()
    return lambda: compiled(z)


def gradient(activation, batch, width):
    """One loss and its gradient."""
    keys = jax.random.split(jax.random.key(0), 3)
    params = mlp.init(keys[0], (784, width, width, 10))
    data = Dataset(jax.random.normal(keys[1], (batch, 784)), jax.random.randint(keys[2], (batch,), 0, 10))
    fn = backprop.supervised(activation=activation, loss=losses.softmax_cross_entropy)
    compiled = jax.jit(fn).lower(params, data, None).compile()
    return lambda: compiled(params, data, None)


def seconds(fn, calls):
    start = time.perf_counter()
    for _ in range(calls):
        jax.block_until_ready(fn())
    return (time.perf_counter() - start) / calls


def fastest(contestants, *, rounds, calls):
    """The least time of each, from rounds in random order: what the machine takes when nothing else is in its way."""
    best = dict.fromkeys(contestants, np.inf)
    for _ in range(rounds):
        for name in random.sample(list(contestants), len(contestants)):
            best[name] = min(best[name], seconds(contestants[name], calls))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--output", type=pathlib.Path, default=OUTPUT)
    arguments = parser.parse_args()
    report = {
        "machine": f"{jax.default_backend()}, {platform.machine()}, {os.cpu_count()} cores, jax {jax.__version__}",
        "batch": arguments.batch,
        "width": arguments.width,
        "rounds": arguments.rounds,
    }
    for what, make, calls in [("alone", alone, 10), ("gradient", gradient, 1)]:
        contestants = {a.name: make(a, arguments.batch, arguments.width) for a in activations.ALL}
        best = fastest(contestants, rounds=arguments.rounds, calls=calls)
        report[what] = {name: round(s / best["relu"], 2) for name, s in best.items()}
        report[f"{what}_relu_ms"] = round(1e3 * best["relu"], 4)
        print(what, report[f"{what}_relu_ms"], "ms:", report[what], flush=True)
    arguments.output.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
