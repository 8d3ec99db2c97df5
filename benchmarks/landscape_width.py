"""How far gradient descent brings the training loss on random labels, against the width (GD9).

    python -m benchmarks.landscape_width [--seeds 20]

50 points on the unit sphere of R¹⁰ with random labels ±1; one hidden layer of m ReLU units without biases at the start,
normal weights, output weights ±1, and the output divided by √m: the parametrization of Du, Zhai, Póczos and Singh
(2019). Half the mean squared error, 2,000 steps of gradient descent on all parameters with rate 1. Writes
docs/figures/data/landscape_width.json; takes about two minutes.
"""

import argparse
import functools

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.record import write
from mlpjax import mlp
from mlpjax.layers import Dense

POINTS, INPUTS, STEPS, RATE = 50, 10, 2000, 1.0
WIDTHS = tuple(2**k for k in range(10))


def run(width, key):
    """The loss after half of the steps and at the end, and how far the first layer moved, relative to its norm."""
    k1, k2, k3, k4 = jax.random.split(key, 4)
    x, y = jax.random.normal(k1, (POINTS, INPUTS)), jax.random.rademacher(k2, (POINTS,), float)
    x = x / jnp.linalg.norm(x, axis=1, keepdims=True)
    first = Dense(jax.random.normal(k3, (width, INPUTS)), jnp.zeros(width))
    start = first, Dense(jax.random.rademacher(k4, (1, width), float), jnp.zeros(1))

    def risk(params):
        z = jax.vmap(mlp.apply, (None, 0))(params, x)[:, 0] / jnp.sqrt(width)
        return jnp.mean((z - y) ** 2) / 2

    def step(params, _):
        value, grads = jax.value_and_grad(risk)(params)
        return jax.tree.map(lambda p, g: p - RATE * g, params, grads), value

    end, values = jax.lax.scan(step, start, length=STEPS)
    moved = jnp.linalg.norm(end[0].W - first.W) / jnp.linalg.norm(first.W)
    return values[STEPS // 2], risk(end), moved


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    keys, rows = jax.random.split(jax.random.key(0), seeds), []
    for width in WIDTHS:
        halfway, loss, moved = map(np.asarray, jax.jit(jax.vmap(functools.partial(run, width)))(keys))
        row = dict(width=width, parameters=width * (INPUTS + 2) + 1, halfway=float(np.median(halfway)))
        rows.append(row | dict(loss=sorted(map(float, loss)), moved=float(np.median(moved))))
        print(f"m = {width:3}: loss {loss.min():.1e} … {loss.max():.1e}, moved {np.median(moved):.3f}", flush=True)
    write("landscape_width", points=POINTS, inputs=INPUTS, steps=STEPS, rate=RATE, seeds=seeds, rows=rows)


if __name__ == "__main__":
    main()
