"""The boundary with its normal, and the lines that the perceptron rule finds in thirty orders of the same mushrooms."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import data, neuron
from mlpjax.data import Dataset
from mlpjax.neuron import Neuron

ALT = (
    "Left: a line, its normal vector w, and the distance of a point from it. Right: the mushrooms with thirty lines "
    "that separate them, one for each order of the examples, fanned out between the classes, and the line of largest "
    "margin in the middle of the gap."
)
EXAMPLE = Neuron(jnp.array([1.2, 2.0]), jnp.array(-3.6))


def boundary(ax, params, ends, **style):
    """The line w·x + b = 0."""
    (w1, w2), b = np.asarray(params.w, float), float(params.b)
    t = np.array(ends)
    ax.plot(t, -(w1 * t + b) / w2, **style)


def widest(mushrooms):
    """The line farthest from both classes: halfway between the nearest points of their hulls."""
    x, y = np.asarray(mushrooms.x), np.asarray(mushrooms.y)[:, 0]
    pairs = (x[y == 1][:, None] - x[y == 0][None]).reshape(-1, 2)
    w = neuron.nearest_point(jnp.asarray(pairs, float), steps=500)
    sums = x @ np.asarray(w)
    return Neuron(w, jnp.asarray(-(sums[y == 1].min() + sums[y == 0].max()) / 2, w.dtype))


def orders(mushrooms, count):
    """What the rule finds in so many random orders."""

    def one(key):
        i = jax.random.permutation(key, len(mushrooms.x))
        return neuron.learn(neuron.zeros(2), Dataset(mushrooms.x[i], mushrooms.y[i]), epochs=50)[0]

    return jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), count))


def draw(plt, C):
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.4, 2.9), width_ratios=(1, 1.25))
    boundary(left, EXAMPLE, (0, 3.2), color=C.ink, lw=2)
    w, point = np.asarray(EXAMPLE.w, float), np.array([2.5, 1.6])
    unit, d = w / np.hypot(*w), float(neuron.distance(EXAMPLE, jnp.asarray(point, EXAMPLE.w.dtype)))
    foot, start = point - d * unit, np.array([1.0, 1.2])
    left.annotate("", start + 0.55 * unit, start, arrowprops=dict(arrowstyle="-|>", color=C[0], lw=2.2, shrinkA=0))
    left.text(*(start + 0.55 * unit + (-0.2, 0.0)), "$w$", color=C[0], fontsize=12)
    left.plot(*zip(foot, point, strict=True), "--", color=C[1], lw=1.6)
    left.plot(*point, "o", color=C[1], ms=7)
    left.text(point[0] + 0.12, point[1] - 0.03, "$x$", fontsize=12, va="center")
    left.text(*((foot + point) / 2 + (0.1, -0.12)), f"$d$ = {d:.2f}", fontsize=10, color=C[1])
    left.text(0.25, 0.35, r"$\hat y$ = 0", fontsize=11)
    left.text(1.85, 2.1, r"$\hat y$ = 1", fontsize=11)
    left.set(xlim=(0, 3.4), ylim=(0, 2.4), aspect="equal", xticks=(), yticks=(), xlabel="$x_1$", ylabel="$x_2$")
    mushrooms = data.toy.mushrooms()
    x, y = np.asarray(mushrooms.x), np.asarray(mushrooms.y)[:, 0]
    found = orders(mushrooms, 30)
    for k in range(30):
        boundary(right, jax.tree.map(lambda leaf, k=k: leaf[k], found), (-1, 4), color=C[0], lw=0.8, alpha=0.5)
    boundary(right, widest(mushrooms), (-1, 4), color=C.ink, lw=2.4)
    right.plot(*x[y == 1].T, "o", color=C[4], ms=6)
    right.plot(*x[y == 0].T, "s", color=C[2], ms=5)
    right.set(xlim=(-0.1, 3.1), ylim=(0, 2.1), aspect="equal", xlabel="spots, in tens", ylabel="stem, in dm")
    return fig
