"""Final risks of 1,000 seeds for each width: measured by benchmarks/landscape_seeds.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Share of seeds against the final risk minus the best one of its width, logarithmic. The curves rise near "
    "0.04 for two units, near 0.03 for four, near 0.004 for eight and near 0.001 for 16."
)
DATA = pathlib.Path(__file__).parent / "data" / "landscape_seeds.json"


def draw(plt, C):
    record = json.loads(DATA.read_text("utf-8"))
    fig, ax = plt.subplots(figsize=(7, 3.2))
    share = np.linspace(0, 100, 101)
    for row, color in zip(record["rows"][1:], (C[4], C[1], C[0], C[2]), strict=True):
        excess = np.asarray(row["F"]) - row["F"][0]
        ax.semilogx(np.maximum(excess, 1e-5), share, color=color, lw=2)
        ax.text(1.12 * excess[55], 55, str(row["width"]), color=color, va="top", fontsize=10)
    ax.set(xlabel="final risk, minus the best of its width", ylabel="% of seeds", xlim=(1e-4, 0.3))
    ax.grid(True, lw=0.5)
    return fig
