"""Heavy ball and Nesterov on quadratics: their factors, and steps against the condition number."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax.theory import convex
from tests.helpers import FAST_TO_COMPILE, slope, tolerance

fast = functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)


@pytest.mark.ledger("OPT1")
@pytest.mark.parametrize("nesterov", [False, True], ids=["heavy_ball", "nesterov"])
def test_momentum_is_that_of_optax(nesterov, key, measured):
    """optax keeps the velocity; with Nesterov its parameters are the points y where the gradient is taken."""
    F = fast(convex.quadratic)(key, jnp.geomspace(1.0, 30.0, 4))
    method = convex.nesterov if nesterov else convex.heavy_ball
    path = method(F.gradient, jnp.ones(4), rate=0.02, momentum=0.8, steps=20)
    expected = path
    if nesterov:
        before = jnp.concatenate([path[:1], path[:-1]])
        expected = path + 0.8 * (path - before)
    optimizer, theta = optax.sgd(0.02, 0.8, nesterov=nesterov), jnp.ones(4)

    def update(carry):
        theta, state = carry
        updates, state = optimizer.update(F.gradient(theta), state)
        return theta + updates, state

    found = convex.iterate(update, (theta, optimizer.init(theta)), steps=20)[0]
    error = jnp.abs(found - expected).max() / jnp.abs(expected).max()
    measured(error, tolerance(path.dtype), oracle="optax.sgd with momentum")


def companion(rate, momentum, curvature, nesterov=False):
    """The step of momentum on ½λθ², as a matrix on (θ_k, θ_{k−1})."""
    c = 1 - rate * curvature
    top = [c * (1 + momentum), -c * momentum] if nesterov else [c + momentum, -momentum]
    return np.array([top, [1.0, 0.0]])


def radius(tuning, kappa, nesterov=False):
    """Largest absolute value of an eigenvalue over curvatures between 1 and κ."""
    step = functools.partial(companion, float(tuning.rate), float(tuning.momentum), nesterov=nesterov)
    return max(np.abs(np.linalg.eigvals(step(c))).max() for c in np.geomspace(1, kappa, 60))


@pytest.mark.ledger("OPT1")
@pytest.mark.parametrize("kappa", [1.0, 4.0, 100.0, 10_000.0])
def test_momentum_factors(kappa, measured):
    """Spectral radii of the 2 × 2 matrices; double roots cost half the digits."""
    found = radius(convex.heavy_ball_tuning(1.0, kappa), kappa)
    measured(abs(convex.heavy_ball_factor(kappa) - found), 1e-7, oracle="eigenvalues of companion matrices")
    found = radius(convex.nesterov_tuning(1.0, kappa), kappa, nesterov=True)
    measured(abs(convex.nesterov_factor(kappa) - found), 1e-7, oracle="eigenvalues of companion matrices")


@pytest.mark.ledger("OPT1")
def test_no_tuning_of_the_heavy_ball_is_better(measured):
    """Over a grid of rates and momenta, on the interval of curvatures from 1 to 25."""
    rates, momenta = np.linspace(0.005, 0.2, 60), np.linspace(-0.5, 0.95, 60)
    curvature = np.geomspace(1, 25, 40)
    b = 1 + momenta[None, :, None] - rates[:, None, None] * curvature
    root = np.sqrt(b.astype(complex) ** 2 - 4 * momenta[None, :, None])
    radii = np.maximum(abs(b + root), abs(b - root)).max(-1) / 2
    least = convex.heavy_ball_factor(25.0)
    assert radii.min() >= least - 1e-12
    measured(radii.min() / least - 1, 0.02, oracle="best of 3,600 tunings")


@functools.partial(jax.jit, static_argnames=("method", "steps"))
def iterations(method, kappas, short, steps):
    """Steps until ‖θ_k‖ ≤ short·‖θ₀‖ on quadratics with these condition numbers, from a start of ones."""

    def count(kappa):
        gradient, one = lambda theta: jnp.geomspace(1.0, kappa, 12) * theta, jnp.ones(12)
        if method == "descend":
            path = convex.descend(gradient, one, rate=convex.optimal_rate(1.0, kappa), steps=steps)
        else:
            tuning = getattr(convex, f"{method}_tuning")(1.0, kappa)
            path = getattr(convex, method)(gradient, one, **tuning._asdict(), steps=steps)
        return jnp.argmax(jnp.linalg.norm(path, axis=1) <= short * jnp.sqrt(12.0))

    return jax.vmap(count)(kappas)


@pytest.mark.x64
@pytest.mark.ledger("OPT1")
@pytest.mark.parametrize(
    ("method", "power", "steps"), [("descend", 1.0, 100_000), ("heavy_ball", 0.5, 3_000), ("nesterov", 0.5, 3_000)]
)
def test_iterations_grow_with_a_power_of_kappa(method, power, steps, measured):
    """κ for gradient descent, √κ with momentum: slope on log–log axes, κ from 10 to 10⁴."""
    kappas = jnp.geomspace(10.0, 10_000.0, 7)
    found, half = slope(kappas, iterations(method, kappas, 1e-8, steps))
    assert half < 0.05
    measured(abs(found - power) / power, 0.12, oracle="κ, or √κ up to a logarithm")
