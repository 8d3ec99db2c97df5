"""GELU and its slope, with the two places that its facts come from."""

import math

import jax.numpy as jnp

from mlpjax import activations

ALT = (
    "Left: GELU dips to −0.170 at −0.752 and then rises towards the diagonal. Right: its slope falls to −0.129 at "
    "minus the square root of 2, crosses 0 at −0.752, reaches 1.129 at the square root of 2 and sinks to 1."
)
LOWEST_AT = -0.7517915246935645


def draw(plt, C):
    gelu, root = activations.gelu, math.sqrt(2)
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.1))
    x = jnp.linspace(-4, 4, 641)
    left.plot(x, activations.relu(x), color=C[5], lw=1.2)
    left.plot(x, gelu(x), color=C[0])
    right.plot(x, gelu.prime(x), color=C[1])
    right.axhline(0, color=C.faint, lw=1)
    left.plot(LOWEST_AT, gelu.range[0], "o", color=C[4])
    left.annotate("−0.170 at −0.752", (LOWEST_AT, gelu.range[0]), (-3.9, 0.75), color=C[4], fontsize=11,
                  arrowprops={"arrowstyle": "-", "color": C[4], "lw": 1})  # fmt: skip
    left.text(1.0, 2.35, "ReLU", color=C[5], fontsize=11, ha="right")
    left.text(2.35, 1.55, "GELU", color=C[0], fontsize=11)
    right.plot(LOWEST_AT, 0, "o", color=C[4])
    right.plot([-root, root], [1 - gelu.lipschitz, gelu.lipschitz], "o", color=C[3])
    right.text(root, 1.2, "1.129 at √2", color=C[3], fontsize=11, ha="center")
    right.text(-root, -0.32, "−0.129 at −√2", color=C[3], fontsize=11, ha="center")
    left.set(title="value", xlabel="$x$", xlim=(-4, 4), ylim=(-0.5, 3), yticks=[0, 1, 2, 3])
    right.set(title="slope", xlabel="$x$", xlim=(-4, 4), ylim=(-0.45, 1.4), yticks=[0, 0.5, 1])
    return fig
