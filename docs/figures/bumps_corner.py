"""Two inputs along the diagonal: thresholded towers leave a hole at every corner of four cells."""

import jax
import jax.numpy as jnp

from mlpjax import mlp
from mlpjax.activations import relu, sigmoid
from mlpjax.theory import bumps

ALT = (
    "A function of two inputs along the diagonal of the square, and two networks of six by six cells. The one whose "
    "second layer thresholds the sum of two bumps falls to zero at each of the five corners of cells. The one whose "
    "second layer adds two steps, less one, follows the function as a staircase."
)
N, C1, C2 = 6, 400.0, 40.0
SIDE = (0.0, 1.0)


def target(x):
    return 0.6 + 0.3 * jnp.sin(4 * x[0] + 2 * x[1])


def tower(x):
    """The sum over cells of f times a sigmoid of (bump in x₁ + bump in x₂ − 3/2)."""
    b1, b2 = (bumps.shares(p, SIDE, bumps=N, sharpness=C1) for p in x)
    m = (jnp.arange(N) + 0.5) / N
    heights = jax.vmap(lambda p: jax.vmap(lambda q: target((p, q)))(m))(m)
    return jnp.sum(heights * sigmoid(C2 * (b1[:, None] + b2[None] - 1.5)))


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(6, 2.5), layout="constrained")
    x = jnp.linspace(0, 1, 1201)
    params = jax.jit(lambda: bumps.surface(target, (SIDE, SIDE), bumps=N, sharpness=C1))()
    ours = lambda p: mlp.apply(params, jnp.stack([p, p]), activation=(sigmoid, relu))[0]
    wanted, high, found = jax.jit(jax.vmap(lambda p: (target((p, p)), tower((p, p)), ours(p))))(x)
    ax.plot(x, high, color=C[4], lw=1.4, label="thresholded towers")
    ax.plot(x, wanted, color=C[5], lw=1.8, label="$f$")
    ax.plot(x, found, color=C[0], lw=1.8, label="steps and ReLU")
    ax.set(xlabel="$x_1 = x_2$", xticks=[k / N for k in range(N + 1)], yticks=(0, 0.5, 1), ylim=(-0.05, 1.3))
    ax.set_xticklabels(("0", "1/6", "1/3", "1/2", "2/3", "5/6", "1"))
    ax.legend(fontsize=8, frameon=False, ncols=3, loc="upper center")
    return fig
