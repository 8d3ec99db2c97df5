"""How many units the square costs: one hidden layer, two, three, and one fold after another."""

import numpy as np

from mlpjax.theory import sawtooth

ALT = (
    "Largest error on the unit interval against the number of units, both on logarithmic axes. The least error of one "
    "hidden layer falls along a straight line to 1e-7 at a thousand units, those of two and three hidden layers along "
    "steeper lines. The networks of folds drop like a cliff and cross all three: 1e-12 with 57 units."
)


def folds(k):
    """The largest error of the network, run in float64 at some of the points where it is attained."""
    x = (2 * np.arange(min(2**k, 512)) + 1) / 2 ** (k + 1)
    *hidden, (V, c) = (tuple(np.asarray(each, np.float64) for each in layer) for layer in sawtooth.square(k))
    a = x[None]
    for W, b in hidden:
        a = np.maximum(W @ a + b[:, None], 0)
    return np.abs(V @ a + c[:, None] - x**2).max()


def draw(plt, C):
    """Bounds as lines, networks as points."""
    fig, ax = plt.subplots(figsize=(7, 3.2))
    units = np.geomspace(1, 1000, 200)
    for D, color, label in ((1, C[4], (1150, 1.2e-7)), (2, C[1], (1150, 2.5e-12)), (3, C[3], (170, 1e-11))):
        some = units[units >= D]
        ax.loglog(some, 1 / (8 * (some / D + 1) ** (2 * D)), color=color, lw=1.6)
        ax.text(*label, f"{D} hidden", color=color, va="center", fontsize=9)
    ax.loglog(units[units <= 20], 1 / (8 * 4 ** units[units <= 20]), color=C[5], lw=1.6, ls="--")
    ax.text(10, 3e-10, "any depth", color=C[5], ha="right", fontsize=9)
    every = range(1, 20)
    ax.loglog([3 * k for k in every], [folds(k) for k in every], "o", color=C[0], ms=4)
    ax.text(36, 6e-12, "folds", color=C[0], ha="right", fontsize=9)
    ax.set(xlabel="units", ylabel="largest error", xlim=(0.9, 4000), ylim=(5e-13, 1), yticks=[1e-12, 1e-8, 1e-4, 1])
    ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    ax.minorticks_off()
    ax.grid(True, lw=0.5)
    return fig
