"""Gradient of every weight matrix of a hundred-layer network, before and after training: benchmarks/remedies.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Two panels, norm of the gradient against the layer on a logarithmic axis, before and after training. The plain "
    "sigmoid network falls steeply from layer 101 and leaves the panel; ReLU with Xavier weights is flat at 1e-17; "
    "ReLU with fitted weights, residual, normalized and fitted sigmoid networks lie between 0.001 and 100 in all "
    "layers; normalized ReLU rises from 0.1 at layer 101 to 1e8 at layer 1."
)
DATA = pathlib.Path(__file__).parent / "data" / "remedies.json"


def draw(plt, C):
    networks = json.loads(DATA.read_text("utf-8"))["networks"]
    shown = {
        "none": ("plain", C[4]),
        "relu": ("ReLU", C[5]),
        "relu+init": ("ReLU, fitted", C[1]),
        "residual": ("residual", C[0]),
        "norm": ("normalized", C[2]),
        "relu+norm": ("ReLU, normalized", C[3]),
    }
    fig, axes = plt.subplots(1, 2, figsize=(7, 3.4), sharey=True)
    for ax, when, title in zip(axes, ("start", "end"), ("before training", "after"), strict=True):
        for name, (label, color) in shown.items():
            values = np.array(networks[name][when])
            ax.semilogy(np.arange(1, 102), np.where(values > 0, values, np.nan), color=color, lw=1.6, label=label)
        ax.set(xlabel="layer", ylim=(1e-25, 1e12), xlim=(1, 101), xticks=[1, 25, 50, 75, 101])
        ax.set_yticks([1e-20, 1e-10, 1, 1e10])
        ax.set_title(title, fontsize=10)
        ax.grid(True, lw=0.5)
    axes[0].set_ylabel("norm of the gradient")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    return fig
