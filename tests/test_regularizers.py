"""Penalties: gradients, shrinkage, sparsity, and that L2 is weight decay for plain gradient steps only."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax import gradcheck, losses, mlp, training
from mlpjax.data import Dataset
from mlpjax.layers import Dense
from mlpjax.regularizers import Penalty, l1, l2, spectral_norm
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


# the spectral norm


def singular(key, values, shape):
    """A matrix with the given singular values, and its first right singular vector, by orthogonal factors of numpy."""
    k1, k2 = jax.random.split(key)
    U, V = (
        np.linalg.qr(np.asarray(jax.random.normal(k, (n, n)), float))[0] for k, n in ((k1, shape[0]), (k2, shape[1]))
    )
    n = len(values)
    return jnp.asarray((U[:, :n] * np.asarray(values)) @ V[:, :n].T, float), U[:, 0], V[:, 0]


@pytest.mark.ledger("PRE7")
@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (1, 6), (6, 1)], ids=str)
def test_spectral_norm(shape, key, measured):
    """The largest singular value, and a unit vector at which it is attained."""
    k1, k2 = jax.random.split(key)
    W, start = jax.random.normal(k1, shape), jax.random.normal(k2, shape[1:])
    norm, v = jax.jit(lambda W, v: spectral_norm(W, v, steps=200))(W, start)
    exact = np.linalg.norm(np.asarray(W, float), 2)
    tolerance = 32 * eps(W.dtype)
    measured(abs(float(norm) / exact - 1), tolerance, oracle="largest singular value, by LAPACK")
    assert abs(np.linalg.norm(v) - 1) < tolerance
    assert abs(np.linalg.norm(W @ v) / exact - 1) < tolerance


@pytest.mark.x64
@pytest.mark.ledger("PRE7")
def test_power_iteration_converges_at_the_stated_rate(key, measured):
    """With two singular values the tangent of the angle shrinks by exactly (σ₂/σ₁)² a step, the error by the square."""
    W, _, v1 = singular(key, (2.0, 1.5), (4, 4))
    v2 = np.linalg.svd(np.asarray(W))[2][1]
    start = jnp.asarray(v1 + v2)
    run = jax.jit(lambda steps: spectral_norm(W, start, steps=steps), static_argnums=0)
    norms, tangents = [], []
    for k in range(6):
        norm, v = run(k)
        norms.append(float(norm))
        tangents.append(abs(v2 @ v) / abs(v1 @ v))
    error = np.abs(np.array(tangents[1:]) / np.array(tangents[:-1]) / (1.5 / 2) ** 2 - 1)
    measured(error.max(), 1e-12, oracle="tan θ shrinks by (σ₂/σ₁)²")
    t = 0.75 ** (2 * np.arange(6))  # the tangents, from tan θ = 1
    exact = np.sqrt((4 + 2.25 * t**2) / (1 + t**2))
    measured(np.abs(np.array(norms) / exact - 1).max(), 1e-14, oracle="√((σ₁² + σ₂² tan²θ)/(1 + tan²θ))")
    gaps = 4 - np.array(norms) ** 2
    assert np.all(gaps <= (4 - 2.25) * t**2 * (1 + 1e-9))  # the bound of the proof


@pytest.mark.ledger("PRE7")
def test_the_estimate_rises_to_the_norm_from_below(key):
    def rising(key):
        k1, k2 = jax.random.split(key)
        W, v = jax.random.normal(k1, (6, 7)), jax.random.normal(k2, (7,))
        more = lambda v, _: spectral_norm(W, v, steps=1)[::-1]  # from the last direction, one step more
        first, v = spectral_norm(W, v, steps=0)
        return jnp.append(first, jax.lax.scan(more, v, length=5)[1]), jnp.linalg.norm(W, 2)

    norms, exact = jax.jit(jax.vmap(rising))(jax.random.split(key, 50))
    slack = 1 + 16 * eps(norms.dtype)
    assert bool((norms <= exact[:, None] * slack).all())
    assert bool((norms[:, :-1] <= norms[:, 1:] * slack).all())
    assert float((norms[:, 0] / exact).max()) < 0.9  # so there was something to climb


@pytest.mark.x64
@pytest.mark.ledger("PRE7")
def test_gradient_of_the_spectral_norm(key, measured):
    """u₁v₁ᵀ; and finite differences of the estimate itself when it has not converged."""
    W, u1, v1 = singular(key, (2.0, 1.0, 0.5), (3, 5))
    start = jax.random.normal(jax.random.key(1), (5,))
    norm = lambda W, steps: spectral_norm(W, start, steps=steps)[0]
    slope = jax.jit(jax.grad(norm), static_argnums=1)
    measured(np.abs(slope(W, 60) - np.outer(u1, v1)).max(), 1e-12, oracle="u₁v₁ᵀ")
    early = functools.partial(norm, steps=2)
    measured(gradcheck.relative_error(early, slope(W, 2), W), 1e-8, oracle="central differences, 2 steps")


@pytest.mark.ledger("PRE7")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_spectral_norm_is_a_jax_function(dtype, key):
    """jit, vmap, a warm start, the dtype kept; zero, huge and tiny matrices."""
    W = jax.random.normal(key, (3, 4, 6), dtype)
    start = jnp.ones(6, dtype)
    norms, v = jax.jit(jax.vmap(lambda W: spectral_norm(W, start, steps=60)))(W)
    assert norms.dtype == v.dtype == dtype and norms.shape == (3,) and v.shape == (3, 6)
    exact = np.linalg.norm(np.asarray(W, float), 2, axis=(1, 2))
    tolerance = {"float32": 1e-3, "bfloat16": 3e-2}[dtype]
    np.testing.assert_allclose(np.asarray(norms, float), exact, rtol=tolerance)
    again, _ = spectral_norm(W[0], v[0], steps=0)
    np.testing.assert_allclose(float(again), float(norms[0]), rtol=tolerance)
    zero = jnp.zeros((4, 6), dtype)
    norm, slope = jax.value_and_grad(lambda W: spectral_norm(W, start, steps=3)[0])(zero)
    assert float(norm) == 0 and not bool(slope.any())
    for size in (1e30, 1e-30):  # whose squares are beyond the range
        norm, _ = spectral_norm(W[0] * jnp.asarray(size, dtype), start, steps=60)
        np.testing.assert_allclose(float(norm) / size, exact[0], rtol=tolerance)


def test_spectral_norm_says_what_is_wrong(unchecked):
    W = jnp.ones((3, 4))
    with pytest.raises(ValueError, match=r"`start` must have one entry for each column.*\(3,\).*\(3, 4\)"):
        spectral_norm(W, jnp.ones(3), steps=1)
    with pytest.raises(ValueError, match=r"got `start` of shape \(4,\) and `W` of shape \(4,\)"):
        spectral_norm(jnp.ones(4), jnp.ones(4), steps=1)
    with pytest.raises(ValueError, match=r"`steps` must be an integer ≥ 0; got -1"):
        spectral_norm(W, jnp.ones(4), steps=-1)
