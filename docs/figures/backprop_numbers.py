"""The worked example of the page: every number of one forward and one backward pass of a 2-2-1 network."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import backprop, losses, mlp
from mlpjax.activations import sigmoid
from mlpjax.layers import Dense

ALT = (
    "A network with two inputs, two sigmoid units and one output. Each unit carries its value of the forward pass "
    "in blue and its error in red; each connection carries its weight and, in red, the gradient of the loss in "
    "that weight."
)
PARAMS = (
    Dense(jnp.asarray([[2.0, -1.0], [0.5, 0.5]]), jnp.asarray([0.0, -0.5])),
    Dense(jnp.asarray([[2.0, -1.0]]), jnp.asarray([0.5])),
)
X, Y = jnp.asarray([1.0, 2.0]), jnp.asarray([1.0])


def signed(value):
    """A number with a true minus sign and no more digits than it needs, at most four."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return text.replace("-", "\u2212")


def unit(axes, x, y, value, error, name, C):
    """A unit with what it sends forward and what comes back to it."""
    axes.plot(x, y, "o", ms=50, mfc="none", mec=C.ink, mew=1.2)
    axes.text(
        x, y + (0.065 if error is not None else 0), signed(value), ha="center", va="center", fontsize=10.5, color=C[0]
    )
    if error is not None:
        axes.text(x, y - 0.075, signed(error), ha="center", va="center", fontsize=10.5, color=C[4])
    axes.text(x, y + 0.27, name, ha="center", va="bottom", fontsize=10.5, color=C.ink)


def edge(axes, start, end, at, weight, gradient, C):
    """A connection with its weight above its gradient."""
    from matplotlib.patches import Rectangle

    start, end = np.asarray(start), np.asarray(end)
    direction = (end - start) / np.hypot(*(end - start))
    line = dict(arrowstyle="-|>", color=C.ink, linewidth=0.9)
    axes.annotate("", end - 0.28 * direction, start + 0.28 * direction, arrowprops=line)
    x, y = start + at * (end - start)
    axes.add_patch(Rectangle((x - 0.22, y - 0.13), 0.44, 0.26, facecolor=C.paper, edgecolor="none", zorder=3))
    axes.text(x, y + 0.065, signed(weight), ha="center", va="center", fontsize=10.5, color=C.ink, zorder=4)
    axes.text(x, y - 0.065, signed(gradient), ha="center", va="center", fontsize=10.5, color=C[4], zorder=4)


def draw(plt, C):
    """Inputs, hidden units, output; blue runs to the right, red to the left."""
    a, z, _ = mlp.trace(PARAMS, X, activation=sigmoid)
    _, grads = backprop.value_and_grad(PARAMS, X[None], Y[None], activation=sigmoid, loss=losses.half_squared_error)
    a, z, weights, grads, errors = jax.tree.map(
        np.asarray, (a, z, [p.W for p in PARAMS], [g.W for g in grads], [g.b for g in grads])
    )
    inputs, hidden, output = [(0, 1), (0, 0)], [(1.7, 1), (1.7, 0)], (3.4, 0.5)
    fig, axes = plt.subplots(figsize=(6.2, 3.8))
    for i, start in enumerate(inputs):
        unit(axes, *start, a[0][i], None, f"$x_{i + 1}$", C)
        for j, end in enumerate(hidden):
            edge(axes, start, end, 0.5 if i == j else 0.34, weights[0][j, i], grads[0][j, i], C)
    for j, start in enumerate(hidden):
        unit(axes, *start, a[1][j], errors[0][j], rf"$a^{{(1)}}_{j + 1},\ \delta^{{(1)}}_{j + 1}$", C)
        edge(axes, start, output, 0.48, weights[1][0, j], grads[1][0, j], C)
    unit(axes, *output, z[1][0], errors[1][0], r"$z^{(2)}\!,\ \delta^{(2)}$", C)
    axes.set(xlim=(-0.3, 3.75), ylim=(-0.3, 1.5))
    axes.axis("off")
    return fig
