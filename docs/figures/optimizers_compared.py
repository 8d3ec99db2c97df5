"""What each optimizer reaches on the digits: measured by benchmarks/optimizers.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Left: held-out loss against the learning rate for six optimizers; each curve is a valley, those of Adam, AdamW, "
    "Muon and RMSProp near a rate of 0.003 to 0.01, that of momentum near 0.03 and that of SGD near 0.3. Right: test "
    "accuracies, dots with intervals, from 96.3 percent for RMSProp to 97.7 percent for Muon; most intervals overlap."
)
DATA = pathlib.Path(__file__).parent / "data" / "optimizers.json"
CURVES = {"sgd": 5, "momentum": 1, "rmsprop": 3, "adam": 0, "adamw": 4, "muon": 2}
LABELS = {
    "sgd": "SGD",
    "momentum": "momentum",
    "nesterov": "Nesterov",
    "rmsprop": "RMSProp",
    "adam": "Adam",
    "adamw": "AdamW",
    "adam, clipped": "Adam, clipped",
    "adam, averaged": "Adam, averaged",
    "adam, sam": "Adam, SAM",
    "muon": "Muon",
    "schedule_free": "schedule-free",
}


def draw(plt, C):
    """Sensitivity to the rate, and accuracies at the best one."""
    found = json.loads(DATA.read_text("utf-8"))["optimizers"]
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.4), width_ratios=(1.15, 1))
    for name, c in CURVES.items():
        losses = np.array(found[name]["held_out_loss"], float)
        left.loglog(found[name]["rates"], losses, "o-", color=C[c], ms=3.5, lw=1.4, label=LABELS[name])
    left.set_ylim(0.12, 4)
    left.set_yticks([0.15, 0.3, 0.6, 1.2, 2.4], ["0.15", "0.3", "0.6", "1.2", "2.4"])
    left.minorticks_off()
    left.set_title("held-out loss against the rate", fontsize=10, loc="left")
    left.legend(fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.45, -0.1), handlelength=1.2, columnspacing=1)
    for row, name in enumerate(reversed(LABELS)):
        values = 100 * np.array(found[name]["test_accuracy"])
        color = C[CURVES.get(name, 0)]
        error = 2 * values.std(ddof=1) / np.sqrt(len(values))
        right.errorbar(values.mean(), row, xerr=error, fmt="o", color=color, ms=4, lw=1.4)
    right.set_yticks(range(len(LABELS)), list(reversed(LABELS.values())), fontsize=8.5)
    right.set_title("test accuracy, %", fontsize=10, loc="left")
    for ax in (left, right):
        ax.grid(alpha=0.5, lw=0.5)
    return fig
