"""The loss of a network along one weight: a staircase with threshold units, a slope with sigmoids (ACT12)."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import data, losses, mlp, neuron
from mlpjax.activations import sigmoid
from mlpjax.theory import gates

ALT = (
    "The loss against one weight of the first layer. With threshold units it is a staircase: flat at 0.25, at 0.125 "
    "and at 0, with a jump between. With sigmoids it is a smooth curve that falls from 0.25 nearly to 0 along the same "
    "steps."
)
STEEP = 6.0


def loss(t, activation, scale):
    """Mean loss on XOR of the network built by hand, with t for the weight from the first input to the OR unit."""
    first, second = jax.tree.map(lambda p: scale * p, gates.xor())
    params = (
        first._replace(W=first.W.at[0, 0].set(scale * t)),
        second._replace(b=second.b / scale, W=second.W / scale),
    )
    xor, half = data.toy.xor(), losses.half_squared_error
    z = jax.vmap(lambda x: mlp.apply(params, x, activation=activation))(xor.x)
    return jnp.mean(jax.vmap(half.value)(z + 0.5, xor.y))


def draw(plt, C):
    t = np.linspace(-1.5, 3, 721, dtype="float32")
    step = np.asarray(jax.jit(jax.vmap(lambda t: loss(t, neuron.heaviside, 1.0)))(t))
    smooth = np.asarray(jax.jit(jax.vmap(lambda t: loss(t, sigmoid, STEEP)))(t))
    fig, ax = plt.subplots(figsize=(7, 2.7))
    jump = np.flatnonzero(np.abs(np.diff(step)) > 1e-3)
    for piece in np.split(np.arange(len(t)), jump + 1):
        ax.plot(t[piece], step[piece], color=C[4], lw=2.4)
    ax.plot(t, smooth, color=C[0], lw=2)
    ax.text(t[0] + 0.1, step[0] + 0.012, "threshold units: slope 0", color=C[4], va="bottom")
    ax.text(2.95, smooth[-1] + 0.016, "sigmoids", color=C[0], ha="right", va="bottom")
    ax.set(xlabel="one weight of the first layer", ylabel="loss", ylim=(-0.015, max(step.max(), smooth.max()) + 0.05))
    ax.grid(True, lw=0.5)
    return fig
