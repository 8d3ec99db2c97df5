"""A nerve cell and the names of its parts."""

import numpy as np

from docs.figures._neuron import stage, word

ALT = (
    "A nerve cell: axons of other cells end in synapses on branching dendrites, which lead to the cell body with its "
    "nucleus; a long axon leaves it and ends in three terminals."
)


def branch(ax, points, color, width):
    """A smooth line through points that grows thinner."""
    t = np.linspace(0, 1, 40)
    p = np.array(points, float)
    control = [np.polyfit(np.linspace(0, 1, len(p)), p[:, d], len(p) - 1) for d in (0, 1)]
    x, y = (np.polyval(c, t) for c in control)
    for i in range(0, 39, 3):
        ax.plot(x[i : i + 4], y[i : i + 4], color=color, lw=width * (1 - 0.6 * i / 39), solid_capstyle="round")


def draw(plt, C):
    fig, ax = stage(plt)
    blue = C[0]
    for points in (
        [(-0.4, 0.35), (-1.1, 0.9), (-2.1, 1.1)],
        [(-1.0, 0.78), (-1.3, 1.3), (-1.9, 1.75)],
        [(-0.55, 0.05), (-1.4, 0.1), (-2.3, -0.05)],
        [(-1.5, 0.08), (-1.9, 0.3), (-2.35, 0.5)],
        [(-0.4, -0.3), (-1.1, -0.8), (-2.1, -0.95)],
        [(-1.0, -0.7), (-1.2, -1.2), (-1.75, -1.6)],
    ):
        branch(ax, points, blue, 5)
    angle = np.linspace(0, 2 * np.pi, 100)
    r = 0.62 + 0.06 * np.cos(5 * angle)
    ax.fill(r * np.cos(angle), 0.9 * r * np.sin(angle), color=blue, zorder=3)
    ax.add_patch(plt.matplotlib.patches.Circle((0, 0), 0.24, color=C.paper, alpha=0.75, zorder=4))
    branch(ax, [(0.5, 0.0), (1.6, 0.12), (3.2, 0.0)], blue, 7)
    for end in ((4.0, 0.75), (4.15, 0.0), (4.0, -0.75)):
        branch(ax, [(3.15, 0.0), (3.55, 0.55 * end[1]), end], blue, 3.4)
        ax.plot(*end, "o", color=blue, ms=6)
    for synapse in ((-2.1, 1.1), (-2.3, -0.05), (-2.1, -0.95)):
        ax.plot(synapse[0] - 0.16, synapse[1], "o", color=C[1], ms=8, zorder=5)
        ax.plot([synapse[0] - 0.75, synapse[0] - 0.2], [synapse[1]] * 2, color=C[1], lw=2.4)
    word(ax, C, (-2.55, -1.75), "synapse", to=(-2.28, -1.02))
    word(ax, C, (-0.75, 1.85), "dendrites", to=(-1.2, 1.15))
    word(ax, C, (0.15, -1.3), "cell body (soma)", to=(0.05, -0.5))
    word(ax, C, (1.9, 0.85), "axon", to=(1.9, 0.2))
    word(ax, C, (3.4, -1.5), "axon terminals", to=(3.95, -0.85))
    return fig
