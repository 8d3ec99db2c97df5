"""Sixteen dead units of thirty-two, in three places, and whether gradient descent brings them back."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import activations, backprop, losses, mlp
from mlpjax.data import digits

ALT = (
    "Three graphs of the largest pre-activation of 16 dead units over 300 steps. First layer with ReLU: 16 flat lines "
    "below zero. Second layer with ReLU: all lines move and 13 end above zero. First layer with leaky ReLU: all lines "
    "move and one ends above zero."
)
DEAD, STEPS, RATE, DEPTH = 16, 300, 0.1, 0.1
CASES = [
    ("layer 1, ReLU", 0, activations.relu),
    ("layer 2, ReLU", 1, activations.relu),
    ("layer 1, leaky ReLU", 0, activations.leaky_relu(0.1)),
]


def data():
    x, y, _ = digits.load("train")
    return x[:128] / digits.MAXIMUM, y[:128]


def highest(params, x, layer, activation):
    """The largest pre-activation over the data, for every unit of a layer."""
    return jax.vmap(lambda x: mlp.trace(params, x, activation=activation).z[layer])(x).max(axis=0)


def descend(layer, activation):
    """Largest pre-activations of the units that were dead at the start, step by step."""
    x, y = data()
    params = mlp.init(jax.random.key(0), (64, 32, 32, 10))
    shift = jnp.where(jnp.arange(32) < DEAD, highest(params, x, layer, activation) + DEPTH, 0.0)
    moved = params[layer]._replace(b=params[layer].b - shift)
    params = (*params[:layer], moved, *params[layer + 1 :])

    def step(params, _):
        loss = losses.softmax_cross_entropy
        _, grads = backprop.value_and_grad(params, x, y, activation=activation, loss=loss)
        after = jax.tree.map(lambda p, g: p - RATE * g, params, grads)
        return after, highest(params, x, layer, activation)[:DEAD]

    return jax.jit(lambda p: jax.lax.scan(step, p, length=STEPS))(params)[1]


def draw(plt, C):
    fig, axes = plt.subplots(1, 3, figsize=(7, 2.9), sharey=True)
    for ax, (title, layer, activation) in zip(axes, CASES, strict=True):
        paths = np.asarray(descend(layer, activation))
        back = paths[-1] > 0
        for path, alive in zip(paths.T, back, strict=True):
            ax.plot(path, color=C[0] if alive else C[4], lw=1.3)
        ax.axhline(0, color=C.ink, lw=1, ls=":")
        ax.set_title(f"{title}\n{back.sum()} of {DEAD} come back", fontsize=11)
        ax.set(xlabel="step", ylim=(-0.6, 1.1), xticks=[0, 150, 300], yticks=[-0.5, 0, 0.5, 1])
    axes[0].set_ylabel("largest $z$")
    return fig
