"""Norms of the gradients of three layers while networks of twenty layers learn: benchmarks/gradient_flow.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Four panels with the norm of the gradient against the step, on a logarithmic axis, in layers 1, 10 and 20. "
    "Sigmoid: the three stay twelve powers of ten apart. Tanh with rate 0.1: they start together and are seven powers "
    "of ten apart after 400 steps. Tanh with rate 0.01 and ReLU: they stay together and fall while the network learns."
)
DATA = pathlib.Path(__file__).parent / "data" / "gradient_flow.json"
TITLES = {"sigmoid": "sigmoid", "tanh, rate 0.1": "tanh, too high a rate", "tanh": "tanh", "relu": "ReLU"}


def draw(plt, C):
    """One panel for each network."""
    found = json.loads(DATA.read_text("utf-8"))
    fig, axes = plt.subplots(2, 2, figsize=(7, 4.4), sharex=True, sharey=True)
    for ax, (name, title) in zip(axes.flat, TITLES.items(), strict=True):
        net = found["nets"][name]
        norms = 10 ** np.array(net["log10_norms"])
        steps = (np.arange(norms.shape[1]) + 0.5) * found["steps"] / norms.shape[1]
        for layer, color, style in ((1, C[4], "-"), (10, C[3], "--"), (20, C[0], "-.")):
            ax.semilogy(steps, norms[layer - 1], style, color=color, lw=1.5, label=f"layer {layer}")
        ax.set_title(f"{title}: {net['accuracy']:.0%} right", fontsize=10)
        ax.set(ylim=(1e-15, 30), xlim=(0, found["steps"]), yticks=(1e-12, 1e-8, 1e-4, 1))
        ax.grid(True, lw=0.5)
    axes[0, 0].legend(
        loc="upper center", ncols=3, fontsize=8, handlelength=1.6, columnspacing=1, bbox_to_anchor=(0.5, 0.68)
    )
    for ax in axes[1]:
        ax.set_xlabel("step")
    return fig
