"""What the iteration of Muon does to the singular values of a gradient."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax.training import recipes

ALT = (
    "Singular values before the iteration, from 0.001 to 1 on a logarithmic axis, and after one, two, three and five "
    "iterations: curves that rise steeply one after the other. After five, every value above 0.002 lies in a band "
    "between 0.68 and 1.2. Dots, from an update of the optimizer, lie on the last curve."
)
A, B, D = 3.4445, -4.7750, 2.0315


def draw(plt, C):
    """The iterated polynomial, and an update."""
    fig, ax = plt.subplots(figsize=(6.4, 2.8))
    ax.axhspan(0.68, 1.2, color=C[2], alpha=0.15, lw=0)
    x = s = np.logspace(-3, 0, 500)
    for n, color in zip(range(1, 6), (C[5], C[1], C[3], None, C[0]), strict=True):
        x = A * x + B * x**3 + D * x**5
        if color:
            ax.semilogx(s, x, color=color, lw=1.6, label=f"{n}")
    before = jnp.logspace(0, -2.9, 30)
    optimizer, G = recipes.optimizer("muon", 1.0), jnp.diag(before)
    update = jax.jit(lambda G: optimizer.update(G, optimizer.init(G), G)[0])(G)
    after = -np.diag(update) / (0.2 * np.sqrt(30))
    ax.plot(np.asarray(before / jnp.linalg.norm(before)), after, "o", color=C[0], ms=3.5)
    ax.set_xlabel("singular value before")
    ax.set_ylabel("after")
    ax.set_xlim(1e-3, 1)
    ax.legend(title="iterations", fontsize=8, title_fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.05))
    ax.grid(alpha=0.5, lw=0.5)
    return fig
