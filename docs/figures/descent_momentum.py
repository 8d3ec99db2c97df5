"""Steps to a millionth of the error against the condition number, for three methods."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax.theory import convex

ALT = (
    "Number of steps against condition number from 10 to 10,000, both logarithmic. Gradient descent rises along a "
    "line of slope 1, to 65,000 steps. Nesterov and heavy ball rise with slope one half, to about 1,500 and 1,000."
)
METHODS = {"descend": (1, 80_000), "nesterov": (2, 3_000), "heavy_ball": (0, 3_000)}
NAMES = {"descend": "gradient descent", "nesterov": "Nesterov", "heavy_ball": "heavy ball"}


@functools.partial(jax.jit, static_argnames=("method", "steps"))
def steps_needed(method, kappas, steps):
    """Until the error is 1e-6 of the first, on 12 eigenvalues from 1 to κ."""

    def count(kappa):
        gradient = lambda theta: jnp.geomspace(1.0, kappa, 12) * theta
        if method == "descend":
            choice = {"rate": convex.optimal_rate(1.0, kappa)}
        else:
            choice = getattr(convex, f"{method}_tuning")(1.0, kappa)._asdict()
        path = getattr(convex, method)(gradient, jnp.ones(12), **choice, steps=steps)
        return jnp.argmax(jnp.linalg.norm(path, axis=1) <= 1e-6 * jnp.sqrt(12.0))

    return jax.vmap(count)(kappas)


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(6, 3.4))
    kappas = jnp.geomspace(10.0, 10_000.0, 7)
    k = np.asarray(kappas)
    for method, (color, steps) in METHODS.items():
        needed = np.asarray(steps_needed(method, kappas, steps), float)
        power = 1 if method == "descend" else 0.5
        ax.loglog(k, needed[3] * (k / k[3]) ** power, color=C[color], lw=1, alpha=0.8)
        ax.loglog(k, needed, "o", color=C[color], ms=5)
        up = method != "heavy_ball"
        ax.annotate(
            NAMES[method], (k[4], needed[4]), (0, 11 if up else -11), textcoords="offset points", color=C[color],
            ha="right" if up else "left", va="bottom" if up else "top", fontsize=10,
        )  # fmt: skip
    ax.set(xlabel=r"condition number $\kappa$", ylabel="steps")
    ax.grid(alpha=0.5, lw=0.5)
    return fig
