"""Test accuracy of sixteen networks of a hundred hidden layers, as benchmarks/remedies.py measured it."""

import json
import pathlib

import numpy as np

ALT = (
    "A table of four by four cells with the median test accuracy of five seeds. Rows: sigmoid with Xavier weights, "
    "sigmoid with fitted weights, ReLU with Xavier weights, ReLU with fitted weights. Columns: plain, residual, "
    "normalized, both. The plain sigmoid is at 10 percent; every cell of the column both is above 90."
)
DATA = pathlib.Path(__file__).parent / "data" / "remedies.json"
ROWS = {"sigmoid": "", "sigmoid, fitted": "init", "ReLU": "relu", "ReLU, fitted": "relu+init"}
COLUMNS = {"plain": "", "residual": "residual", "normalized": "norm", "both": "residual+norm"}
ORDER = ("relu", "residual", "norm", "init")


def cell(networks, row, column):
    """The accuracies of one network, by the names of its remedies."""
    has = {*row.split("+"), *column.split("+")}
    return networks["+".join(name for name in ORDER if name in has) or "none"]["test"]


def draw(plt, C):
    networks = json.loads(DATA.read_text("utf-8"))["networks"]
    found = 100 * np.array([[cell(networks, r, c) for c in COLUMNS.values()] for r in ROWS.values()])
    fig, ax = plt.subplots(figsize=(5.6, 3))
    for (i, j), middle in np.ndenumerate(np.median(found, 2)):
        # 10 % is chance
        color, alpha = (C[2], (middle - 50) / 80) if middle > 50 else (C[4], (50 - middle) / 80)
        ax.add_patch(plt.Rectangle((j - 0.48, i - 0.46), 0.96, 0.92, color=color, alpha=alpha, lw=0))
        ax.text(j, i - 0.12, f"{middle:.0f} %", ha="center", va="center", fontsize=12)
        low, high = found[i, j].min(), found[i, j].max()
        ax.text(j, i + 0.27, f"{low:.0f} to {high:.0f}", ha="center", va="center", fontsize=8.5)
    ax.set_xticks(range(4), COLUMNS)
    ax.set_yticks(range(4), ROWS)
    ax.set(xlim=(-0.5, 3.5), ylim=(3.5, -0.5))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return fig
