"""How large the gradient of each of twenty layers is, and how far it moved: benchmarks/gradient_flow.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Left: norm of the gradient of each of twenty layers at the first step, on a logarithmic axis. With tanh and ReLU "
    "all lie between 0.1 and 1; with the sigmoid they rise along a straight line from 1e-12 in layer 1 to 0.6 in layer "
    "20. Right: how far the weights of each layer had moved after the training, relative to their size. With tanh and "
    "ReLU all have moved by a tenth or more; with the sigmoid the first layers stand still and the movement rises from "
    "1e-11 in layer 5."
)
DATA = pathlib.Path(__file__).parent / "data" / "gradient_flow.json"
SHOWN = (("tanh", "tanh", "s", 1), ("relu", "ReLU", "^", 2), ("sigmoid", "sigmoid", "o", 0))


def draw(plt, C):
    """Gradients on the left, movements on the right."""
    nets = json.loads(DATA.read_text("utf-8"))["nets"]
    fig, axes = plt.subplots(1, 2, figsize=(7, 3.1), sharey=True)
    floor = 1e-14
    for name, label, marker, color in SHOWN:
        for ax, values in zip(axes, (nets[name]["first"], nets[name]["moved"]), strict=True):
            values, layers = np.array(values), np.arange(1, len(values) + 1)
            still = values == 0
            ax.semilogy(layers[~still], values[~still], marker, color=C[color], ms=4.5, label=label)
            ax.semilogy(layers[still], np.full(still.sum(), floor), marker, color=C[color], ms=5.5, mfc="none")
    axes[1].annotate("no bit has changed", (1.8, floor), (4.6, floor), va="center", fontsize=9, color=C[0])
    axes[0].set(title="gradient at the first step", ylim=(4e-15, 20))
    axes[1].set(title="movement of the weights")
    axes[0].legend(loc="lower right", fontsize=9, handletextpad=0.2)
    for ax in axes:
        ax.set(xlabel="layer", xticks=(1, 5, 10, 15, 20))
        ax.grid(True, lw=0.5)
    return fig
