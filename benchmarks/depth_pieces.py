"""Pieces that depth can make, that training finds, and that random networks have (DEP3).

    python -m benchmarks.depth_pieces [--only sawtooth start]

sawtooth: the k-fold composition of the tent map, 2^k pieces, from 128 points by 2,000 steps of Adam on the squared
error. "narrow": k hidden layers of 2 units, which can write it exactly; "near": the same from the exact weights, each
multiplied by 1 + ε/10 with ε normal; "wide": k hidden layers of 16; "shallow": one with as many parameters as "wide".
It is found if the mean squared error is below a hundredth of the target's variance. The rate is the best of three by
the share of 8 seeds, then by their median error; 24 fresh seeds are counted.

start: networks for the digits with He's weights and no biases, each along the segment between two test digits, every
piece counted exactly.

Each part writes its key of docs/figures/data/depth_pieces.json and leaves the other. Takes about four minutes.
"""

import functools
import itertools
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks import record
from benchmarks.remedies import digits
from mlpjax import data, deep, initializers, losses, training
from mlpjax.layers import Dense
from mlpjax.theory import regions
from mlpjax.theory.calculus import affine, compose
from mlpjax.theory.sawtooth import sawtooth as folds
from mlpjax.theory.sawtooth import triangle_wave

POINTS, STEPS, RATES, TUNED_ON, SEEDS = 128, 2000, (0.003, 0.01, 0.03), 8, 24
ARMS, FOUND = ("narrow", "near", "wide", "shallow"), 0.01
DEPTHS, WIDTHS, LINES = (1, 2, 4, 8, 16, 32, 64), (16, 32, 64), 100
LOSS = losses.half_squared_error


def sawtooth(k):
    """The k-fold tent map at points of [-1, 1], with values in [-1, 1]."""
    x = jnp.arange(0.5, POINTS) / POINTS
    return data.Dataset(2 * x[:, None] - 1, 2 * triangle_wave(x, k)[:, None] - 1)


def exact(k):
    """The network of k hidden layers of 2 units that is the target: (t + 1)/2, the sawtooth, 2y - 1."""
    scaled = lambda factor, shift: affine(jnp.full((1, 1), factor), jnp.full(1, shift))
    return deep.stack(compose(scaled(2.0, -1.0), compose(folds(k), scaled(0.5, 0.5))))


def shape(arm, k):
    """Hidden layers and their width; k hidden layers of 16 have 49 + 272 (k - 1) parameters, one of m has 3 m + 1."""
    shallow = 1, round((48 + 272 * (k - 1)) / 3)
    return {"wide": (k, 16), "shallow": shallow}.get(arm, (k, 2))


def start(key, arm, k):
    """Initial weights: He's and normal biases, or the exact ones with a tenth of noise."""
    depth, width = shape(arm, k)
    params = deep.init(key, (1, *[width] * depth, 1), bias_init=initializers.normal(0.5))
    if arm != "near":
        return params
    leaves, treedef = jax.tree.flatten(exact(k))
    keys = jax.random.split(key, len(leaves))
    noisy = (leaf * (1 + jax.random.normal(at, leaf.shape) / 10) for at, leaf in zip(keys, leaves, strict=True))
    return treedef.unflatten(noisy)


@functools.partial(jax.jit, static_argnames=("arm", "k"))
def fit(keys, rates, arm, k):
    """Mean squared errors over the variance of the target, one for each pair of key and rate."""
    target, gradient, objective = sawtooth(k), deep.supervised(loss=LOSS), training.supervised(deep.apply, LOSS)

    def run(key, rate):
        optimizer = optax.adam(optax.cosine_decay_schedule(rate, STEPS))
        state = training.start(key, start(key, arm, k), optimizer=optimizer)
        how = dict(objective=objective, optimizer=optimizer, steps=STEPS, value_and_grad=gradient)
        params = training.run(state, target, **how)[0].params
        return 2 * objective(params, target, None) / jnp.var(target.y)

    return jax.vmap(run)(keys, rates)


def found(k, arm):
    """The best rate, and the errors of fresh seeds with it."""
    keys = jax.random.split(jax.random.key(k), TUNED_ON + SEEDS)
    pairs = jnp.repeat(keys[:TUNED_ON], len(RATES)), jnp.tile(jnp.array(RATES), TUNED_ON)
    tuned = np.asarray(fit(*pairs, arm, k)).reshape(TUNED_ON, len(RATES))
    best = max(range(len(RATES)), key=lambda i: (np.mean(tuned[:, i] < FOUND), -np.median(tuned[:, i])))
    errors = np.sort(np.asarray(fit(keys[TUNED_ON:], jnp.full(SEEDS, RATES[best]), arm, k)))
    depth, width = shape(arm, k)
    shown = [float(f"{error:.3g}") for error in errors]
    return dict(k=k, arm=arm, depth=depth, width=width, rate=RATES[best], errors=shown, found=int(sum(errors < FOUND)))


def measure_sawtooth():
    """Rows by k and arm."""
    rows = []
    for k, arm in itertools.product(range(1, 6), ARMS):
        began = time.perf_counter()
        rows.append(found(k, arm))
        print(f"k = {k}, {arm}: {rows[-1]['found']} of {SEEDS} ({time.perf_counter() - began:.0f} s)", flush=True)
    return dict(rows=rows, points=POINTS, steps=STEPS, rates=RATES, seeds=SEEDS)


def random_network(seed, depth, width):
    """He's weights without biases, as NumPy arrays: nothing is compiled."""
    rng, sizes = np.random.default_rng(seed), (64, *[width] * depth, 1)
    draw = lambda n, m: Dense(rng.normal(size=(m, n)) * (2 / n) ** 0.5, np.zeros(m))
    return tuple(draw(n, m) for n, m in itertools.pairwise(sizes))


def segments():
    """Pairs of test digits, and the angle between the two, seen from the origin."""
    x = np.asarray(digits()[2].x, float)
    pairs = [x[np.random.default_rng(seed).choice(len(x), 2, replace=False)] for seed in range(LINES)]
    return pairs, [float(np.arccos(u @ v / (np.linalg.norm(u) * np.linalg.norm(v)))) for u, v in pairs]


def measure_start():
    """Numbers of pieces by width and depth, one network for each segment."""
    (pairs, angles), rows = segments(), []
    for width, depth in itertools.product(WIDTHS, DEPTHS):
        counts = []
        for seed, (u, v) in enumerate(pairs):
            network = random_network(seed, depth, width)
            counts.append(len(regions.pieces(network, u, v - u, low=0.0, high=1.0).slopes))
        rows.append(dict(width=width, depth=depth, pieces=counts))
        print(f"width {width}, depth {depth}: {(np.mean(counts) - 1) / (width * depth):.3f} per unit", flush=True)
    return dict(rows=rows, lines=LINES, angles=angles)


PARTS = dict(sawtooth=measure_sawtooth, start=measure_start)


if __name__ == "__main__":
    record.command("depth_pieces", __doc__, PARTS)
