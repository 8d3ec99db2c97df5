"""Final training loss on random labels against the width: measured by benchmarks/landscape_width.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Left: final training loss against the width, both logarithmic. It falls from 0.4 at width 1 to a few millionths "
    "from width 32 on. Right: the relative change of the first layer, above 1 for narrow networks, falls like one over "
    "the square root of the width."
)
DATA = pathlib.Path(__file__).parent / "data" / "landscape_width.json"


def draw(plt, C):
    rows = json.loads(DATA.read_text("utf-8"))["rows"]
    width = np.asarray([row["width"] for row in rows])
    loss = np.asarray([row["loss"] for row in rows])
    moved = np.asarray([row["moved"] for row in rows])
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3))
    for k in range(loss.shape[1]):
        left.loglog(width, loss[:, k], ".", color=C[0], ms=3, alpha=0.6)
    left.loglog(width, np.median(loss, 1), "-", color=C[0], lw=1.8)
    left.set_title("training loss", fontsize=10)
    right.loglog(width, moved, "o-", color=C[1], ms=4)
    right.loglog(width[5:], moved[5] * np.sqrt(width[5] / width[5:]) * 1.3, "--", color=C.ink, lw=1)
    right.text(120, 0.42, "slope $-1/2$", fontsize=9)
    right.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    right.minorticks_off()
    right.set_title("change of the first layer", fontsize=10)
    for ax in (left, right):
        ax.set_xlabel("width $m$")
        ax.grid(True, lw=0.5)
    return fig
