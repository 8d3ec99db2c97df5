"""The step, and the step that a bias has moved."""

import jax.numpy as jnp

from mlpjax import neuron
from mlpjax.neuron import Neuron

ALT = (
    "Left: the Heaviside step, 0 left of zero, 1 from zero on, with a full dot at (0, 1) and an open one at (0, 0). "
    "Right: the answer of a neuron against the weighted sum for the biases 2, 0 and minus 1.5; it jumps at minus 2, "
    "0 and 1.5."
)


def step(ax, C, at, color, lift=0.0):
    """H(s − at) as two pieces, so that the jump is not a line."""
    for ends in ((-3.2, at), (at, 3.2)):
        s = jnp.array([sum(ends) / 2])
        height = float(neuron.apply(Neuron(jnp.ones(1), jnp.array(-at)), s)) + lift
        ax.plot(ends, [height] * 2, color=color, lw=2.6, solid_capstyle="butt")
    ax.plot([at, at], [lift, 1 + lift], color=color, lw=1, ls=":")
    here = float(neuron.apply(Neuron(jnp.ones(1), jnp.array(-at)), jnp.array([at])))
    ax.plot(at, 1 - here + lift, "o", mfc=C.paper, mec=color, ms=7, mew=1.8)
    ax.plot(at, here + lift, "o", color=color, ms=7)


def draw(plt, C):
    fig, (left, right) = plt.subplots(1, 2, figsize=(6, 2.3), sharey=True)
    step(left, C, 0.0, C[0])
    left.set(xlabel="$z$", ylabel=r"$\hat y$", yticks=(0, 1), xticks=(-3, 0, 3), title="$H(z)$", ylim=(-0.18, 1.3))
    for bias, color, lift in ((2.0, C[2], 0.06), (0.0, C[0], 0.0), (-1.5, C[1], -0.06)):
        step(right, C, -bias, color, lift)
        text = f"$b$ = {bias:g}".replace("-", "−")
        right.text(-bias, 1.19 + lift / 3, text, color=color, ha="center", fontsize=10)
    right.set(xlabel=r"$w^\top x$", title=r"$H(w^\top x + b)$")
    right.set_xticks((-2, 0, 1.5), ("−2", "0", "1.5"))
    for ax in (left, right):
        ax.set_xlim(-3.2, 3.2)
    return fig
