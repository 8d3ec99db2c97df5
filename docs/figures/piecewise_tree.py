"""The tree of maxima of two for seven numbers, and the sizes of its network (UAT5)."""

import jax
import jax.numpy as jnp

from mlpjax import mlp
from mlpjax.theory import cpwa

ALT = (
    "Seven points on the left are joined in three pairs by triangles; the seventh passes on by a line. The four that "
    "are left make two pairs, and these one. Below: 7 inputs, hidden layers of 11, 6 and 3 units, 1 output."
)
COUNT = 7


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(7, 3.1))
    sizes = mlp.sizes(jax.eval_shape(cpwa.max_affine, jnp.eye(COUNT), jnp.zeros(COUNT)))
    heights, column = [float(-k) for k in range(COUNT)], 0
    while True:
        ax.plot([2 * column] * len(heights), heights, "o", color=C.ink, ms=4.5, zorder=3)
        if len(heights) == 1:
            break
        after = []
        for k in range(0, len(heights), 2):
            ends = heights[k : k + 2]
            middle, left, right = sum(ends) / len(ends), 2 * column, 2 * column + 2
            if len(ends) == 2:
                ax.fill([left, left, right - 0.5], [*ends, middle], color=C[0], alpha=0.25, lw=0)
                ax.plot([left, right - 0.5, left], [ends[0], middle, ends[1]], color=C[0], lw=1.2)
                ax.plot([right - 0.5, right], [middle] * 2, color=C[0], lw=1.2)
            else:
                ax.plot([left, right], [middle] * 2, color=C[1], lw=1.6)
            after.append(middle)
        heights, column = after, column + 1
    places = [0, *(2 * k + 1 for k in range(len(sizes) - 2)), 2 * column]
    for place, size in zip(places, sizes, strict=True):
        ax.text(place, -COUNT - 0.3, str(size), ha="center", va="center", fontsize=11)
    ax.text(2, 0.15, "max of two", color=C[0], fontsize=9)
    ax.text(1, -COUNT + 1.45, "identity", color=C[1], fontsize=9, ha="center")
    ax.set(xlim=(-0.5, 2 * column + 0.5), ylim=(-COUNT - 0.9, 0.7))
    ax.axis("off")
    return fig
