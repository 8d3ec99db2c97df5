"""From a sigmoid to a bar chart in three steps."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import mlp
from mlpjax.activations import sigmoid
from mlpjax.theory import bumps

ALT = (
    "Left: the sigmoid of c x for c = 2, 8 and 64; the larger c, the closer to a step at zero. Middle: a sigmoid that "
    "rises at 0.3, one that rises at 0.7, and their difference, a bump between the two places. Right: eight bumps of "
    "different heights side by side, their sum, and the smooth function that it follows like a bar chart."
)


@jax.jit
def outputs(params, x):
    """The network at each x."""
    return jax.vmap(lambda x: mlp.apply(params, x[None], activation=sigmoid)[0])(x)


def target(x):
    return 0.55 + 0.35 * jnp.sin(5 * x) + 0.25 * x


def draw(plt, C):
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(7, 2.3), layout="constrained", width_ratios=(1, 1, 1.4))
    x = jnp.linspace(-1, 1, 401)
    for c, color in ((2, C[5]), (8, C[1]), (64, C[0])):
        left.plot(x, sigmoid(c * x), color=color, lw=1.8, label=f"$c$ = {c}")
    left.legend(loc="upper left", fontsize=8, handlelength=1, frameon=False, borderaxespad=0.1)
    left.set(title="1  sharpen", xticks=(-1, 0, 1), yticks=(0, 1))
    x, c = jnp.linspace(0, 1, 401), 40.0
    for edge, color in ((0.3, C[2]), (0.7, C[4])):
        middle.plot(x, sigmoid(c * (x - edge)), "--", color=color, lw=1.4)
    bump = outputs(bumps.bump(0.3, 0.7, sharpness=c), x)
    middle.fill_between(x, bump, color=C[0], alpha=0.15, lw=0)
    middle.plot(x, bump, color=C[0], lw=2)
    middle.set(title="2  subtract", xticks=(0.3, 0.7), yticks=(0, 1))
    middle.set_xticklabels(("$l$", "$r$"))
    n, c = 8, 160.0
    params = bumps.network(target, (0.0, 1.0), bumps=n, sharpness=c)
    share = jax.jit(jax.vmap(lambda x: bumps.shares(x, (0.0, 1.0), bumps=n, sharpness=c)))(x)
    heights = np.asarray(target((jnp.arange(n) + 0.5) / n))
    for each in np.asarray(share).T * heights[:, None]:
        right.fill_between(x, each, color=C[0], alpha=0.15, lw=0)
    right.plot(x, target(x), color=C[1], lw=1.8)
    right.plot(x, outputs(params, x), color=C[0], lw=1.8)
    right.set(title="3  add", xticks=(0, 1), yticks=(0, 1))
    for ax in (left, middle, right):
        ax.title.set_size(10)
        ax.set_ylim(-0.08, 1.18)
    return fig
