"""A ravine: gradient descent zigzags, momentum does not."""

import jax.numpy as jnp
import numpy as np

from mlpjax.theory import convex

ALT = (
    "Two panels with the same long elliptic level lines. Above, gradient descent zigzags across the ravine and is "
    "still underway after 25 steps. Below, the heavy ball swings out a little and is at the minimum."
)
KAPPA, STEPS, START = 20.0, 25, (20.0, 1.0)


def draw(plt, C):
    F = convex.Quadratic(jnp.diag(jnp.asarray([1.0, KAPPA])), jnp.zeros(2))
    paths = {
        "gradient descent": convex.descend(
            F.gradient, jnp.asarray(START), rate=convex.optimal_rate(1.0, KAPPA), steps=STEPS
        ),
        "heavy ball": convex.heavy_ball(
            F.gradient, jnp.asarray(START), **convex.heavy_ball_tuning(1.0, KAPPA)._asdict(), steps=STEPS
        ),
    }
    x, y = np.meshgrid(np.linspace(-6, 22, 200), np.linspace(-3.2, 3.2, 120))
    levels = [3, 20, 60, 120, 210]
    fig, axes = plt.subplots(2, 1, figsize=(7, 3.9), sharex=True)
    for ax, (name, path), color in zip(axes, paths.items(), (1, 0), strict=True):
        ax.contour(x, y, (x**2 + KAPPA * y**2) / 2, levels, colors=[C.faint], linewidths=1)
        path = np.asarray(path)
        ax.plot(*path.T, "o-", color=C[color], ms=3.5, lw=1.1)
        ax.plot(0, 0, "+", color=C.ink, ms=9, mew=1.3)
        left = np.linalg.norm(path[-1]) / np.linalg.norm(path[0])
        ax.set_title(f"{name}: {left:.2g} of the distance is left", fontsize=10)
        ax.set(xlim=(-6, 22), ylim=(-3.2, 3.2), yticks=[], xticks=[])
        for side in ax.spines.values():
            side.set_visible(False)
    return fig
