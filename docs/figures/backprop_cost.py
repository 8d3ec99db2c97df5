"""What a gradient costs as the network grows: measured by benchmarks/backprop_cost.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Left: time of one gradient against the number of parameters, both logarithmic. Backpropagation stays close "
    "above one forward pass; central differences rise with a steeper slope and are several hundred thousand times "
    "slower at 788 thousand parameters. Right: the same in units of one forward pass; backpropagation stays "
    "between one and about three, near the count of multiply-adds; central differences follow the line of two "
    "forward passes per parameter."
)
DATA = pathlib.Path(__file__).parent / "data" / "backprop_cost.json"


def draw(plt, C):
    """Times on the left, ratios on the right."""
    rows = json.loads(DATA.read_text("utf-8"))["rows"]
    P = np.asarray([row["parameters"] for row in rows])
    times = {name: np.asarray([row["seconds"][name] for row in rows]) for name in rows[0]["seconds"]}
    counts = {name: np.asarray([row["multiply_adds"][name] for row in rows]) for name in rows[0]["multiply_adds"]}
    guessed = np.asarray([row["extrapolated"] for row in rows])
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.2))
    for axes, unit in ((left, 1.0), (right, times["forward"])):
        values = times["differences"] / unit
        axes.loglog(P, values, color=C[1], lw=1, ls=":")
        axes.loglog(P[~guessed], values[~guessed], "o-", color=C[1], ms=4.5)
        axes.loglog(P[guessed], values[guessed], "o", color=C[1], mfc=C.paper, ms=4.5)
        axes.loglog(P, times["by_hand"] / unit, "o-", color=C[0], ms=4.5)
        axes.loglog(P, times["autodiff"] / unit, "s", color=C[2], mfc="none", ms=7, mew=1.2)
        axes.set_xlabel("parameters $P$")
        axes.grid(alpha=0.6, lw=0.5)
    left.loglog(P, times["forward"], color=C[5], lw=1.5)
    right.loglog(P, counts["by_hand"] / counts["forward"], color=C.ink, lw=1, ls="--")
    right.loglog(P, 2 * P, color=C.ink, lw=1, ls="--")
    left.set_title("seconds for one gradient", fontsize=10)
    right.set_title("in forward passes", fontsize=10)
    left.text(
        P[4], times["differences"][4] * 4, "central\ndifferences", color=C[1], ha="right", va="bottom", fontsize=9
    )
    left.text(P[2], times["by_hand"][2] * 4, "backpropagation", color=C[0], va="bottom", ha="left", fontsize=9)
    left.text(P[-1], times["forward"][-1] / 4, "forward", color=C[5], va="top", ha="right", fontsize=9)
    right.text(P[4] / 1.6, 2.6 * P[4], "$2P$", ha="right", va="bottom", fontsize=10)
    right.text(P[-1], 5, "counted: 8/3", ha="right", va="bottom", fontsize=9)
    return fig
