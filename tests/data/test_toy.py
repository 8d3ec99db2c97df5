"""Small problems."""

import itertools

import jax.numpy as jnp
import numpy as np

from mlpjax.data import Dataset, toy


def test_xor_is_exclusive_or():
    data = toy.xor()
    assert isinstance(data, Dataset) and data.weight is None
    assert data.x.shape == (4, 2) and data.y.shape == (4, 1)
    assert data.x.dtype == data.y.dtype == jnp.result_type(float)
    assert data.x.tolist() == [list(corner) for corner in itertools.product([0, 1], repeat=2)]
    assert data.y.ravel().tolist() == [a ^ b for a, b in itertools.product([0, 1], repeat=2)]


def test_xor_is_not_linearly_separable():
    x, y, _ = map(lambda a: None if a is None else np.asarray(a), toy.xor())
    same_mean = x[y.ravel() == 1].mean(0), x[y.ravel() == 0].mean(0)
    np.testing.assert_array_equal(*same_mean)  # so no affine function is positive on one and not on the other
