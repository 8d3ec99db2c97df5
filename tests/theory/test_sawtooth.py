"""The sawtooth and the theorems about it, against rational arithmetic, brute force and integrals without error."""

import functools
import itertools
import math
import re
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpjax import mlp
from mlpjax.theory import regions, sawtooth
from tests.helpers import assert_trees_equal, tolerance


def run(params, x):
    """The network at each row of x, or at each number; float64 of NumPy."""
    x = jnp.asarray(x, params[0].W.dtype)
    batch = x[:, None] if x.ndim == 1 else x
    return np.asarray(jax.jit(jax.vmap(mlp.apply, (None, 0)))(params, batch)[:, 0], np.float64)


def floats(n, dtype, seed=0):
    """Numbers of [0, 1] that dtype holds: many sizes, the ends, and the neighbors of ½ and 1."""
    rng, one, half = np.random.default_rng(seed), dtype(1), dtype(0.5)
    special = [0, 1, 0.5, np.nextafter(one, 0), np.nextafter(half, 0), np.nextafter(half, one), 1e-30]
    return np.concatenate([rng.uniform(size=n) ** rng.integers(1, 9, n), special]).astype(dtype)


def folded(x, k):
    """The tent map k times, in rational arithmetic."""
    return functools.reduce(lambda t, _: min(2 * t, 2 - 2 * t), range(k), Fraction(float(x)))


def largest(found, exact):
    return float(max(abs(Fraction(float(a)) - b) for a, b in zip(found, exact, strict=True)))


@pytest.mark.ledger("DEP1")
def test_tent(measured):
    params = sawtooth.tent()
    x = floats(300, params[0].W.dtype.type)
    measured(largest(run(params, x), [folded(v, 1) for v in x]), 0, oracle="min(2x, 2 − 2x) in rational arithmetic")
    assert run(params, [-3.0, 1.5]).tolist() == [0.0, -1.0]


@pytest.mark.ledger("DEP1")
@pytest.mark.parametrize("k", [1, 3, 12])
def test_sawtooth(k, measured):
    """No operation rounds, so no bit differs; nor does it in the closed form."""
    params = sawtooth.sawtooth(k)
    assert mlp.sizes(params) == (1, *[2] * k, 1)
    x = floats(300, params[0].W.dtype.type, seed=k)
    exact = [folded(v, k) for v in x]
    measured(largest(run(params, x), exact), 0, oracle="the tent map k times in rational arithmetic")
    wave = sawtooth.triangle_wave(jnp.asarray(x), k)
    measured(largest(np.asarray(wave), exact), 0, oracle="the tent map k times in rational arithmetic")


@pytest.mark.ledger("DEP1")
def test_the_sawtooth_has_as_many_pieces_as_its_name_says():
    """Slopes 2ᵏ and −2ᵏ in turn on all 2ᵏ cells, and as many crossings of every level between 0 and 1."""
    k = 9
    x = np.arange(4 * 2**k + 1) / (4 * 2**k)
    y = run(sawtooth.sawtooth(k), x)
    slopes = (np.diff(y) / np.diff(x)).reshape(2**k, 4)
    np.testing.assert_array_equal(slopes, np.resize([2.0**k, -(2.0**k)], 2**k)[:, None] * np.ones(4))
    for level in (0.1, 0.5, 0.9):
        assert sawtooth.crossings(jnp.asarray(y), level=level) == 2**k


def pieces(widths, rng):
    """The pieces on a line of a random network of whole weights: every zero of every unit, in rational arithmetic."""
    sizes = (1, *widths, 1)
    layers = [(rng.integers(-9, 10, (n, m)), rng.integers(-9, 10, n)) for m, n in itertools.pairwise(sizes)]

    def at(x, depth):
        a = [Fraction(x)]
        for l, (W, b) in enumerate(layers[:depth], 1):
            z = [sum(int(w) * v for w, v in zip(row, a, strict=True)) + int(c) for row, c in zip(W, b, strict=True)]
            a = [max(v, Fraction(0)) for v in z] if l < depth else z
        return a

    breaks = [Fraction(-(10**9)), Fraction(10**9)]
    for depth in range(1, len(layers)):
        values = [at(x, depth) for x in breaks]
        new = [
            p + (q - p) * u / (u - v)
            for (p, us), (q, vs) in itertools.pairwise(zip(breaks, values, strict=True))
            for u, v in zip(us, vs, strict=True)
            if u * v < 0
        ]
        breaks = sorted({*breaks, *new})
    y = [at(x, len(layers))[0] for x in breaks]
    slopes = [(b - a) / (q - p) for (p, a), (q, b) in itertools.pairwise(zip(breaks, y, strict=True))]
    return 1 + sum(s != t for s, t in itertools.pairwise(slopes))


@pytest.mark.ledger("DEP1")
def test_pieces_on_a_line_are_at_most_a_product():
    """Random networks of whole weights never exceed it; one layer reaches it."""
    rng = np.random.default_rng(0)
    for widths in [(1,), (4,), (2, 2), (3, 2), (2, 2, 2), (1, 5), (3, 3, 1)]:
        found = [pieces(widths, rng) for _ in range(12)]
        assert max(found) <= regions.line_bound(widths) == math.prod(w + 1 for w in widths)
    assert pieces((5,), rng) == 6 == regions.line_bound((5,))


@pytest.mark.ledger("DEP1")
def test_width_needed():
    """The least width by trying all, the exponent of the theorem, and numbers beyond float64."""
    for m, D in itertools.product([1, 2, 3, 7, 8, 9, 64, 1000], [1, 2, 3, 10]):
        w = sawtooth.width_needed(m, hidden_layers=D)
        assert w == next(w for w in itertools.count() if (w + 1) ** D >= m)
        assert w >= m ** (1 / D) - 1 - 1e-9
    assert sawtooth.width_needed(2**1200, hidden_layers=3) == 2**400 - 1
    assert sawtooth.width_needed(2**1200 + 1, hidden_layers=3) == 2**400


def random_pieces(rng, m, *, continuous):
    """Cuts of [0, 1] and the values of an affine function at both ends of each of the m parts."""
    cuts = np.concatenate([[0.0], np.sort(rng.uniform(size=m - 1)), [1.0]])
    if continuous:
        values = rng.uniform(-0.5, 1.5, m + 1)
        return cuts, np.stack([values[:-1], values[1:]], axis=1)
    return cuts, rng.uniform(-0.5, 1.5, (m, 2))


def distance(k, cuts, ends):
    """∫|f − s_k| and max|f − s_k|: the difference is affine between all cuts and the multiples of 2⁻ᵏ."""
    total, top = 0.0, 0.0
    grid = np.arange(2**k + 1) / 2**k
    wave = lambda x: np.abs(2**k * x - 2 * np.round(2 ** (k - 1) * x))
    for p, q, (left, right) in zip(cuts, cuts[1:], ends, strict=False):
        x = np.concatenate([[p], grid[(grid > p) & (grid < q)], [q]])
        d = left + (right - left) * (x - p) / (q - p) - wave(x)
        u, v, h = np.abs(d[:-1]), np.abs(d[1:]), np.diff(x)
        parts = np.where(d[:-1] * d[1:] >= 0, (u + v) / 2, (u**2 + v**2) / (2 * np.maximum(u + v, 1e-300)))
        total, top = total + float(h @ parts), max(top, float(np.abs(d).max()))
    return total, top


@pytest.mark.ledger("DEP1")
def test_too_few_pieces_miss_half():
    """Continuous, fewer than 2ᵏ pieces: the largest error is at least ½, also of a copy with one tooth left out."""
    rng, k = np.random.default_rng(1), 4
    for m in (1, 2, 5, 15):
        for _ in range(20):
            cuts, ends = random_pieces(rng, m, continuous=True)
            assert distance(k, cuts, ends)[1] >= 0.5
    x = np.delete(np.arange(2**k + 1) / 2**k, [6])
    y = np.where(np.arange(2**k + 1) % 2, 1.0, 0.0)[np.arange(2**k + 1) != 6]
    assert distance(k, x, np.stack([y[:-1], y[1:]], axis=1))[1] == 1.0
    assert distance(k, np.array([0.0, 1.0]), np.array([[0.5, 0.5]]))[1] == 0.5


@pytest.mark.ledger("DEP1")
@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1, 2, width=32), min_size=2, max_size=12), st.floats(0.0, 1.0), st.integers(0, 99))
def test_a_piece_crosses_a_level_once(knots, level, seed):
    x = np.sort(np.random.default_rng(seed).uniform(0, len(knots) - 1, 64))
    y = np.interp(x, np.arange(len(knots)), knots)
    found = sum((a >= level) != (b >= level) for a, b in itertools.pairwise(y))
    assert found <= len(knots) - 1
    with jax.disable_jit():
        assert sawtooth.crossings(jnp.asarray(y, jnp.zeros(()).dtype), level=level) <= len(knots) - 1


@pytest.mark.ledger("DEP1")
def test_sawtooth_error(measured):
    """The constant ½ attains it; no random function, continuous or not, goes below; a partial copy stays close."""
    rng = np.random.default_rng(2)
    for k in (1, 2, 6):
        half = distance(k, np.array([0.0, 1.0]), np.array([[0.5, 0.5]]))[0]
        bound = sawtooth.sawtooth_error(k, pieces=1)
        measured(abs(bound / half - 1), 1e-12, oracle="∫|½ − s| piece by piece")
    for k, m in itertools.product((3, 6), (1, 2, 4, 9, 17)):
        for continuous in (True, False):
            found = min(distance(k, *random_pieces(rng, m, continuous=continuous))[0] for _ in range(20))
            assert found >= sawtooth.sawtooth_error(k, pieces=m)
    k, teeth = 6, 5  # a copy of five teeth, ½ elsewhere: eleven pieces
    cuts = np.append(np.arange(2 * teeth + 1) / 2**k, 1.0)
    ends = np.append(np.resize([[0.0, 1.0], [1.0, 0.0]], (2 * teeth, 2)), [[0.5, 0.5]], axis=0)
    copied = distance(k, cuts, ends)[0]
    measured(abs(copied / (0.25 - teeth / 2 ** (k + 1)) - 1), 1e-12, oracle="a quarter of what is not copied")
    assert sawtooth.sawtooth_error(k, pieces=11) == 0.25 - 10 / 2 ** (k + 1) < copied
    assert sawtooth.sawtooth_error(3, pieces=100) == sawtooth.sawtooth_error(3, pieces=10**400) == 0.0


@pytest.mark.ledger("DEP1")
@pytest.mark.parametrize("k", [2, 3])
def test_telgarsky(k):
    """All ways to spread 2ᵏ units over at most k hidden layers have at most 2^(k²) pieces: error 7/32 and more."""
    units = 2**k
    spread = [w for D in range(1, k + 1) for w in itertools.product(range(1, units + 1), repeat=D) if sum(w) <= units]
    most = max(map(regions.line_bound, spread))
    assert most <= (Fraction(units, k) + 1) ** k <= 2 ** (k**2)
    assert sawtooth.sawtooth_error(k**3, pieces=most) >= sawtooth.sawtooth_error(k**3, pieces=2 ** (k**2)) >= 7 / 32
    if k > 2:  # k² folds are enough
        assert sawtooth.sawtooth_error(k**2, pieces=most) >= 1 / 5
    distinct = {float(v) for leaf in jax.tree.leaves(sawtooth.sawtooth(k**3)) for v in np.ravel(leaf)}
    assert distinct == {0.0, 1.0, 2.0, -4.0, -0.5}


@pytest.mark.ledger("DEP1")
@pytest.mark.parametrize("k", [1, 4, 10])
def test_square(k, measured):
    """The error is 4⁻ᵏ⁻¹ in the middle of each cell and 0 at its ends; between, it is never negative."""
    params = sawtooth.square(k)
    assert mlp.sizes(params) == (1, *[3] * k, 1)
    x = np.arange(2 ** (k + 1) + 1) / 2 ** (k + 1)
    error = run(params, x) - x**2
    measured(np.abs(error[1::2] * 4 ** (k + 1) - 1).max(), 0, oracle="4⁻ᵏ⁻¹; no operation rounds at these points")
    assert not error[::2].any()
    x = np.random.default_rng(k).uniform(size=200).astype(params[0].W.dtype)
    error, rounding = run(params, x) - x.astype(np.float64) ** 2, tolerance(x.dtype)
    assert -rounding <= error.min() and error.max() <= 0.25 ** (k + 1) + rounding


@pytest.mark.ledger("DEP1")
def test_square_is_the_sum_of_the_sawteeth(measured):
    k, x = 6, np.random.default_rng(0).uniform(size=50)
    params = sawtooth.square(k)
    x = x.astype(params[0].W.dtype)
    exact = [Fraction(float(v)) - sum(folded(v, j) / 4**j for j in range(1, k + 1)) for v in x]
    measured(largest(run(params, x), exact), tolerance(x.dtype), oracle="x − Σ s_j(x)/4ʲ in rational arithmetic")


@pytest.mark.ledger("DEP1")
@pytest.mark.parametrize(("k", "bound"), [(1, 1.0), (6, 2.0), (8, 0.75)])
def test_multiply(k, bound, measured):
    """Attained where |x + y|/2B is a multiple of 2⁻ᵏ and |x − y|/2B lies halfway; never exceeded."""
    params = sawtooth.multiply(k, bound=bound)
    assert mlp.sizes(params) == (2, 4, *[6] * k, 1)
    guarantee = bound**2 / 4 ** (k + 1)
    sums, differences = np.arange(2 ** (k - 1)) / 2**k, (2 * np.arange(2 ** (k - 1)) + 1) / 2 ** (k + 1)
    u, v = (g.ravel() for g in np.meshgrid(sums[:8], differences[:8]))
    x, y = bound * (u + v), bound * (u - v)
    error = run(params, np.stack([x, y], axis=1)) - x * y
    rounding = tolerance(params[0].W.dtype)
    measured(np.abs(error / guarantee + 1).max(), 4 ** (k + 1) * rounding, oracle="−B² 4⁻ᵏ⁻¹")
    points = np.random.default_rng(k).uniform(-bound, bound, (300, 2)).astype(params[0].W.dtype)
    points[:20, 0] = 0.0
    error = run(params, points) - np.prod(points.astype(np.float64), axis=1)
    assert np.abs(error).max() <= guarantee + rounding and np.abs(error[:20]).max() <= rounding


@pytest.mark.ledger("DEP1")
def test_three_squares_are_four_times_worse():
    """xy as ½((x + y)² − x² − y²): B² 4⁻ᵏ, attained at x = y = B 2⁻ᵏ."""
    k = 4
    chords = lambda t: run(sawtooth.square(k), np.abs(t).ravel() / 2).reshape(t.shape)
    x, y = np.meshgrid(*[np.arange(-(2**6), 2**6 + 1) / 2**6] * 2)
    error = 2 * (chords(x + y) - chords(x) - chords(y)) - x * y
    assert np.abs(error).max() == 0.25**k == -error[2**6 + 4, 2**6 + 4]
    two = run(sawtooth.multiply(k), np.stack([x.ravel(), y.ravel()], axis=1)) - (x * y).ravel()
    assert np.abs(error).max() == 4 * np.abs(two).max()


@pytest.mark.ledger("DEP1")
def test_square_error(measured):
    """On one piece by linear programming; on 2ᵏ pieces the shifted network attains it; nothing random is better."""
    from scipy.optimize import linprog

    x = np.linspace(0, 1, 401)
    A = np.concatenate([np.stack([s * x, s * np.ones_like(x), -np.ones_like(x)], axis=1) for s in (1, -1)])
    program = linprog([0, 0, 1], A_ub=A, b_ub=np.concatenate([x**2, -(x**2)]), bounds=[(None, None)] * 3)
    measured(abs(sawtooth.square_error(1) / program.fun - 1), 1e-9, oracle="best affine function by linear programming")
    k = 5
    x = np.arange(2 ** (k + 1) + 1) / 2 ** (k + 1)
    found = np.abs(run(sawtooth.square(k), x) - sawtooth.square_error(2**k) - x**2).max()
    measured(abs(sawtooth.square_error(2**k) / found - 1), 0, oracle="the network of DEP1.4, lowered by half its error")
    rng = np.random.default_rng(0)
    for m in (2, 5, 9):
        cuts = np.concatenate([[0.0], np.sort(rng.uniform(size=m - 1)), [1.0]])
        best = max((q - p) ** 2 / 8 for p, q in itertools.pairwise(cuts))
        assert best >= sawtooth.square_error(m)


def test_contracts():
    """jit, vmap and grad; every dtype that was asked for."""
    for build in (sawtooth.tent, lambda **o: sawtooth.sawtooth(3, **o), lambda **o: sawtooth.square(3, **o)):
        for dtype in (jnp.float32, jnp.bfloat16):
            params = jax.eval_shape(lambda build=build, dtype=dtype: build(dtype=dtype))
            assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype(dtype)}
            assert jax.eval_shape(mlp.apply, params, jax.ShapeDtypeStruct((1,), dtype)).dtype == dtype
    assert_trees_equal(jax.jit(lambda: sawtooth.square(4))(), sawtooth.square(4))
    params = sawtooth.multiply(8)
    single = jax.eval_shape(lambda: sawtooth.multiply(2, dtype=jnp.float32))
    assert {leaf.dtype for leaf in jax.tree.leaves(single)} == {jnp.dtype("float32")}
    point = jnp.asarray([0.3, -0.61])
    slope = jax.jit(jax.grad(lambda p: mlp.apply(params, p)[0]))(point)
    np.testing.assert_allclose(slope, point[::-1], atol=2 / 2**8)


def test_sawtooth_says_what_is_wrong(unchecked):
    for build in (sawtooth.sawtooth, sawtooth.square, sawtooth.multiply):
        with pytest.raises(ValueError, match="`k` must be an integer ≥ 1; got 0"):
            build(0)
    for bound in (0.0, -1.0, math.inf, math.nan, 1e200, 1e-200):
        with pytest.raises(ValueError, match=re.escape(f"`bound` must be a positive number; got {bound}")):
            sawtooth.multiply(2, bound=bound)
    with pytest.raises(ValueError, match="`hidden_layers` must be an integer ≥ 1; got 0"):
        sawtooth.width_needed(8, hidden_layers=0)
    for call in (sawtooth.square_error, functools.partial(sawtooth.width_needed, hidden_layers=1)):
        with pytest.raises(ValueError, match="`pieces` must be an integer ≥ 1; got 0"):
            call(0)
    with pytest.raises(ValueError, match="`pieces` must be an integer ≥ 1; got 0"):
        sawtooth.sawtooth_error(3, pieces=0)
    for k, message in ((0, "`k` must be an integer ≥ 1; got 0"), (128, "`k` must be below 128 for float32")):
        with pytest.raises(ValueError, match=message):
            sawtooth.triangle_wave(jnp.ones(1, jnp.float32), k)
    assert sawtooth.triangle_wave(np.array([0.5, 1, 2.0**-127], np.float32), 127).tolist() == [0, 0, 1]
