"""The bill over minutes and gigabytes: flat pieces that meet along the lines where a hidden unit switches on."""

import jax
import jax.numpy as jnp
import numpy as np

from docs.figures._forward import PARAMS
from mlpjax import mlp

ALT = (
    "Level lines of the bill over minutes and gigabytes. They are straight except where they cross one of three dashed "
    "lines: 100 minutes, 5 gigabytes, and the slanted line of 17 points."
)


def draw(plt, C):
    minutes, gigabytes = np.linspace(0, 200, 201), np.linspace(0, 16, 161)
    grid = jnp.stack(jnp.meshgrid(minutes, gigabytes), axis=-1)
    apply = jax.vmap(jax.vmap(mlp.apply, in_axes=(None, 0)), in_axes=(None, 0))
    bill = np.asarray(apply(PARAMS, grid)[..., 0])
    fig, ax = plt.subplots(figsize=(6.2, 3.6))
    levels = ax.contour(minutes, gigabytes, bill, levels=np.arange(13, 43, 3), colors=C[0], linewidths=1.4)
    ax.clabel(levels, levels=levels.levels[1::2], fmt="%g", fontsize=9)
    for w, b, color, name, at in zip(
        np.asarray(PARAMS[0].W), np.asarray(PARAMS[0].b), (C[1], C[2], C[3]),
        ("$z_1 = 0$", "$z_2 = 0$", "$z_3 = 0$"), ((100, 14), (182, 5), (56, 10)), strict=True,
    ):  # fmt: skip
        if w[1] == 0:
            ax.axvline(-b / w[0], color=color, ls="--", lw=1.8)
        else:
            ax.plot(minutes, (-b - w[0] * minutes) / w[1], color=color, ls="--", lw=1.8)
        box = dict(boxstyle="square,pad=0.15", facecolor=C.paper, edgecolor="none")
        ax.text(*at, name, color=color, fontsize=11, ha="center", va="center", bbox=box)
    ax.plot(120, 4, "o", color=C[4], ms=7)
    ax.text(124, 3.2, "13", color=C[4], fontsize=11, fontweight="bold")
    ax.set(xlabel="minutes $x_1$", ylabel="gigabytes $x_2$", xlim=(0, 200), ylim=(0, 16))
    return fig
