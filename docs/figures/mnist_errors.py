"""Test errors of the recipes."""

import numpy as np

from docs.figures import _mnist

ALT = (
    "Test error of the recipes on a logarithmic axis: 7.5 percent without a hidden layer, and in steps down to "
    "below one percent."
)

NAMES = {
    "linear": "no hidden layer",
    "eighties": "sigmoid, squared error",
    "by_hand": "ReLU, by hand",
    "shallow": "ReLU, cross-entropy",
    "script": "the script",
    "shifts": "+ shifts of 1 pixel",
    "package": "+ smoothed labels",
    "long": "40 epochs",
}


def draw(plt, C):
    """A point for each seed, a line as long as twice the standard error of 10,000 tosses (data: mnist)."""
    rows = _mnist.results()["rows"]
    figure, ax = plt.subplots(figsize=(6.0, 3.1))
    for place, name in enumerate(NAMES):
        errors = 1 - np.array(rows[name]["test"])
        mean = errors.mean()
        reach = 2 * np.sqrt(mean * (1 - mean) / 10_000)
        ax.plot([100 * (mean - reach), 100 * (mean + reach)], [place, place], color=C.faint, linewidth=5, zorder=1)
        ax.plot(100 * errors, [place] * len(errors), "o", color=C[0], markersize=4.5, alpha=0.8)
    ax.set_yticks(range(len(NAMES)), NAMES.values())
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    ax.xaxis.set_minor_formatter(lambda value, position: "")
    ax.set_xlabel("test error, %")
    ax.grid(axis="x")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return figure
