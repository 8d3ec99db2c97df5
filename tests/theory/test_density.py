"""Approximations with a known error: against definitions written another way, and their bounds, never exceeded."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpjax import mlp
from mlpjax.activations import Activation, sigmoid, tanh
from mlpjax.theory import density
from tests.helpers import FAST_TO_COMPILE, slope, tolerance

RNG = np.random.default_rng(0)
cast = lambda v: jnp.asarray(v, jnp.zeros(()).dtype)
on_line = jax.jit(jax.vmap(density.bernstein, (None, 0)), compiler_options=FAST_TO_COMPILE)
build = jax.jit(density.cosine_network, static_argnames="pieces", compiler_options=FAST_TO_COMPILE)
smooth = jax.jit(density.cosine_series, compiler_options=FAST_TO_COMPILE)


def outputs(params, x, activation):
    """One-output network at the rows of x, in NumPy."""
    (W, b), (V, c) = jax.tree.map(np.asarray, params)
    return activation(x @ W.T + b) @ V[0] + c[0]


def relu(z):
    return np.maximum(z, 0)


def wells(d, points=3, key=RNG):
    """A random function with Lipschitz constant 1: the distance to the nearest of some points, up to a sign."""
    at, sign = key.uniform(size=(points, d)), key.choice([-1, 1])
    return lambda x: sign * np.linalg.norm(x[..., None, :] - at, axis=-1).min(-1)


def grid(d, points):
    return np.stack(np.meshgrid(*[points] * d, indexing="ij"), -1)


def samples(f, *sizes):
    axes = [(np.arange(m) + 0.5) / m for m in sizes]
    return cast(f(np.stack(np.meshgrid(*axes, indexing="ij"), -1)))


@pytest.mark.ledger("UAT1")
@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_bernstein(n, measured):
    values, x = cast(RNG.normal(size=n + 1)), cast(np.linspace(0, 1, 23))
    k, t = np.arange(n + 1), np.linspace(0, 1, 23)[:, None]
    direct = (np.array([math.comb(n, i) for i in k]) * t**k * (1 - t) ** (n - k)) @ np.asarray(values, float)
    error = np.abs(np.asarray(on_line(values, x)) - direct).max() / np.abs(values).max()
    measured(error, tolerance(x.dtype), oracle="sum of binomial terms, NumPy")


@pytest.mark.ledger("UAT1")
def test_derivative_of_bernstein():
    """B_n(f)′ = n · B_{n−1} of the differences of neighboring values."""
    values, x = cast(RNG.normal(size=6)), cast(0.3)
    slope = jax.jit(jax.grad(density.bernstein, 1))(values, x)
    np.testing.assert_allclose(slope, 5 * density.bernstein(jnp.diff(values), x), rtol=1e2 * tolerance(x.dtype))


@pytest.mark.ledger("UAT1")
@given(st.lists(st.floats(-1, 1), min_size=48, max_size=48))
@settings(max_examples=25, deadline=None)
def test_bernstein_keeps_its_bound(slopes):
    """L/(2√n) for every polygon of 48 pieces, at every one of its corners."""
    f = np.concatenate([[0], np.cumsum(slopes)]) / 48
    found = np.asarray(on_line(cast(f[::3]), cast(np.linspace(0, 1, 49))))
    assert np.abs(found - f).max() <= np.abs(slopes).max() / (2 * math.sqrt(16)) + 1e-6


def averaged(values, x):
    """The series from its definition as an average: weights K(θ − θ′)/2m at the 2m points of the circle, per axis."""
    for axis, m in enumerate(values.shape):
        a = np.sin((np.arange(m) + 1) * np.pi / (m + 1))
        theta = (np.arange(m) + 0.5) * np.pi / m
        kernel = lambda t, a=a: np.abs(np.exp(1j * t[..., None] * np.arange(len(a))) @ a) ** 2 / (a @ a)
        weights = sum(kernel(np.pi * x[:, axis, None] - s * theta) for s in (-1, 1)) / (2 * m)
        assert weights.min() >= 0
        np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-12)
        spread = (weights * (x[:, axis, None] - theta / np.pi) ** 2).sum(1)
        assert np.all(spread <= np.sin(np.pi / (2 * m + 2)) ** 2 + 1e-12)  # the heart of the proof
        values = np.einsum("nj,nj...->n...", weights, values) if axis else np.einsum("nj,j...->n...", weights, values)
    return values


def series(c, x):
    """Σ c_k Π cos(π kᵢ xᵢ), term by term."""
    every = itertools.product(*map(range, c.shape))
    return sum(c[k] * np.cos(np.pi * x * np.array(k)).prod(1) for k in every)


@pytest.mark.ledger("UAT1")
@pytest.mark.parametrize("shape", [(1,), (9,), (4, 3), (2, 3, 2), (2, 2, 2, 2, 2)], ids=str)
def test_cosine_series(shape, measured):
    values, x = RNG.normal(size=shape), RNG.uniform(size=(20, len(shape)))
    c = smooth(cast(values))
    assert c.shape == shape
    error = np.abs(series(np.asarray(c, float), x) - averaged(values, x)).max() / np.abs(values).max()
    measured(error, tolerance(c.dtype), oracle="weighted averages of the values, by Korovkin's kernel")


@pytest.mark.ledger("UAT1")
@pytest.mark.parametrize("shape", [(5,), (3, 4), (3, 2, 2), (2, 2, 2, 2), (2, 2, 2, 2, 2)], ids=str)
def test_cosine_network(shape, measured):
    """Sizes by the formula; the value is that of the polygons of all waves, by np.interp."""
    q, d = 3, len(shape)
    c, x = cast(RNG.normal(size=shape)), RNG.uniform(size=(40, d))
    network = build(c, pieces=q)
    waves = list(itertools.product(*(range(1 - m, m) for m in shape)))
    assert mlp.sizes(network) == (d, q * sum(sum(map(abs, w)) for w in waves) // 2, 1)
    ends = sum(shape)
    corners = np.arange(-ends * q, ends * q + 1) / q
    direct = sum(
        float(c[tuple(map(abs, w))]) / 2 ** np.count_nonzero(w) * np.interp(x @ w, corners, np.cos(np.pi * corners))
        for w in waves
    )
    found = outputs(network, x, relu)
    measured(
        np.abs(found - direct).max() / np.abs(c).sum(), 1e2 * tolerance(c.dtype), oracle="np.interp on every wave ±w"
    )
    at = jax.jit(lambda p, x: mlp.apply(p, x)[0])(network, cast(x[0]))
    assert abs(float(at) - direct[0]) <= 1e2 * tolerance(c.dtype) * np.abs(c).sum()


@pytest.mark.ledger("UAT1")
@pytest.mark.parametrize(("shape", "q"), [((1,), 1), ((2,), 1), ((12,), 5), ((6, 5), 3), ((3, 3, 3), 2)], ids=str)
def test_the_bound_is_never_exceeded(shape, q, measured):
    """On random functions with Lipschitz constant 1, at points of a grid that contains the corners of the cube."""
    x = grid(len(shape), np.linspace(0, 1, 13)).reshape(-1, len(shape))
    worst = 0.0
    for _ in range(8):
        f = wells(len(shape))
        c = smooth(samples(f, *shape))
        found = outputs(build(c, pieces=q), x, relu) if c.size > 1 else np.full(len(x), float(c[0]))
        worst = max(worst, np.abs(found - f(x)).max() / float(density.cosine_bound(c, lipschitz=1.0, pieces=q)))
    measured(worst, 1, oracle="largest error on a grid, in units of the bound")


@pytest.mark.ledger("UAT1")
@pytest.mark.parametrize("q", [9, 20])
def test_the_bound_of_the_polygons_is_nearly_attained(q, measured):
    """One wave beside the constant: halfway between the corners at 0 and 1/q."""
    c = cast([0.3, 1.0])
    bound = float(density.cosine_bound(c, lipschitz=0.0, pieces=q))
    x = np.linspace(0, 1, 20 * q + 1)[:, None]
    error = np.abs(outputs(build(c, pieces=q), x, relu) - series(np.asarray(c, float), x)).max()
    measured(error / bound, 1 + 1e-3, oracle="largest distance of the polygon from its cosine, in units of the bound")
    assert error / bound > 0.95


@pytest.mark.ledger("UAT1")
def test_the_rate_in_the_number_of_values():
    """A corner is approximated with an error of order 1/m, where Bernstein's polynomials reach 1/√n."""
    f = lambda x: np.abs(x - 0.4)[..., 0]
    x, sizes = np.linspace(0, 1, 401)[:, None], (6, 12, 36)
    errors = [np.abs(series(np.asarray(smooth(samples(f, m)), float), x) - f(x)).max() for m in sizes]
    assert abs(slope(sizes, errors)[0] + 1) < 0.15


@pytest.mark.ledger("UAT1")
def test_networks_of_values_differentiate_and_batch():
    """From samples to output, under jit, vmap and grad: linear in the samples, so all have the same gradient."""

    def value(values, x):
        return mlp.apply(density.cosine_network(density.cosine_series(values), pieces=2), x)[0]

    values, x = cast(RNG.normal(size=(4, 2, 2))), cast([0.3, 0.9])
    one = jax.jit(jax.vmap(jax.value_and_grad(value), (0, None)), compiler_options=FAST_TO_COMPILE)
    found, grads = one(values, x)
    np.testing.assert_allclose((values * grads).sum((1, 2)), found, rtol=1e2 * tolerance(x.dtype))
    np.testing.assert_allclose(grads[0], grads[1], rtol=1e2 * tolerance(x.dtype))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_dtypes_are_kept(dtype):
    def everything(values):
        c = density.cosine_series(values)
        network, bound = density.cosine_network(c, pieces=2), density.cosine_bound(c, lipschitz=1.0, pieces=2)
        return c, network, bound, density.bernstein(values[:, 0], values[0, 0])

    found = jax.eval_shape(everything, jnp.ones((3, 2), dtype))
    assert {v.dtype.name for v in jax.tree.leaves(found)} == {dtype}


@pytest.mark.ledger("UAT2")
@pytest.mark.parametrize(
    ("power", "at", "activation"), [(1, 0.0, tanh), (2, 1.0, sigmoid), (3, 0.0, tanh), (4, 1.0, sigmoid)]
)
@pytest.mark.x64
def test_monomial(power, at, activation, measured):
    """The error is h² · p/24 · x^(p+2) σ^(p+2)(b)/σ^(p)(b) up to order h⁴, with derivatives by 60-digit arithmetic."""
    import mpmath

    scalar = {"tanh": mpmath.tanh, "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z))}[activation.name]
    with mpmath.workdps(60):
        first, third = (float(mpmath.diff(scalar, at, n)) for n in (power, power + 2))
    x, step = np.linspace(-1, 1, 9)[:, None], {1: 1e-2, 2: 1e-2, 3: 2e-2, 4: 4e-2}[power]
    network = density.monomial(power, activation=activation, at=at, step=step)
    assert mlp.sizes(network) == (1, power + 1, 1)
    z = {"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z))}[activation.name]
    excess = outputs(network, x, z) - x[:, 0] ** power
    predicted = step**2 * power / 24 * x[:, 0] ** (power + 2) * third / first
    measured(np.abs(excess - predicted).max() / np.abs(predicted).max(), 0.02, oracle="next term of Taylor's formula")


@pytest.mark.ledger("UAT2")
def test_monomial_of_a_power_is_exact():
    """Differences of order p of a polynomial of degree p are its leading term, for every step; also under jit."""
    cube = Activation("z^3", lambda z: z**3)
    make = jax.jit(lambda step, at: density.monomial(3, activation=cube, at=at, step=step))
    x = np.linspace(-1, 1, 5)[:, None]
    found = outputs(make(cast(2.0), cast(1.0)), x, lambda z: z**3)
    np.testing.assert_allclose(found, x[:, 0] ** 3, atol=1e2 * tolerance(jnp.zeros(()).dtype))


def test_whole_numbers_and_mixed_precisions(unchecked):
    """Whole numbers are taken as what they are, and the dtype of the values or of the bias decides."""
    whole, x = jnp.arange(5) ** 2, jnp.float32(0.5)
    np.testing.assert_allclose(density.cosine_series(whole), density.cosine_series(whole.astype(float)))
    assert float(density.bernstein(whole, 0.5)) == 5
    network = density.cosine_network(whole, pieces=2)
    mixed = density.monomial(2, activation=sigmoid, at=x, step=0.1), density.bernstein(cast([0, 1, 2]), x)
    assert {v.dtype for v in jax.tree.leaves((network, mixed[1]))} == {cast(0).dtype}
    assert {v.dtype.name for v in jax.tree.leaves(mixed[0])} == {"float32"}


def test_messages():
    with pytest.raises(ValueError, match=r"`pieces` must be an integer ≥ 1; got 0"):
        density.cosine_bound(jnp.ones(3), lipschitz=1.0, pieces=0)
    with pytest.raises(ValueError, match=r"`lipschitz` must be a finite number ≥ 0; got -1"):
        density.cosine_bound(jnp.ones(3), lipschitz=-1.0, pieces=2)
    with pytest.raises(ValueError, match=r"`pieces` must be an integer ≥ 1; got 0"):
        density.cosine_network(jnp.ones(3), pieces=0)
    with pytest.raises(ValueError, match=r"`coefficients` must hold at least one wave .* got the shape \(1, 1\)"):
        density.cosine_network(jnp.ones((1, 1)), pieces=2)
    with pytest.raises(ValueError, match=r"`power` must be an integer ≥ 1; got 0"):
        density.monomial(0, activation=tanh, at=0.0, step=0.1)
    with pytest.raises(ValueError, match=r"`step` must be a number > 0; got 0"):
        density.monomial(2, activation=tanh, at=0.5, step=0.0)
    with pytest.raises(ValueError, match=r"`at` must be a point where the derivative of order 2 of tanh is not zero"):
        density.monomial(2, activation=tanh, at=0.0, step=0.1)
