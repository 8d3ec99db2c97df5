"""Factor per layer of activations and errors through fifty layers, as benchmarks/fifty_layers.py measured it."""

import json
import pathlib

import numpy as np

ALT = (
    "Two tables of seven activations and five schemes: the factor by which a layer multiplies the size of the "
    "activations, and that of the errors. With variance 1/n (LeCun, Xavier, orthogonal) only identity and tanh are "
    "near 1 in both; with He it is ReLU and leaky ReLU. The sigmoid's activations are at 1 in every column and its "
    "errors at 0.32 or below."
)
DATA = pathlib.Path(__file__).parent / "data" / "initialization_fifty.json"


def draw(plt, C):
    record = json.loads(DATA.read_text("utf-8"))
    fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.3), sharey=True)
    for ax, table, title in zip(axes, np.array(record["measured"]), ("activations", "errors"), strict=True):
        # the shade: what is left after all layers, in decades
        total = (record["depth"] - 1) * np.log10(table)
        for (i, j), factor in np.ndenumerate(table):
            color, alpha = C[0] if total[i, j] < 0 else C[4], 0.65 * min(abs(total[i, j]) / 8, 1)
            ax.add_patch(plt.Rectangle((j - 0.48, i - 0.46), 0.96, 0.92, color=color, alpha=alpha, lw=0))
            ax.text(j, i, f"{factor:.2f}", ha="center", va="center", fontsize=10)
        ax.set_xticks(range(len(record["schemes"])), record["schemes"], fontsize=9)
        ax.set_yticks(range(len(record["activations"])), record["activations"], fontsize=9)
        ax.set(xlim=(-0.5, len(record["schemes"]) - 0.5), ylim=(len(record["activations"]) - 0.5, -0.5))
        ax.tick_params(length=0)
        ax.set_title(title, fontsize=10)
        ax.spines[:].set_visible(False)
    return fig
