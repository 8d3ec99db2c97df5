"""Training in the page, seen by its linear regions: the plane cut along the lines where units switch on and off."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from docs._ext import programs
from mlpjax import backprop, mlp, trees
from mlpjax import data as datasets
from mlpjax.activations import relu
from mlpjax.layers import Dense
from mlpjax.losses import binary_cross_entropy as LOSS
from mlpjax.theory import regions
from mlpjax.training import recipes

ALT = (
    "The plane with the points of two moons, cut into the linear regions of a network of 26 hidden units, at three "
    "moments of training. At the start 26 lines through the origin make 52 regions. After 10 steps nearly all of them "
    "cross each other near by: 341 regions. After 300 steps some crossings have left the picture, 290 regions remain, "
    "and a bent border runs between those of the one class and of the other."
)
NETS = {"26": (2, 26, 1), "16": (2, 16, 1), "8 + 8": (2, 8, 8, 1), "6 + 6 + 6": (2, 6, 6, 6, 1)}
N, RATE = 100, 0.1
SETS = {
    "moons": (lambda: datasets.toy.moons(jax.random.key(0), N), (0.5, 0.25), 1.75),
    "spirals": (lambda: datasets.toy.spirals(jax.random.key(0), N, turns=1.0, noise=0.02), (0.0, 0.0), 1.25),
}
# Starts whose runs, and whose regions on the raster, are the same up to the last of MARKS if rounding is another.
SEEDS = {"26": (1, 3), "16": (1, 3), "8 + 8": (4, 1), "6 + 6 + 6": (6, 0)}
MARKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 300)
SIDE = 120  # of the raster: an even number, so that no point is the origin, where at the start all lines meet
BLOCK = 10 * SIDE  # points that one call of a program sees


def optimizer():
    """Gradient descent with momentum."""
    return recipes.optimizer("momentum", RATE)


def step(params, state, x, y):
    """One step of training on all examples: parameters and state after it."""
    _, grads = backprop.value_and_grad(params, x, y, activation=relu, loss=LOSS)
    updates, state = optimizer().update(grads, state, params)
    return {"params": optax.apply_updates(params, updates), "state": state}


def look(params, x, y):
    """Loss and number of right answers."""
    z = jax.vmap(lambda x: mlp.apply(params, x))(x)
    right = (z > 0) == (y > 0.5)
    return {"loss": jnp.mean(jax.vmap(LOSS.value)(z, y)), "right": jnp.sum(right.astype(jnp.float32))}


def plane(params, points):
    """Answers and pre-activations of every layer at many points, one row for each point; the last are the logits."""
    z = jax.vmap(lambda x: mlp.trace(params, x).z)(points)
    return {"answer": LOSS.output(z[-1]), "z": z}


def piece(params, x):
    """The affine function that the network is around a point, and the hidden pre-activations there."""
    value, slope = jax.value_and_grad(lambda x: mlp.apply(params, x)[0])(x)
    return {"slope": slope, "offset": value - slope @ x, "z": mlp.trace(params, x).z[:-1]}


@functools.cache
def given():
    """The points of every set, and the initial parameters of every network."""
    with jax.enable_x64(False):
        points = {name: jax.tree.map(np.asarray, make()[:2]) for name, (make, _, _) in SETS.items()}
    return points, {name: [start(sizes, seed) for seed in SEEDS[name]] for name, sizes in NETS.items()}


def start(sizes, seed):
    """He's weights, biases 0."""
    draw = np.random.default_rng(seed).standard_normal
    layer = lambda n, m: Dense((2 / n) ** 0.5 * draw((m, n), "float32"), np.zeros(m, "float32"))
    return tuple(layer(n, m) for n, m in itertools.pairwise(sizes))


def example(sizes):
    """Some parameters of this shape."""
    some = lambda n: np.cos(np.arange(n) * 1.7)
    return tuple(Dense(some(m * n).reshape(m, n), 0.3 * some(m)) for n, m in itertools.pairwise(sizes))


def _programs():
    points = np.cos(np.arange(2 * BLOCK)).reshape(-1, 2)
    x, y = points[:N], np.arange(N)[:, None] % 2 * 1.0
    for name, sizes in NETS.items():
        params = example(sizes)
        with jax.enable_x64(False):
            state = optimizer().init(params)
        yield f"look {name}", (look, params, x, y)
        yield f"step {name}", (step, params, state, x, y)
        yield f"plane {name}", (plane, params, points)
        yield f"piece {name}", (piece, params, points[1])


PROGRAMS = dict(_programs())


def trained(params, x, y, steps=MARKS[-1] + 1):
    """The parameters before each step, by NumPy in float64."""
    layers, velocity = [[leaf.astype(float) for leaf in layer] for layer in params], [[0.0, 0.0] for _ in params]
    x, y = x.astype(float), y.astype(float)
    for _ in range(steps):
        yield tuple(Dense(*layer) for layer in layers)
        a, z = signals(layers, x)
        delta = (1 / (1 + np.exp(-z[-1])) - y) / len(x)
        for l in reversed(range(len(layers))):
            grads, delta = (delta.T @ a[l], delta.sum(0)), (delta @ layers[l][0]) * (a[l] > 0)
            velocity[l] = [0.9 * v + g for v, g in zip(velocity[l], grads, strict=True)]
            layers[l] = [p - RATE * v for p, v in zip(layers[l], velocity[l], strict=True)]


def signals(layers, x):
    """Activations and pre-activations of every layer, by NumPy."""
    a, z = [x], []
    for W, b in layers:
        z.append(a[-1] @ W.T + b)
        a.append(np.maximum(z[-1], 0))
    return a, z


def box(name, cell=0.0):
    """The square that is seen, as the package's functions take it; with half a pixel more around it."""
    _, center, reach = SETS[name]
    reach = reach + cell * reach / (SIDE - 1)
    low, high = (tuple(c + sign * reach for c in center) for sign in (-1, 1))
    return {"origin": np.zeros(2), "directions": np.eye(2), "low": low, "high": high}


def counted(params, name):
    """Regions that the raster meets, and all of them, exactly."""
    met = regions.raster(params, **box(name, 1.0), shape=(SIDE, SIDE))
    return len(met.pattern), len(regions.polygons(params, **box(name)).pattern)


def marks(params, name):
    """Loss, right answers, regions that the raster meets and all regions, at each of MARKS."""
    x, y = given()[0][name]
    for t, now in enumerate(trained(params, x, y)):
        if t in MARKS:
            z = signals(now, x.astype(float))[1][-1]
            yield np.mean(np.logaddexp(0, z) - y * z), np.sum((z > 0) == (y > 0.5)), *counted(now, name)


@programs.single
def data():
    """Programs, points, initial values, and what NumPy and the exact count find after as many steps."""
    points, starts = given()
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "sets": {
            name: {
                "x": programs.plain(x),
                "y": programs.plain(y[:, 0]),
                "center": SETS[name][1],
                "reach": SETS[name][2],
            }
            for name, (x, y) in points.items()
        },
        "nets": {
            name: {
                "layers": sizes[1:-1],
                "parameters": trees.count(example(sizes)),
                "best": [bound(sizes[1:-1], 2) for bound in (regions.lower_bound, regions.upper_bound)],
                "starts": [programs.encode(params) for params in starts[name]],
            }
            for name, sizes in NETS.items()
        },
        "names": list(NETS),
        "side": SIDE,
        "block": BLOCK,
        "marks": list(MARKS),
        "references": {
            name: {net: [programs.plain(list(marks(p, name)), 6) for p in starts[net]] for net in NETS} for name in SETS
        },
    }


@programs.single
def draw(plt, C):
    """Three moments of one run."""
    points, starts = given()
    x, y = points["moons"]
    run, shown = list(trained(starts["26"][0], x, y)), (0, 10, 300)
    low, high = (np.array(box("moons")[end]) for end in ("low", "high"))
    ticks = np.linspace(low, high, 61)
    plane = np.stack(np.meshgrid(*ticks.T), -1)
    fig, axes = plt.subplots(1, 3, figsize=(7, 2.6), layout="constrained")
    for ax, step in zip(axes, shown, strict=True):
        z = signals(run[step], plane)[1][-1][..., 0]
        ax.contourf(*ticks.T, z, levels=(-1e3, 0, 1e3), colors=[C[1], C[0]], alpha=0.25)
        ax.contour(*ticks.T, z, levels=(0,), colors=[C.ink], linewidths=1.4)
        for w, b in zip(*run[step][0], strict=True):  # where a unit switches: w · x + b = 0
            foot = -b * w / (w @ w)
            ax.axline(foot, foot + np.array([-w[1], w[0]]), color=C[5], lw=0.7)
        for label, marker, color in ((0, "s", C[1]), (1, "o", C[0])):
            ax.plot(*x[y[:, 0] == label].T, marker, color=color, ms=2.5)
        count = len(regions.polygons(run[step], **box("moons")).pattern)
        limits = {"xlim": (low[0], high[0]), "ylim": (low[1], high[1])}
        ax.set(aspect="equal", xticks=(), yticks=(), title=f"step {step}: {count} regions", **limits)
    return fig
