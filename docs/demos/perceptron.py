"""The perceptron rule among mushrooms, example by example, and beside it the logistic neuron with the same equation."""

import jax
import jax.numpy as jnp
import numpy as np

from docs._ext import programs
from mlpjax import backprop, neuron
from mlpjax import data as datasets
from mlpjax.data import Dataset
from mlpjax.layers import Dense
from mlpjax.losses import binary_cross_entropy as LOSS
from mlpjax.neuron import Neuron, _margin

ALT = (
    "Left: twenty-four mushrooms in the plane of spots and stem length, twelve poisonous and twelve safe, and the line "
    "of the perceptron rule after 5, 17, 23 and 25 mistakes; the last one separates the classes, close to one "
    "poisonous mushroom. Right: mistakes of the five epochs, 9, 8, 5, 3 and 0."
)
RATES = (0.0625, 0.25, 1.0, 4.0, 16.0)  # powers of two scale every number without rounding
MARKS = (1, 2, 4, 8, 16, 24, 48, 120, 240)  # examples seen
# Beyond so many examples the logistic neuron at a high rate swings so far that a difference in rounding grows: there no
# two implementations agree, nor do float32 and float64.
SURE = {"threshold": (240,) * 5, "logistic": (240, 240, 240, 48, 48)}
STEPS = 600  # toward the largest margin


def threshold(params, x, y, rate):
    """The perceptron rule at one example."""
    after, error = neuron.update(params, x, y, rate=rate)
    z, answer = neuron.pre_activation(params, x), neuron.apply(params, x)
    return {"z": z, "answer": answer, "error": error, "change": Neuron(*_apart(after, params)), "params": after}


def logistic(params, x, y, rate):
    """A gradient step of the logistic neuron, a network of one layer, at one example."""
    layer = (Dense(params.w[None], params.b[None]),)
    _, (grad,) = backprop.value_and_grad(layer, x[None], y[None, None], activation=(), loss=LOSS)
    change = Neuron(-rate * grad.W[0], -rate * grad.b[0])
    z = neuron.pre_activation(params, x)
    answer = LOSS.output(z)
    after = jax.tree.map(jnp.add, params, change)
    return {"z": z, "answer": answer, "error": y - answer, "change": change, "params": after}


def _apart(after, before):
    return jax.tree.map(jnp.subtract, after, before)


def survey(params, x, y):
    """z and H(z) at every point, how many answers are wrong, and the mean loss of the logistic neuron."""
    z = jax.vmap(neuron.pre_activation, (None, 0))(params, x)
    answer = neuron.heaviside(z)
    loss = jax.vmap(lambda z, y: LOSS.value(z[None], y[None]))(z, y).mean()
    return {"z": z, "answer": answer, "wrong": jnp.sum(jnp.abs(y - answer)), "loss": loss}


def closer(weights, x, y):
    """One step to the largest margin."""
    return {"weights": _margin.shifted(weights, neuron.signed(Dataset(x, y)))}


def bound(weights, x, y):
    """The margin that was found, the radius, and the bound on the mistakes."""
    data = Dataset(x, y)
    p = weights @ neuron.signed(data)
    best = Neuron(p[:-1], p[-1])
    return {
        "margin": neuron.margin(best, data),
        "radius": neuron.radius(data),
        "bound": neuron.mistake_bound(best, data),
    }


X, Y = np.linspace(0.1, 2.9, 48).reshape(24, 2), np.arange(24) % 2 * 1.0
START = Neuron(np.array([0.5, -0.25]), np.array(0.125))
PROGRAMS = {
    "threshold": (threshold, START, X[0], 1.0, 1.0),
    "logistic": (logistic, START, X[0], 1.0, 1.0),
    "survey": (survey, START, X, Y),
    "corners": (survey, START, X[:4], Y[:4]),
    "closer": (closer, np.full(24, 1 / 24), X, Y),
    "bound": (bound, np.full(24, 1 / 24), X, Y),
}


def run(step, rate):
    """Ten epochs from zero: the neuron, the mistakes so far and the loss after each of MARKS."""
    x, y, _ = datasets.toy.mushrooms()
    xy = jnp.tile(x, (10, 1)), jnp.tile(y[:, 0], 10)

    def body(carry, xy):
        params, wrong = carry
        out = step(params, *xy, rate)
        wrong = wrong + jnp.abs(xy[1] - neuron.heaviside(out["z"]))
        params = out["params"]
        return (params, wrong), (params, wrong, survey(params, x, y[:, 0])["loss"])

    history = jax.lax.scan(body, (neuron.zeros(2), jnp.zeros(())), xy)[1]
    return jax.tree.map(lambda leaf: leaf[jnp.asarray(MARKS) - 1], history)


def references():
    """For either neuron and every rate: w₁, w₂, b, mistakes and loss at MARKS."""
    for name, step in (("threshold", threshold), ("logistic", logistic)):
        params, wrong, loss = jax.jit(jax.vmap(lambda rate, step=step: run(step, rate)))(jnp.asarray(RATES))
        rows = jnp.concatenate([params.w, params.b[..., None], wrong[..., None], loss[..., None]], axis=-1)
        yield name, programs.plain(rows, 7)


@programs.single
def data():
    """Programs, the mushrooms, and what JAX finds after the same examples."""
    mushrooms = datasets.toy.mushrooms()
    best = neuron.separator(mushrooms, steps=STEPS)
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "x": programs.plain(mushrooms.x),
        "y": programs.plain(mushrooms.y[:, 0]),
        "rates": list(RATES),
        "marks": list(MARKS),
        "sure": SURE,
        "steps": STEPS,
        "references": dict(references()),
        "bound": programs.plain(
            [neuron.margin(best, mushrooms), neuron.radius(mushrooms), neuron.mistake_bound(best, mushrooms)]
        ),
    }


@programs.single
def draw(plt, C):
    """The line after some of the mistakes, and the mistakes of every epoch."""
    mushrooms = datasets.toy.mushrooms()
    _, history = neuron.learn(neuron.zeros(2), mushrooms, epochs=5)
    wrong = np.flatnonzero(np.asarray(history.errors).ravel())
    w, b = np.asarray(history.params.w).reshape(-1, 2)[wrong], np.asarray(history.params.b).ravel()[wrong]
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.1), width_ratios=(1.75, 1))
    x, y = np.asarray(mushrooms.x), np.asarray(mushrooms.y)[:, 0]
    ends = np.array([-0.2, 3.2])
    for k, color, style in ((5, C[5], ":"), (17, C[5], "--"), (23, C[3], "-."), (25, C.ink, "-")):
        line = -(w[k - 1, 0] * ends + b[k - 1]) / w[k - 1, 1]
        left.plot(ends, line, style, color=color, lw=1.8, label=f"{k}")
    left.plot(*x[y == 1].T, "o", color=C[4], ms=7)
    left.plot(*x[y == 0].T, "s", color=C[2], ms=6)
    left.set(xlim=(-0.1, 3.1), ylim=(0, 2.1), aspect="equal", xlabel="spots, in tens", ylabel="stem, in dm")
    left.legend(title="mistakes", loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9)
    right.bar(range(1, 6), (np.asarray(history.errors) != 0).sum(1), color=C[0], width=0.7)
    right.set(xlabel="epoch", title="Mistakes", xticks=range(1, 6))
    return fig
