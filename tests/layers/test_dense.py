"""The dense layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax.initializers import constant, normal, orthogonal
from mlpjax.layers import Dense, dense
from tests.helpers import assert_trees_equal, eps


@pytest.mark.ledger("FWD1")
def test_affine_map(key, measured):
    """z = W a + b, here as Python sums of exact products."""
    params = Dense(*(jax.random.normal(k, s) for k, s in zip(jax.random.split(key), ((4, 6), (4,)), strict=True)))
    x = jax.random.normal(key, (6,))
    W, b, a = np.float64(params.W).tolist(), np.float64(params.b).tolist(), np.float64(x).tolist()
    z = [sum(w * v for w, v in zip(row, a, strict=True)) + t for row, t in zip(W, b, strict=True)]
    scale = np.abs(W) @ np.abs(a) + np.abs(b)
    error = (np.abs(dense.apply(params, x) - np.array(z)) / scale).max()
    measured(error, 4 * eps(x.dtype), oracle="sums in Python, entry by entry, relative to |W||a| + |b|")


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", pytest.param("float64", marks=pytest.mark.x64)])
def test_init(key, dtype):
    params = dense.init(key, 3, 5, dtype=dtype)
    assert params.W.shape == (5, 3) and params.b.shape == (5,) and not params.b.any()
    assert params.W.dtype == params.b.dtype == dense.apply(params, jnp.ones(3, dtype)).dtype == dtype
    assert [p.dtype for p in dense.init(key, 3, 5)] == [jnp.zeros(()).dtype] * 2


def test_initializers_get_keys_of_their_own(key):
    params = dense.init(key, 4, 4, weight_init=normal(1.0), bias_init=normal(1.0))
    assert not np.isin(params.b, params.W).any() and params.b.any()
    assert_trees_equal(params, dense.init(key, 4, 4, weight_init=normal(1.0), bias_init=normal(1.0)))
    other = dense.init(jax.random.fold_in(key, 1), 4, 4, weight_init=orthogonal, bias_init=constant(0.1))
    assert (other.b == jnp.asarray(0.1)).all()
    np.testing.assert_allclose(other.W @ other.W.T, np.eye(4), atol=1e-5)


def test_is_a_plain_pytree(key):
    params = dense.init(key, 3, 2)
    paths = [jax.tree_util.keystr(path, simple=True) for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    assert paths == ["W", "b"] and type(jax.tree.map(jnp.negative, params)) is Dense and not callable(params)
    stacked = jax.vmap(lambda key: dense.init(key, 3, 2))(jax.random.split(key, 4))
    assert stacked.W.shape == (4, 2, 3)
    assert jax.vmap(dense.apply, (0, None))(stacked, jnp.ones(3)).shape == (4, 2)
    J = jax.jacobian(dense.apply, 1)(params, jnp.ones(3))
    np.testing.assert_array_equal(J, params.W)
