"""Training in the page, seen by its linear regions: the plane cut along the lines where units switch on and off."""

import functools
import math

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
from mlpjax.training import recipes

ALT = (
    "The plane with the points of two moons, cut into the linear regions of a network of 26 hidden units, at four "
    "moments of training. At the start 26 lines through the origin make 52 regions. While the network learns, the lines "
    "move apart and cross each other at other places, and after 300 steps there are about 180 regions."
)
NETS = {"26": (2, 26, 1), "16": (2, 16, 1), "8 + 8": (2, 8, 8, 1), "6 + 6 + 6": (2, 6, 6, 6, 1)}
N, RATE = 100, 0.1
SETS = {
    "moons": (lambda: datasets.toy.moons(jax.random.key(0), N), (0.5, 0.25), 1.75),
    "spirals": (lambda: datasets.toy.spirals(jax.random.key(0), N, turns=1.0, noise=0.02), (0.0, 0.0), 1.25),
}
STARTS = (0, 1)  # seeds whose runs stay steady against rounding up to the last of MARKS
MARKS = (0, 1, 2, 5, 10, 20, 50, 100, 200)
SIDE = 121  # of the raster


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
    """Pre-activations of every layer at many points, one row for each point; the last are the logits."""
    return jax.vmap(lambda x: mlp.trace(params, x).z)(points)


def piece(params, x):
    """The affine function that the network is around a point."""
    value, slope = jax.value_and_grad(lambda x: mlp.apply(params, x)[0])(x)
    return {"value": value, "slope": slope, "offset": value - slope @ x}


def raster(center, reach):
    """The points of the raster, row by row from its top."""
    t = np.linspace(-reach, reach, SIDE)
    return np.stack(np.meshgrid(center[0] + t, center[1] - t), -1).reshape(-1, 2).astype(np.float32)


def start(sizes, seed):
    """Initial parameters: He's weights, biases 0."""
    return mlp.init(jax.random.key(seed), sizes)


def zeros(sizes):
    """Parameters of this shape, for tracing."""
    return tuple(Dense(np.zeros((m, n)), np.zeros(m)) for n, m in zip(sizes, sizes[1:], strict=False))


def _programs():
    x, y = np.zeros((N, 2)), np.zeros((N, 1))
    for name, sizes in NETS.items():
        params = zeros(sizes)
        with jax.enable_x64(False):
            state = optimizer().init(params)
        yield f"step {name}", (step, params, state, x, y)
        yield f"look {name}", (look, params, x, y)
        yield f"plane {name}", (plane, params, np.zeros((SIDE**2, 2)))
        yield f"piece {name}", (piece, params, np.zeros(2))


PROGRAMS = dict(_programs())


@functools.partial(jax.jit, static_argnames=("sizes", "marks"))
def runs(seeds, x, y, sizes, marks=MARKS):
    """Parameters, loss and right answers at the marks, for several starts."""

    def run(seed):
        def body(carry, _):
            new = step(*carry, x, y)
            return (new["params"], new["state"]), (carry[0], look(carry[0], x, y))

        params = start(sizes, seed)
        seen = jax.lax.scan(body, (params, optimizer().init(params)), length=marks[-1] + 1)[1]
        return jax.tree.map(lambda leaf: leaf[np.array(marks)], seen)

    return jax.vmap(run)(seeds)


def patterns(params, points):
    """How many different activation patterns the points have."""
    z = jax.vmap(lambda x: mlp.trace(params, x).z)(points)
    return len(np.unique(np.concatenate([np.asarray(each) > 0 for each in z[:-1]], 1), axis=0))


def bound(sizes):
    """The product over the layers of Zaslavsky's number; for one hidden layer no bound is lower."""
    return math.prod(sum(math.comb(m, j) for j in range(3)) for m in sizes[1:-1])


def references(name, sizes):
    """Loss, right answers and regions at MARKS, for every start."""
    make, center, reach = SETS[name]
    x, y, _ = make()
    params, seen = runs(jnp.asarray(STARTS), x, y, sizes)
    points = jnp.asarray(raster(center, reach))
    at = lambda s, m: jax.tree.map(lambda leaf: leaf[s, m], params)
    count = [[patterns(at(s, m), points) for m in range(len(MARKS))] for s in range(len(STARTS))]
    return programs.plain(seen, 6) | {"seen": count}


@programs.single
def data():
    """Programs, points, initial values, and what JAX finds after as many steps."""
    sets = {name: (make(), center, reach) for name, (make, center, reach) in SETS.items()}
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "sets": {
            name: {"x": programs.plain(found.x), "y": programs.plain(found.y[:, 0]), "center": center, "reach": reach}
            for name, (found, center, reach) in sets.items()
        },
        "nets": {
            name: {
                "units": sum(sizes[1:-1]),
                "parameters": trees.count(start(sizes, 0)),
                "bound": bound(sizes),
                "starts": [programs.encode(start(sizes, seed)) for seed in STARTS],
            }
            for name, sizes in NETS.items()
        },
        "side": SIDE,
        "marks": list(MARKS),
        "references": {kind: {net: references(kind, sizes) for net, sizes in NETS.items()} for kind in SETS},
    }
