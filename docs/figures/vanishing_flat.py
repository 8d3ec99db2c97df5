"""Where units of tanh become flat during training, at two learning rates: benchmarks/gradient_flow.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Share of flat units against the layer before training, after 50 and after 500 steps. With rate 0.1 it rises from "
    "0 to about a third in all layers within 50 steps, and to between 0.5 and 0.8 in layers 2 to 12 after 500. With "
    "rate 0.01 it stays close to 0."
)
DATA = pathlib.Path(__file__).parent / "data" / "gradient_flow.json"


def draw(plt, C):
    """One panel for each rate."""
    found = json.loads(DATA.read_text("utf-8"))
    fig, axes = plt.subplots(1, 2, figsize=(7, 2.7), sharey=True)
    for ax, name in zip(axes, ("tanh, rate 0.1", "tanh"), strict=True):
        flat = np.array(found["nets"][name]["flat"])
        each = found["steps"] // flat.shape[1]
        for step, color, style in ((0, C[5], ":"), (50, C[1], "--"), (500, C[0], "-")):
            ax.plot(range(1, len(flat) + 1), flat[:, step // each], style, color=color, lw=1.8, label=f"step {step}")
        ax.set_title(f"learning rate {found['nets'][name]['rate']}", fontsize=10)
        ax.set(xlabel="layer", xticks=(1, 5, 10, 15, 19), ylim=(-0.03, 1.03))
        ax.grid(True, lw=0.5)
    axes[0].set_ylabel("share of flat units")
    axes[1].legend(loc="upper right", fontsize=9)
    return fig
