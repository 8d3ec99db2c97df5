"""The model of a neuron, with the numbers of one example."""

import jax.numpy as jnp

from docs.figures._neuron import stage, word
from mlpjax import neuron
from mlpjax.neuron import Neuron

ALT = (
    "Three inputs with weights on their lines, a circle that adds them and the bias, a box with a step, and the "
    "output. Inputs 1, 0, 1 with weights 0.8, minus 0.5, 0.6 and bias minus 1 give 0.4, and the output 1."
)
PARAMS, X = Neuron(jnp.array([0.8, -0.5, 0.6]), jnp.array(-1.0)), jnp.array([1.0, 0.0, 1.0])


def draw(plt, C):
    fig, ax = stage(plt)
    shown = lambda v: f"{float(v):.2g}".replace("-", "−")
    heights = (1.4, 0.0, -1.4)
    for i, height in enumerate(heights):
        ax.annotate("", (-0.52, 0.24 * height), (-2.3, height), arrowprops=dict(arrowstyle="-|>", color=C[0], lw=2.2))
        ax.add_patch(plt.matplotlib.patches.Circle((-2.55, height), 0.3, fc=C.paper, ec=C[1], lw=1.8, zorder=4))
        word(ax, C, (-2.55, height), shown(X[i]), bbox=None, fontweight="bold", fontsize=11)
        word(ax, C, (-3.25, height), f"$x_{i + 1}$", fontsize=12)
        word(
            ax,
            C,
            (-1.45, (0.64 if height else 0.27) * (height or 1)),
            f"$w_{i + 1}$ = {shown(PARAMS.w[i])}",
            fontsize=10,
        )
    ax.add_patch(plt.matplotlib.patches.Circle((0, 0), 0.56, color=C[0], zorder=3))
    ax.text(0, 0, "$\\Sigma$", ha="center", va="center", fontsize=19, color=C.paper, zorder=6)
    ax.annotate("", (0, -0.55), (0, -1.35), arrowprops=dict(arrowstyle="-|>", color=C[0], lw=2.2))
    word(ax, C, (0, -1.6), f"$b$ = {shown(PARAMS.b)}", fontsize=10)
    ax.annotate("", (1.6, 0), (0.55, 0), arrowprops=dict(arrowstyle="-|>", color=C[0], lw=2.2))
    word(ax, C, (1.05, 0.42), f"$z$ = {shown(neuron.pre_activation(PARAMS, X))}", fontsize=10)
    frame = plt.matplotlib.patches.FancyBboxPatch((1.65, -0.5), 1.0, 1.0, boxstyle="round,pad=0,rounding_size=0.12")
    frame.set(facecolor=C.paper, edgecolor=C[0], linewidth=2, zorder=3)
    ax.add_patch(frame)
    ax.plot([1.8, 2.15, 2.15, 2.5], [-0.25, -0.25, 0.25, 0.25], color=C[0], lw=2.4, zorder=4)
    ax.annotate("", (3.4, 0), (2.66, 0), arrowprops=dict(arrowstyle="-|>", color=C[0], lw=2.2))
    word(ax, C, (4.0, 0), rf"$\hat y$ = {shown(neuron.apply(PARAMS, X))}", fontsize=12)
    word(ax, C, (-2.55, 2.12), "inputs")
    word(ax, C, (-1.3, 1.72), "weights")
    word(ax, C, (0.1, 0.98), "sum")
    word(ax, C, (2.15, 0.92), "step")
    word(ax, C, (4.0, 0.55), "output")
    word(ax, C, (0, -2.05), "bias")
    return fig
