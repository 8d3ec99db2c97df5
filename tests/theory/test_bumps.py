"""Networks of bumps: their weights, and the error that is promised before they are built."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpjax import mlp
from mlpjax.activations import relu, sigmoid
from mlpjax.theory import bumps
from tests.helpers import eps, slope, tolerance

FLOAT = jnp.asarray(1.0).dtype
A, B = -1.0, 2.5
NEAR = np.array([-20, -6, -3, -1.5, -0.7, -0.2, 0, 0.2, 0.7, 1.5, 3, 6, 20])  # about a jump, in units of 1/c
KNOTS = 9


@functools.partial(jax.jit, static_argnames="activation")
def run(params, x, activation=sigmoid):
    """The network at every point of x, of shape (n,) or (n, 2)."""
    return jax.vmap(lambda x: mlp.apply(params, x, activation=activation)[0])(x.reshape(len(x), -1))


def points(n, sharpness, many=600):
    """A dense grid of [A, B], the jumps, and points close to them."""
    t = jnp.linspace(A, B, n + 1)
    near = t[:, None] + jnp.asarray(NEAR, FLOAT)[None] / sharpness
    return jnp.concatenate([jnp.linspace(A, B, many), t, jnp.clip(near, A, B).ravel()])


def pulse(x, left, right, c):
    """A bump without a difference: sinh(cw/2) / (cosh(cw/2) + cosh(c(x - m))), w its width and m its middle."""
    w, m = right - left, (left + right) / 2
    return np.sinh(c * w / 2) / (np.cosh(c * w / 2) + np.cosh(c * (x - m)))


def step(x):
    return 0.5 * (1 + np.tanh(x / 2))


def chart(f, n, c, x):
    """The sum of the bumps without the network, by numpy."""
    t = np.linspace(A, B, n + 1)
    inner = [f((p + q) / 2) * pulse(x, p, q, c) for p, q in itertools.pairwise(t[1:-1])]
    return f((t[0] + t[1]) / 2) * step(-c * (x - t[1])) + sum(inner) + f((t[-2] + t[-1]) / 2) * step(c * (x - t[-2]))


@pytest.mark.ledger("UAT3")
def test_bump(measured):
    x = np.linspace(A, B, 101)
    params = bumps.bump(0.2, 0.9, sharpness=7.0, height=-1.5)
    wanted = -1.5 * pulse(x, 0.2, 0.9, 7.0)
    error = np.abs(run(params, jnp.asarray(x)) - wanted).max() / np.abs(wanted).max()
    measured(error, tolerance(FLOAT), oracle="sinh(cw/2) / (cosh(cw/2) + cosh(c(x − m))) in numpy")
    assert mlp.sizes(params) == (1, 2, 1)
    np.testing.assert_allclose(run(params, jnp.asarray([0.55])), -1.5 * np.tanh(7 * 0.7 / 4), rtol=tolerance(FLOAT))


@pytest.mark.ledger("UAT3")
def test_network(measured):
    """The network is the sum of its bumps, with N − 1 units, and its weights are those of the formula."""
    n, c, x = 12, 9.0, np.linspace(A - 1, B + 1, 201)
    params = bumps.network(lambda x: jnp.sin(3 * x) + x, (A, B), bumps=n, sharpness=c)
    wanted = chart(lambda x: np.sin(3 * x) + x, n, c, x)
    error = np.abs(run(params, jnp.asarray(x)) - wanted).max() / np.abs(wanted).max()
    measured(error, tolerance(FLOAT), oracle="Σ f(mᵢ) βᵢ(x) with each βᵢ by sinh and cosh in numpy")
    hidden, output = params
    h, f = (B - A) / n, lambda x: np.sin(3 * x) + x
    m, close = A + h * (np.arange(n) + 0.5), functools.partial(np.testing.assert_allclose, rtol=1e3 * eps(FLOAT))
    assert mlp.sizes(params) == (1, n - 1, 1) and np.all(hidden.W == c)
    close(hidden.b, -c * (A + h * np.arange(1, n)), atol=1e3 * eps(FLOAT))
    close(output.W[0], f(m[1:]) - f(m[:-1]), atol=1e2 * eps(FLOAT))
    close(output.b, f(m[:1]))


@pytest.mark.ledger("UAT3")
def test_shares_are_a_mean():
    """Not negative, with sum 1, for flat and steep edges, inside and outside; each share is a bump."""
    for c in (0.01, 8.0, 1e4):
        x = points(7, c)
        beta = np.asarray(jax.vmap(lambda x, c=c: bumps.shares(x, (A, B), bumps=7, sharpness=c))(x))
        assert beta.min() >= 0
        np.testing.assert_allclose(beta.sum(1), 1, rtol=8 * eps(FLOAT))
    x, t = np.linspace(A, B, 50), np.linspace(A, B, 8)
    beta = jax.vmap(lambda x: bumps.shares(x, (A, B), bumps=7, sharpness=8.0))(jnp.asarray(x))
    np.testing.assert_allclose(beta[:, 3], pulse(x, t[3], t[4], 8.0), atol=8 * eps(FLOAT))


@pytest.mark.x64
@pytest.mark.ledger("UAT3")
def test_guarantee(measured):
    """The hat with its tip at a jump attains the guarantee: no better one exists."""
    n, c, lipschitz = 16, 16 * 4.0 / (B - A), 3.0
    middle = A + (B - A) / 2  # the jump number 8
    params = bumps.network(lambda x: lipschitz * jnp.abs(x - middle), (A, B), bumps=n, sharpness=c)
    attained = run(params, jnp.asarray([middle]))[0]
    promised = bumps.guarantee(lipschitz, (A, B), bumps=n, sharpness=c)
    measured(abs(promised / attained - 1), 1e-12, oracle="error at its tip of the network for L|x − t|")


def random_pieces(key):
    """Piecewise linear with knots and values at random: f(x), and its exact Lipschitz constant on [A, B]."""
    where, what = jax.random.split(key)
    x = jnp.sort(jax.random.uniform(where, KNOTS, minval=A, maxval=B)).at[jnp.asarray([0, -1])].set(jnp.asarray([A, B]))
    y = jax.random.normal(what, (KNOTS,))
    return lambda p: jnp.interp(p, x, y), jnp.abs(jnp.diff(y) / jnp.maximum(jnp.diff(x), 1e-6)).max()


def random_waves(key):
    """A sum of sines, and a bound on its slope."""
    a, w, phase = jax.random.normal(key, (3, 5))
    return lambda p: jnp.sum(a * jnp.sin(4 * w * p + phase)), jnp.sum(jnp.abs(4 * a * w))


@functools.partial(jax.jit, static_argnames=("n", "make"))
def excess(keys, sharpness, n, make):
    """For each key's function and each sharpness (in units of 1/h): error, guarantee, and the size of the function."""

    def one(key, c):
        f, lipschitz = make(key)
        x = points(n, c)
        y = run(bumps.network(f, (A, B), bumps=n, sharpness=c), x)
        wanted = jax.vmap(f)(x)
        error = jnp.abs(y - wanted).max()
        return error, bumps.guarantee(lipschitz, (A, B), bumps=n, sharpness=c), jnp.abs(wanted).max()

    c = sharpness * n / (B - A)
    return jax.vmap(lambda key: jax.vmap(lambda c: one(key, c))(c))(keys)


SHARPNESS = np.array([0.05, 0.5, 1.0, 2.0, 4.0, 10.0, 40.0, 200.0])


@pytest.mark.ledger("UAT3")
@pytest.mark.parametrize("make", [random_pieces, random_waves])
@pytest.mark.parametrize("n", [3, 40])
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_guarantee_is_never_exceeded(make, n, seed):
    """On dense grids with the jumps and what lies beside them, up to rounding."""
    keys = jax.random.split(jax.random.key(seed), 16)
    error, promised, size = map(np.asarray, excess(keys, jnp.asarray(SHARPNESS, FLOAT), n, make))
    assert np.all(error <= promised + 16 * eps(FLOAT) * n * size)


@pytest.mark.x64
@pytest.mark.ledger("UAT3")
def test_tails_are_below_both_formulas():
    """2 Σ 1/(1 + e^(kα)) is at most 2/(e^α − 1) and 2 ln 2/α, and nearly so for large and small α."""
    for alpha in (0.01, 0.3, 1.0, 3.0, 12.0):
        bound = bumps.guarantee(1.0, (0.0, 4000.0), bumps=4000, sharpness=alpha)
        tails, limits = float(bound) - 0.5, (2 / np.expm1(alpha), 2 * np.log(2) / alpha)
        assert tails <= min(limits) * (1 + 1e-9)
        assert tails >= 0.99 * limits[1] - 0.5 and (alpha < 12 or tails >= 0.999 * limits[0])


@pytest.mark.ledger("UAT3")
def test_rate_is_one_over_n():
    """The measured error of smooth and of kinked functions falls like N⁻¹."""
    n = (16, 32, 64, 128, 256)
    x = points(n[-1], n[-1] * 40 / (B - A))
    both = (lambda x: jnp.sin(5 * x), lambda x: jnp.abs(x - 0.3))
    worst = lambda f, k: jnp.abs(run(bumps.network(f, (A, B), bumps=k), x) - f(x)).max()
    for errors in jax.jit(lambda: [[worst(f, k) for k in n] for f in both])():
        found, half = slope(n, errors)
        assert abs(found + 1) <= half + 0.01 and half < 0.05, (found, half)


@pytest.mark.ledger("UAT3")
def test_needed_is_enough():
    """The guarantee at N is at most the error, and at N − 1 above it."""
    cases = [(L, error, bumps.needed(L, (A, B), error=error)) for L, error in ((1.0, 0.013), (7.3, 0.2), (0.01, 5.0))]
    promised = lambda L, n: bumps.guarantee(L, (A, B), bumps=max(n, 2))
    found = jax.jit(lambda: [(promised(L, n), promised(L, n - 1)) for L, _, n in cases])()
    for (_, error, n), (enough, fewer) in zip(cases, found, strict=True):
        assert enough <= error * (1 + 4 * eps(FLOAT)) and (n == 2 or fewer > error)
    assert [n for *_, n in cases] == [135, 64, 2]


BOX = ((A, B), (0.0, 1.0))


def plane(x):
    return jnp.sin(2 * x[0]) * x[1] + jnp.abs(x[0] - x[1])


@pytest.mark.ledger("UAT3")
def test_surface(measured):
    """Sum over cells of changes times what the two steps have in common, by numpy; sizes as promised."""
    n, c = 5, 6.0
    params = jax.jit(lambda: bumps.surface(plane, BOX, bumps=n, sharpness=c))()
    assert mlp.sizes(params) == (2, 2 * n - 2, n**2, 1)
    x = np.stack(np.meshgrid(np.linspace(A, B, 17), np.linspace(0, 1, 13)), -1).reshape(-1, 2)
    t = [np.linspace(*side, n + 1) for side in BOX]
    s = [np.stack([np.ones(len(x)), *(step(c * (x[:, k] - e)) for e in t[k][1:-1]), np.zeros(len(x))]) for k in (0, 1)]
    common = np.maximum(s[0][:, None] + s[1][None] - 1, 0)
    weight = common[:-1, :-1] - common[1:, :-1] - common[:-1, 1:] + common[1:, 1:]
    assert weight.min() > -1e-15
    m = [(e[1:] + e[:-1]) / 2 for e in t]
    heights = np.sin(2 * m[0][:, None]) * m[1][None] + np.abs(m[0][:, None] - m[1][None])
    wanted = np.einsum("ij,ijp->p", heights, weight)
    error = np.abs(run(params, jnp.asarray(x), (sigmoid, relu)) - wanted).max() / np.abs(wanted).max()
    measured(error, tolerance(FLOAT), oracle="mean of the cells' values with weights by numpy")


@functools.partial(jax.jit, static_argnames="n")
def excess_of_surface(keys, sharpness, n):
    def one(key):
        a, w, v, phase = jax.random.normal(key, (4, 4))
        f = lambda x: jnp.sum(a * jnp.sin(2 * w * x[0] + 3 * v * x[1] + phase)) + jnp.abs(a[0]) * jnp.abs(x[0] - x[1])
        slopes = [jnp.sum(jnp.abs(k * a * u)) + jnp.abs(a[0]) for k, u in ((2, w), (3, v))]
        lines = [jnp.concatenate([jnp.linspace(*side, 31), jnp.linspace(*side, n + 1)]) for side in BOX]
        x = jnp.stack(jnp.meshgrid(*lines), -1).reshape(-1, 2)
        error = jnp.abs(run(bumps.surface(f, BOX, bumps=n, sharpness=sharpness), x, (sigmoid, relu)) - jax.vmap(f)(x))
        promised = [bumps.guarantee(L, side, bumps=n, sharpness=sharpness) for L, side in zip(slopes, BOX, strict=True)]
        return error.max(), sum(promised)

    return jax.vmap(one)(keys)


@pytest.mark.ledger("UAT3")
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), sharpness=st.sampled_from([1.0, 8.0, 60.0, 1000.0]))
def test_guarantee_of_a_surface_is_never_exceeded(seed, sharpness):
    """The sum of the guarantees of the two sides bounds the error, at corners of cells too."""
    error, promised = map(
        np.asarray, excess_of_surface(jax.random.split(jax.random.key(seed), 8), jnp.asarray(sharpness, FLOAT), 6)
    )
    assert np.all(error <= promised)


def test_towers_have_holes_and_minima_have_none():
    """Beside the construction: a sigmoid of the sum of two bumps loses the corners, and a minimum of three steps gives
    weights of cells that are not negative, with sum 1."""
    x = np.asarray(bumps.shares(jnp.asarray(0.5), (0.0, 1.0), bumps=4))
    for steep in (20, 80):
        assert 4 * step(steep * (x[:, None] + x[None] - 1.5)).max() < 4 * np.exp(-steep / 2) * 1.001
    s = np.sort(np.random.default_rng(0).uniform(size=(200, 3, 4)))[..., ::-1]
    s = np.concatenate([np.ones((200, 3, 1)), s, np.zeros((200, 3, 1))], -1)
    least = np.minimum(np.minimum(s[:, 0, :, None, None], s[:, 1, None, :, None]), s[:, 2, None, None, :])
    weight = -np.diff(np.diff(np.diff(least, axis=1), axis=2), axis=3)
    assert weight.min() > -1e-14
    np.testing.assert_allclose(weight.sum((1, 2, 3)), 1)


def test_single_precision_keeps_the_guarantee():
    """float32 with 300 bars: the rounding is far below the bound."""
    interval = tuple(np.float32([A, B]))
    f = lambda x: jnp.sin(5 * x)
    params = bumps.network(f, interval, bumps=300, sharpness=np.float32(3000))
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
    x = points(300, 3000.0, 2000).astype(jnp.float32)
    error = np.abs(np.asarray(run(params, x), float) - np.sin(5 * np.asarray(x, float))).max()
    assert 0.8 < error / bumps.guarantee(5.0, (A, B), bumps=300, sharpness=3000.0) <= 1 + 1e-4


def test_under_transformations():
    """jit, vmap and grad go through: the network is differentiable in the heights and in the sharpness."""
    x = jnp.asarray(0.4)

    def value(scale, c):
        return run(bumps.network(lambda p: scale * p**2, (A, B), bumps=6, sharpness=c), x[None])[0]

    scale, c = jnp.asarray(2.0), jnp.asarray(5.0)
    down, slope_c = jax.jit(jax.grad(value, (0, 1)))(scale, c)
    value = jax.jit(value)
    np.testing.assert_allclose(down, value(scale, c) / scale, rtol=1e-5)
    d = 1e-2
    np.testing.assert_allclose(slope_c, (value(scale, c + d) - value(scale, c - d)) / (2 * d), rtol=5e-3)
    assert jax.vmap(lambda c: bumps.guarantee(1.0, (A, B), bumps=6, sharpness=c))(jnp.asarray([1.0, 2.0])).shape == (2,)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_one_dtype_whatever_the_function_returns(dtype, unchecked):
    """The interval decides; f may return whole numbers or truth values."""
    zero, one = jnp.zeros((), dtype), jnp.ones((), dtype)

    def everything(zero, one):
        line, plane = (zero, one), ((zero, one), (zero, one))
        return (
            bumps.network(lambda x: (x > 0.5).astype(int), line, bumps=2),
            bumps.surface(lambda x: x[0] > x[1], plane, bumps=3),
            bumps.shares(0, line, bumps=2),
            bumps.guarantee(1, line, bumps=2),
        )

    found = jax.eval_shape(everything, zero, one)
    assert {v.dtype.name for v in jax.tree.leaves(found)} == {dtype}


def test_mistakes_are_said(unchecked):
    f = jnp.sin
    for call, said in (
        (lambda: bumps.network(f, (0.0, 1.0), bumps=1), "`bumps` must be an integer ≥ 2; got 1"),
        (
            lambda: bumps.network(f, (1.0, 1.0), bumps=4),
            r"`interval\[0\]` must be less than `interval\[1\]`, both finite",
        ),
        (lambda: bumps.needed(1.0, (0.0, np.inf), error=0.1), "`interval.*both finite; got 0.0 and inf"),
        (lambda: bumps.network(f, np.float32([1, 1 + 2e-7]), bumps=4), "`interval` must hold 5 edges that differ in"),
        (
            lambda: bumps.network(lambda x: x[None], (0.0, 1.0), bumps=4),
            r"`f` must return a number; got the shape \(1,",
        ),
        (lambda: bumps.surface(lambda x: x, BOX, bumps=4), r"`f` must return a number; got the shape \(2,\)"),
        (lambda: bumps.network(f, (0.0, 1.0), bumps=4, sharpness=0.0), "`sharpness` must be a finite number > 0"),
        (lambda: bumps.guarantee(-1.0, (0.0, 1.0), bumps=4), "`lipschitz` must be a finite number ≥ 0; got -1.0"),
        (lambda: bumps.needed(1.0, (0.0, 1.0), error=0.0), "`error` must be a finite number > 0; got 0.0"),
    ):
        with pytest.raises(ValueError, match=said):
            call()
