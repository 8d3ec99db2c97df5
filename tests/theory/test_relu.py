"""Networks that are equal to elementary functions, against NumPy's own."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import activations, mlp
from mlpjax.theory import relu
from tests.helpers import FAST_TO_COMPILE, tolerance


def values(network, x, activation=activations.relu):
    """What the network gives at each row of x."""
    apply = jax.vmap(functools.partial(mlp.apply, activation=activation), (None, 0))
    return np.asarray(jax.jit(apply, compiler_options=FAST_TO_COMPILE)(network, x))


def inputs(key, width):
    """Reals of all sizes, and zero."""
    size = 10.0 ** jax.random.uniform(key, (200, width), minval=-6, maxval=6)
    return jnp.concatenate([size * jax.random.normal(jax.random.fold_in(key, 1), size.shape), jnp.zeros((1, width))])


@pytest.mark.ledger("ACT11")
def test_identity(key, measured):
    """Every bit; of width 1 are those in the trees of `cpwa`."""
    width, x = 5, inputs(key, 5)
    measured(np.max(np.abs(values(relu.identity(width), x) - x) / np.maximum(np.abs(x), 1)), 0, oracle="x itself")
    assert mlp.sizes(relu.identity(width)) == (width, 2 * width, width)
    slope = jax.jit(jax.vmap(jax.grad(lambda x: mlp.apply(relu.identity(), x[None])[0])))
    assert slope(jnp.asarray([-2.0, 0.0, 2.0])).tolist() == [1, 0, 1]  # at 0 that is the convention, not the identity


@pytest.mark.ledger("ACT11")
def test_absolute(key, measured):
    """Every bit."""
    x = np.asarray(inputs(key, 1))
    error = np.abs(values(relu.absolute(), x) - np.abs(x)) / np.maximum(np.abs(x), 1)
    measured(error.max(), 0, oracle="numpy.abs")
    assert mlp.sizes(relu.absolute()) == (1, 2, 1)


@pytest.mark.ledger("ACT11")
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_of_two(name, key, measured):
    """Up to rounding at |u| + |v|; where the second number is the answer, every bit."""
    uv = np.asarray(inputs(key, 2))
    found, wanted = values(getattr(relu, name)(), uv)[:, 0], getattr(np, name)(*uv.T)
    error = np.abs(found - wanted) / np.maximum(np.abs(uv).sum(axis=1), 1e-30)
    measured(error.max(), np.finfo(uv.dtype).eps, oracle="numpy.maximum, numpy.minimum")
    np.testing.assert_array_equal(found[wanted == uv[:, 1]], wanted[wanted == uv[:, 1]])
    assert mlp.sizes(getattr(relu, name)()) == (2, 3, 1)


@pytest.mark.ledger("ACT11")
def test_hat(measured):
    """On [−3, 3] with the three bends among the points; 0 on the left of −1."""
    x = np.linspace(-3, 3, 241, dtype=jnp.zeros(()).dtype)[:, None]
    found = values(relu.hat(), x)
    measured(np.abs(found - np.maximum(0, 1 - np.abs(x))).max(), 16 * np.finfo(x.dtype).eps, oracle="max(0, 1 − |x|)")
    assert not found[x < -1].any() and found[x == 0].item() == 1
    assert mlp.sizes(relu.hat()) == (1, 3, 1)


@pytest.mark.ledger("ACT11")
@pytest.mark.parametrize("p", [1, 2, 3, 6])
def test_power(p, measured):
    x = np.linspace(-2, 2, 81, dtype=jnp.zeros(()).dtype)[:, None]
    found = values(relu.power(p), x, relu.rectified_power(p))
    error = np.abs(found - x**p) / np.maximum(np.abs(x**p), 1e-30)
    measured(error.max(), tolerance(x.dtype), oracle="numpy.power")


@pytest.mark.ledger("ACT11")
@pytest.mark.parametrize("p", [1, 2, 3])
def test_the_plain_relu_is_no_power(p):
    """What the erratum says: with ReLU instead of its power on the negative side, only p = 1 is right."""
    x = np.linspace(-2, 2, 81)
    plain = np.maximum(x, 0) ** p + (-1) ** p * np.maximum(-x, 0)
    assert (np.abs(plain - x**p).max() < 1e-12) == (p == 1)


@pytest.mark.ledger("ACT11")
def test_two_absolute_values_are_no_hat():
    """max{0, |1 − |x||} is not 0 beyond ±1, and the three units are."""
    x = np.linspace(-3, 3, 61, dtype=jnp.zeros(()).dtype)[:, None]
    other = np.maximum(0, np.abs(1 - np.abs(x)))
    assert other[0] == other[-1] == 2
    outside = np.abs(x) > 1.01
    assert np.abs(values(relu.hat(), x)[outside]).max() < 1e-6 < other[outside].min()


@pytest.mark.ledger("ACT11")
@pytest.mark.parametrize("p", [1, 2, 5])
def test_rectified_power_is_an_activation(p):
    """σ′ by hand is that of autodiff, at 0 too; equal for equal p; nothing below 0."""
    sigma = relu.rectified_power(p)
    x = jnp.linspace(-2, 2, 41)
    by_autodiff = jax.jit(jax.vmap(jax.grad(sigma.fn)), compiler_options=FAST_TO_COMPILE)(x)
    np.testing.assert_allclose(sigma.prime(x), by_autodiff, rtol=tolerance(x.dtype))
    assert sigma == relu.rectified_power(p) and hash(sigma) == hash(relu.rectified_power(p))
    assert sigma != relu.rectified_power(p + 1) and not sigma(x[x <= 0]).any()


def test_dtypes_are_kept():
    for make in (relu.identity, relu.absolute, relu.maximum, relu.minimum, relu.hat, lambda **k: relu.power(3, **k)):
        assert {leaf.dtype for leaf in jax.tree.leaves(make())} == {jnp.zeros(()).dtype}
        assert {leaf.dtype for leaf in jax.tree.leaves(make(dtype=jnp.bfloat16))} == {jnp.dtype(jnp.bfloat16)}


def test_what_cannot_be(unchecked):
    with pytest.raises(ValueError, match="`width` must be an integer ≥ 1; got 0"):
        relu.identity(0)
    for make in (relu.power, relu.rectified_power):
        with pytest.raises(ValueError, match="`exponent` must be an integer ≥ 1; got 0"):
            make(0)
