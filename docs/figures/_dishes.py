"""The four dishes of XOR, for the figures that draw them."""

import numpy as np

from mlpjax import data

DISHES = ("bland", "spicy", "sweet", "both")  # in the order of data.toy.xor: sweet is x1, spicy is x2


def dishes(ax, C, places=None, names=True, **text):
    """The four dishes as dots, liked ones blue, at their corners or at other places."""
    x, y, _ = data.toy.xor()
    for at, wanted, name in zip(np.asarray(x if places is None else places), np.asarray(y)[:, 0], DISHES, strict=True):
        color, marker = (C[0], "o") if wanted else (C[1], "s")
        ax.plot(*at, marker, color=color, ms=10, mec=C.paper, mew=1.5, zorder=5)
        if names:
            above = at[1] > 0.5
            ax.text(
                at[0],
                at[1] + (0.11 if above else -0.11),
                name,
                ha="center",
                va="bottom" if above else "top",
                fontsize=10,
            )


def square(ax, xlabel, ylabel, edge=0.42):
    """Axes around the square of the four corners."""
    ax.set(xlim=(-edge, 1 + edge), ylim=(-edge, 1 + edge), aspect="equal", xticks=(0, 1), yticks=(0, 1))
    ax.set_xlabel(xlabel, labelpad=1)
    ax.set_ylabel(ylabel, labelpad=1)
    ax.tick_params(length=0)
