"""The contraction that GD3 promises against the largest that is seen on two functions."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax.theory import convex

ALT = (
    "Squared contraction factor against the learning rate from 0 to 2/L. The bound gamma falls in a straight line to "
    "its least value at 2/(mu+L), where it meets the exact rate, a curve below it that then rises to 1 at 2/L. The "
    "dots of the quadratic lie on the exact rate, those of logistic regression below."
)
MU, L = 1.0, 3.0


def logistic():
    """Gradient and minimizer of ridge-regularized logistic regression, scaled to smoothness L."""
    x = jax.random.normal(jax.random.key(0), (40, 3)) * jnp.asarray([[0.3, 1.0, 1.0]])
    scale = (L - MU) / (jnp.linalg.eigvalsh(x.T @ x)[-1] / (4 * len(x)))
    value = lambda t: scale * jnp.mean(jax.nn.softplus(-(x @ t))) + MU / 2 * t @ t
    newton = lambda _, t: t - jnp.linalg.solve(jax.hessian(value)(t), jax.grad(value)(t))
    return jax.grad(value), jax.lax.fori_loop(0, 30, newton, jnp.zeros(3))


def quadratic():
    """The same of a quadratic."""
    return convex.quadratic(jax.random.key(2), jnp.asarray([MU, 2.0, L])).gradient, jnp.zeros(3)


@jax.jit
def measured(rates):
    """Largest squared ratio of distances on both, in 10 steps from 100 starts, rate by rate."""

    def largest(function, rate):
        gradient, best = function()
        starts = best + 2 * jax.random.normal(jax.random.key(1), (100, 3))
        run = lambda start: convex.descend(gradient, start, rate=rate, steps=10)
        square = jnp.sum((jax.vmap(run)(starts) - best) ** 2, axis=-1)
        return jnp.max(jnp.where(square[:, :-1] > 1e-6, square[:, 1:] / square[:, :-1], 0.0))

    return [jax.vmap(lambda rate, f=f: largest(f, rate))(rates) for f in (quadratic, logistic)]


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(6, 3.3))
    best = convex.optimal_rate(MU, L)
    rates = np.linspace(0.002, 2 / L, 300)
    below = np.linspace(1e-6, best, 50)
    ax.plot(below, convex.contraction(below, MU, L), color=C[1], lw=1.8)
    ax.plot(rates, np.maximum(np.abs(1 - rates * MU), np.abs(1 - rates * L)) ** 2, color=C[0], lw=1.8)
    some = jnp.linspace(0.03, 0.65, 20)
    for values, marker, color in zip(measured(some), "os", (0, 2), strict=True):
        ax.plot(some, values, marker, color=C[color], ms=4.5)
    ax.text(0.24, 0.68, r"bound $\gamma$", color=C[1], fontsize=10)
    ax.text(0.05, 0.98, r"exact $\rho^2$, quadratic", color=C[0], fontsize=10)
    ax.text(0.1, 0.42, "logistic\nregression", color=C[2], fontsize=10)
    ax.annotate("", (0.028, 0.95), (0.05, 1.0), arrowprops={"arrowstyle": "-", "color": C[0], "lw": 0.8})
    ax.set(xlabel=r"learning rate $\tau$", xlim=(0, 0.68), ylim=(0, 1.08))
    ax.set_xticks([0, 0.25, best, 2 / L], ["0", "0.25", r"$\tau^*$", r"$2/L$"])
    return fig
