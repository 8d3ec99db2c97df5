"""A vector of the plane as an arrow with its two entries, and the sum of two vectors (PRE1)."""

import numpy as np

from docs.figures._vectors import arrow, plane

ALT = (
    "Left: an arrow from the origin to the point with coordinates 2 and 1; dotted lines lead from the point to 2 on "
    "the first axis and to 1 on the second. Right: two arrows u and v; v moved to the tip of u ends where the arrow of "
    "their sum ends."
)
U, V = np.array([1.0, 1.0]), np.array([2.0, 1.0])


def draw(plt, C):
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.9), width_ratios=(1, 1.3), layout="constrained")
    plane(left, C, (-0.5, 2.7), (-0.5, 2.4))
    left.plot([V[0], V[0], 0], [0, V[1], V[1]], ":", color=C[5], lw=1.6)
    arrow(left, V, C[0])
    left.text(0.75, 0.68, "$v$", color=C[0], fontsize=14)
    left.text(2.08, 1.12, "(2, 1)", color=C[0], fontsize=11)
    left.text(2.08, 0.42, "$v_2$", color=C[5], fontsize=12)
    left.text(1.2, 1.1, "$v_1$", color=C[5], fontsize=12, ha="center")
    plane(right, C, (-0.5, 3.7), (-0.5, 2.4))
    for end, start, color, style in (
        (U, (0, 0), C[1], "-"),
        (V, (0, 0), C[0], "-"),
        (U + V, U, C[0], (0, (3, 2))),
        (U + V, V, C[1], (0, (3, 2))),
        (U + V, (0, 0), C[2], "-"),
    ):
        arrow(right, end, color, start, linestyle=style)
    right.text(0.25, 0.75, "$u$", color=C[1], fontsize=14)
    right.text(1.35, 0.32, "$v$", color=C[0], fontsize=14)
    right.text(2.2, 1.68, "$u + v$", color=C[2], fontsize=14, ha="right")
    return fig
