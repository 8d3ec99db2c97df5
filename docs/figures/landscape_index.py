"""Critical points of a small network by loss and index: measured by benchmarks/landscape_critical.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Number of negative eigenvalues against loss at several hundred critical points. Minima, index 0, have losses "
    "between 0.13 and 0.23; the index grows with the loss, to between 4 and 6 near 0.35."
)
DATA = pathlib.Path(__file__).parent / "data" / "landscape_critical.json"


def draw(plt, C):
    record = json.loads(DATA.read_text("utf-8"))
    every = sorted({(F, i) for run in record["runs"] for F, i in zip(run["F"], run["index"], strict=True)})
    F, index = np.asarray(every).T
    jitter = 0.3 * np.sin(12.9898 * np.arange(len(F)))
    fig, ax = plt.subplots(figsize=(7, 3.2))
    for i in range(int(index.max()) + 1):
        here = index == i
        color = C[2] if i == 0 else C[0]
        ax.plot(F[here], i + jitter[here], "o", color=color, ms=3, alpha=0.7, mew=0)
    ax.text(F[index == 0].max() + 0.012, 0, "minima", color=C[2], va="center", fontsize=9)
    ax.set(xlabel="loss", ylabel="negative eigenvalues", yticks=range(int(index.max()) + 1))
    ax.grid(True, axis="x", lw=0.5)
    return fig
