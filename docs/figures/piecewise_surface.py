"""Linear interpolation on six triangles as a network: its level lines, and its weights (UAT5)."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import mlp
from mlpjax.theory import cpwa

ALT = (
    "Left: a square cut into six triangles with straight level lines that bend at the sides; a peak of height 1 and a "
    "pit of −0.6 inside. Outside of the square the level lines go on. Right: five matrices, one for each layer, with "
    "positive weights in one color and negative ones in another; the second and third have blocks along the diagonal."
)
CORNERS = np.array([[0, 0], [2, 0], [2, 2], [0, 2], [0.8, 1.2], [1.4, 0.6]])
TRIANGLES = np.array([[0, 5, 4], [0, 1, 5], [1, 2, 5], [2, 4, 5], [2, 3, 4], [3, 0, 4]])
HEIGHTS = np.array([0.0, 0.4, 0.0, 0.3, 1.0, -0.6])


def level_lines(ax, C, network):
    """On a grid that reaches beyond the square."""
    side = np.linspace(-0.5, 2.5, 101)
    x, y = np.meshgrid(side, side)
    points = jnp.asarray(np.stack([x.ravel(), y.ravel()], axis=1), jnp.float32)
    z = np.asarray(jax.jit(jax.vmap(mlp.apply, (None, 0)))(network, points)).reshape(x.shape)
    inside = (x >= -1e-6) & (x <= 2 + 1e-6) & (y >= -1e-6) & (y <= 2 + 1e-6)
    levels = np.arange(-3, 3.01, 0.1)
    ax.contour(x, y, z, levels, colors=[C.faint], linewidths=0.7, linestyles="solid")
    within = np.where(inside, z, np.nan)
    ax.contour(x, y, within, levels[levels > 1e-9], colors=[C[0]], linewidths=1.1)
    ax.contour(x, y, within, levels[levels < -1e-9], colors=[C[1]], linewidths=1.1, linestyles="solid")
    ax.triplot(*CORNERS.T, TRIANGLES, color=C.ink, lw=1.3)
    offsets = [(-0.06, -0.16), (0.1, -0.16), (0.1, 0.16), (-0.06, 0.16), (-0.03, 0.2), (0.27, 0.05)]
    for (x0, y0), value, (dx, dy) in zip(CORNERS, HEIGHTS, offsets, strict=True):
        box = dict(facecolor=C.paper, edgecolor="none", pad=1)
        ax.text(x0 + dx, y0 + dy, f"{value:g}", ha="center", va="center", fontsize=9, bbox=box)
    ax.set(aspect="equal", xlim=(-0.5, 2.5), ylim=(-0.5, 2.5), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def draw(plt, C):
    network = cpwa.from_triangulation(CORNERS, TRIANGLES, HEIGHTS)
    fig = plt.figure(figsize=(7, 3.3))
    level_lines(fig.add_axes((0.0, 0.02, 0.46, 0.94)), C, network)
    layers = [np.asarray(W) for W, _ in network]
    unit = 0.47 / (sum(W.shape[1] for W in layers) + 2.2 * (len(layers) - 1))
    left = 0.51
    for l, W in enumerate(layers, 1):
        rows, columns = W.shape
        width, height = unit * columns, unit * rows * 7 / 3.3
        ax = fig.add_axes((left, 0.5 - height / 2, width, height))
        for sign, color in ((1, C[0]), (-1, C[1])):
            i, j = np.nonzero(sign * W > 0)
            for row, column in zip(i, j, strict=True):
                ax.fill([column, column + 1, column + 1, column], [row, row, row + 1, row + 1], color=color, lw=0)
        ax.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=C.faint)
        ax.set_title(f"$W^{{({l})}}$", fontsize=9)
        left += width + 2.2 * unit
    return fig
