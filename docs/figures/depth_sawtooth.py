"""The tent map and its next three folds, each as the network computes it."""

import jax
import jax.numpy as jnp

from mlpjax import mlp
from mlpjax.theory import sawtooth

ALT = (
    "Four panels: the tent map folded once, twice, three and four times. From one to the next the number of teeth "
    "doubles, from 1 to 8, and so does the number of straight pieces, from 2 to 16. All teeth reach from 0 to 1."
)


def draw(plt, C):
    """One panel for each number of folds."""
    fig, axes = plt.subplots(1, 4, figsize=(7, 2.1), sharey=True)
    x = jnp.arange(17) / 16
    for k, ax in enumerate(axes, 1):
        ax.plot(x, jax.vmap(mlp.apply, (None, 0))(sawtooth.sawtooth(k), x[:, None])[:, 0], color=C[0], lw=1.6)
        ax.set_title(f"{2**k} pieces", fontsize=11)
        ax.set(xticks=(0, 1), yticks=(0, 1), xlabel="x")
        ax.xaxis.labelpad = -8
    axes[0].set_ylabel("folded", labelpad=-4)
    return fig
