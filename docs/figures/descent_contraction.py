"""The contraction that GD3 promises against the largest that logistic regression shows."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax.theory import convex

ALT = (
    "Squared contraction factor against the learning rate from 0 to 2/L. The bound gamma falls in a straight line to "
    "its least value at 2/(mu+L), where it meets the exact rate, which then rises to 1 at 2/L. All measured dots lie "
    "below the exact rate, most of them close to it."
)
MU, L = 1.0, 10.0


def measured(rates):
    """Largest squared ratio on ridge-regularized logistic regression, scaled to smoothness L."""
    x = jax.random.normal(jax.random.key(0), (40, 3)) * jnp.asarray([[0.3, 1.0, 1.0]])
    scale = (L - MU) / (jnp.linalg.eigvalsh(x.T @ x)[-1] / (4 * len(x)))
    value = lambda t: scale * jnp.mean(jax.nn.softplus(-(x @ t))) + MU / 2 * t @ t
    newton = lambda _, t: t - jnp.linalg.solve(jax.hessian(value)(t), jax.grad(value)(t))
    best = jax.lax.fori_loop(0, 40, newton, jnp.zeros(3))

    def largest(start, rate):
        square = jnp.sum((convex.descend(jax.grad(value), start, rate=rate, steps=10) - best) ** 2, axis=1)
        return jnp.max(jnp.where(square[:-1] > 1e-8, square[1:] / square[:-1], 0.0))

    starts = best + 2 * jax.random.normal(jax.random.key(1), (200, 3))
    return jax.jit(jax.vmap(lambda rate: jnp.max(jax.vmap(lambda s: largest(s, rate))(starts))))(rates)


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(6, 3.3))
    best = convex.optimal_rate(MU, L)
    rates = np.linspace(0.002, 2 / L, 300)
    sharp = np.maximum(np.abs(1 - rates * MU), np.abs(1 - rates * L)) ** 2
    below = np.linspace(1e-6, best, 50)
    ax.plot(below, convex.contraction(below, MU, L), color=C[1], lw=1.8)
    ax.plot(rates, sharp, color=C[0], lw=1.8)
    some = jnp.linspace(0.01, 0.195, 24)
    ax.plot(some, measured(some), "o", color=C[2], ms=4.5)
    ax.text(0.085, 0.85, r"bound $\gamma$", color=C[1], fontsize=10, rotation=-13)
    ax.text(0.06, 0.7, r"exact $\rho^2$", color=C[0], fontsize=10, rotation=-13)
    ax.set(xlabel=r"learning rate $\tau$", xlim=(0, 0.204), ylim=(0.5, 1.02))
    ax.set_xticks([0, 0.1, best, 0.2], ["0", "0.1", r"$\tau^*$", r"$2/L$"])
    return fig
