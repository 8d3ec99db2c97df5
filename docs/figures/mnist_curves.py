"""Learning curves of the script, without and with shifted pictures."""

import numpy as np

from docs.figures import _mnist

ALT = (
    "Left: training and validation loss against epochs on a logarithmic axis; the training loss falls to a "
    "tenth of the validation loss. Right: the validation accuracy rises from about 95.5 to 98.5 "
    "percent, and with shifted pictures to 98.8 percent."
)


def draw(plt, C):
    """Loss to the left, accuracy to the right (data: mnist)."""
    found = _mnist.results()["details"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.0))
    for name, color, label in (("script", C[0], "script"), ("shifts", C[1], "with shifts")):
        curves = found[name]["curves"]
        batches, seen = curves["training_loss"], curves["validation"]
        left.plot(batches["epoch"], batches["loss"], color=color, linewidth=1.3)
        left.plot(seen["epoch"], seen["loss"], color=color, linestyle="none", marker="o", markersize=4)
        right.plot(seen["epoch"], 100 * np.array(seen["accuracy"]), color=color, marker="o", markersize=4, label=label)
    left.set_yscale("log")
    left.set_title("loss", loc="left", fontsize=10)
    left.plot([], [], color=C.ink, linewidth=1.3, label="training batches")
    left.plot([], [], color=C.ink, linestyle="none", marker="o", markersize=4, label="validation")
    left.legend(fontsize=9, loc="lower left")
    right.set_title("validation accuracy, %", loc="left", fontsize=10)
    right.legend(fontsize=9, loc="lower right")
    for ax in (left, right):
        ax.set_xlabel("epoch")
        ax.set_xticks(range(7))
        ax.grid(axis="y")
    return figure
