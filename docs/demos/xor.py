"""Training in the page: XOR by the package's own backpropagation and its own gradient step."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from docs._ext import programs
from mlpjax import backprop, mlp, trees
from mlpjax import data as datasets
from mlpjax.activations import sigmoid
from mlpjax.layers import Dense
from mlpjax.losses import sigmoid_squared_error as LOSS
from mlpjax.training import recipes

ALT = (
    "Left: the plane with the four points of XOR and the region in which a trained network answers 1; it holds the two "
    "points of class 1 and neither of class 0. Right: the loss of six runs on logarithmic axes; after a plateau it "
    "falls, and its tail is nearly a straight line of slope minus one."
)
SIZES = {"4": (2, 4, 1), "2": (2, 2, 1)}
# Starts whose runs stay steady at all of RATES. Others overshoot so far at a high rate that a difference in rounding
# grows to 10 % of the loss within 150 steps: there no two implementations agree, nor do float32 and float64.
SEEDS = {"4": (2, 7, 18, 22), "2": (0, 15, 9, 5)}
RATES = (4.0, 10.0, 20.0, 40.0)  # of the mean of four losses; the recipe's is 40
MARKS = (1, 2, 3, 5, 7, 10, 14, 20, 30, 50, 70, 100, 140, 200, 300, 500, 700, 1000, 1400, 2000)
SIDE, CORNER = 40, 0.4  # of the map: SIDE × SIDE points on [−CORNER, 1 + CORNER]²
TICKS = np.linspace(-CORNER, 1 + CORNER, SIDE)
PLANE = np.stack(np.meshgrid(TICKS, TICKS[::-1]), -1).reshape(-1, 2)  # the first row of the map is its top


def step(params, rate):
    """One step of gradient descent on the four examples: the loss before it, the parameters after it."""
    x, y, _ = datasets.toy.xor()
    value, grads = backprop.value_and_grad(params, x, y, activation=sigmoid, loss=LOSS)
    optimizer = recipes.optimizer("sgd", lambda _: rate)
    updates, _ = optimizer.update(grads, optimizer.init(params), params)
    return {"loss": value, "params": optax.apply_updates(params, updates)}


def answers(params, points):
    """The network's answer, and the hidden pre-activations, whose zeros are the hidden units' lines."""
    trace = jax.vmap(lambda x: mlp.trace(params, x, activation=sigmoid))(points)
    return {"answer": LOSS.output(trace.z[-1])[:, 0], "hidden": trace.z[0].T}


def starts(hidden, seeds):
    """Initial parameters for each seed, stacked, as the package's recipe for XOR draws them."""
    keys = jax.vmap(jax.random.key)(jnp.asarray(seeds))
    return jax.vmap(lambda key: recipes.xor.make_params(key, SIZES[hidden]))(keys)


def losses(params, rate, steps):
    """The loss before each step."""

    def body(params, _):
        out = step(params, rate)
        return out["params"], out["loss"]

    return jax.lax.scan(body, params, None, length=steps)[1]


def _programs():
    for hidden, sizes in SIZES.items():
        params = [Dense(np.linspace(-1, 2, m * n).reshape(m, n), np.ones(m)) for n, m in itertools.pairwise(sizes)]
        yield f"step{hidden}", (step, tuple(params), 1.0)
        yield f"plane{hidden}", (answers, tuple(params), PLANE)
        yield f"corners{hidden}", (answers, tuple(params), PLANE[:4])


PROGRAMS = dict(_programs())


def references(params):
    """The loss at each of MARKS for every start and rate, from one compiled call: `[start][rate][mark]`."""
    run = lambda params, rate: losses(params, rate, MARKS[-1] + 1)
    runs = jax.jit(jax.vmap(jax.vmap(run, (None, 0)), (0, None)))
    return programs.plain(runs(params, jnp.asarray(RATES))[..., np.asarray(MARKS)], 6)


@programs.single
def data():
    """Programs, initial values, and JAX's losses after the same steps."""
    x, y, _ = datasets.toy.xor()
    initial = {hidden: starts(hidden, seeds) for hidden, seeds in SEEDS.items()}
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "starts": {hidden: [programs.encode(p) for p in trees.unstack(params)] for hidden, params in initial.items()},
        "references": {hidden: references(params) for hidden, params in initial.items()},
        "rates": list(RATES),
        "rate": RATES.index(recipes.xor.learning_rate),
        "marks": list(MARKS),
        "x": programs.plain(x),
        "y": programs.plain(y[:, 0]),
        "side": SIDE,
        "corner": CORNER,
    }


@programs.single
def draw(plt, C):
    """What training arrives at."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.9), layout="constrained", width_ratios=(1, 1.35))
    x, y, _ = datasets.toy.xor()
    rate, several = recipes.xor.learning_rate, starts("4", range(6))
    run = lambda p: jax.lax.fori_loop(0, 2000, lambda _, p: step(p, rate)["params"], p)
    final = jax.jit(run)(jax.tree.map(lambda leaf: leaf[0], several))
    answer = np.asarray(answers(final, jnp.asarray(PLANE, jnp.float32))["answer"]).reshape(SIDE, SIDE)
    left.contourf(TICKS, TICKS[::-1], answer, levels=(0.5, 2), colors=[C[0]], alpha=0.25)
    left.contour(TICKS, TICKS[::-1], answer, levels=(0.5,), colors=[C[0]], linewidths=1.6)
    for label, marker, color in ((0, "s", C[1]), (1, "o", C[0])):
        points = np.asarray(x)[np.asarray(y)[:, 0] == label]
        left.plot(*points.T, marker, color=color, ms=9)
    left.set(aspect="equal", xticks=(0, 1), yticks=(0, 1), xlabel="$x_1$", ylabel="$x_2$", title="The answer is 1")
    curves = jax.jit(jax.vmap(lambda p: losses(p, rate, 2000)))(several)
    for curve, color in zip(np.asarray(curves), itertools.cycle(C), strict=False):
        right.loglog(np.arange(1, 2001), curve, color=color, lw=1.4)
    right.set(xlabel="step", title="Loss of six runs", xlim=(1, 2000))
    return fig
