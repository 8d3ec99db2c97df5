"""The forward pass of a 2–3–1 network with every number on it."""

import jax.numpy as jnp

from docs.figures._forward import PARAMS
from mlpjax import mlp

ALT = (
    "A network of two inputs, three hidden units and one output, with the weight on every line and, in every unit, its "
    "bias, its pre-activation and its activation: 120 minutes and 4 gigabytes give 20, minus 1 and 2 before ReLU, "
    "20, 0 and 2 after it, and a bill of 13."
)
X = (120.0, 4.0)
PLACES = ([(0, 1.0), (0, -1.0)], [(3.6, 2.1), (3.6, 0.0), (3.6, -2.1)], [(7.2, 0.0)])


def number(value):
    return f"{float(value):g}".replace("-", "−")


def edge(ax, C, start, end, weight, share):
    """A line with its weight at a share of the way."""
    dead = weight == 0
    ax.plot(*zip(start, end, strict=True), color=C.faint if dead else C[5], lw=1.2 if dead else 1.8, zorder=1)
    at = [s + share * (e - s) for s, e in zip(start, end, strict=True)]
    box = dict(boxstyle="square,pad=0.12", facecolor=C.paper, edgecolor="none")
    ax.text(
        *at, number(weight), ha="center", va="center", fontsize=11, color=C[5] if dead else C.ink, bbox=box, zorder=2
    )


def unit(ax, plt, C, place, lines, color):
    """A rounded box with one line of text for each step."""
    x, y = place
    w, h = 1.5, 0.5 * len(lines) + 0.12
    shape = plt.matplotlib.patches.FancyBboxPatch(
        (x - w / 2, y - h / 2), w, h, boxstyle="round,pad=0.02,rounding_size=0.16"
    )
    shape.set(facecolor=C.paper, edgecolor=color, linewidth=1.8, zorder=3)
    ax.add_patch(shape)
    for k, (text, weight) in enumerate(lines):
        at = y + 0.5 * ((len(lines) - 1) / 2 - k)
        ax.text(x, at, text, ha="center", va="center", fontsize=11, fontweight=weight, zorder=4)


def draw(plt, C):
    steps = mlp.trace(PARAMS, jnp.array(X))
    fig, ax = plt.subplots(figsize=(6.2, 4.1))
    ax.set_axis_off()
    inputs, hidden, (output,) = PLACES
    for i, end in enumerate(hidden):
        for j, start in enumerate(inputs):
            edge(ax, C, start, end, PARAMS[0].W[i, j], 0.62 if i != 2 * j else 0.45)
        edge(ax, C, end, output, PARAMS[1].W[0, i], 0.5)
    for place, name, x in zip(inputs, ("minutes", "gigabytes"), X, strict=True):
        unit(ax, plt, C, place, [(name, "normal"), (number(x), "bold")], C.ink)
    for i, place in enumerate(hidden):
        on = steps.a[1][i] > 0
        lines = [
            (f"$b$ = {number(PARAMS[0].b[i])}", "normal"),
            (f"$z$ = {number(steps.z[0][i])}", "normal"),
            (f"$a$ = {number(steps.a[1][i])}", "bold"),
        ]
        unit(ax, plt, C, place, lines, C[0] if on else C[5])
    unit(
        ax,
        plt,
        C,
        output,
        [(f"$b$ = {number(PARAMS[1].b[0])}", "normal"), (f"bill = {number(steps.z[1][0])}", "bold")],
        C[1],
    )
    ax.set(xlim=(-0.9, 8.1), ylim=(-3.0, 3.0))
    return fig
