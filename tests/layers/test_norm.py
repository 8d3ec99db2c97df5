"""Batch and layer normalization: the formulas, the running state, and that shift and scale are forgotten."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpjax import data, losses, training
from mlpjax.activations import relu
from mlpjax.layers import dense, norm
from tests.helpers import assert_trees_equal, eps, tolerance

TRAIN = functools.partial(norm.batch_apply, train=True)
EVALUATE = functools.partial(norm.batch_apply, train=False)


def drawn(key, size=3):
    """γ, β and a state that are not the initial ones."""
    g, b, m, v = jax.random.normal(key, (4, size))
    return norm.Norm(1 + g / 4, b), norm.Running(m, 1 + v**2)


def by_hand(x, mean, variance, params, epsilon):
    """NumPy, in double precision."""
    gamma, beta = map(np.float64, params)
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def relative(got, wanted):
    return np.abs(np.float64(got) - wanted).max() / np.abs(wanted).max()


@pytest.mark.ledger("VAN4")
@pytest.mark.parametrize("shape", [(7, 3), (4, 5, 2, 3)], ids=str)
def test_batch_in_training(shape, key, measured):
    """The statistics are those of the batch, feature by feature; the divisor of s² is n."""
    params, running = drawn(key)
    x = 2 + 3 * jax.random.normal(jax.random.fold_in(key, 1), shape)
    rows = np.float64(x).reshape(-1, 3)
    mean, variance, n = rows.mean(0), rows.var(0), len(rows)
    y, new = TRAIN(params, running, x, epsilon=0.1, decay=0.8)
    assert y.shape == shape and y.dtype == x.dtype
    limit = tolerance(x.dtype)
    measured(relative(y, by_hand(np.float64(x), mean, variance, params, 0.1)), limit, oracle="NumPy, two passes")
    unbiased = rows.var(0, ddof=1)
    assert n > 1 and not np.allclose(unbiased, variance)
    measured(relative(new.mean, 0.8 * np.float64(running.mean) + 0.2 * mean), limit, oracle="NumPy, running mean")
    expected = 0.8 * np.float64(running.variance) + 0.2 * unbiased
    measured(relative(new.variance, expected), limit, oracle="NumPy, running variance with n − 1")


@pytest.mark.ledger("VAN4")
def test_batch_at_evaluation(key, measured):
    """The state takes the place of the batch: no example sees another, a single one is enough, nothing is updated."""
    params, running = drawn(key)
    x = jax.random.normal(jax.random.fold_in(key, 1), (5, 3))
    y, new = EVALUATE(params, running, x)
    assert_trees_equal(new, running)
    expected = by_hand(np.float64(x), *map(np.float64, running), params, 1e-5)
    measured(relative(y, expected), tolerance(x.dtype), oracle="NumPy")
    for i in range(5):
        np.testing.assert_allclose(EVALUATE(params, running, x[i : i + 1])[0][0], y[i], rtol=4 * eps(x.dtype))


@pytest.mark.parametrize("shape", [(6,), (4, 6), (2, 3, 6)], ids=str)
def test_layer(shape, key, measured):
    """Each row by itself."""
    params, _ = drawn(key, 6)
    x = 2 + 3 * jax.random.normal(jax.random.fold_in(key, 1), shape)
    rows = np.float64(x)
    expected = by_hand(rows, rows.mean(-1, keepdims=True), rows.var(-1, keepdims=True), params, 0.1)
    y = norm.layer_apply(params, x, epsilon=0.1)
    assert y.shape == shape and y.dtype == x.dtype
    measured(relative(y, expected), tolerance(x.dtype), oracle="NumPy, two passes")


FORGETFUL = {
    "batch": jax.jit(lambda x: TRAIN(*norm.batch_init(6, dtype=x.dtype), x, epsilon=0.0)[0]),
    "layer": jax.jit(lambda x: norm.layer_apply(norm.layer_init(6, dtype=x.dtype), x, epsilon=0.0)),
}


@settings(max_examples=20, deadline=None)
@given(
    shift=st.floats(-5, 5), scale=st.floats(0.1, 10), seed=st.integers(0, 99), which=st.sampled_from(["batch", "layer"])
)
def test_shift_and_scale_are_forgotten(shift, scale, seed, which):
    """With ε = 0: normalizing a·x + c is normalizing x, and the result has mean β and standard deviation γ."""
    x = jax.random.normal(jax.random.key(seed), (6, 6))
    f, axis = FORGETFUL[which], {"batch": 0, "layer": 1}[which]
    y = np.float64(f(x))
    limit = 400 * eps(x.dtype)
    np.testing.assert_allclose(f(jnp.asarray(scale, x.dtype) * x + jnp.asarray(shift, x.dtype)), y, atol=limit * 60)
    np.testing.assert_allclose(y.mean(axis), 0, atol=limit)
    np.testing.assert_allclose(y.std(axis), 1, atol=limit)


@pytest.mark.x64
def test_gradients_by_finite_differences(key, measured):
    """Of x, γ and β, through the statistics of the batch; and of the layer."""
    params, running = drawn(key)
    x, c = jax.random.normal(jax.random.fold_in(key, 1), (2, 5, 3))

    def compare(f, h=1e-4):
        direction = jax.tree.map(lambda v: jnp.cos(7 * v), (params, x))
        along = lambda t: f(*jax.tree.map(lambda v, w: v + t * w, (params, x), direction))
        low, left, right, high = map(along, (-2 * h, -h, h, 2 * h))
        slopes = jax.tree.map(jnp.vdot, jax.grad(f, (0, 1))(params, x), direction)
        return (8 * (right - left) - (high - low)) / (12 * h), sum(jax.tree.leaves(slopes))

    batch = lambda params, x: jnp.sum(c * TRAIN(params, running, x)[0])
    layer = lambda params, x: jnp.sum(c * norm.layer_apply(params, x))
    for central, exact in jax.jit(lambda: (compare(batch), compare(layer)))():
        measured(abs(exact / central - 1), 1e-9, oracle="central difference of fourth order")


def test_large_mean_small_variance(key):
    """Two passes: E x² − (E x)² would lose every digit here."""
    x = 1000 + 0.01 * jax.random.normal(key, (64, 3))
    rows = np.float64(x)
    y, _ = TRAIN(*norm.batch_init(3), x, epsilon=0.0)
    # the mean itself is known to a few spacings of numbers at 1000, which are then divided by s
    atol = 1000 * 4 * eps(x.dtype) / 0.01
    np.testing.assert_allclose(y, (rows - rows.mean(0)) / rows.std(0), atol=atol)
    np.testing.assert_allclose(np.float64(y).std(0), 1, atol=0.02)


def test_a_feature_that_does_not_vary(key):
    """Its output is β, and the gradient is finite."""
    params, running = drawn(key)
    x = jnp.ones((4, 3))
    y, _ = TRAIN(params, running, x)
    np.testing.assert_array_equal(y, np.broadcast_to(params.beta, y.shape))
    assert np.isfinite(jax.grad(lambda x: TRAIN(params, running, x)[0].sum())(x)).all()


def test_half_precision(key):
    """Statistics in float32: a mean of 4,096 numbers near 3, kept in bfloat16, would stop growing at a small part."""
    params, running = norm.batch_init(4, dtype="bfloat16")
    x = (3 + jax.random.normal(key, (4096, 4))).astype("bfloat16")
    y, new = TRAIN(params, running, x)
    assert y.dtype == jnp.bfloat16 and new.mean.dtype == new.variance.dtype == jnp.float32
    rows = np.float64(x)
    np.testing.assert_allclose(new.mean, 0.1 * rows.mean(0), rtol=1e-5)
    expected = (rows - rows.mean(0)) / rows.std(0)
    np.testing.assert_allclose(np.float64(y), expected, atol=2 * eps("bfloat16") * np.abs(expected).max())
    assert norm.layer_apply(params, x).dtype == EVALUATE(params, new, x)[0].dtype == jnp.bfloat16


def test_under_jit_vmap_and_scan(key):
    """Several networks at once, and layers in a scan."""
    params, running = drawn(key)
    xs = jax.random.normal(jax.random.fold_in(key, 1), (4, 6, 3))
    many = jax.jit(jax.vmap(TRAIN, (None, None, 0)))(params, running, xs)
    one = [TRAIN(params, running, x) for x in xs]
    layers = jax.lax.scan(lambda _, x: (None, TRAIN(params, running, x)), None, xs)[1]
    for got in (many, layers):
        for i in range(4):
            for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(one[i]), strict=True):
                np.testing.assert_allclose(a[i], b, rtol=0, atol=64 * eps(b.dtype))


def test_in_a_run(key):
    """The state goes through `training.run`, evaluation uses it, and a jitted evaluation sees one example at a time."""

    def objective(params, running, batch, key):
        first, scaling, last = params
        z, running = norm.batch_apply(
            scaling, running, jax.vmap(dense.apply, (None, 0))(first, batch.x), train=key is not None
        )
        z = jax.vmap(dense.apply, (None, 0))(last, relu(z))
        return jax.vmap(losses.binary_cross_entropy.value)(z, batch.y).mean(), running

    k1, k2, k3 = jax.random.split(key, 3)
    xor = data.toy.xor()
    scaling, running = norm.batch_init(8)
    optimizer = optax.sgd(0.5)
    params = dense.init(k1, 2, 8), scaling, dense.init(k2, 8, 1)
    state = training.start(k3, params, optimizer=optimizer, model_state=running)
    state, history = jax.jit(
        lambda state: training.run(
            state, xor, objective=objective, optimizer=optimizer, steps=150, validation=xor, evaluate_every=50
        )
    )(state)
    assert float(history.loss[-1]) < 0.1 and float(history.validation["loss"][-1]) < 0.1
    z = jax.vmap(dense.apply, (None, 0))(state.params[0], xor.x)
    # learning is slow by now, so the running mean has nearly caught up
    np.testing.assert_allclose(state.model_state.mean, z.mean(0), atol=0.1)


def test_mistakes_are_said(unchecked):
    params, running = norm.batch_init(3)
    with pytest.raises(ValueError, match=r"`x` must hold at least two examples in training.*\(1, 3\).*train=False"):
        TRAIN(params, running, jnp.ones((1, 3)))
    with pytest.raises(ValueError, match=r"`x` must have its features on the last axis, 3 of them.*\(4, 2\)"):
        TRAIN(params, running, jnp.ones((4, 2)))
    with pytest.raises(ValueError, match=r"`x` must have its features on the last axis"):
        norm.layer_apply(params, jnp.ones(2))
    with pytest.raises(ValueError, match=r"`size` must be an integer ≥ 1; got 0"):
        norm.batch_init(0)
    with pytest.raises(ValueError, match=r"`decay` must lie in \[0, 1\]; got 9"):
        norm.batch_apply(*norm.batch_init(3), jnp.ones((4, 3)), train=True, decay=9.0)
    with pytest.raises(ValueError, match=r"`epsilon` must be a finite number ≥ 0; got -1"):
        norm.layer_apply(params, jnp.ones(3), epsilon=-1)
