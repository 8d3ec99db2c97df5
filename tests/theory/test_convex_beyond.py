"""The theorems on a function that is no quadratic: logistic regression with a ridge."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax.theory import convex
from tests.helpers import FAST_TO_COMPILE

fast = functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)


class Logistic:
    """(1/N) Σ softplus(−xᵢ·θ) + (μ/2)‖θ‖²: μ-strongly convex, and smooth with L = μ + λmax(XᵀX)/(4N)."""

    def __init__(self, key, mu=0.05, n=30):
        self.x, self.mu = jax.random.normal(key, (n, 4)) * jnp.asarray([[0.5, 1.0, 2.0, 3.0]]), mu
        self.L = mu + jnp.linalg.eigvalsh(self.x.T @ self.x)[-1] / (4 * n)
        self.gradient = jax.grad(self.value)
        newton = lambda theta: theta - jnp.linalg.solve(jax.hessian(self.value)(theta), self.gradient(theta))
        self.minimizer = jax.lax.fori_loop(0, 30, lambda _, theta: newton(theta), jnp.zeros(4))

    def value(self, theta):
        return jnp.mean(jax.nn.softplus(-(self.x @ theta))) + self.mu / 2 * theta @ theta


@functools.partial(fast, static_argnames="instances")
def on_logistic(key, instances=24):
    """By instance: gap of co-coercivity, excess over γ and over the exact factor's square, Nesterov's potential."""

    def one(key):
        keys = jax.random.split(key, 4)
        F, rate = Logistic(keys[0]), jax.random.uniform(keys[1])
        best, (x, y) = F.minimizer, 2 * jax.random.normal(keys[2], (2, 4))
        d, g = x - y, F.gradient(x) - F.gradient(y)
        lower = (F.mu * F.L * (d @ d) + g @ g) / (F.mu + F.L)

        share = lambda rate: jnp.sum((convex.descend(F.gradient, x, rate=rate, steps=20) - best[None, :]) ** 2, -1)
        squares, beyond = share(rate * 2 / (F.mu + F.L)), share(rate * 2 / F.L)
        gamma = 1 - 2 * rate * 2 / (F.mu + F.L) * F.mu * F.L / (F.mu + F.L)
        sharp = jnp.maximum(jnp.abs(1 - rate * 2 / F.L * F.mu), jnp.abs(1 - rate * 2)) ** 2

        s = jnp.sqrt(F.mu / F.L)
        path = convex.nesterov(F.gradient, x, **convex.nesterov_tuning(F.mu, F.L)._asdict(), steps=30)
        before = jnp.concatenate([path[:1], path[:-1]])
        z = before + (path - before) / s
        excess = jax.vmap(F.value)(path) - F.value(best)
        potential = excess + F.mu / 2 * jnp.sum((z - best[None, :]) ** 2, -1)
        bound = 2 * (1 - s) ** jnp.arange(31.0) * excess[0]
        return {
            "co-coercivity": lower / (g @ d),
            "gamma": jnp.max(squares[1:] / squares[:-1]) / gamma,
            "sharp": jnp.max(beyond[1:] / beyond[:-1]) / sharp,
            "potential": jnp.max(potential[1:] / potential[:-1]) / (1 - s),
            "nesterov": jnp.max(excess / bound),
        }

    return jax.vmap(one)(jax.random.split(key, instances))


@pytest.mark.x64
@pytest.mark.ledger("GD3")
@pytest.mark.parametrize("inequality", ["co-coercivity", "gamma", "sharp"])
def test_bounds_hold_beyond_quadratics(inequality, measured):
    """Ridge-regularized logistic regression: all ratios of what is bounded to its bound are at most 1."""
    found = np.asarray(on_logistic(jax.random.key(5))[inequality])
    assert found.max() > 0.3  # the bound is not idle
    measured(max(found.max() - 1, 0), 1e-9, oracle="the inequality of the theorem")


@pytest.mark.x64
@pytest.mark.ledger("OPT1")
@pytest.mark.parametrize("inequality", ["potential", "nesterov"])
def test_nesterov_beyond_quadratics(inequality, measured):
    found = np.asarray(on_logistic(jax.random.key(5))[inequality])
    measured(max(found.max() - 1, 0), 1e-9, oracle="V shrinks by 1 − 1/√κ; F − F* ≤ 2(1 − 1/√κ)ᵏ(F₀ − F*)")
