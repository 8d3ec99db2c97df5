"""The greatest eigenvalue of the Hessian in training: measured by benchmarks/landscape_edge.py."""

import json
import pathlib

import numpy as np

ALT = (
    "Greatest eigenvalue of the Hessian against the step, for three learning rates. Each curve rises and then stays "
    "close to its dashed line at two over the learning rate."
)
DATA = pathlib.Path(__file__).parent / "data" / "landscape_edge.json"


def draw(plt, C):
    record = json.loads(DATA.read_text("utf-8"))
    fig, ax = plt.subplots(figsize=(7, 3.2))
    for run, color in zip(record["runs"], C, strict=False):
        steps = record["every"] * np.arange(len(run["greatest"]))
        ax.axhline(2 / run["rate"], color=color, lw=1, ls="--")
        ax.plot(steps, run["greatest"], color=color, lw=1.6)
        ax.text(
            steps[-1], 2 / run["rate"] + 0.9, f"$2/\\eta$, $\\eta={run['rate']:g}$", color=color, ha="right", fontsize=9
        )
    ax.set(xlabel="step of gradient descent", ylabel="greatest eigenvalue", ylim=(0, 24))
    return fig
