"""What the chapters on notation and on the forward pass claim beyond their equations (FWD3–FWD7)."""

import functools
import json
import math
import pathlib
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docs.figures._forward import PARAMS as TARIFF
from mlpjax import activations, initializers, mlp
from mlpjax.layers import Dense, dense
from tests.helpers import assert_trees_close, eps

BENCHMARK = pathlib.Path(__file__).parents[2] / "docs" / "figures" / "data" / "forward.json"


@pytest.fixture
def net(key):
    params = mlp.init(key, (3, 6, 5, 4, 2), bias_init=initializers.normal(0.5))
    return params, jax.random.normal(key, (3,))


@pytest.mark.ledger("FWD3")
@given(st.integers(0, 1000), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_the_telephone_bill_is_its_network(minutes, gigabytes):
    """The tariff in integers (eighths of a unit of money) against the 2–3–1 network."""
    points = max(0, minutes + 8 * gigabytes - 8 * 17)
    eighths = 2 * max(0, minutes - 100) + 24 * max(0, gigabytes - 5) - points + 80
    assert mlp.apply(TARIFF, jnp.array([minutes, gigabytes], TARIFF[0].W.dtype)).item() * 8 == eighths


@pytest.mark.ledger("FWD3")
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_network_may_be_cut_anywhere(net, cut, measured):
    params, x = net
    lower = mlp.apply(params[:cut], x, activation=activations.tanh)
    whole = mlp.apply(params, x, activation=activations.tanh)
    error = jnp.abs(mlp.apply(params[cut:], jnp.tanh(lower), activation=activations.tanh) - whole).max()
    measured(error / jnp.abs(whole).max(), 4 * eps(x.dtype), oracle="the two parts of the network, one after the other")


@pytest.mark.ledger("FWD3")
def test_different_parameters_may_give_the_same_map(net, key):
    """Renumbered hidden units, and hidden units of a ReLU network scaled by t in and by 1/t out."""
    params, x = net
    order, t = jax.random.permutation(key, 6), jax.random.uniform(key, (6,), minval=0.1, maxval=4.0)
    first, second = params[:2]
    permuted = Dense(first.W[order], first.b[order]), second._replace(W=second.W[:, order])
    scaled = Dense(t[:, None] * first.W, t * first.b), second._replace(W=second.W / t[None])
    for changed in (permuted, scaled):
        assert not np.array_equal(changed[0].W, first.W)
        assert_trees_close(mlp.apply((*changed, *params[2:]), x), mlp.apply(params, x))


@pytest.mark.ledger("FWD4")
def test_the_output_matrix_has_a_row_for_each_output(key):
    """A shallow network from R^5 to R^2; with as many rows as inputs it would map to R^5."""
    first, last = shallow = mlp.init(key, (5, 8, 2))
    assert first.W.shape == (8, 5) and last.W.shape == (2, 8) and mlp.apply(shallow, jnp.ones(5)).shape == (2,)
    assert mlp.apply((first, Dense(jnp.ones((5, 8)), jnp.ones(5))), jnp.ones(5)).shape == (5,)


@pytest.mark.ledger("FWD4")
@pytest.mark.parametrize("activation", [activations.tanh, activations.relu, activations.sigmoid], ids=str)
def test_a_constant_unit_replaces_the_output_bias(key, activation):
    first, last = shallow = mlp.init(key, (3, 5, 2), bias_init=initializers.normal(1.0))
    x, one = jax.random.normal(key, (3,)), jnp.ones(1)
    W1, b1 = jnp.concatenate([first.W, jnp.zeros((1, 3))]), jnp.concatenate([first.b, one])
    W2 = jnp.concatenate([last.W, last.b[:, None] / activation(one)[None]], axis=1)
    free = (Dense(W1, b1), Dense(W2, jnp.zeros(2)))
    assert_trees_close(mlp.apply(free, x, activation=activation), mlp.apply(shallow, x, activation=activation))


@pytest.mark.ledger("FWD5")
def test_a_new_size_of_batch_compiles_once_more(net):
    params, x = net
    forward = jax.jit(jax.vmap(mlp.apply, in_axes=(None, 0)))
    for n in (4, 4, 7, 4):
        forward(params, jnp.tile(x, (n, 1)))
    assert forward._cache_size() == 2


@pytest.mark.ledger("FWD6")
@pytest.mark.parametrize(
    "activation, slope",
    [
        (activations.sigmoid, lambda a: a * (1 - a)),
        (activations.tanh, lambda a: 1 - a**2),
        (activations.relu, lambda a: jnp.where(a > 0, 1.0, 0.0)),
    ],
    ids=["sigmoid", "tanh", "relu"],
)
def test_the_slope_from_the_activation_alone(activation, slope):
    z = jnp.linspace(-4, 4, 101)
    assert_trees_close(slope(activation(z)), activation.prime(z))


@pytest.mark.ledger("FWD6")
def test_gelu_takes_one_value_with_two_slopes():
    gelu, low, high = activations.gelu, jnp.asarray(-0.7), jnp.asarray(0.0)
    left = gelu(jnp.asarray(-2.0))
    for _ in range(50):
        z = (low + high) / 2
        low, high = (z, high) if gelu(z) < left else (low, z)
    assert abs(gelu(z) - left) < 1e-6
    assert gelu.prime(jnp.asarray(-2.0)) < -0.08 and gelu.prime(z) > 0.4


DEPTH, WIDTH, ROWS = 16, 32, 64


def segment(layers, a):
    for layer in layers:
        a = activations.tanh(jax.vmap(dense.apply, in_axes=(None, 0))(layer, a))
    return a


def segments(layers, a, *, length):
    for start in range(0, DEPTH, length):
        a = jax.checkpoint(segment)(layers[start : start + length], a)
    return a


def products(jaxpr):
    """How many products of matrices a program holds, those inside its parts included."""
    inner = (getattr(v, "jaxpr", v) for eqn in jaxpr.eqns for v in eqn.params.values())
    own = sum(eqn.primitive.name == "dot_general" for eqn in jaxpr.eqns)
    return own + sum(products(part) for part in inner if hasattr(part, "eqns"))


@pytest.fixture(scope="module")
def deep():
    params = mlp.init(jax.random.key(0), (WIDTH,) * (DEPTH + 1))
    return params, jax.random.normal(jax.random.key(1), (ROWS, WIDTH))


@pytest.mark.ledger("FWD6")
def test_a_gradient_holds_one_activation_for_each_layer(deep, measured):
    """The temporary memory of the compiled gradient of a tanh network grows by one activation with each layer.

    The growth, since what is held besides (the error, once or twice) is the compiler's choice.
    """
    params, x = deep

    def activations_held(layers):
        grad = jax.jit(jax.grad(lambda layers: jnp.sum(segment(layers, x) ** 2)))
        return grad.lower(layers).compile().memory_analysis().temp_size_in_bytes / x.nbytes

    more = activations_held(params) - activations_held(params[: DEPTH // 2])
    measured(abs(more - DEPTH / 2) / (DEPTH / 2), 0.15, oracle="one activation of the batch for each layer, in bytes")


@pytest.mark.ledger("FWD6")
@pytest.mark.parametrize("length", [1, 2, 4, 16])
def test_rematerialization_keeps_the_ends_of_segments_and_repeats_each_layer_once(deep, length):
    params, x = deep
    again = functools.partial(segments, length=length)
    _, back = jax.vjp(lambda params: again(params, x), params)
    assert sum(leaf.shape == x.shape for leaf in jax.tree.leaves(back)) == DEPTH // length
    grads = [jax.grad(lambda params, f=f: jnp.sum(f(params, x) ** 2)) for f in (segment, again)]
    assert [products(jax.make_jaxpr(g)(params).jaxpr) for g in grads] == [3 * DEPTH - 1, 4 * DEPTH - 1]
    assert_trees_close(*(g(params) for g in grads))


@pytest.mark.ledger("FWD6")
def test_a_scan_over_rematerialized_segments_saves_memory(deep):
    params, x = deep
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *params)
    layer = lambda a, p: (segment([p], a), None)
    part = lambda a, layers: jax.lax.scan(layer, a, layers)

    def loss(stacked, wrap):
        folded = jax.tree.map(lambda v: v.reshape(4, 4, *v.shape[1:]), stacked)
        return jnp.sum(jax.lax.scan(wrap(part), x, folded)[0] ** 2)

    compiled = [
        jax.jit(jax.grad(loss), static_argnums=1).lower(stacked, w).compile() for w in (lambda f: f, jax.checkpoint)
    ]
    kept, remade = (c.memory_analysis().temp_size_in_bytes for c in compiled)
    assert remade < 0.6 * kept
    assert_trees_close(*(c(stacked) for c in compiled))


def reverse(step, a, start, stop, s, r, visit):
    """The schedule of the exercise on rematerialization, with its stores counted."""
    if stop - start == 1:
        return visit(start, a)
    assert s >= 1 and r >= 1
    middle = start + max(stop - start - math.comb(s - 1 + r, r), 1)
    b = a
    for l in range(start, middle):
        b = step(l, b)
    reverse(step, b, middle, stop, s - 1, r, visit)
    return reverse(step, a, start, middle, s, r - 1, visit)


@pytest.mark.ledger("FWD6")
@pytest.mark.parametrize("s, r", [(1, 4), (4, 1), (2, 3), (3, 3), (5, 2)])
def test_a_binomial_number_of_layers_can_be_reversed(s, r):
    """The value of layer l is the number l: every layer is visited with its own input, none computed too often."""
    times, seen, L = Counter(), [], math.comb(s + r, s)

    def step(l, a):
        times[l] += 1
        assert a == l
        return a + 1

    reverse(step, 0, 0, L, s, r, lambda l, a: seen.append((l, a)))
    assert seen == [(l, l) for l in reversed(range(L))]
    assert max(times.values()) == r


@pytest.mark.ledger("FWD7")
def test_indices_lead_to_a_row_and_from_a_column(net):
    """Changing W[i, j] moves unit i of its layer by the activation of unit j of the layer before, and no other."""
    params, x = net
    trace, i, j = mlp.trace(params, x), 2, 4
    moved = mlp.trace((params[0], params[1]._replace(W=params[1].W.at[i, j].add(1.0)), *params[2:]), x)
    assert_trees_close(moved.z[1] - trace.z[1], jnp.zeros(5).at[i].set(trace.a[1][j]))
    count = sum(n * (m + 1) for m, n in zip((3, 6, 5, 4), (6, 5, 4, 2), strict=True))
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == count


class TestBenchmark:  # the numbers of the figures bear out the sentences beside them
    report = json.loads(BENCHMARK.read_text("utf-8"))

    @pytest.mark.ledger("FWD5")
    def test_times(self):
        times = self.report["ways"]["microseconds"]
        best = times["JAX, batch, compiled"]
        assert times["Python loop over weights"] > 2000 * best
        assert times["JAX, one example at a time"] > 10 * best
        assert times["NumPy, one unit at a time"] > times["NumPy, one example at a time"] > times["NumPy, batch"] > best
        rows = {row["batch"]: row["microseconds"] for row in self.report["batches"]["rows"]}
        assert rows[1] > 5 * rows[64] and rows[256] < 2 * rows[4096]

    @pytest.mark.ledger("FWD6")
    def test_memory(self):
        memory = self.report["memory"]
        rows = {(row["layers"], row["plan"]): row for row in memory["rows"]}
        held = {k: row["bytes"] / (4 * memory["width"] * memory["batch"]) for k, row in rows.items()}
        for L in sorted({layers for layers, _ in rows}):
            assert held[L, "all"] == pytest.approx(L + 1, abs=0.02)
            assert held[L, "segments"] == pytest.approx(2 * math.sqrt(L), abs=0.02)
            work = rows[L, "segments"]["operations"] / rows[L, "all"]["operations"]
            assert work == pytest.approx((4 * L - 1) / (3 * L - 1), rel=0.01)
        assert held[64, "segments, merged"] == pytest.approx(72, abs=0.1)
        assert round(held[64, "scan, all"]) == 195 and round(held[64, "scan, segments"]) == 40
