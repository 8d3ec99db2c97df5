"""Convexity three times: the chord above, the tangent below, and the two parabolas between which F runs (PRE6)."""

import jax
import jax.numpy as jnp
import numpy as np

ALT = (
    "Three panels with the same convex curve. In the first a chord between two of its points lies above it. In the "
    "second a tangent lies below it. In the third the curve runs between two parabolas that touch it at one point, a "
    "flat one below and a steep one above."
)
MU, L, AT = 0.3, 1.3, -1.3


def F(t):
    """Smooth and strongly convex: the second derivative lies between μ = 0.3 and L = 1.3."""
    return jnp.logaddexp(2 * t, 0.0) + MU / 2 * t**2 - t


def draw(plt, C):
    fig, axes = plt.subplots(1, 3, figsize=(7, 2.6), sharey=True, layout="constrained")
    t = np.linspace(-3.2, 3.4, 200)
    for ax, title in zip(axes, ("chord above", "tangent below", "between two parabolas"), strict=True):
        ax.plot(t, F(t), color=C[0], lw=2.2)
        ax.set(xlim=(-3.2, 3.4), ylim=(-0.4, 4.4), xticks=[], yticks=[])
        ax.set_title(title, fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
    a, b = -2.5, 1.4
    axes[0].plot([a, b], [F(a), F(b)], "o-", color=C[1], lw=1.8, ms=5)
    s, slope = float(F(AT)), float(jax.grad(F)(AT))
    tangent = s + slope * (t - AT)
    axes[1].plot(t, tangent, color=C[1], lw=1.8)
    for curvature, color, name, place in ((MU, C[2], "$\\mu$", (1.15, -0.05)), (L, C[4], "$L$", (0.8, 3.3))):
        axes[2].plot(t, tangent + curvature / 2 * (t - AT) ** 2, color=color, lw=1.8, ls=(0, (4, 2)))
        axes[2].text(*place, name, color=color, fontsize=13)
    for ax in axes[1:]:
        ax.plot(AT, s, "o", color=C[1], ms=5)
    return fig
