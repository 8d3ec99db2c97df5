"""A function as the maximum of three minima, and as the difference of two convex functions (UAT5)."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import mlp
from mlpjax.theory import cpwa

ALT = (
    "Left: a zigzag line with three peaks; dashed, three hats without end, each the minimum of two lines, the largest "
    "of which is the zigzag everywhere. Right: two convex lines of straight pieces, whose distance is the zigzag."
)
A = jnp.asarray([[1.5], [-1.0], [1.0], [-1.5], [1.0], [-1.0], [0.0]], jnp.float32)
B = jnp.asarray([4.5, -0.5, 1.5, 1.5, -1.0, 4.0, 0.0], jnp.float32)
SETS = ((0, 1), (2, 3), (4, 5), (6,))


@jax.jit
def curves(x):
    """f, each minimum, g and h."""
    networks = (cpwa.lattice(A, B, SETS), *(cpwa.lattice(A, B, (s,)) for s in SETS), *cpwa.convex_parts(A, B, SETS))
    return [jax.vmap(mlp.apply, (None, 0))(network, x)[:, 0] for network in networks]


def draw(plt, C):
    x = np.linspace(-3.6, 4.4, 321)
    f, *minima, g, h = map(np.asarray, curves(jnp.asarray(x, jnp.float32)[:, None]))
    fig, axes = plt.subplots(1, 2, figsize=(7, 3.1))
    for minimum, color in zip(minima, (C[1], C[2], C[3], C[5]), strict=True):
        axes[0].plot(x, minimum, "--", color=color, lw=1.3)
    axes[0].plot(x, f, color=C[0], lw=2.2)
    axes[0].set(ylim=(-1.6, 2.4), title="$f$ = max of min")
    axes[1].fill_between(x, h, g, color=C[0], alpha=0.18, lw=0)
    axes[1].plot(x, g, color=C[4], lw=2)
    axes[1].plot(x, h, color=C[2], lw=2)
    axes[1].text(x[12], g[12] + 0.6, "$g$", color=C[4], fontsize=12, ha="left")
    axes[1].text(x[50], h[50] - 1.3, "$h$", color=C[2], fontsize=12, ha="right")
    axes[1].set(title="$f = g - h$")
    for ax in axes:
        ax.set(xlabel="x", xlim=(x[0], x[-1]))
        ax.grid(True, lw=0.5)
    return fig
