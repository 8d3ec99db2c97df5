"""Escape from a shallow minimum by the noise of mini-batches."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax.theory import convex

ALT = (
    "Left: a curve with a shallow minimum on the right and a deeper one on the left; a dot marks the start in the "
    "shallow one. Right: the share of seeds that are beyond the barrier at the end falls from nearly one at batch "
    "size 2 to zero at 8, close to the predicted curve; at size 1 it is lower, since some have returned."
)
RATE, STEPS, SLOPE, SEEDS = 0.1, 3000, 1.5, 200
BATCHES = (1, 2, 3, 4, 5, 6, 8)


def F(theta):
    return theta**4 / 4 - theta**2 / 2 + 0.1 * theta


def points():
    """Deep minimum, top of the barrier, shallow minimum."""
    return np.sort(np.roots([1, 0, -1, 0.1]).real)


def escaped():
    """Share of seeds beyond the barrier at the end, for each batch size."""
    _, top, shallow = points()

    def end(key, batch):
        def gradient(theta, key):
            slopes = SLOPE * jax.random.rademacher(key, (max(BATCHES),), float)
            return jax.grad(F)(theta) + jnp.sum(slopes * (jnp.arange(max(BATCHES)) < batch)) / batch

        return convex.stochastic_descend(key, gradient, float(shallow), rate=RATE, steps=STEPS)[-1]

    every = jax.jit(jax.vmap(jax.vmap(end, (0, None)), (None, 0)))
    ends = every(jax.random.split(jax.random.key(0), SEEDS), jnp.asarray(BATCHES))
    return np.asarray(ends < top).mean(1)


def kramers(batch):
    """Expected share after the same time, for small learning rates."""
    _, top, shallow = points()
    curvature = lambda t: 3 * t**2 - 1
    temperature = RATE * SLOPE**2 / (2 * batch)
    rate = np.sqrt(curvature(shallow) * -curvature(top)) / (2 * np.pi) * np.exp(-(F(top) - F(shallow)) / temperature)
    return 1 - np.exp(-rate * RATE * STEPS)


def draw(plt, C):
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3), width_ratios=(1, 1.15))
    line = np.linspace(-1.6, 1.5, 200)
    left.plot(line, F(line), color=C.ink, lw=1.4)
    left.plot(points()[2], F(points()[2]), "o", color=C[4], ms=8)
    left.text(points()[2], F(points()[2]) + 0.05, "start", color=C[4], ha="center", va="bottom", fontsize=10)
    left.set(xlabel=r"$\theta$", ylabel=r"$F(\theta)$", ylim=(-0.42, 0.25))
    smooth = np.linspace(1, 9, 200)
    right.plot(smooth, kramers(smooth), color=C[0], lw=1.6)
    right.plot(BATCHES, escaped(), "o", color=C[4], ms=6)
    right.text(4.6, 0.32, "Kramers", color=C[0], fontsize=10)
    right.set(xlabel="batch size $B$", ylabel="share that escapes", ylim=(-0.04, 1.06), xticks=range(1, 10))
    return fig
