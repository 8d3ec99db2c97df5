"""Strokes, corners, squares: three layers of AND units on a small picture (LAY4)."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import neuron

ALT = (
    "Four copies of a small picture with two outlined squares, a cross, an L, and two loose lines. In the second, "
    "pixels inside horizontal strokes and inside vertical ones are marked in two colors. In the third the corners are "
    "marked, also that of the L and the middle of the cross. In the fourth only the two squares are marked."
)
SIDE = 9


def picture():
    """Outlines as zeros and ones."""
    image = np.zeros((24, 34), "float32")
    for top, left in ((2, 3), (12, 21)):
        image[[top, top + SIDE - 1], left : left + SIDE] = 1
        image[top : top + SIDE, [left, left + SIDE - 1]] = 1
    image[6, 16:25], image[2:11, 20] = 1, 1  # a cross
    image[13:22, 4], image[21, 4:13] = 1, 1  # an L
    image[2, 27:33], image[14:20, 16] = 1, 1  # loose lines
    return image


def all_of(*parts):
    """One AND unit at every place: `parts` are maps with the offset (down, right) at which the unit looks at each."""
    unit = neuron.and_gate(len(parts))
    height, width = parts[0][0].shape
    seen = [jnp.pad(m, SIDE)[SIDE + i : SIDE + i + height, SIDE + j : SIDE + j + width] for m, i, j in parts]
    return jax.vmap(jax.vmap(neuron.apply, (None, 0)), (None, 0))(unit, jnp.stack(seen, -1))


@jax.jit
def layers(image):
    """Strokes of three pixels; corners of two strokes; squares of four corners. Each layer sees the one before only."""
    across = all_of((image, 0, -1), (image, 0, 0), (image, 0, 1))
    down = all_of((image, -1, 0), (image, 0, 0), (image, 1, 0))
    corner = {(i, j): all_of((across, 0, j), (down, i, 0)) for i in (1, -1) for j in (1, -1)}
    far = SIDE - 1
    square = all_of(*[(corner[i, j], far * (i < 0), far * (j < 0)) for i, j in corner])
    return (across, down), tuple(corner.values()), square


def draw(plt, C):
    image = picture()
    (across, down), corners, square = jax.tree.map(np.asarray, layers(image))
    fig, axes = plt.subplots(2, 2, figsize=(7, 5.1))
    titles = ("picture", "strokes", "corners", "squares")
    for ax, title in zip(axes.flat, titles, strict=True):
        rows, columns = np.nonzero(image)
        color = C.ink if title == "picture" else C.faint
        ax.plot(columns, rows, "s", color=color, ms=5.2, mew=0)
        ax.set(xlim=(-0.7, 33.7), ylim=(23.7, -0.7), aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.set_title(title, fontsize=11)
    for found, color in ((across, C[0]), (down, C[1])):
        rows, columns = np.nonzero(found)
        axes[0, 1].plot(columns, rows, "s", color=color, ms=4, mew=0, alpha=0.9)
    for found in corners:
        rows, columns = np.nonzero(found)
        axes[1, 0].plot(columns, rows, "o", color=C[2], ms=8, mec=C.paper, mew=1)
    for row, column in np.argwhere(square):
        box = plt.Rectangle((column, row), SIDE - 1, SIDE - 1, facecolor="none", edgecolor=C[4], lw=3, zorder=3)
        axes[1, 1].add_patch(box)
        axes[1, 1].plot(column, row, "o", color=C[4], ms=9, mec=C.paper, mew=1)
    return fig
