"""The zigzag of three units, and two of them composed: every piece crosses (0, 1)."""

import numpy as np

from mlpjax.theory import regions

ALT = (
    "Left: a line that comes from below, turns at one quarter, one half and three quarters, and goes down again: four "
    "straight pieces between the heights 1 and 0 and beyond. Right: sixteen pieces, the same figure once in each of "
    "the four, forward and backward."
)


def draw(plt, C):
    """The pieces in two colors in turns, their ends as dots."""
    fig, axes = plt.subplots(1, 2, figsize=(7, 2.9), layout="constrained", width_ratios=(1, 1.6))
    for ax, widths, low, high in zip(axes, ((3,), (3, 3)), (0.0, 0.08), (1.0, 1.0), strict=True):
        found = regions.pieces(regions.zigzag(widths), [0.0], [1.0])
        ends = np.clip(found.ends, low, high)
        heights = regions.evaluate(found, ends)[:, 0]
        for i in range(len(ends) - 1):
            ax.plot(ends[i : i + 2], heights[i : i + 2], color=C[i % 2], lw=1.8)
        ax.plot(ends[1:-1], heights[1:-1], "o", color=C.ink, ms=3)
        ax.axhspan(0, 1, color=C[5], alpha=0.12, lw=0)
        for corner in (0.25, 0.5, 0.75):
            ax.axhline(corner, color=C[5], lw=0.8, ls=":")
        ax.set(ylim=(-1.3, 1.5), xlabel="$t$", title=f"{len(found.slopes)} pieces", yticks=(0, 1))
    return fig
