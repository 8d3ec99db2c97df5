"""The hat as a sum of three rectified units, and the cube as a sum of two rectified cubes (ACT11)."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import mlp
from mlpjax.activations import relu as rectified
from mlpjax.theory import relu

ALT = (
    "Left: three dashed lines that bend at −1, 0 and 1, with slopes 1, −2 and 1, and their sum, the hat, which is 0 "
    "outside of −1 and 1 and has its peak 1 at 0. Right: the cube as a solid line; dashed, its right half and its left "
    "half, each 0 on the other side."
)


def terms(network, x, sigma):
    """What each hidden unit adds to the output, and the output."""

    def one(x):
        steps = mlp.trace(network, x, activation=sigma)
        return network[-1].W[0] * steps.a[1], steps.z[-1][0]

    return map(np.asarray, jax.jit(jax.vmap(one))(jnp.asarray(x, jnp.float32)[:, None]))


def draw(plt, C):
    fig, axes = plt.subplots(1, 2, figsize=(7, 3))
    for ax, network, sigma, ends in (
        (axes[0], relu.hat(), rectified, 2.0),
        (axes[1], relu.power(3), relu.rectified_power(3), 1.5),
    ):
        x = np.linspace(-ends, ends, 121)
        parts, total = terms(network, x, sigma)
        ax.plot(x, total, color=C[0], lw=4, alpha=0.5)
        for part, color in zip(parts.T, (C[2], C[4], C[1]), strict=False):
            ax.plot(x, part, "--", color=color, lw=1.4)
        ax.set(xlabel="x", xlim=(-ends, ends))
        ax.grid(True, lw=0.5)
    axes[0].set(ylim=(-2.2, 2.2), title="hat", xticks=(-2, -1, 0, 1, 2), yticks=(-2, -1, 0, 1, 2))
    axes[1].set(title="$x^3$")
    for ax, x, y, text, color in (
        (axes[0], 0.55, 1.95, "relu(x + 1)", C[1]),
        (axes[0], 0.6, -1.7, "−2 relu(x)", C[4]),
        (axes[0], 1.4, -0.4, "relu(x − 1)", C[2]),
        (axes[1], 0.4, 2.4, "relu(x)³", C[2]),
        (axes[1], -0.35, -2.4, "−relu(−x)³", C[4]),
    ):
        ax.text(x, y, text, color=color, fontsize=9, ha="right" if x < 0.9 and ax is axes[0] else "center", va="center")
    return fig
