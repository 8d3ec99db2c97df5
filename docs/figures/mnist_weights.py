"""First-layer weights as pictures."""

import numpy as np

from docs.figures import _mnist

ALT = (
    "First row: the ten rows of weights of a network without hidden layer, blurred templates of the digits 0 to "
    "9. Second row: ten hidden units of the large network, strokes under random grain. Third row: the same units "
    "less their random start, where the strokes and arcs stand alone."
)


def draw(plt, C):
    """Templates, hidden units, and what training added to these; each row on a scale of its own (data: mnist)."""
    found = _mnist.arrays()
    figure, axes = plt.subplots(3, 1, figsize=(6.4, 3.1))
    groups = {"templates": "no hidden layer", "units": "hidden units", "units_change": "the same, less their start"}
    for ax, (name, title) in zip(axes, groups.items(), strict=True):
        rows = found[name].astype(float)
        _mnist.mosaic(ax, rows / np.quantile(np.abs(rows[:, 4:24, 4:24]), 0.99), 10)
        ax.set_title(title, loc="left", fontsize=9)
    return figure
