"""How well networks of growing depth read the digits, by width and start: benchmarks/depth_accuracy.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Two panels, share of right answers on the training data against the number of hidden layers, 1 to 64. Left, width "
    "32: plain networks are near 100 percent up to 16 layers and fall to about 60 at 64; residual networks and plain "
    "ones that start with identities stay near 100. Right, 10,000 parameters: the plain ones fall to about 25, the "
    "residual ones stay near 100."
)
DATA = pathlib.Path(__file__).parent / "data" / "depth_accuracy.json"
LOOKS = {
    "plain": (4, dict(marker="o", ms=4.5, label="plain")),
    "identity": (2, dict(marker="s", ms=7, mfc="none", label="plain, identities at first")),
    "residual": (0, dict(marker="^", ms=4, label="residual")),
}


def draw(plt, C):
    """One panel for each law of width: means, standard errors, and the single runs of the plain networks."""
    rows = json.loads(DATA.read_text("utf-8"))["digits"]["rows"]
    fig, axes = plt.subplots(1, 2, figsize=(7, 3.2), sharey=True)
    for ax, law in zip(axes, ("equal width", "equal parameters"), strict=True):
        for start, (color, look) in LOOKS.items():
            these = [row for row in rows if (row["law"], row["start"]) == (law, start)]
            if not these:
                continue
            depths, runs = [row["depth"] for row in these], [100 * np.array(row["train"]) for row in these]
            error = [np.std(run, ddof=1) / len(run) ** 0.5 for run in runs]
            means = [np.mean(run) for run in runs]
            ax.errorbar(depths, means, error, color=C[color], lw=1.6, capsize=2, **look)
            if start == "plain":
                for depth, run in zip(depths, runs, strict=True):
                    ax.plot(depth * np.full(len(run), 1.08), run, ".", color=C[color], ms=3, alpha=0.6)
        ax.set_xscale("log", base=2)
        ax.set_xticks(depths, depths)
        ax.minorticks_off()
        ax.set_title({"equal width": "width 32", "equal parameters": "10,000 parameters"}[law], fontsize=10)
        ax.set(xlabel="hidden layers", ylim=(0, 104), yticks=range(0, 101, 25))
        ax.grid(True, lw=0.5)
    axes[0].set_ylabel("right on training data, %")
    axes[0].legend(loc="lower left", fontsize=9)
    return fig
