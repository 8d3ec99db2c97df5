"""Penalties: gradients, shrinkage, sparsity, and that L2 is weight decay for plain gradient steps only."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax import gradcheck, losses, mlp, training
from mlpjax.data import Dataset
from mlpjax.layers import Dense
from mlpjax.regularizers import Penalty, l1, l2
from tests.helpers import assert_trees_close, assert_trees_equal, eps


def trees(key):
    """Pytrees of many kinds; a weight has two axes or more."""
    W, b, kernel = jax.random.normal(key, (3, 4)), jnp.arange(3.0), jax.random.normal(key, (2, 2, 3, 4))
    yield mlp.init(key, (3, 5, 2), bias_init=lambda key, shape, dtype: jnp.ones(shape, dtype))
    yield {"conv": {"kernel": kernel, "bias": b}, "scale": jnp.asarray(2.0), "layers": [Dense(W, b), (W, None)]}
    yield [W]


@pytest.mark.ledger("REG4")
@pytest.mark.parametrize("penalty", [l2(0.3), l1(0.3)], ids=str)
def test_gradient(penalty, key, measured):
    """Against autodiff on every tree, and against central differences."""
    for params in trees(key):
        grads, autodiff = penalty.grad(params), jax.grad(penalty.value)(params)
        assert_trees_close(grads, autodiff, rtol=4 * eps(jnp.zeros(()).dtype))
        error = gradcheck.relative_error(penalty, grads, params)
        measured(error, {8: 1e-9, 4: 1e-3}[jnp.zeros(()).dtype.itemsize], oracle="central differences")


@pytest.mark.ledger("REG4")
def test_values(key):
    W = np.array([[1.0, -2.0], [0.0, 3.0]])
    params = (Dense(jnp.asarray(W), jnp.asarray([5.0, 5.0])), Dense(jnp.asarray(W[:1]), jnp.asarray([7.0])))
    np.testing.assert_allclose(l2(0.5)(params), 0.25 * (1 + 4 + 9 + 1 + 4), rtol=1e-6)
    np.testing.assert_allclose(l1(0.5)(params), 0.5 * (1 + 2 + 3 + 1 + 2), rtol=1e-6)
    assert l1(1.0).grad(params)[0].W.tolist() == [[1, -1], [0, 1]]


@pytest.mark.ledger("REG4")
@pytest.mark.parametrize("penalty", [l2(0.3), l1(0.3)], ids=str)
def test_biases_go_free(penalty, key):
    params = next(trees(key))
    other = tuple(layer._replace(b=100 * layer.b) for layer in params)
    assert penalty(params) == penalty(other) > 0
    assert all(not layer.b.any() and layer.W.any() for layer in penalty.grad(params))
    only_biases = {"b": jnp.ones(3)}
    assert float(penalty(only_biases)) == 0 and not penalty.grad(only_biases)["b"].any()
    assert not jax.grad(penalty.value)(only_biases)["b"].any()


@pytest.mark.parametrize("penalty", [l2(0.3), l1(0.3)], ids=str)
def test_keeps_structure_and_dtype(penalty, key):
    for params in trees(key):
        low = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), params)
        assert [(g.dtype, g.shape) for g in jax.tree.leaves(penalty.grad(low))] == [
            (p.dtype, p.shape) for p in jax.tree.leaves(low)
        ]
        assert jax.tree.structure(penalty.grad(low)) == jax.tree.structure(low)
        assert penalty(low).dtype == jnp.bfloat16 and penalty(low).shape == ()


@pytest.mark.ledger("REG4")
def test_l2_shrinks_by_a_factor(key):
    """One plain step: W ← (1 − ηλ) W, bit for bit where the product is exact."""
    params, rate, strength = next(trees(key)), 0.5, 0.25
    grads = l2(strength).grad(params)
    stepped = jax.tree.map(lambda p, g: p - rate * g, params, grads)
    for old, new in zip(params, stepped, strict=True):
        assert_trees_equal(new.b, old.b)
        np.testing.assert_allclose(new.W, (1 - rate * strength) * old.W, rtol=2 * eps(old.W.dtype))


@pytest.mark.ledger("REG4")
def test_l1_moves_by_a_constant():
    W = jnp.asarray([[2.0, -2.0, 0.5, 0.0]])
    np.testing.assert_array_equal(W - 0.25 * l1(0.5).grad([W])[0], [[1.875, -1.875, 0.375, 0.0]])


def regression(key):
    """y = 2 x₀ − x₁ + a little noise, with eighteen inputs that mean nothing; uncorrelated inputs of mean 0."""
    columns = np.random.default_rng(0).normal(size=(200, 20))
    x = jnp.asarray(np.linalg.qr(columns - columns.mean(0))[0] * math.sqrt(200)).astype(jnp.zeros(()).dtype)
    return Dataset(x, 2 * x[:, :1] - x[:, 1:2] + 0.1 * jax.random.normal(key, (200, 1)))


def fit(data, penalty, steps=1000, rate=0.2):
    objective = training.supervised(mlp.apply, losses.half_squared_error, penalty=penalty)
    step = lambda p, k: (
        jax.tree.map(lambda p, g: p - rate / (1 + k / 20) * g, p, jax.grad(objective)(p, data, None)),
        None,
    )
    start = (Dense(jnp.zeros((1, 20), data.x.dtype), jnp.zeros(1, data.x.dtype)),)
    return np.float64(jax.jit(lambda p: jax.lax.scan(step, p, jnp.arange(steps, dtype=data.x.dtype))[0])(start)[0].W)[0]


@pytest.mark.ledger("REG4")
def test_l1_makes_weights_sparse_where_l2_makes_them_small(key):
    """By plain subgradient steps that get smaller: weights of noise end within a last step of 0."""
    data, strength = regression(key), 0.2
    lasso, ridge, plain = fit(data, l1(strength)), fit(data, l2(strength)), fit(data, None)
    x, y = np.float64(data.x), np.float64(data.y)[:, 0]
    least_squares = x.T @ y / 200  # the inputs are orthonormal but for this factor
    soft = np.sign(least_squares) * np.maximum(np.abs(least_squares) - strength, 0)
    np.testing.assert_allclose(lasso, soft, atol=1.5e-3)
    noise = np.abs(plain[2:]).max()
    assert np.abs(lasso[2:]).max() < 1.5e-3 < noise / 5
    np.testing.assert_allclose(ridge, least_squares / (1 + strength), atol=1e-4)
    assert (np.abs(lasso) > 1.5e-3).sum() == 2 and (np.abs(ridge) > 1.5e-3).sum() > 10


def descend(optimizer, params, data, penalty, steps=20):
    objective = training.supervised(mlp.apply, losses.half_squared_error, penalty=penalty)
    state, gradient = optimizer.init(params), jax.jit(jax.grad(objective))
    with jax.numpy_dtype_promotion("standard"):
        for _ in range(steps):
            updates, state = optimizer.update(gradient(params, data, None), state, params)
            params = optax.apply_updates(params, updates)
    return params


@pytest.mark.ledger("REG4")
def test_l2_is_weight_decay_for_plain_steps_and_not_under_adam(key):
    """λW in the gradient and decay of W beside it: the same for SGD. AdamW decouples, so it differs."""
    data = Dataset(jax.random.normal(key, (16, 3)), jax.random.normal(jax.random.fold_in(key, 1), (16, 1)))
    params = mlp.init(key, (3, 4, 1))
    weights = jax.tree.map(lambda leaf: leaf.ndim >= 2, params)
    rate, decay = 0.05, 0.1
    decoupled = optax.chain(optax.add_decayed_weights(decay, mask=weights), optax.sgd(rate))
    sgd_l2, sgd_decay = descend(optax.sgd(rate), params, data, l2(decay)), descend(decoupled, params, data, None)
    assert_trees_close(sgd_l2, sgd_decay, rtol=32 * eps(data.x.dtype))
    adam_l2 = descend(optax.adam(rate), params, data, l2(decay))
    adamw = descend(optax.adamw(rate, weight_decay=decay, mask=weights), params, data, None)
    distance = gradcheck.distance(adam_l2, adamw)
    assert float(distance) > 1e-2 > float(gradcheck.distance(sgd_l2, sgd_decay)) * 1e2


@pytest.mark.ledger("REG4")
def test_penalty_is_added_to_the_risk(key):
    data, params = Dataset(jnp.ones((4, 3)), jnp.ones((4, 1))), mlp.init(key, (3, 4, 1))
    bare, with_penalty = (training.supervised(mlp.apply, losses.half_squared_error, penalty=p) for p in (None, l2(0.1)))
    np.testing.assert_allclose(with_penalty(params, data, None), bare(params, data, None) + l2(0.1)(params), rtol=1e-6)


def test_penalties_are_values():
    assert l2(0.1) == l2(0.1) != l2(0.2) and l2(0.1) != l1(0.1) and hash(l1(0.5)) == hash(l1(0.5))
    assert str(l2(0.1)) == "l2(0.1)"
    traces = []

    @jax.jit
    def f(penalty, W):
        traces.append(penalty)
        return penalty([W])

    for penalty in (l2(0.1), l2(0.1), l1(0.1)):
        f(penalty, jnp.ones((2, 2)))
    assert len(traces) == 2


def test_strength_may_be_traced(key, unchecked):
    """A sweep over λ is one compilation."""
    params = mlp.init(key, (3, 4, 2))
    strengths = jnp.asarray([0.1, 0.2, 0.4])
    values = jax.jit(jax.vmap(lambda strength: l2(strength)(params)))(strengths)
    np.testing.assert_allclose(values, [l2(s)(params) for s in (0.1, 0.2, 0.4)], rtol=1e-6)


def test_penalty_of_a_user(key):
    group = Penalty("group lasso", lambda params: sum(jnp.linalg.norm(layer.W, axis=0).sum() for layer in params))
    params = mlp.init(key, (3, 4, 2))
    assert_trees_close(group.grad(params), jax.grad(group.value)(params))
    assert group == Penalty("group lasso", group.value)


@pytest.mark.parametrize("family", [l1, l2])
@pytest.mark.parametrize("strength", [-1e-4, math.nan, math.inf])
def test_strengths_that_are_no_penalty(family, strength):
    with pytest.raises(ValueError, match=r"`strength` must be a finite number ≥ 0; got .* would reward large weights"):
        family(strength)
