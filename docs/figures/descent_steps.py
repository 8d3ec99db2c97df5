"""Gradient descent on a parabola with four learning rates."""

import jax
import numpy as np

from mlpjax.theory import convex

ALT = (
    "Four parabolas with the path of gradient descent. Too small: points creep down one side. Right: three steps to "
    "the bottom. Near the limit: the points jump from side to side, slowly sinking. Above it: they climb."
)
CASES = {
    "0.06\ntoo small": (0.06, 12, 2),
    "0.6\nright": (0.6, 12, 0),
    "1.85\nnear 2/λ": (1.85, 12, 1),
    "2.15\nabove 2/λ": (2.15, 6, 4),
}


def draw(plt, C):
    fig, axes = plt.subplots(1, 4, figsize=(7, 2.4), sharey=True)
    line = np.linspace(-2.6, 2.6, 200)
    for ax, (name, (rate, steps, color)) in zip(axes, CASES.items(), strict=True):
        path = np.asarray(convex.descend(jax.grad(lambda t: t**2 / 2), 1.0, rate=rate, steps=steps))
        ax.plot(line, line**2 / 2, color=C.faint, lw=1.5)
        ax.plot(path, path**2 / 2, "o-", color=C[color], ms=4, lw=1)
        ax.set(xlim=(-2.6, 2.6), ylim=(-0.15, 2.9), yticks=[], xticks=[-1, 0, 1], xlabel=r"$\theta$")
        ax.set_title(rf"$\tau$ = {name}", fontsize=10)
        ax.spines["left"].set_visible(False)
    return fig
