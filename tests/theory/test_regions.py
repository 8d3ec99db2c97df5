"""Networks along a line, against rational arithmetic; the bounds, and what attains them."""

import itertools
import math
from fractions import Fraction

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpjax import mlp
from mlpjax.activations import Activation, hard_tanh, leaky_relu, relu, sigmoid
from mlpjax.layers import Dense
from mlpjax.theory import regions

SHAPES = [(3,), (5,), (2, 2), (3, 3), (4, 3), (2, 3, 2)]


def network(rng, sizes, draw):
    """Parameters in float64, whatever JAX's default is."""
    return tuple(Dense(draw(rng, (m, n)), draw(rng, (m,))) for n, m in itertools.pairwise(sizes))


def normal(rng, shape):
    return rng.normal(size=shape)


def by_numpy(params, x, down=0.0):
    """The outputs at the rows of x, in float64."""
    *hidden, last = params
    for W, b in hidden:
        x = x @ np.asarray(W, float).T + np.asarray(b, float)
        x = np.where(x > 0, x, down * x)
    return x @ np.asarray(last.W, float).T + np.asarray(last.b, float)


# Rational arithmetic, by brute force: all patterns of all units are tried.


def rational(params):
    exact = lambda v: [exact(u) for u in v] if np.ndim(v) else Fraction(float(v)).limit_denominator(1000)
    return [(exact(W), exact(b)) for W, b in params]


def affine(layers, states, start, direction):
    """z of the layer behind `states`, as (constant, slope) per unit, if the units before are in these states."""
    pairs = list(zip(start, direction, strict=True))
    for l, (W, b) in enumerate(layers[: len(states) + 1]):
        dot = lambda row, k, pairs=pairs: sum(w * pair[k] for w, pair in zip(row, pairs, strict=True))
        z = [(constant + dot(row, 0), dot(row, 1)) for row, constant in zip(W, b, strict=True)]
        pairs = [(p * on, q * on) for (p, q), on in zip(z, states[l], strict=True)] if l < len(states) else z
    return pairs


def scan(params, start, direction):
    """Ends, slopes, patterns and bends on ℝ: candidates from all patterns, and the truth between any two of them."""
    layers, widths = rational(params), [len(b) for _, b in params[:-1]]
    candidates = set()
    for l in range(len(widths)):
        for states in itertools.product(*(itertools.product((0, 1), repeat=n) for n in widths[:l])):
            candidates |= {-p / q for p, q in affine(layers, states, start, direction) if q}
    points = sorted(candidates)
    middles = [points[0] - 1, *((a + b) / 2 for a, b in itertools.pairwise(points)), points[-1] + 1] if points else [0]
    found = []
    for t in middles:
        states = []
        for _ in widths:
            states.append(tuple(int(p + q * t > 0) for p, q in affine(layers, states, start, direction)))
        found.append((sum(states, ()), tuple(affine(layers, states, start, direction))))
    new = [i + 1 for i, (a, b) in enumerate(itertools.pairwise(found)) if a[0] != b[0]]
    pieces = [found[i] for i in [0, *new]]
    bends = [any(p[1] != q[1] for p, q in zip(a[1], b[1], strict=True)) for a, b in itertools.pairwise(pieces)]
    return [points[i - 1] for i in new], pieces, bends


def agrees(params, start, direction):
    """Asserts equal counts, patterns and bends; returns the relative error of ends and slopes."""
    ends, pieces, bends = scan(params, start, direction)
    found = regions.pieces(params, np.array(start, float), np.array(direction, float))
    assert len(found.ends) == len(ends) + 2 and found.ends[0] == -np.inf and found.ends[-1] == np.inf
    np.testing.assert_array_equal(found.pattern, np.array([p for p, _ in pieces], bool).reshape(len(pieces), -1))
    assert found.bends.tolist() == bends
    slopes = np.array([[float(q) for _, q in z] for _, z in pieces])
    anchors = [ends[0] if ends else 0, *ends]
    values = np.array([[float(p + q * t) for p, q in z] for (_, z), t in zip(pieces, anchors, strict=True)])
    error = lambda a, b: np.max(np.abs(a - b), initial=0) / max(1, np.max(np.abs(b), initial=0))
    exact = np.array([float(t) for t in ends])
    return max(error(found.ends[1:-1], exact), error(found.slopes, slopes), error(found.values, values))


@pytest.mark.ledger("DEP2")
def test_pieces_are_those_of_rational_arithmetic(measured):
    """Forty random networks of one to three hidden layers, along random lines in one to three dimensions."""
    rng = np.random.default_rng(0)
    draw = lambda rng, shape: rng.integers(-12, 13, shape) / 4
    worst = 0.0
    for i in range(42):
        widths = SHAPES[i % len(SHAPES)]
        params = network(rng, (1 + i % 3, *widths, 2), draw)
        start, direction = rng.integers(-4, 5, (2, 1 + i % 3)).tolist()
        worst = max(worst, agrees(params, start, direction))
    measured(worst, 1e-12, oracle="scan over all activation patterns in rational arithmetic")


@pytest.mark.ledger("DEP2")
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(SHAPES), st.sampled_from([1, 2, 3]))
def test_coincidences_are_told(seed, widths, denominator):
    """Weights −2/q … 2/q: zeros, dead units, units that vanish on intervals, common breakpoints, roundings of 1/3."""
    draw = lambda rng, shape: rng.integers(-2, 3, shape) / denominator
    assert agrees(network(np.random.default_rng(seed), (1, *widths, 1), draw), [0], [1]) < 1e-12


@pytest.mark.ledger("DEP2")
def test_coincidences_that_rounding_hides(measured):
    """Weights in thirds, with breakpoints in common that float64 sees apart, unless rounding is taken into account."""
    traps, worst = (75, 166, 178, 190, 195, 219, 238, 239, 538, 1223), 0.0
    for seed in traps:
        rng = np.random.default_rng(seed)
        params = network(rng, (1, *SHAPES[seed % 6], 1), lambda rng, shape: rng.integers(-2, 3, shape) / 3)
        worst = max(worst, agrees(params, [0], [1]))
    measured(worst, 1e-12, oracle="scan over all activation patterns in rational arithmetic")


@pytest.mark.ledger("DEP2")
def test_degenerate_networks():
    """No hidden layer, no weights, a unit on its own zero, and identity units: what is a piece and what is a bend."""
    line = lambda params: regions.pieces(params, np.zeros(1), np.ones(1))
    layer = lambda W, b: Dense(np.array(W, float), np.array(b, float))
    straight = line((layer([[2]], [3]),))
    assert straight.ends.tolist() == [-np.inf, np.inf] and straight.pattern.shape == (1, 0)
    assert straight.values.tolist() == [[3]] and straight.slopes.tolist() == [[2]]
    zero = line((layer([[0], [0], [0]], [1, 0, -1]), layer([[1, 1, 1]], [0])))
    assert zero.pattern.tolist() == [[True, False, False]] and zero.slopes.tolist() == [[0]]
    identity = line((layer([[1], [-1]], [-2, 2]), layer([[1, -1]], [0])))
    assert identity.ends.tolist() == [-np.inf, 2, np.inf] and identity.bends.tolist() == [False]
    twice = line((layer([[0.3], [0.9]], [0.1, 0.3]), layer([[1, 1]], [0])))
    assert len(twice.slopes) == 2 and twice.pattern.tolist() == [[False] * 2, [True] * 2]


@pytest.mark.ledger("DEP2")
@pytest.mark.parametrize("unit", [1e-100, 1e-20, 1e20])
def test_pieces_do_not_depend_on_the_unit_of_length(unit):
    """Breakpoints at 1, 2 and 3 units, of any size, and at 1 as well, on the line and on a ray."""
    at = unit * np.array([1.0, 2.0, 3.0])
    params = Dense(np.ones((4, 1)), -np.append(at, 1.0)), Dense(np.ones((1, 4)), np.zeros(1))
    for low in (-np.inf, 0.0):
        found = regions.pieces(params, np.zeros(1), np.ones(1), low=low)
        np.testing.assert_allclose(found.ends[1:-1], np.sort(np.append(at, 1.0)), rtol=1e-13)
    small = tuple(Dense(1e-200 * W, 1e-200 * b) for W, b in params)
    assert len(regions.pieces(small, np.zeros(1), np.ones(1)).ends) == len(found.ends)


@pytest.mark.ledger("DEP2")
def test_values_are_those_of_the_network(measured):
    """Random networks at random points, on the line, on rays and on segments; and `mlp.apply` in its own precision."""
    rng = np.random.default_rng(1)
    worst, leaky = 0.0, leaky_relu(0.125)
    for i in range(30):
        sizes, down = (1 + i % 5, *((12, 9, 7)[: i % 4]), 1 + i % 3), (0.0, 0.125)[i % 2]
        params = network(rng, sizes, normal)
        x0, u = rng.normal(size=(2, sizes[0]))
        low, high = [(-np.inf, np.inf), (-1, 2), (0, np.inf), (-np.inf, -3)][i % 4]
        t = np.sort(rng.uniform(max(low, -9), min(high, 9), 50))
        pieces = regions.pieces(params, x0, u, low=low, high=high, activation=leaky if down else relu)
        assert (pieces.ends[0], pieces.ends[-1]) == (low, high) and (np.diff(pieces.ends) > 0).all()
        assert len(pieces.slopes) <= regions.line_bound(sizes[1:-1] or (1,))
        expected = by_numpy(params, x0 + t[:, None] * u, down)
        worst = max(worst, np.abs(regions.evaluate(pieces, t) - expected).max() / np.abs(expected).max())
    measured(worst, 1e-12, oracle="the forward pass in NumPy")
    params = mlp.init(jax.random.key(0), (2, 6, 6, 3))
    x0, u = rng.normal(size=(2, 2)).astype(np.float32)
    value = mlp.apply(params, jax.numpy.asarray(x0 + 2 * u, params[0].W.dtype))
    np.testing.assert_allclose(regions.evaluate(regions.pieces(params, x0, u), 2.0), value, rtol=1e-4, atol=1e-5)


@pytest.mark.ledger("DEP2")
def test_a_segment_is_a_part_of_its_line():
    rng = np.random.default_rng(2)
    params = network(rng, (4, 10, 10, 2), normal)
    x0, u = rng.normal(size=(2, 4))
    whole, part = regions.pieces(params, x0, u), regions.pieces(params, x0, u, low=-0.7, high=1.3)
    inside = whole.ends[(whole.ends > -0.7) & (whole.ends < 1.3)]
    np.testing.assert_allclose(part.ends[1:-1], inside, rtol=1e-10)
    backwards = regions.pieces(params, x0 + 0.6 * u, -u, low=-0.7, high=1.3)
    np.testing.assert_allclose(0.6 - backwards.ends[::-1], part.ends, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(backwards.pattern[::-1], part.pattern)


# What can be attained


def drawn(n, y):
    """The zigzag by its corners: n + 1 straight pieces between 1 and 0, slope 2/h on the first, ±1/h on the others."""
    h = 0.5 ** math.ceil(math.log2(n + 1))
    corners, heights = h * np.arange(1, n + 1), np.arange(1, n + 1) % 2
    left = 1 + 2 / h * (y - h)
    right = heights[-1] + (1 - 2 * heights[-1]) / h * (y - n * h)
    return np.where(y < h, left, np.where(y > n * h, right, np.interp(y, corners, heights)))


@pytest.mark.ledger("DEP2")
@pytest.mark.parametrize("widths", [(3,), (4, 3), (3, 5, 4), (3,) * 6], ids=lambda w: "-".join(map(str, w)))
def test_zigzag_attains_the_bound(widths, measured):
    params = regions.zigzag(widths)
    assert mlp.sizes(params) == (1, *widths, 1)
    found = regions.pieces(params, np.zeros(1), np.ones(1))
    assert len(found.slopes) == 1 + found.bends.sum() == math.prod(n + 1 for n in widths)
    t = np.linspace(-0.5, 1.5, 257)
    expected = t
    for n in widths:
        expected = drawn(n, expected)
    error = np.abs(by_numpy(params, t[:, None])[:, 0] - expected).max() / np.abs(expected).max()
    measured(error, 1e-12, oracle="composed zigzags, drawn by their corners in NumPy")


@pytest.mark.ledger("DEP2")
@pytest.mark.parametrize("units", [1, 2, 5, 9])
def test_one_layer_has_one_piece_more_than_units(units):
    rng = np.random.default_rng(units)
    found = regions.pieces(network(rng, (3, units, 1), normal), *rng.normal(size=(2, 3)))
    assert len(found.slopes) == units + 1 == regions.line_bound((units,))


@pytest.mark.ledger("DEP2")
def test_bounds_are_the_formulas():
    """Written out once more; and what each is next to the others."""
    binomial = lambda m, d: sum(len(list(itertools.combinations(range(m), j))) for j in range(d + 1))
    for m, d in itertools.product(range(7), range(5)):
        assert regions.arrangement(m, d) == binomial(m, d) == (2**m if d >= m else regions.arrangement(m, d))
        if m and d:  # one hyperplane more: those of the others, and those of what they cut out of it
            fewer = regions.arrangement(m - 1, d) + regions.arrangement(m - 1, d - 1)
            assert regions.arrangement(m, d) == fewer
    for widths in [(3,), (4, 2), (5, 3, 4)]:
        assert regions.upper_bound(widths, 1) == regions.line_bound(widths) == math.prod(n + 1 for n in widths)
        for d in (1, 2):
            lower, upper = regions.lower_bound(widths, d), regions.upper_bound(widths, d)
            assert lower <= upper <= regions.trivial_bound(widths) == 2 ** sum(widths)
            assert lower == math.prod((n // d) ** d for n in widths[:-1]) * binomial(widths[-1], d)
    assert regions.upper_bound((2, 9), 5) == 4 * binomial(9, 2)  # behind two units there is at most a plane


def test_regions_say_what_is_wrong(unchecked):
    params = mlp.init(jax.random.key(0), (2, 3, 1))
    x = np.zeros(2)
    with pytest.raises(ValueError, match="`params` must be known, not traced"):
        jax.jit(lambda p: regions.pieces(p, x, x + 1).slopes)(params)
    with pytest.raises(ValueError, match="`direction` must be known, not traced"):
        jax.jit(lambda u: regions.pieces(params, x, u).slopes)(x + 1)
    with pytest.raises(ValueError, match=r"`start` must be finite numbers of shape \(2,\); got shape \(3,\)"):
        regions.pieces(params, np.zeros(3), x)
    with pytest.raises(ValueError, match=r"`low` must be less than `high`; got 1\.0 and 0\.0"):
        regions.pieces(params, x, x + 1, low=1.0, high=0.0)
    with pytest.raises(ValueError, match="`params` must be layers that fit together"):
        regions.pieces((params[0], params[0]), x, x)
    with pytest.raises(ValueError, match="NaN"):
        regions.pieces((params[0], Dense(params[1].W * np.nan, params[1].b)), x, x + 1)
    for bad in (sigmoid, hard_tanh, Activation("shifted", lambda z: abs(z) + z + 1)):
        with pytest.raises(ValueError, match="`activation` must be linear on both sides of 0"):
            regions.pieces(params, x, x + 1, activation=bad)
    with pytest.raises(ValueError, match="`widths` must be an integer ≥ 3; got 2"):
        regions.zigzag((3, 2))
    with pytest.raises(ValueError, match="`widths` must be an integer ≥ 2; got 1"):
        regions.lower_bound((3, 1), 2)
    for empty in (lambda: regions.upper_bound((), 2), lambda: regions.zigzag(())):
        with pytest.raises(ValueError, match="`widths` must hold at least one hidden layer"):
            empty()
    with pytest.raises(ValueError, match="`units` must be an integer ≥ 1"):
        regions.general_position(0, 2)
