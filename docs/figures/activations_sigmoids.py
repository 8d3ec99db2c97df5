"""The two classical sigmoids and their slopes."""

import jax.numpy as jnp

from mlpjax import activations

ALT = (
    "Left: the sigmoid rises from 0 to 1, the hyperbolic tangent from −1 to 1 and through the origin. Right: their "
    "slopes are bells; the sigmoid's reaches one quarter, that of the hyperbolic tangent one."
)


def draw(plt, C):
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8))
    x = jnp.linspace(-6, 6, 481)
    for a, color in ((activations.sigmoid, C[0]), (activations.tanh, C[1])):
        left.plot(x, a(x), color=color)
        right.plot(x, a.prime(x), color=color)
        right.axhline(a.lipschitz, color=color, lw=1, ls=":")
        for bound in a.range:
            left.axhline(bound, color=color, lw=1, ls=":")
    left.text(1.4, 0.42, "sigmoid", color=C[0], fontsize=11)
    left.text(-5.9, -0.82, "tanh", color=C[1], fontsize=11)
    right.text(1.9, 0.29, "sigmoid′ ≤ ¼", color=C[0], fontsize=11)
    right.text(1.2, 0.75, "tanh′ ≤ 1", color=C[1], fontsize=11)
    left.set(title="value", yticks=[-1, 0, 1], xlabel="$x$", xlim=(-6, 6))
    right.set(title="slope", yticks=[0, 0.25, 1], yticklabels=["0", "¼", "1"], xlabel="$x$", xlim=(-6, 6))
    return fig
