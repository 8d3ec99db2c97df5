"""How many units the square costs: one hidden layer, two, three, and one fold after another."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import mlp
from mlpjax.theory import sawtooth

ALT = (
    "Largest error on the unit interval against the number of units, both on logarithmic axes. The least error of one "
    "hidden layer falls as a straight line to 1e-7 at a thousand units, that of two and three hidden layers as steeper "
    "lines. The network of folds drops like a cliff: 2e-7 with 30 units."
)


def folds(k):
    """The largest error of the network, attained on this grid."""
    x = jnp.arange(2 ** (k + 1) + 1) / 2 ** (k + 1)
    return float(jnp.abs(jax.jit(jax.vmap(mlp.apply, (None, 0)))(sawtooth.square(k), x[:, None])[:, 0] - x**2).max())


def draw(plt, C):
    """Bounds as lines, networks as points."""
    fig, ax = plt.subplots(figsize=(7, 3.2))
    units = np.geomspace(1, 1000, 80)
    for D, color in ((1, C[4]), (2, C[1]), (3, C[3])):
        some = units[units >= D]
        ax.loglog(some, 1 / (8 * (some / D + 1) ** (2 * D)), color=color, lw=1.6)
        ax.text(1100, 1 / (8 * (1000 / D + 1) ** (2 * D)), f"{D} hidden", color=color, va="center", fontsize=9)
    few = units[units <= 19]
    ax.loglog(few, 1 / (8 * 4**few), color=C[5], lw=1.6, ls="--")
    ax.text(2.4, 1e-8, "any depth,\nat least", color=C[5], ha="center", fontsize=9)
    k = range(1, 11)
    ax.loglog([3 * k for k in k], [folds(k) for k in k], "o", color=C[0], ms=4.5)
    ax.text(33, 3e-7, "folds", color=C[0], fontsize=9)
    ax.set(xlabel="units", ylabel="largest error", xlim=(0.9, 4000), ylim=(1e-12, 1), yticks=[1e-12, 1e-8, 1e-4, 1])
    ax.grid(True, lw=0.5)
    return fig
