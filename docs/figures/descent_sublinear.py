"""Rates without strong convexity: the full gradient, and noise."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax.theory import convex

ALT = (
    "Two log-log plots of the excess against the number of steps. Left, full gradient: the worst case falls with "
    "slope minus one just below half the bound; powers 4 and 10 fall faster. Right, noisy gradient: the mean of the "
    "values falls with slope minus one half below the bound, the value of the mean iterate lies lower still."
)
HORIZONS = (400, 800, 1600, 3200, 6400)


def flat(theta):
    near = jnp.clip(jnp.abs(theta), 0.0, 1.0)
    return near**4 / 4 + jnp.maximum(jnp.abs(theta) - 1, 0.0)


def worst(horizons):
    """What Huber's function with the worst width for t leaves after t steps, from 1."""
    widths = jnp.asarray([1 / (2 * t + 1) for t in horizons])
    slope = lambda width: jax.grad(lambda theta: optax.huber_loss(theta, delta=width))
    run = lambda w: convex.descend(slope(w), 1.0, rate=1.0, steps=max(horizons))
    paths = jax.jit(jax.vmap(run))(widths)
    return optax.huber_loss(paths[jnp.arange(len(horizons)), jnp.asarray(horizons)], delta=widths)


def noise():
    """Of 100 seeds at each horizon: mean of the values, value of the mean."""
    noisy = lambda theta, key: jax.grad(flat)(theta) + jax.random.normal(key) / 2
    rates = jnp.stack([convex.horizon_rate(t, L=3.0, distance=1.0, noise=0.5) for t in HORIZONS])
    run = lambda key, rate: convex.stochastic_descend(key, noisy, 1.0, rate=rate, steps=max(HORIZONS))
    runs = jax.jit(jax.vmap(jax.vmap(run, (0, None)), (None, 0)))(jax.random.split(jax.random.key(2), 100), rates)
    first = lambda values: [v[:, :t].mean(1) for v, t in zip(np.asarray(values), HORIZONS, strict=True)]
    return first(jax.jit(flat)(runs)), flat(jnp.asarray(first(runs)))


def bars(values):
    """Means over seeds, and their 95 % intervals by bootstrap, as matplotlib wants them."""
    values = np.asarray(values)
    picks = np.random.default_rng(0).integers(0, values.shape[1], (1000, values.shape[1]))
    low, high = np.quantile(values[:, picks].mean(2), [0.025, 0.975], axis=1)
    mean = values.mean(1)
    return mean, np.stack([mean - low, high - mean])


def draw(plt, C):
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.2))
    t = np.array([3, 10, 30, 100, 300, 1000])
    left.loglog(t, [convex.descent_bound(n, L=1.0, distance=1.0) for n in t.tolist()], "--", color=C.ink, lw=1)
    left.loglog(t, worst(t.tolist()), "o-", color=C[0], ms=4.5, lw=1)
    for p, color in ((10, 1), (4, 2)):
        path = convex.descend(lambda v, p=p: v ** (p - 1), 1.0, rate=1 / (p - 1), steps=1000)
        left.loglog(np.arange(1, 1001), path[1:] ** p / p, color=C[color], lw=1.6)
    left.text(60, 1.8e-2, "bound", fontsize=9)
    left.text(1200, 2e-5, r"$\frac{\theta^{10}}{10}$", color=C[1], fontsize=12, va="center")
    left.text(1200, 6e-7, r"$\frac{\theta^4}{4}$", color=C[2], fontsize=12, va="center")
    left.text(1200, 2e-4, "worst\ncases", color=C[0], fontsize=9, va="center")
    left.set_xlim(0.8, 9000)
    left.set_title("full gradient", fontsize=10)
    of_values, of_mean = noise()
    bound = [convex.descent_bound(n, L=3.0, distance=1.0, noise=0.5) for n in HORIZONS]
    right.loglog(HORIZONS, bound, "--", color=C.ink, lw=1)
    for values, color, marker in ((of_values, 3, "o-"), (of_mean, 4, "s-")):
        mean, error = bars(values)
        right.errorbar(HORIZONS, mean, error, fmt=marker, color=C[color], ms=4.5, lw=1, capsize=2)
    right.text(2400, 1.7e-2, "bound", fontsize=9)
    right.text(420, 1.7e-3, "mean of the values", color=C[3], fontsize=9)
    right.text(420, 3e-5, "value of the mean", color=C[4], fontsize=9)
    right.set_title("noisy gradient", fontsize=10)
    for ax in (left, right):
        ax.set_xlabel("steps $t$")
        ax.grid(alpha=0.5, lw=0.5)
    left.set_ylabel("$F - F^*$")
    right.set_xticks(HORIZONS, [str(n) for n in HORIZONS])
    right.minorticks_off()
    return fig
