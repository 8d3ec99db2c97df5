"""Dropout: what it does to a signal, on average and exactly."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import activations, mlp
from mlpjax.layers import dropout
from tests.helpers import assert_trees_equal

RATES = [0.1, 0.5, 0.9]


@pytest.mark.ledger("REG5")
@pytest.mark.parametrize("rate", RATES)
def test_mean_is_preserved(rate, key, measured):
    """Within five standard errors, and the variance of the mask is p/(1 − p)."""
    n = 200_000
    m = np.float64(dropout.mask(key, (n,), rate=rate, dtype=jnp.float32))
    variance = rate / (1 - rate)
    measured(abs(m.mean() - 1) / math.sqrt(variance / n), 5, oracle="mean 1, in standard errors")
    measured(abs(m.var() / variance - 1), 0.03, oracle="variance p/(1 − p)")
    x = jax.random.normal(jax.random.fold_in(key, 1), (30,))
    keys = jax.random.split(jax.random.fold_in(key, 2), 20_000)
    mean = jax.vmap(lambda key: dropout.apply(x, rate=rate, key=key))(keys).mean(0)
    np.testing.assert_array_less(np.abs(mean - x), 5 * np.abs(x) * math.sqrt(variance / 20_000) + 1e-6)


@pytest.mark.ledger("REG5")
@pytest.mark.parametrize("rate", [0.0, *RATES])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32", pytest.param("float64", marks=pytest.mark.x64)])
def test_only_two_values(rate, dtype, key):
    m = dropout.mask(key, (50, 40), rate=rate, dtype=jnp.dtype(dtype))
    kept = float(jnp.asarray(1 / (1 - rate), dtype))
    assert m.dtype == dtype and m.shape == (50, 40)
    assert set(np.unique(np.float64(m)).tolist()) == ({0.0, kept} if rate else {1.0})
    x = jnp.full((50, 40), 3, dtype)
    assert_trees_equal(dropout.apply(x, rate=rate, key=key), x * m)


@pytest.mark.ledger("REG5")
def test_gradient_is_the_same_mask(key):
    x = jax.random.normal(key, (64,))
    grads = jax.grad(lambda x: dropout.apply(x, rate=0.3, key=key).sum())(x)
    assert_trees_equal(grads, dropout.mask(key, (64,), rate=0.3, dtype=x.dtype))


def net(key, depth=3):
    return mlp.init(key, (5, *[64] * depth, 2))


@pytest.mark.ledger("REG5")
def test_off_without_a_key(key):
    """`key=None` is evaluation: the same bits as a network without dropout."""
    params, x = net(key), jnp.ones(5)
    assert_trees_equal(mlp.apply(params, x, dropout_rate=0.5), mlp.apply(params, x))
    assert_trees_equal(mlp.apply(params, x, dropout_rate=0.5, key=None), mlp.apply(params, x))
    assert_trees_equal(mlp.apply(params, x, dropout_rate=0.0, key=key), mlp.apply(params, x))
    assert bool((mlp.apply(params, x, dropout_rate=0.5, key=key) != mlp.apply(params, x)).any())


@pytest.mark.ledger("REG5")
def test_masks_are_independent(key):
    """Of layers and of examples, and equal for an equal key."""
    params, x = net(key), jnp.ones(5)
    keys = jax.random.split(key, 400)
    masks = jax.vmap(lambda key: mlp.trace(params, x, dropout_rate=0.5, key=key).masks)(keys)
    every = np.concatenate([np.float64(m) - 1 for m in masks], 1)  # (example, 3 · 64), entries ±1
    for correlation in (every @ every.T / every.shape[1], every.T @ every / every.shape[0]):
        off = correlation - np.diag(np.diag(correlation))
        assert np.abs(off).max() < 6 / math.sqrt(min(every.shape))
    again = jax.vmap(lambda key: mlp.trace(params, x, dropout_rate=0.5, key=key).masks)(keys)
    assert_trees_equal(masks, again)


@pytest.mark.ledger("REG5")
def test_inputs_and_logits_are_never_dropped(key):
    params = mlp.init(key, (6, 4))  # no hidden layer
    assert_trees_equal(mlp.apply(params, jnp.ones(6), dropout_rate=0.9, key=key), mlp.apply(params, jnp.ones(6)))
    trace = mlp.trace(net(key), jnp.ones(5), dropout_rate=0.9, key=key)
    assert len(trace.masks) == 3 and bool((trace.a[0] == 1).all()) and bool((trace.z[-1] != 0).all())


@pytest.mark.ledger("REG5")
def test_mean_field(key, measured):
    """A linear network with dropout has the network without as its mean; a ReLU network has not, exactly."""
    params = mlp.init(key, (5, 32, 1))
    x = jax.random.normal(key, (5,))
    keys = jax.random.split(key, 40_000)
    outputs = lambda sigma: jax.vmap(lambda k: mlp.apply(params, x, activation=sigma, dropout_rate=0.4, key=k)[0])(keys)
    for sigma in (activations.identity, activations.relu):  # one hidden layer: linear in the masks either way
        drawn = np.float64(outputs(sigma))
        standard_error = drawn.std() / math.sqrt(len(drawn))
        whole = float(mlp.apply(params, x, activation=sigma)[0])
        measured(abs(drawn.mean() - whole) / standard_error, 5, oracle="network without dropout, in standard errors")


@pytest.mark.parametrize("rate", [1.0, 1.5, -0.1, math.nan, math.inf, 1, True])
def test_rates_that_are_no_probability_to_drop(rate, key, unchecked):
    message = r"must lie in \[0, 1\); got .*\. It is the probability to drop, not to keep\."
    for call in (
        lambda: dropout.apply(jnp.ones(3), rate=rate, key=key),
        lambda: dropout.mask(key, (3,), rate=rate, dtype=jnp.float32),
        lambda: mlp.apply(mlp.init(key, (2, 3, 1)), jnp.ones(2), dropout_rate=rate, key=key),
        lambda: jax.jit(lambda x: dropout.apply(x, rate=rate, key=key))(jnp.ones(3)),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_rate_is_never_the_probability_to_keep(key):
    assert float((dropout.mask(key, (10_000,), rate=0.1, dtype=jnp.float32) == 0).mean()) < 0.2
