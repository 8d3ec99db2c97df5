"""Merely convex functions, and noisy gradients: bounds, rates, and the noise of a mini-batch."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.optimize
import scipy.stats

from mlpjax.theory import convex
from tests.helpers import FAST_TO_COMPILE, slope, tolerance

fast = functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)


def huber(theta, width):
    """½θ² up to |θ| = width, and straight beyond: convex and 1-smooth."""
    return optax.huber_loss(theta, delta=width)


@pytest.mark.ledger("GD5")
def test_descent_bound(measured):
    """The worst Huber function of each horizon leaves D²L/(4t + 2), which is the bound times t/(2t + 1)."""
    horizons, distance = (10, 30, 100, 300), 3.0
    width = jnp.asarray([distance / (2 * t + 1) for t in horizons])
    run = lambda w: convex.descend(jax.grad(lambda theta: huber(theta, w)), distance, rate=1.0, steps=300)
    paths = jax.jit(jax.vmap(run))(width)
    left = np.asarray(huber(paths[jnp.arange(4), jnp.asarray(horizons)], width))
    bound = np.array([convex.descent_bound(t, L=1.0, distance=distance) for t in horizons])
    sharp = left * np.array([(2 * t + 1) / t for t in horizons])
    measured(np.abs(bound / sharp - 1).max(), 20 * tolerance(paths.dtype), oracle="attained by Huber's functions")
    found, _ = slope(horizons, left)
    assert abs(found + 1) < 0.03


@pytest.mark.ledger("GD5")
def test_horizon_rate(measured):
    """The least of D²/(2τt) + τσ²/2 over τ, where 1/L allows it."""
    D, noise, t = 2.0, 0.5, 400
    sum_ = lambda rate: D**2 / (2 * rate * t) + rate * noise**2 / 2
    best = scipy.optimize.minimize_scalar(sum_, bounds=(1e-3, 1.0), method="bounded", options={"xatol": 1e-12})
    rate = float(convex.horizon_rate(t, L=1.0, distance=D, noise=noise))
    measured(abs(rate / best.x - 1), 1e-5, oracle="minimized by scipy")
    extra = convex.descent_bound(t, L=0.0, distance=D, noise=noise)
    measured(abs(extra / best.fun - 1), 1e-9, oracle="minimized by scipy")
    assert float(convex.horizon_rate(t, L=50.0, distance=D, noise=noise)) == pytest.approx(1 / 50)
    assert float(convex.horizon_rate(t, L=50.0, distance=D)) == pytest.approx(1 / 50)


@pytest.mark.ledger("GD5")
def test_stochastic_descend(key, measured):
    """The same as a loop; the running mean as NumPy has it."""
    F = fast(convex.quadratic)(key, jnp.asarray([1.0, 3.0]))
    noisy = lambda theta, key: F.gradient(theta) + jax.random.normal(key, (2,))
    rates = 0.3 / jnp.sqrt(jnp.arange(1.0, 11))
    path = fast(lambda key: convex.stochastic_descend(key, noisy, jnp.ones(2), rate=rates, steps=10))(key)
    draws = np.asarray(fast(lambda key: jax.vmap(lambda k: jax.random.normal(k, (2,)))(jax.random.split(key, 10)))(key))
    theta, expected = np.ones(2), [np.ones(2)]
    for rate, draw in zip(np.asarray(rates), draws, strict=True):
        theta = theta - rate * (np.asarray(F.H) @ theta + draw)
        expected.append(theta)
    measured(np.abs(path - np.array(expected)).max(), 10 * tolerance(path.dtype), oracle="a loop in NumPy")
    means = [np.mean(expected[: k + 1], 0) for k in range(11)]
    measured(np.abs(convex.running_mean(path) - np.array(means)).max(), 10 * tolerance(path.dtype), oracle="numpy.mean")


def flat(theta):
    """θ⁴/4 up to |θ| = 1, and straight beyond: convex and 3-smooth, with no curvature at its minimum."""
    near = jnp.clip(jnp.abs(theta), 0.0, 1.0)
    return near**4 / 4 + jnp.maximum(jnp.abs(theta) - 1, 0.0)


@pytest.mark.ledger("GD5")
def test_noise_slows_to_the_square_root(key, measured):
    """Slope of the mean excess against t, with its 95 % interval by bootstrap over seeds; the bound holds."""
    horizons, seeds = (200, 400, 800, 1600, 3200), 60
    noisy = lambda theta, key: jax.grad(flat)(theta) + jax.random.normal(key, (), theta.dtype) / 2
    rates = jnp.stack([convex.horizon_rate(t, L=3.0, distance=1.0, noise=0.5) for t in horizons])
    run = lambda key, rate: convex.stochastic_descend(key, noisy, 1.0, rate=rate, steps=max(horizons))
    runs = jax.jit(jax.vmap(jax.vmap(run, (0, None)), (None, 0)))(jax.random.split(key, seeds), rates)
    values, runs = np.asarray(jax.jit(flat)(runs)), np.asarray(runs)
    values = np.array([values[i, :, :t].mean(1) for i, t in enumerate(horizons)])
    of_mean = np.array([runs[i, :, :t].mean(1) for i, t in enumerate(horizons)])
    of_mean = np.asarray(flat(jnp.asarray(of_mean)))
    bound = np.array([convex.descent_bound(t, L=3.0, distance=1.0, noise=0.5) for t in horizons])
    assert (values.mean(1) <= bound).all() and (of_mean <= values + 1e-6).all()
    draws = np.random.default_rng(0).integers(0, seeds, (400, seeds))
    slopes = [np.polyfit(np.log(horizons), np.log(values[:, d].mean(1)), 1)[0] for d in draws]
    low, high = np.quantile(slopes, [0.025, 0.975])
    assert high - low < 0.1
    measured(abs((low + high) / 2 + 0.5) / 0.5, 0.1, oracle="−½")


@pytest.mark.ledger("GD5")
@pytest.mark.parametrize("replacement", [True, False])
def test_batch_noise(replacement, key, measured):
    """Every batch there is: all 7³ tuples, or all 35 subsets, of 3 of 7 examples."""
    tree = {"W": jax.random.normal(key, (7, 2, 3)), "b": jax.random.normal(key, (7, 2))}
    flat = np.concatenate([np.asarray(leaf, np.float64).reshape(7, -1) for leaf in tree.values()], 1)
    draws = itertools.product(range(7), repeat=3) if replacement else itertools.combinations(range(7), 3)
    off = np.array([flat[list(d)].mean(0) - flat.mean(0) for d in draws])
    expected = np.sqrt((off**2).sum(1).mean())
    found = convex.batch_noise(tree, 3, replacement=replacement)
    measured(abs(found / expected - 1), tolerance(found.dtype), oracle="mean over all batches")
    assert float(convex.batch_noise(tree, 7, replacement=False)) == 0
