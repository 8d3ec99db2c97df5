"""Every activation with its slope, in small. `python -m docs.figures.activations_table` prints the tables beside it."""

import json
import math
import pathlib

import jax.numpy as jnp
import numpy as np

from mlpjax import activations

COSTS = pathlib.Path(__file__).parent / "data" / "activations.json"
ALT = (
    "Thirteen small graphs, one for each activation, each with its slope as a thinner line: identity, sigmoid, tanh, "
    "ReLU, leaky ReLU, ELU, GELU, its tanh approximation, softplus, SiLU, hard tanh, hard sigmoid and hard SiLU."
)
ATTAINED = {  # the ends of the range that are values of the function, as the page proves
    "relu": "low", "gelu": "low", "gelu_tanh": "low", "silu": "low", "hard_silu": "low",
    "hard_tanh": "both", "hard_sigmoid": "both",
}  # fmt: skip
SIDES = {"both": "both sides", "left": "left", "right": "right", "": "nowhere"}
SMOOTH = {0: "$C^0$", 1: "$C^1$", math.inf: "$C^\\infty$"}
FACTS = ("σ", "range", "steepest slope", "saturates", "monotone", "smooth", "cost")
WORDS = ("σ", "for it", "against it")


def number(v):
    """An end of a range or a bound: in full if two decimals do, else to three."""
    if math.isinf(v):
        return "∞" if v > 0 else "−∞"
    return (f"{v:g}" if v == round(v, 2) else f"{v:.3f}").replace("-", "−")


def interval(a):
    """The range, with square brackets where it reaches its end."""
    ends = ATTAINED.get(a.name, "")
    left = "[" if ends in ("low", "both") else "("
    return f"{left}{number(a.range[0])}, {number(a.range[1])}{']' if ends == 'both' else ')'}"


def link(a):
    """The name, linked to the reference."""
    return f"[`{a.name}`][mlpjax.activations.{a.name}]"


def facts(a, costs):
    """What is proved or measured about one activation, as the cells of a row."""
    monotone = "yes" if a.monotone else "no"
    cost = f"{costs[a.name]:.1f}"
    return link(a), interval(a), number(a.lipschitz), SIDES[a.saturates], monotone, SMOOTH[a.smooth], cost


def markdown(head, rows):
    """A table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def tables():
    """The comparison as Markdown: facts, then words."""
    costs = json.loads(COSTS.read_text("utf-8"))["alone"]
    words = [(link(a), a.advantage, a.drawback) for a in activations.ALL]
    return markdown(FACTS, [facts(a, costs) for a in activations.ALL]), markdown(WORDS, words)


def draw(plt, C):
    fig, grid = plt.subplots(5, 3, figsize=(6, 7.8), sharex=True, sharey=True)
    x = jnp.linspace(-4, 4, 801)
    for ax, a in zip(grid.flat, activations.ALL, strict=False):
        slope = np.asarray(a.prime(x))
        jumps = np.abs(np.diff(slope, append=slope[-1])) > 0.05
        ax.axhline(0, color=C.faint, lw=1)
        ax.axvline(0, color=C.faint, lw=1)
        ax.plot(x, np.where(jumps, np.nan, slope), color=C[1], lw=1.4)
        ax.plot(x, a(x), color=C[0], lw=2.2)
        ax.set_title(a.name.replace("_", " "), fontsize=12)
        ax.set(xlim=(-4, 4), ylim=(-1.25, 2.25), xticks=[-3, 0, 3], yticks=[-1, 0, 1, 2])
        ax.tick_params(labelsize=10)
    for ax in grid.flat[len(activations.ALL) :]:
        ax.axis("off")
    legend = grid.flat[len(activations.ALL)]
    legend.plot([], color=C[0], lw=2.2, label="value σ")
    legend.plot([], color=C[1], lw=1.4, label="slope σ′")
    legend.legend(loc="center left", fontsize=12)
    return fig


if __name__ == "__main__":
    print(*tables(), sep="\n\n")
