"""Linear pieces of random networks between two digits, against the depth: benchmarks/depth_pieces.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Left: number of pieces against the number of hidden layers, both axes logarithmic. The mean of random networks of "
    "width 32 rises along a straight line from 11 to hundreds; two to the power of the depth leaves the panel at "
    "16 layers, 33 to the power of the depth at 3. Right: ends of pieces per unit, widths 16, 32 and 64; all lie near "
    "a horizontal line at one third."
)
DATA = pathlib.Path(__file__).parent / "data" / "depth_pieces.json"


def draw(plt, C):
    """Pieces on the left, pieces per unit on the right."""
    found = json.loads(DATA.read_text("utf-8"))["start"]
    theta, by_width = np.mean(found["angles"]) / np.pi, {}
    for row in found["rows"]:
        by_width.setdefault(row["width"], []).append((row["depth"], np.array(row["pieces"])))
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.1))
    depths = np.array([depth for depth, _ in by_width[32]])
    left.loglog(depths, [np.mean(counts) for _, counts in by_width[32]], "o-", color=C[0], ms=4.5, lw=1.6)
    fine = np.linspace(1, 64, 500)
    left.loglog(fine, 33**fine, "--", color=C[4], lw=1.5)
    left.loglog(fine, 2**fine, ":", color=C[1], lw=1.8)
    left.text(3.1, 9e3, "most, $33^L$", color=C[4], fontsize=9)
    left.text(13.2, 2.5e3, "sawtooth, $2^L$", color=C[1], fontsize=9)
    left.text(9, 40, "random, width 32", color=C[0], fontsize=9)
    left.set(ylim=(1, 3e4), ylabel="pieces")
    for width, color, marker, shift in ((16, 1, "s", 0.94), (32, 0, "o", 1), (64, 2, "^", 1.06)):
        rates = [(counts - 1) / (width * depth) for depth, counts in by_width[width]]
        error = [np.std(rate, ddof=1) / len(rate) ** 0.5 for rate in rates]
        means = [np.mean(rate) for rate in rates]
        look = dict(color=C[color], marker=marker, ms=4, lw=0, elinewidth=1.3, label=f"width {width}")
        right.errorbar(shift * depths, means, error, **look)
    right.axhline(theta, color=C.ink, lw=1, ls="--")
    right.text(1, theta - 0.035, r"$\theta/\pi$", fontsize=9)
    right.set(ylim=(0, 0.6), ylabel="ends of pieces per unit")
    right.set_xscale("log", base=2)
    right.legend(loc="lower center", fontsize=8.5, ncols=3, columnspacing=0.7, handlelength=1, handletextpad=0.3)
    for ax in (left, right):
        ax.set(xlabel="hidden layers")
        ax.set_xticks(depths, depths)
        ax.minorticks_off()
        ax.grid(True, lw=0.5)
    return fig
