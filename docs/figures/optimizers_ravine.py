"""Gradient descent, heavy ball and Nesterov in one ravine."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax.training import recipes

ALT = (
    "Left: paths on the level lines of an elongated quadratic bowl. Gradient descent jumps from wall to wall of the "
    "ravine and creeps along it. The heavy ball, at the same rate, loses its zigzag after a while and arrives at the "
    "minimum; Nesterov's path has hardly a zigzag and comes close. Right: the loss on a logarithmic axis against "
    "steps; the line of gradient descent falls slowly, the other two many times as steeply."
)
KAPPA, STEPS = 100.0, 120
COLORS = {"gradient descent": 0, "heavy ball": 1, "Nesterov": 2}


def loss(theta):
    """A quadratic of condition number κ."""
    return 0.5 * (theta[0] ** 2 + KAPPA * theta[1] ** 2)


def contestants():
    """Gradient descent at its best rate, the heavy ball at the same; Nesterov as its theory recommends."""
    rate, root = 2 / (1 + KAPPA), KAPPA**0.5
    return {
        "gradient descent": recipes.optimizer("sgd", rate),
        "heavy ball": recipes.optimizer("momentum", rate, momentum=0.8),
        "Nesterov": recipes.optimizer("nesterov", 1 / KAPPA, momentum=(root - 1) / (root + 1)),
    }


def path(optimizer, start):
    """Where a run from one point goes."""

    def body(carry, _):
        theta, state = carry
        updates, state = optimizer.update(jax.grad(loss)(theta), state, theta)
        return (optax.apply_updates(theta, updates), state), theta

    return jax.lax.scan(body, (start, optimizer.init(start)), length=STEPS)[1]


def draw(plt, C):
    """Paths to the left, losses to the right."""
    start = jnp.asarray([10.0, 0.9])
    found = jax.jit(lambda start: {name: path(opt, start) for name, opt in contestants().items()})(start)
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.1), width_ratios=(1.35, 1))
    x, y = np.meshgrid(np.linspace(-4, 10.8, 200), np.linspace(-1.25, 1.25, 200))
    left.contour(
        x, y, np.sqrt(0.5 * (x**2 + KAPPA * y**2)), levels=np.arange(0.5, 12), colors=[C.faint], linewidths=0.6
    )
    for name, c in COLORS.items():
        theta = np.asarray(found[name])
        left.plot(*theta[:40].T, "o-", color=C[c], ms=2.2, lw=1.1, label=name)
        right.semilogy(np.asarray(jax.vmap(loss)(found[name])), color=C[c], lw=1.6)
    left.plot(0, 0, "+", color=C.ink, ms=9)
    left.set_xticks([])
    left.set_yticks([])
    left.legend(loc="lower center", ncols=3, fontsize=8, bbox_to_anchor=(0.5, -0.17), columnspacing=1, handlelength=1)
    left.set_title("40 steps", fontsize=10, loc="left")
    right.set_title("loss", fontsize=10, loc="left")
    right.set_xlabel("step")
    right.set_ylim(1e-8, 300)
    right.grid(alpha=0.5, lw=0.5)
    return fig
