"""FWD1–FWD7: the forward pass against NumPy loops, its cache, its shapes and its errors."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import _check, activations, initializers, mlp
from mlpjax.layers import Dense, dense
from tests.helpers import assert_trees_close, assert_trees_equal, eps

SIZES = (5, 7, 6, 3)


@pytest.fixture
def net(key):
    params = mlp.init(key, SIZES, bias_init=initializers.normal(0.5))
    return params, jax.random.normal(key, (4, SIZES[0]))


def loops(params, x, sigmas):
    """Every a and z of a forward pass with a Python loop over every weight: nothing of NumPy's products in it."""
    a, z = [[float(v) for v in x]], []
    for layer, sigma in zip(params, (*sigmas, None), strict=True):
        W, b = np.asarray(layer.W, float), np.asarray(layer.b, float)
        z.append([sum(W[i][j] * a[-1][j] for j in range(W.shape[1])) + b[i] for i in range(len(b))])
        if sigma is not None:
            a.append([float(sigma(v)) for v in z[-1]])
    return a, z


def distance(got, expected):
    """The largest difference of two lists of vectors, relative to the largest entry of each vector."""
    pairs = list(zip(got, map(np.asarray, expected), strict=True))
    return max(np.max(np.abs(np.asarray(g) - e)) / np.max(np.abs(e)) for g, e in pairs)


@pytest.mark.ledger("FWD1", "FWD2", "FWD3")
def test_forward_pass_agrees_with_loops(net, measured):
    params, x = net
    expected = np.stack([loops(params, row, [math.tanh] * 2)[1][-1] for row in np.asarray(x)])
    got = jax.vmap(lambda x: mlp.apply(params, x, activation=activations.tanh))(x)
    error = np.max(np.abs(np.asarray(got) - expected)) / np.max(np.abs(expected))
    measured(error, 16 * eps(x.dtype), oracle="Python loops over every weight, in float64")


@pytest.mark.ledger("FWD1")
def test_dense_is_affine_with_rows_for_units(key):
    W, b = jnp.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), jnp.asarray([0.5, 0.0, -0.5])
    assert dense.apply(Dense(W, b), jnp.asarray([1.0, -1.0])).tolist() == [-0.5, -1.0, -1.5]


@pytest.mark.ledger("FWD2")
def test_each_layer_may_have_its_own_activation(net, measured):
    """Every a and z, with tanh in the first hidden layer and softplus in the second."""
    params, x = net
    a, z = loops(params, x[0], (math.tanh, lambda t: math.log1p(math.exp(t))))
    got = mlp.trace(params, x[0], activation=(activations.tanh, activations.softplus))
    error = max(distance(got.a, a), distance(got.z, z))
    measured(error, 16 * eps(x.dtype), oracle="Python loops and the math module, in float64")


@pytest.mark.ledger("FWD2")
def test_one_activation_for_each_hidden_layer(net):
    params, x = net
    with pytest.raises(ValueError, match="one for each of the 2 hidden layers; got 3"):
        mlp.apply(params, x[0], activation=(activations.tanh,) * 3)


@pytest.mark.ledger("FWD3")
def test_a_network_is_the_composition_of_its_layers(net):
    params, x = net
    a = x[0]
    for layer in params[:-1]:
        a = activations.gelu(mlp.apply((layer,), a))
    assert_trees_close(mlp.apply(params, x[0], activation=activations.gelu), mlp.apply(params[-1:], a))


@pytest.mark.ledger("FWD4")
def test_shallow_and_linear_networks(key):
    x = jnp.arange(3.0)
    (layer,) = mlp.init(key, (3, 2))
    assert_trees_equal(mlp.apply((layer,), x), layer.W @ x + layer.b)
    first, last = params = mlp.init(key, (3, 4, 2))
    assert_trees_equal(mlp.apply(params, x), last.W @ jax.nn.relu(first.W @ x + first.b) + last.b)


@pytest.mark.ledger("FWD5")
def test_a_batch_is_one_product_of_matrices(net, measured):
    params, x = net
    z = x
    for l, layer in enumerate(params):
        z = jnp.einsum("ni,oi->no", z, layer.W) + layer.b[None]
        z = jnp.tanh(z) if l < len(params) - 1 else z
    forward = jax.vmap(functools.partial(mlp.apply, activation=activations.tanh), in_axes=(None, 0))
    error = jnp.max(jnp.abs(forward(params, x) - z)) / jnp.max(jnp.abs(z))
    measured(error, 8 * eps(x.dtype), oracle="batched matrix products")
    dots = str(jax.make_jaxpr(forward)(params, x)).count("dot_general")
    assert dots == len(params), "vmap must give one product per layer, not one per example"


@pytest.mark.ledger("FWD6")
def test_trace_caches_every_step(net, measured):
    """The input and twice the hidden units and the logits, for each example: counted in bytes."""
    params, x = net
    trace = mlp.trace(params, x[0])
    assert [a.shape for a in trace.a] == [(5,), (7,), (6,)]
    assert [z.shape for z in trace.z] == [(7,), (6,), (3,)]
    for layer, a, z in zip(params, trace.a, trace.z, strict=True):
        assert_trees_equal(z, layer.W @ a + layer.b)
    cache = jax.vmap(mlp.trace, in_axes=(None, 0))(params, x)
    expected = len(x) * (5 + 2 * (7 + 6) + 3) * x.dtype.itemsize
    error = abs(sum(v.nbytes for v in jax.tree.leaves(cache)) - expected) / expected
    measured(error, 0, oracle="the count n_0 + 2 (n_1 + ... + n_{L-1}) + n_L, in bytes")


@pytest.mark.ledger("FWD7")
def test_shapes_and_dtypes_of_the_notation(key):
    params = mlp.init(key, SIZES, dtype="bfloat16")
    assert [layer.W.shape for layer in params] == [(7, 5), (6, 7), (3, 6)]
    assert [layer.b.shape for layer in params] == [(7,), (6,), (3,)]
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("bfloat16")}
    assert mlp.apply(params, jnp.ones(5, "bfloat16")).dtype == jnp.bfloat16
    assert mlp.sizes(params) == SIZES and mlp.init(key, SIZES)[0].W.dtype == jnp.zeros(()).dtype


def test_layers_get_keys_of_their_own(key):
    first, second = mlp.init(key, (6, 6, 6))
    assert not np.array_equal(first.W, second.W)
    assert_trees_equal(mlp.init(key, (6, 6, 6)), (first, second))


@pytest.mark.ledger("REG5")
def test_dropout_is_recorded_and_off_without_a_key(net, key):
    params, x = net
    drop = functools.partial(mlp.apply, params, x[0], activation=activations.tanh, dropout_rate=0.5)
    assert_trees_equal(drop(), mlp.apply(params, x[0], activation=activations.tanh))
    assert not np.array_equal(drop(key=key), drop())
    trace = mlp.trace(params, x[0], dropout_rate=0.5, key=key)
    for a, mask, z in zip(trace.a[1:], trace.masks, trace.z, strict=False):
        assert_trees_equal(a, jax.nn.relu(z) * mask)
        assert set(np.unique(mask)) <= {0.0, 2.0}


def test_paths_round_trip(net):
    params, _ = net
    leaves = {f"params/{i}/{n}": getattr(layer, n) for i, layer in enumerate(params) for n in "Wb"} | {"step": 3}
    assert_trees_equal(mlp.from_paths(leaves, "params/"), params)
    del leaves["params/1/b"]
    with pytest.raises(ValueError, match=r"missing: 1/b, extra: none"):
        mlp.from_paths(leaves, "params/")
    with pytest.raises(ValueError, match="missing"):
        mlp.from_paths({}, "params/")


@pytest.mark.parametrize("sizes", [(3,), (), (3, 0), (3, -1, 2), (3, 2.5)])
def test_sizes_must_be_positive_integers(sizes, key, unchecked):
    with pytest.raises(ValueError, match=r"`sizes` must hold at least two positive integers"):
        mlp.init(key, sizes)


class TestWrongInput:
    def test_a_batch_shows_the_vmap_to_write(self, net, unchecked):
        params, x = net
        with pytest.raises(ValueError, match=r"jax.vmap\(mlp.apply, in_axes=\(None, 0\)\)"):
            mlp.apply(params, x)

    def test_the_wrong_width_names_the_layer(self, net, unchecked):
        params, _ = net
        with pytest.raises(ValueError, match=r"layer 0 of `params` expects 5 inputs .* `x` has 4"):
            mlp.apply(params, jnp.ones(4))
        with pytest.raises(ValueError, match=r"layer 1 of `params` expects 7 inputs .* layer 0 returns 6"):
            mlp.apply((params[0]._replace(W=jnp.ones((6, 5)), b=jnp.ones(6)), *params[1:]), jnp.ones(5))

    def test_a_dropout_rate_of_one(self, net, key, unchecked):
        params, x = net
        with pytest.raises(ValueError, match=r"`dropout_rate` must lie in \[0, 1\); got 1.0"):
            mlp.apply(params, x[0], dropout_rate=1.0, key=key)


def test_no_second_compilation(net):
    params, x = net
    compiled = jax.jit(mlp.apply, static_argnames="activation")
    for activation in (activations.leaky_relu(0.1), activations.leaky_relu(0.1), activations.relu, activations.relu):
        compiled(params, x[0], activation=activation)
    assert compiled._cache_size() == 2


def test_numbers_of_layers_are_not_counted_up_to():
    """A name from a file may hold any number: to list the layers below it would take all memory."""
    leaves = {f"{i}/{name}": jnp.ones((1, 1) if name == "W" else 1) for i in (0, 10**18) for name in "Wb"}
    with pytest.raises(ValueError, match=r"missing: 1/W; 1/b, extra: 1000000000000000000/W; 1000000000000000000/b"):
        mlp.from_paths(leaves)
    for odd in ("00/W", "٣/W", "\x1b[31m/W"):
        with pytest.raises(ValueError, match="extra: ") as caught:
            mlp.from_paths({"0/W": jnp.ones((1, 1)), "0/b": jnp.ones(1), odd: jnp.ones(1)})
        assert str(caught.value).isprintable()
    with pytest.raises(ValueError, match="; and 181 more") as caught:
        mlp.from_paths({f"{i}/W": jnp.ones(1) for i in range(201)})
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "shapes",
    [[(3, 2), (1,)], [(3, 2), ()], [(3,), (3,)], [(), ()], [(3, 2), (3,), (1, 4), (1,)], [(5, 3, 2), (3,)]],
    ids=str,
)
def test_layers_from_a_file_must_fit_together(shapes):
    """A bias of shape (1,) would be broadcast, and the network be another one."""
    leaves = {f"{i // 2}/{'Wb'[i % 2]}": jnp.ones(shape) for i, shape in enumerate(shapes)}
    with pytest.raises(ValueError, match=rf"`leaves` must hold W of shape .*; layer {len(shapes) // 2 - 1} has shapes"):
        mlp.from_paths(leaves)


def test_numbers_are_no_layers():
    with pytest.raises(ValueError, match=r"layer 0 has shapes \(\) and \(\)"):
        _check.chain("leaves", [(0.5, 0.5)])


def test_an_ensemble_from_a_file():
    leaves = {"0/W": jnp.ones((5, 3, 2)), "0/b": jnp.ones((5, 3)), "1/W": jnp.ones((5, 1, 3)), "1/b": jnp.ones((5, 1))}
    assert mlp.sizes(mlp.from_paths(leaves)) == (2, 3, 1)
