"""Depth against width: the tent map folded again and again, and what one hidden layer of any width makes of it."""

import jax
import jax.numpy as jnp
import numpy as np

from docs._ext import programs
from mlpjax import mlp
from mlpjax.theory import cpwa, sawtooth

ALT = (
    "Left: the tent map folded four times, a sawtooth of sixteen pieces from eight units in four layers; a "
    "network of one hidden layer with eight units follows six of the pieces and half of the next, and then stays "
    "at one half. Right: the points that end at the same height, sixteen of them at the input, meet two by two in "
    "every layer until one is left."
)
FOLDS, CELLS, KNOTS = 8, 512, 257
LATTICE = np.arange(CELLS + 1) / CELLS  # every kink of every sawtooth here is one of these points
WIDTHS = (*range(1, 17), 20, 24, 28, 31, 32, 40, 48, 56, 63, 64, 80, 96, 112, 127, 128, 160, 192, 224, 255, 256)
CASES = ((1, 1), (2, 2), (2, 5), (3, 4), (3, 7), (3, 8), (4, 13), (5, 16), (6, 63), (7, 40), (8, 200), (8, 256))
POINTS = (0.3, 0.115, 0.71)


def folds(points):
    """The sawtooth of each k, a network of k hidden layers, at every point; and the function that it is."""
    with jax.ensure_compile_time_eval():
        networks = [sawtooth.sawtooth(k) for k in range(1, FOLDS + 1)]
    value = jnp.concatenate([jax.vmap(lambda x, net=net: mlp.apply(net, x[None]))(points).T for net in networks])
    turns = points[None] * 2.0 ** np.arange(FOLDS, dtype=np.float32)[:, None]
    return {"value": value, "wanted": 2 * jnp.abs(turns - jnp.floor(turns + 0.5))}


def bend(points, crease, stretch):
    """The last fold on its way: first the second unit's weight grows until the upper half lies on the lower one."""
    first, last = sawtooth.tent()
    last = last._replace(W=stretch * jnp.concatenate([jnp.ones(1), -2 * crease[None]])[None])
    return {"value": jax.vmap(lambda y: mlp.apply((first, last), y[None])[0])(points)}


def teeth(pieces, width):
    """Knots and heights of the shallow network that follows the first teeth and then stays at one half."""
    i = jnp.arange(KNOTS, dtype=jnp.float32)
    enough, halfway = width >= pieces, i == width - 1
    beyond = jnp.where(i < width - 1, i / pieces, jnp.where(halfway, (width - 1.5) / pieces, 1 + i))
    up = i - 2 * jnp.floor(i / 2)
    return {
        "knots": jnp.where(enough, i / pieces, beyond),
        "heights": jnp.where(enough, up, jnp.where(i < width - 1, up, 0.5)),
    }


def even(width):
    """Knots that cut the interval into equal parts, as many as there are units."""
    return {"knots": jnp.arange(KNOTS, dtype=jnp.float32) / width}


def shallow(knots, heights, wanted, there):
    """The spline through these points as a network of one hidden layer, a unit for every piece: its values on the
    lattice, its pieces on [0, 1], and how far it is from what is wanted on the lattice and at the knots.
    """
    hidden, outer = params = cpwa.from_samples(knots, heights)
    apply = jax.vmap(lambda x: mlp.apply(params, x[None])[0])
    value = apply(jnp.asarray(LATTICE, jnp.float32))
    error, inside = jnp.abs(value - wanted), (knots <= 1) & (knots >= 0)
    jumps, bends = jnp.concatenate([outer.W[0, :1] + outer.W[0, 1:2], outer.W[0, 2:]]), -hidden.b[1:]
    kinks = (jnp.abs(jumps) > 1e-3) & (bends > 0) & (bends < 1)
    sup = jnp.maximum(jnp.max(error), jnp.max(jnp.where(inside, jnp.abs(apply(knots) - there), 0.0)))
    mean = (jnp.sum(error) - (error[0] + error[-1]) / 2) / CELLS
    return {"value": value, "pieces": 1 + jnp.sum(kinks.astype(jnp.float32)), "sup": sup, "mean": mean}


def deep(value, wanted):
    """The same of the deep networks, whose kinks all lie on the lattice."""
    turn = jnp.abs(value[:, 2:] - 2 * value[:, 1:-1] + value[:, :-2]) > 1e-3
    error = jnp.abs(value - wanted)
    mean = (jnp.sum(error, 1) - (error[:, 0] + error[:, -1]) / 2) / CELLS
    return {"pieces": 1 + jnp.sum(turn.astype(jnp.float32), 1), "sup": jnp.max(error, 1), "mean": mean}


ROWS, KNOT = np.ones((FOLDS, CELLS + 1)), np.arange(KNOTS) / 4
PROGRAMS = {
    "lattice": (folds, LATTICE),
    "points": (folds, KNOT / 64),
    "bend": (bend, LATTICE, 1.0, 2.0),
    "teeth": (teeth, 8.0, 4.0),
    "even": (even, 4.0),
    "shallow": (shallow, KNOT, KNOT, LATTICE, KNOT),
    "deep": (deep, ROWS, ROWS),
}


def _tent(x):
    """The tent map in plain numbers."""
    return 2 * min(x, 1 - x)


def folded(x, k):
    """The numbers x, T(x), T(T(x)), …"""
    return [x, *(folded(_tent(x), k - 1) if k else [])]


def references():
    """By counting, and by NumPy's interpolation on a fine grid: pieces and errors of both networks."""
    for k, width in CASES:
        N, x = 2**k, np.arange(9 * 2**10 * 7 * 5 + 1) / (9 * 2**10 * 7 * 5)
        wanted = 2 * np.abs(x * N / 2 - np.floor(x * N / 2 + 0.5))
        left = max(width - 1.5, 0) / N if width < N else 1.0  # from here on it stays at one half
        found = {"folds": k, "width": width, "deep": [2 * k, N, 0.0]}
        found["teeth"] = [min(width, N), 0.5 * (width < N), 0.25 * (1 - left)]
        knots = np.arange(width + 1) / width
        error = np.abs(np.interp(x, knots, np.interp(knots, x, wanted)) - wanted)
        yield found | {"even": [float(error.max())]}


@programs.single
def data():
    """Programs, and what theory and plain arithmetic say."""
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "units": [sum(mlp.sizes(sawtooth.sawtooth(k))[1:-1]) for k in range(1, FOLDS + 1)],
        "widths": list(WIDTHS),
        "cells": CELLS,
        "knots": KNOTS,
        "references": programs.plain(list(references())),
        "paths": [programs.plain(folded(x, 6)) for x in POINTS],
    }


@programs.single
def draw(plt, C):
    """Four folds beside eight units of one layer, and the points that end at the same height."""
    k, width, level = 4, 8, 0.4
    rows = np.asarray(jax.jit(folds)(jnp.asarray(LATTICE, jnp.float32))["value"])
    knots, heights = (np.asarray(each) for each in teeth(2.0**k, float(width)).values())
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.9), layout="constrained", width_ratios=(1.35, 1))
    left.plot(LATTICE, rows[k - 1], color=C[0], lw=1.6)
    left.plot(LATTICE, np.interp(LATTICE, knots, heights), "--", color=C[1], lw=2)
    left.set(xlabel="$x$", xticks=(0, 0.5, 1), yticks=(0, 0.5, 1), title="8 units deep, 8 units shallow")
    ends = [level]
    for _ in range(k):
        ends = [end for y in ends for end in (y / 2, 1 - y / 2)]
    for x in ends:
        right.plot(range(k + 1), folded(x, k), color=C[2], lw=1, marker="o", ms=2.5)
    right.set(xlabel="layer", xticks=range(k + 1), yticks=(0, 0.5, 1), title="Sixteen points become one")
    return fig
