"""The calculus of networks, against the same arithmetic on functions, in NumPy.

With whole numbers for weights and inputs nothing is rounded, so every result has to agree in every bit.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpjax import mlp
from mlpjax.activations import tanh
from mlpjax.layers import Dense
from mlpjax.theory import calculus, relu
from tests.helpers import FAST_TO_COMPILE, tolerance


def network(rng, sizes, whole=False):
    """Random parameters of these sizes."""
    draw = (lambda *shape: rng.integers(-3, 4, shape)) if whole else (lambda *shape: rng.normal(size=shape))
    cast = lambda v: jnp.asarray(v, jnp.zeros(()).dtype)
    return tuple(Dense(cast(draw(m, n)), cast(draw(m))) for n, m in itertools.pairwise(sizes))


def value(params, x, sigma=lambda z: np.maximum(z, 0)):
    """The network in NumPy, written without the package."""
    for layer in params[:-1]:
        x = sigma(np.asarray(layer.W) @ x + np.asarray(layer.b))
    return np.asarray(params[-1].W) @ x + np.asarray(params[-1].b)


@jax.jit
def everything(one, two, three, x):
    """Each operation on f: 3 → 2 (three layers), g: 3 → 2 (two) and h: 2 → 4 (one), applied."""
    run = lambda made, x: mlp.apply(made, x)
    return {
        "compose": run(calculus.compose(three, one), x[:3]),
        "parallel": run(calculus.parallel(one, two, three), x),
        "fork": run(calculus.fork(one, two), x[:3]),
        "add": run(calculus.add(one, two, one), x[:3]),
        "scale": run(calculus.scale(one, -2.0), x[:3]),
        "pad": run(calculus.pad(one, 6), x[:3]),
    }


def wanted(one, two, three, x):
    """The same on functions."""
    f, g, h = (lambda x, p=p: value(p, x) for p in (one, two, three))
    head, tail = x[:3], x[6:]
    return {
        "compose": h(f(head)),
        "parallel": np.concatenate([f(head), g(x[3:6]), h(tail)]),
        "fork": np.concatenate([f(head), g(head)]),
        "add": 2 * f(head) + g(head),
        "scale": -2 * f(head),
        "pad": f(head),
    }


def instances(seed, whole):
    rng = np.random.default_rng(seed)
    networks = [network(rng, sizes, whole) for sizes in ((3, 4, 5, 2), (3, 4, 2), (2, 4))]
    x = rng.integers(-3, 4, 8) if whole else rng.normal(size=8)
    return *networks, np.asarray(x, jnp.zeros(()).dtype)


@pytest.mark.ledger("UAT6")
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_whole_numbers_bit_for_bit(seed):
    """Where no sum is rounded, no operation changes a bit."""
    given = instances(seed, whole=True)
    found, oracle = everything(*given), wanted(*given)
    for name, there in oracle.items():
        np.testing.assert_array_equal(found[name], there, err_msg=name)


@pytest.mark.ledger("UAT6")
def test_reals_up_to_rounding(measured):
    """Thirty random networks each, relative to the largest output."""
    worst = 0.0
    for seed in range(30):
        given = instances(seed, whole=False)
        found, oracle = everything(*given), wanted(*given)
        worst = max(worst, *(np.abs(found[k] - oracle[k]).max() / max(np.abs(oracle[k]).max(), 1) for k in oracle))
    measured(worst, 8 * tolerance(jnp.zeros(()).dtype), oracle="the same arithmetic on functions, in NumPy")


sizes = st.lists(st.integers(1, 5), min_size=2, max_size=5)


def shapes(sizes):
    """A network without numbers."""
    real = lambda *shape: jax.ShapeDtypeStruct(shape, jnp.zeros(()).dtype)
    return tuple(Dense(real(m, n), real(m)) for n, m in itertools.pairwise(sizes))


def predicted(operation, *networks):
    return mlp.sizes(jax.eval_shape(operation, *map(shapes, networks)))


def padded(sizes, layers):
    """The formula of `pad`."""
    new = layers - (len(sizes) - 1)
    return [*sizes[:-1], *[2 * sizes[-1]] * new, sizes[-1]]


@pytest.mark.ledger("UAT6")
@settings(max_examples=20, deadline=None)
@given(sizes, sizes, st.integers(0, 3))
def test_sizes_are_known_in_advance(n, m, more):
    """Depths and widths of every operation, for random sizes."""
    deep = len(n) - 1 + more
    assert list(predicted(lambda a: calculus.pad(a, deep), n)) == padded(n, deep)
    assert list(predicted(calculus.compose, [n[-1], *m], n)) == [*n[:-1], *m]
    layers = max(len(n), len(m)) - 1
    together = [a + b for a, b in zip(padded(n, layers), padded(m, layers), strict=True)]
    assert list(predicted(calculus.parallel, n, m)) == together
    assert list(predicted(calculus.fork, n, [n[0], *m[1:]])) == [n[0], *together[1:]]
    alike = [n[0], *m[1:-1], n[-1]]
    together = [a + b for a, b in zip(padded(n, layers), padded(alike, layers), strict=True)]
    assert list(predicted(calculus.add, n, alike)) == [n[0], *together[1:-1], n[-1]]


@pytest.mark.ledger("UAT6")
def test_identity_units_round_nothing():
    """What leaves a padded network are the bits that its old last layer computed, for reals of all sizes."""
    rng = np.random.default_rng(0)
    params = calculus.scale(network(rng, (3, 6, 4)), 1e5)
    trace = jax.jit(jax.vmap(mlp.trace, (None, 0)), compiler_options=FAST_TO_COMPILE)
    steps = trace(calculus.pad(params, 5), jnp.asarray(rng.normal(size=(100, 3)), jnp.zeros(()).dtype))
    np.testing.assert_array_equal(steps.z[-1], steps.z[1][:, :4])
    np.testing.assert_array_equal(steps.z[1][:, :4], -steps.z[1][:, 4:])
    assert calculus.pad(params, 2) is params


@pytest.mark.ledger("UAT6")
def test_any_activation_where_nothing_is_padded():
    """tanh: composed, forked and added networks of equal depth; and ReLU alone is promised for `pad`."""
    rng = np.random.default_rng(1)
    f, g, h = (network(rng, s) for s in ((3, 4, 2), (3, 5, 2), (2, 3, 1)))
    x = rng.normal(size=3)

    @jax.jit
    def found(f, g, h, x):
        made = calculus.compose(h, f), calculus.fork(f, g), calculus.add(f, g), calculus.pad(f, 3)
        return [mlp.apply(network, x, activation=tanh) for network in made]

    *good, bad = found(f, g, h, jnp.asarray(x, jnp.zeros(()).dtype))
    F, G = value(f, x, np.tanh), value(g, x, np.tanh)
    for one, other in zip(good, (value(h, F, np.tanh), np.concatenate([F, G]), F + G), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=64 * tolerance(one.dtype))
    assert np.abs(bad - F).max() > 1e-3


@pytest.mark.ledger("UAT6")
def test_jit_vmap_and_grad(measured):
    """A stack of networks composed at once; the gradient in all parameters is that of the nested functions."""
    rng = np.random.default_rng(2)
    f, g = (jax.tree.map(lambda *v: jnp.stack(v), *(network(rng, s) for _ in range(3))) for s in ((2, 4, 3), (3, 5, 1)))
    x = jnp.asarray(rng.normal(size=2), jnp.zeros(()).dtype)
    joined = lambda f, g: mlp.apply(calculus.compose(g, f), x)[0]
    nested = lambda f, g: mlp.apply(g, mlp.apply(f, x))[0]
    both = jax.jit(lambda f, g: [jax.vmap(jax.grad(way, (0, 1)))(f, g) for way in (joined, nested)])
    one, other = both(f, g)
    errors = jax.tree.map(lambda a, b: np.abs(a - b).max() / max(np.abs(b).max(), 1), one, other)
    measured(max(jax.tree.leaves(errors)), 8 * tolerance(x.dtype), oracle="jax.grad of the nested functions")


def test_dtypes_are_kept():
    def made():
        half = relu.maximum(dtype=jnp.bfloat16)
        deep = calculus.compose(calculus.pad(relu.absolute(dtype=jnp.bfloat16), 4), calculus.scale(half, 3))
        return calculus.add(deep, half)

    assert {leaf.dtype for leaf in jax.tree.leaves(jax.eval_shape(made))} == {jnp.dtype(jnp.bfloat16)}


def test_what_does_not_fit(unchecked):
    with pytest.raises(ValueError, match=r"`outer` must have as many inputs as `inner` has outputs; got 2 inputs"):
        calculus.compose(relu.maximum(), relu.absolute())
    with pytest.raises(ValueError, match=r"`networks` must have equally many inputs; got \[2, 1\]. .* `parallel`"):
        calculus.fork(relu.maximum(), relu.absolute())
    with pytest.raises(ValueError, match=r"`networks` must have equally many outputs; got \[2, 1\]"):
        calculus.add(relu.identity(2), relu.maximum())
    with pytest.raises(ValueError, match=r"`layers` must be an integer ≥ 2; got 1. The network has 2 layers"):
        calculus.pad(relu.hat(), 1)
    with pytest.raises(ValueError, match=r"`networks` must be one network or more; got none"):
        calculus.parallel()
    with pytest.raises(ValueError, match=r"`W` must have shape \(out, in\) and `b` \(out,\); got \(2, 2\) and \(3,\)"):
        calculus.affine(jnp.eye(2), jnp.zeros(3))
