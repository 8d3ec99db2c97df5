"""Changes of parameters that leave the network as it is."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.flatten_util import ravel_pytree

from mlpjax import mlp
from mlpjax.activations import leaky_relu, relu, sigmoid, tanh
from mlpjax.theory import symmetries
from tests.helpers import eps

SIZES = (3, 5, 4, 2)


def network(key, sizes=SIZES):
    k1, k2, k3 = jax.random.split(key, 3)
    params = mlp.init(k1, sizes, bias_init=lambda key, shape, dtype: jax.random.normal(key, shape, dtype))
    return params, jax.random.normal(k2, (16, sizes[0])), k3


@functools.partial(jax.jit, static_argnames="activation")
def outputs(params, x, activation):
    return jax.vmap(functools.partial(mlp.apply, activation=activation), (None, 0))(params, x)


def moved(a, b):
    return float(jnp.abs(ravel_pytree(a)[0] - ravel_pytree(b)[0]).max())


@pytest.mark.ledger("GD4")
@pytest.mark.parametrize("activation", [tanh, relu, sigmoid], ids=str)
@pytest.mark.parametrize("layer", [1, 2])
def test_the_order_of_units_does_not_matter(activation, layer, key, measured):
    params, x, k = network(key)
    twin = symmetries.permute(params, layer, jax.random.permutation(k, SIZES[layer]))
    before, after = outputs(params, x, activation), outputs(twin, x, activation)
    assert moved(params, twin) > 0.1
    measured(
        float(jnp.abs(after - before).max() / jnp.abs(before).max()) / eps(x.dtype), 16, oracle="the map itself, in eps"
    )


@pytest.mark.ledger("GD4")
@pytest.mark.parametrize("layer", [1, 2])
def test_signs_wander_through_tanh(layer, key, measured):
    """Not a bit of the output changes: every product appears with both signs reversed, in the same order."""
    params, x, k = network(key)
    twin = symmetries.flip_signs(params, layer, jax.random.rademacher(k, (SIZES[layer],), x.dtype))
    error = jnp.abs(outputs(twin, x, tanh) - outputs(params, x, tanh)).max()
    assert moved(params, twin) > 0.1 and moved(outputs(twin, x, sigmoid), outputs(params, x, sigmoid)) > 1e-3
    measured(error, 0, oracle="the map itself, bit for bit")


@pytest.mark.ledger("GD4")
@pytest.mark.parametrize("activation", [relu, leaky_relu(0.1)], ids=str)
def test_factors_wander_through_relu(activation, key, measured):
    params, x, k = network(key)
    factors = jnp.exp(jax.random.normal(k, (5,), x.dtype))
    before = outputs(params, x, activation)
    error = jnp.abs(outputs(symmetries.rescale(params, 1, factors), x, activation) - before).max()
    assert moved(params, symmetries.rescale(params, 1, factors)) > 0.1
    measured(float(error / jnp.abs(before).max()) / eps(x.dtype), 32, oracle="the map itself, in eps")
    powers = 2.0 ** jnp.arange(-2, 3, dtype=x.dtype)
    assert jnp.array_equal(outputs(symmetries.rescale(params, 1, powers), x, activation), before)


@pytest.mark.ledger("GD4")
def test_there_are_h_factorial_times_two_to_the_h(key):
    """All signed permutations of three tanh units: 48 different parameters, one map."""
    params, x, _ = network(key, (3, 3, 1))
    orders = jnp.asarray([p for p in itertools.permutations(range(3)) for _ in range(8)])
    signs = jnp.asarray(list(itertools.product((1.0, -1.0), repeat=3)) * 6, x.dtype)

    @jax.jit
    @jax.vmap
    def copy(order, signs):
        twin = symmetries.flip_signs(symmetries.permute(params, 1, order), 1, signs)
        return ravel_pytree(twin)[0], outputs(twin, x, tanh)

    theta, maps = copy(orders, signs)
    assert len(np.unique(np.asarray(theta), axis=0)) == 48
    assert float(jnp.ptp(maps, 0).max()) < 32 * eps(x.dtype) * float(jnp.abs(maps).max())


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)), st.permutations(range(5)))
def test_permutations_compose_and_invert(first, second):
    """Bit for bit: permuting moves numbers and computes none."""
    params = mlp.init(jax.random.key(0), SIZES)
    p, q = np.asarray(first), np.asarray(second)
    twice = symmetries.permute(symmetries.permute(params, 1, jnp.asarray(p)), 1, jnp.asarray(q))
    assert moved(twice, symmetries.permute(params, 1, jnp.asarray(p[q]))) == 0
    assert moved(symmetries.permute(twice, 1, jnp.asarray(np.argsort(p[q]))), params) == 0


def test_the_dtype_stays(key):
    params = mlp.init(key, (2, 3, 1), dtype=jnp.bfloat16)
    for twin in (
        symmetries.permute(params, 1, jnp.asarray([2, 0, 1])),
        symmetries.flip_signs(params, 1, jnp.asarray([1.0, -1.0, 1.0])),
        symmetries.rescale(params, 1, jnp.asarray([2.0, 1.0, 0.5])),
    ):
        assert jax.tree.map(jnp.shape, twin) == jax.tree.map(jnp.shape, params)
        assert {leaf.dtype for leaf in jax.tree.leaves(twin)} == {jnp.dtype(jnp.bfloat16)}


def test_errors_say_what_to_do(key):
    params = mlp.init(key, (2, 3, 1))
    with pytest.raises(ValueError, match=r"`layer` must be a hidden layer, from 1 to 1 .*; got 2"):
        symmetries.permute(params, 2, jnp.arange(3))
    with pytest.raises(ValueError, match=r"`signs` must have shape \(3,\).*got \(2,\)"):
        symmetries.flip_signs(params, 1, jnp.ones(2))
    with pytest.raises(ValueError, match=r"`permutation` must hold every index from 0 to 2 once; got \[0, 0, 1\]"):
        symmetries.permute(params, 1, jnp.asarray([0, 0, 1]))
    with pytest.raises(ValueError, match=r"`signs` must be 1 or −1 .*`rescale`"):
        symmetries.flip_signs(params, 1, jnp.asarray([1.0, 2.0, 1.0]))
    for wrong in (-2.0, 0.0, jnp.inf, jnp.nan):
        with pytest.raises(ValueError, match=r"`factors` must be positive and finite.*`flip_signs`"):
            symmetries.rescale(params, 1, jnp.asarray([1.0, wrong, 1.0]))
    with pytest.raises(ValueError, match=r"`params` must have a hidden layer"):
        symmetries.permute(params[1:], 1, jnp.arange(1))


def test_factors_are_inverted_in_the_precision_of_the_weights(key):
    with jax.enable_x64(True):
        params = mlp.init(key, (2, 3, 1), dtype=jnp.float64)
        same = symmetries.rescale(params, 1, jnp.asarray([3.0, 7.0, 0.1], jnp.float32))
        x = jnp.ones(2, jnp.float64)
        assert jnp.allclose(mlp.apply(same, x), mlp.apply(params, x), rtol=1e-14, atol=1e-14)
