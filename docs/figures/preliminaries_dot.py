"""The dot product as a shadow: lines on which it is constant, and a vector's shadow on the direction of w."""

import numpy as np

from docs.figures._vectors import arrow

ALT = (
    "A vector w and parallel lines at right angles to it, labeled with the value of the dot product, from minus two to "
    "six. The side to which w points is shaded. A vector x ends on the line 4, and its shadow on the direction of w "
    "ends on the same line."
)
W, X = np.array([2.0, 1.0]), np.array([0.6, 2.8])


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(6, 3.6))
    x = np.array([-2.2, 4.2])
    for value in (-2, 0, 2, 4, 6):
        y = (value - W[0] * x) / W[1]
        ax.plot(x, y, color=C.ink if value == 0 else C[5], lw=1.6 if value == 0 else 1, ls="-" if value == 0 else "--")
        at = (value + 0.9) / W[0], -0.9  # where the line crosses the height of the labels
        box = dict(boxstyle="round,pad=0.15", fc=C.paper, ec="none")
        ax.text(*at, f"{value}".replace("-", "−"), ha="center", va="center", fontsize=10, bbox=box)
    ax.fill([-1.6, 0.65, 3.9, 3.9], [3.2, -1.3, -1.3, 3.2], color=C[0], alpha=0.08, lw=0)
    shadow = (W @ X) / (W @ W) * W
    ax.plot(*zip(X, shadow, strict=True), ":", color=C[1], lw=2)
    ax.plot(*zip((0, 0), shadow, strict=True), color=C[1], lw=7, alpha=0.35, solid_capstyle="butt")
    arrow(ax, X, C[1])
    arrow(ax, W, C[0])
    ax.text(2.08, 0.98, "$w$", color=C[0], fontsize=15)
    ax.text(0.42, 2.92, "$x$", color=C[1], fontsize=15, ha="right")
    ax.text(1.25, 0.2, "shadow", color=C[1], fontsize=11, rotation=26.57, rotation_mode="anchor")
    ax.text(2.75, 2.75, r"$w \cdot x > 0$", color=C[0], fontsize=12, ha="center")
    ax.text(-1.6, -0.45, r"$w \cdot x < 0$", fontsize=12, ha="center")
    ax.set(xlim=(-2.2, 3.9), ylim=(-1.3, 3.2), aspect="equal")
    ax.axis("off")
    return fig
