"""Two weights learned example by example, from positive inputs and from centered ones (ACT14)."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import backprop, losses

ALT = (
    "Two paths in the plane of two weights from the origin to the goal at (1, −1). With positive inputs every piece of "
    "the path goes up and right or down and left, and the path zigzags; with centered inputs it turns in all "
    "directions and arrives after a few steps."
)
GOAL = jnp.array([1.0, -1.0])


def inputs(key, steps, center):
    """Uniform on the unit square, around its middle or moved to the origin."""
    return jax.random.uniform(key, (steps, 2)) - 0.5 * center


def descend(key, center, steps=400):
    """Weights after each step: one example a step, at the largest rate that overshoots none of them."""
    rate = 2.0 if center else 0.5  # 1 / max ‖a‖²

    def step(w, a):
        delta = losses.half_squared_error.delta(w @ a[:, None], GOAL @ a[:, None])
        w = w - rate * backprop.bp3(delta, a)[0]
        return w, w

    a = inputs(key, steps, center)
    return jnp.concatenate([jnp.zeros((1, 2)), jax.lax.scan(step, jnp.zeros(2), a)[1]])


def arrival(path, near=0.05):
    """The first step from which on the weights stay this close to the goal."""
    far = jnp.linalg.norm(path - GOAL[None, :], axis=1) >= near
    return len(path) - jnp.argmax(far[::-1])


def draw(plt, C):
    fig, axes = plt.subplots(1, 2, figsize=(7, 3.3), sharey=True)
    for ax, center, name, color in ((axes[0], False, "positive", C[4]), (axes[1], True, "centered", C[0])):
        path = jax.jit(descend, static_argnums=1)(jax.random.key(2), center)
        steps = int(arrival(path))
        path = np.asarray(path)[: steps + 1]
        ax.plot(*path.T, "-", color=color, lw=1.2)
        ax.plot(*path.T, ".", color=color, ms=4)
        ax.plot(*GOAL, "*", color=C[2], ms=14, zorder=5)
        ax.set_title(f"{name} inputs: {steps} steps", fontsize=10)
        ax.set(xlabel="$w_1$", aspect="equal", xlim=(-0.45, 1.35), ylim=(-1.35, 0.35), xticks=(0, 1), yticks=(-1, 0))
        ax.grid(True, lw=0.5)
    axes[0].set_ylabel("$w_2$")
    return fig
