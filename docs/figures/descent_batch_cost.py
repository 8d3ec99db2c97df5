"""Time of a training step, and for one of its examples, against the batch size: benchmarks/batch_cost.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Left: time of one step against the batch size, both logarithmic; slowly rising for small batches, then in "
    "proportion to the batch. Right: time for one example; it falls with the batch size from 2 on and then stays level."
)
DATA = pathlib.Path(__file__).parent / "data" / "batch_cost.json"


def draw(plt, C):
    rows = json.loads(DATA.read_text("utf-8"))["rows"]
    batch = np.array([row["batch"] for row in rows])
    median, low, high = (
        np.array([row["microseconds"][part] for row in rows]) for part in ("median", "lower_quartile", "upper_quartile")
    )
    fig, axes = plt.subplots(1, 2, figsize=(7, 3))
    for ax, unit, color, title in zip(axes, (1, batch), (0, 1), ("µs for one step", "µs for one example"), strict=True):
        error = np.stack([median - low, high - median]) / unit
        ax.errorbar(batch, median / unit, error, fmt="o-", color=C[color], ms=4.5, lw=1.2, capsize=2)
        ax.set(xscale="log", yscale="log", xlabel="batch size $B$")
        ax.set_title(title, fontsize=10)
        ax.set_xticks([1, 16, 256, 4096], ["1", "16", "256", "4096"])
        ax.minorticks_off()
        ax.grid(alpha=0.5, lw=0.5)
    axes[0].plot(batch, batch * median[-1] / batch[-1], ":", color=C.ink, lw=1)
    axes[0].text(6, 4 * median[-1] / batch[-1], "in proportion\nto $B$", fontsize=9, va="top")
    return fig
