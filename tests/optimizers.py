"""The update rules of the chapter "Optimizers" in a few lines each, on one array: the very code that the chapter shows.

Each makes a pair of pure functions, `init(theta) -> state` and `update(theta, state, g) -> (theta, state)`.
"""

import jax.numpy as jnp


def heavy_ball(rate, mu=0.9):
    """OPT1.1: the velocity remembers."""

    def update(theta, v, g):
        v = mu * v + g
        return theta - rate * v, v

    return jnp.zeros_like, update


def nesterov(rate, mu=0.9):
    """OPT1.2: the same velocity, one step ahead."""

    def update(theta, v, g):
        v = mu * v + g
        return theta - rate * (g + mu * v), v

    return jnp.zeros_like, update


def rmsprop(rate, beta=0.9, eps=1e-8):
    """OPT2: each entry is divided by its own size."""

    def update(theta, v, g):
        v = beta * v + (1 - beta) * g**2
        return theta - rate * g / jnp.sqrt(v + eps), v

    return jnp.zeros_like, update


def adam(rate, b1=0.9, b2=0.999, eps=1e-8, decay=0.0):
    """OPT3: both means, corrected for their start at 0; with a decay it is AdamW."""

    def init(theta):
        return jnp.zeros_like(theta), jnp.zeros_like(theta), jnp.zeros((), theta.dtype)

    def update(theta, state, g):
        m, v, t = state
        m, v, t = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2, t + 1
        m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
        step = m_hat / (jnp.sqrt(v_hat) + eps) + decay * theta
        return theta - rate * step, (m, v, t)

    return init, update


def schedule_free(rate, beta=0.9, b2=0.999, eps=1e-8):
    """OPT6: z takes the steps, x is the mean of all z, and the gradient is taken at y."""

    def init(theta):
        return theta, theta, jnp.zeros_like(theta), jnp.zeros((), theta.dtype)

    def update(y, state, g):
        x, z, v, t = state
        v, t = b2 * v + (1 - b2) * g**2, t + 1
        z = z - rate * g / (jnp.sqrt(v / (1 - b2**t)) + eps)
        x = x + (z - x) / t
        return (1 - beta) * z + beta * x, (x, z, v, t)

    return init, update


def newton_schulz(G, steps=5, coefficients=(3.4445, -4.7750, 2.0315)):
    """OPT6: the singular values go to about 1, the singular vectors stay."""
    a, b, c = coefficients
    X = G / jnp.linalg.norm(G)
    for _ in range(steps):
        A = X @ X.T
        X = a * X + (b * A + c * A @ A) @ X
    return X
