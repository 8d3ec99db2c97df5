"""The residual connection: the sum, its Jacobian, the projection where widths differ."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax.activations import sigmoid, tanh
from mlpjax.layers import dense, residual
from tests.helpers import assert_trees_equal, eps


def branch(layer):
    return lambda a: tanh(dense.apply(layer, a))


@pytest.mark.ledger("VAN4")
@pytest.mark.parametrize("out", [5, 3, 8])
def test_sum_and_jacobian(out, key, measured):
    """J = W_s + diag(σ′(z)) W, with W_s = I for equal widths: NumPy against forward-mode autodiff."""
    k1, k2, k3 = jax.random.split(key, 3)
    layer, x = dense.init(k1, 5, out), jax.random.normal(k2, (5,))
    projection = residual.init(k3, 5, out)
    assert (projection is None) == (out == 5)
    f = functools.partial(residual.apply, branch(layer), projection=projection)
    W, a = np.float64(layer.W), np.float64(x)
    W_s = np.eye(5) if projection is None else np.float64(projection)
    value = np.tanh(W @ a) + W_s @ a
    J = W_s + (1 - np.tanh(W @ a) ** 2)[:, None] * W
    measured(np.abs(f(x) - value).max() / np.abs(value).max(), 32 * eps(x.dtype), oracle="NumPy")
    error = np.abs(jax.jacfwd(f)(x) - J).max() / np.abs(J).max()
    measured(error, 32 * eps(x.dtype), oracle="W_s + diag(σ′(z)) W, by NumPy")


@pytest.mark.ledger("VAN4")
def test_equal_widths_or_a_projection(unchecked):
    """The sum of a⁽ˡ⁻¹⁾ and σ(z⁽ˡ⁾) exists for equal widths only: the message says what to do about it."""
    layer = dense.init(jax.random.key(0), 5, 3)
    with pytest.raises(ValueError, match=r"`branch` must return the shape.*\(5,\); got \(3,\).*`projection`"):
        residual.apply(branch(layer), jnp.ones(5))
    with pytest.raises(ValueError, match=r"`branch` must return"):  # one that would broadcast is no sum either
        residual.apply(lambda x: x[:1], jnp.ones(5))


def test_on_a_batch(key):
    """A branch that takes batches gets them: x has its features on the last axis."""
    k1, k2, k3 = jax.random.split(key, 3)
    layer, x = dense.init(k1, 5, 3), jax.random.normal(k2, (7, 5))
    projection = residual.init(k3, 5, 3)
    one = functools.partial(residual.apply, branch(layer), projection=projection)
    whole = jax.jit(lambda x: residual.apply(jax.vmap(branch(layer)), x, projection))(x)
    np.testing.assert_allclose(whole, jax.vmap(one)(x), rtol=0, atol=64 * eps(x.dtype))


def test_the_identity_has_no_parameters(key):
    assert jax.tree.leaves(residual.init(key, 4, 4)) == []
    assert_trees_equal(residual.apply(jnp.zeros_like, jnp.arange(3.0)), jnp.arange(3.0))
    half = residual.init(key, 4, 2, dtype="bfloat16")
    assert half is not None and half.dtype == jnp.bfloat16 and half.shape == (2, 4)


@pytest.mark.ledger("VAN4")
def test_singular_values_of_a_chain(key):
    """If every branch has slope ≤ c/L, all singular values of the chain's Jacobian lie in [(1 − c/L)ᴸ, (1 + c/L)ᴸ]."""
    depth, width, c = 60, 12, 0.9
    keys = jax.random.split(key, depth)
    draw = lambda key: jax.random.normal(key, (width, width))
    W = jax.vmap(draw)(keys)
    W = W / jnp.linalg.norm(W, ord=2, axis=(1, 2), keepdims=True) * (4 * c / depth)  # σ′ ≤ ¼

    def chain(x):
        layer = lambda a, W: (residual.apply(lambda a: sigmoid(W @ a), a), None)
        return jax.lax.scan(layer, x, W)[0]

    s = np.asarray(jnp.linalg.svd(jax.jit(jax.jacfwd(chain))(jnp.ones(width)), compute_uv=False))
    low, high = (1 - c / depth) ** depth, (1 + c / depth) ** depth
    assert s.min() < 1 < s.max()
    assert low <= s.min() and s.max() <= high <= np.exp(c) and low >= 1 - c
