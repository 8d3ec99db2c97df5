"""Why no line separates XOR: the two classes share the middle of the square (LAY1)."""

import jax
import numpy as np

from docs.figures._dishes import dishes, square
from mlpjax import neuron

ALT = (
    "Left: three attempts to separate the two liked dishes, at opposite corners of a square, from the two others by a "
    "line; each leaves one dish on the wrong side. Right: the segments that join the dishes of one class cross in the "
    "middle of the square."
)
ATTEMPTS = (((1.0, 1.0), -0.5), ((-1.0, -1.0), 1.5), ((1.0, -1.0), -0.5))


def draw(plt, C):
    fig, axes = plt.subplots(1, 4, figsize=(7, 2.3), sharey=True)
    line = np.linspace(-0.42, 1.42, 121)
    plane = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2).astype("float32")
    for ax, (w, b) in zip(axes, ATTEMPTS, strict=False):
        unit = neuron.Neuron(np.float32(w), np.float32(b))
        answer = np.asarray(jax.vmap(neuron.apply, (None, 0))(unit, plane)).reshape(121, 121)
        ax.contourf(line, line, answer, levels=(0.5, 2), colors=[C[0]], alpha=0.16)
        ax.contour(line, line, (plane @ unit.w + unit.b).reshape(121, 121), levels=(0,), colors=[C[0]], linewidths=1.6)
        wrong = {(1.0, 1.0): (1, 1), (-1.0, -1.0): (0, 0), (1.0, -1.0): (0, 1)}[w]
        ax.plot(*wrong, "o", ms=20, mfc="none", mec=C[4], mew=1.8)
        ax.set_title("3 of 4", fontsize=10)
    axes[3].plot([0, 1], [1, 0], color=C[0], lw=2)
    axes[3].plot([0, 1], [0, 1], color=C[1], lw=2)
    axes[3].plot(0.5, 0.5, "o", color=C[4], ms=7, zorder=4)
    axes[3].set_title("shared point", fontsize=10)
    for ax in axes:
        dishes(ax, C, names=False)
        square(ax, "sweet", "spicy" if ax is axes[0] else "")
    return fig
