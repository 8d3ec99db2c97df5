"""Networks on a rectangle of a plane: polygons against pixels, lines, areas and counts known in closed form."""

import itertools
import math

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpjax import mlp
from mlpjax.activations import leaky_relu
from mlpjax.layers import Dense
from mlpjax.theory import regions
from tests.theory.test_regions import by_numpy, network, normal

SQUARE = np.eye(2)


def he(rng, shape):
    return rng.normal(size=shape) * (2 / shape[-1]) ** 0.5 if len(shape) == 2 else 0.2 * rng.normal(size=shape)


def rings(found):
    """The corners of each polygon, as points."""
    return [found.vertices[found.corners[a:b]] for a, b in itertools.pairwise(found.starts)]


def convex(ring):
    """Whether it turns left, or goes straight on, at each corner."""
    along = np.roll(ring, -1, 0) - ring
    turns = along[:, 0] * np.roll(along[:, 1], -1) - along[:, 1] * np.roll(along[:, 0], -1)
    return turns.min() > -1e-12


@pytest.mark.ledger("DEP2")
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([(5,), (6, 6), (4, 5, 6), (3, 2, 4)]), st.integers(2, 5), st.booleans())
def test_polygons_fill_the_rectangle(seed, widths, inputs, coarse):
    """Areas sum to the rectangle's; convex; distinct patterns; no more than the bound; also where lines coincide."""
    rng = np.random.default_rng(seed)
    draw = (lambda rng, shape: rng.integers(-2, 3, shape) / 2) if coarse else normal
    params = network(rng, (inputs, *widths, 2), draw)
    origin, *directions = rng.integers(-2, 3, (3, inputs)) / 2 if coarse else rng.normal(size=(3, inputs))
    found = regions.polygons(params, origin, directions, low=(-1, -2), high=(2, 1))
    area = regions.areas(found)
    assert area.min() > 0 and area.sum() == pytest.approx(9, rel=1e-12)
    assert len(np.unique(found.pattern, axis=0)) == len(found.pattern) == len(area) == len(found.starts) - 1
    assert len(area) <= regions.upper_bound(widths, 2)
    assert all(convex(ring) for ring in rings(found))
    centers = np.array([ring.mean(0) for ring in rings(found)])
    np.testing.assert_array_equal(states(params, origin + centers @ directions), found.pattern)


def states(params, x):
    """The patterns at the rows of x."""
    found = []
    for W, b in params[:-1]:
        z = x @ W.T + b
        found.append(z > 1e-13)
        x = np.maximum(z, 0)
    return np.concatenate(found, axis=1)


@pytest.mark.ledger("DEP2")
def test_affine_maps_are_those_of_the_network(measured):
    """At random points: the pattern says which polygon, the polygon says the value."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for i, sizes in enumerate([(2, 8, 1), (3, 8, 8, 2), (5, 6, 6, 6, 3)]):
        params, (origin, u, v) = network(rng, sizes, he), rng.normal(size=(3, sizes[0]))
        down = (0.0, 0.25)[i % 2]
        kind = dict(activation=leaky_relu(down)) if down else {}
        found = regions.polygons(params, origin, [u, v], low=(-1, -1), **kind)
        first = found.corners[found.starts[:-1]]
        weights = rng.dirichlet(np.ones(3), len(first))
        points = np.einsum("kc,kcd->kd", weights, np.array([ring[:3] for ring in rings(found)]))
        step = points - found.vertices[first]
        said = found.values[first] + np.einsum("kd,kdo->ko", step, found.slopes)
        expected = by_numpy(params, origin + points @ [u, v], down)
        at_corners = by_numpy(params, origin + found.vertices @ [u, v], down)
        scale = np.abs(at_corners).max()
        worst = max(worst, np.abs(said - expected).max() / scale, np.abs(found.values - at_corners).max() / scale)
    measured(worst, 1e-12, oracle="the forward pass in NumPy")


@pytest.mark.ledger("DEP2")
def test_polygons_are_those_of_the_pixels():
    """Every pixel's pattern is that of the polygon around its center, for a network of 784 inputs as for one of two."""
    rng = np.random.default_rng(1)
    for sizes in [(2, 10, 10, 1), (784, 24, 24, 10)]:
        params, (origin, u, v) = network(rng, sizes, he), rng.normal(size=(3, sizes[0]))
        settings = dict(low=(-1.0, -0.5), high=(0.5, 1.0))
        found = regions.polygons(params, origin, [u, v], **settings)
        image = regions.raster(params, origin, [u, v], shape=(40, 60), **settings)
        assert image.ids.shape == (40, 60) and set(np.unique(image.ids)) == set(range(len(image.pattern)))
        known = {pattern.tobytes(): i for i, pattern in enumerate(found.pattern)}
        polygon = np.array([known[pattern.tobytes()] for pattern in image.pattern])[image.ids]
        s, t = -1 + 1.5 * (np.arange(60) + 0.5) / 60, -0.5 + 1.5 * (np.arange(40) + 0.5) / 40
        centers = np.stack(np.broadcast_arrays(s, t[:, None]), axis=-1)
        ring = rings(found)
        for r, c in rng.integers(0, (40, 60), (200, 2)):
            along, to = np.roll(ring[polygon[r, c]], -1, 0) - ring[polygon[r, c]], centers[r, c] - ring[polygon[r, c]]
            assert np.min(along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0]) > -1e-12


@pytest.mark.ledger("DEP2")
def test_a_line_crosses_the_polygons_that_pieces_counts():
    """Along a line in the plane: the same patterns, one polygon for each piece."""
    rng = np.random.default_rng(2)
    params, (origin, u, v) = network(rng, (4, 12, 12, 2), he), rng.normal(size=(3, 4))
    found = regions.polygons(params, origin, [u, v], low=(-1, -1))
    known = {pattern.tobytes() for pattern in found.pattern}
    for a, b in rng.uniform(-1, 1, (20, 2, 2)):
        line = regions.pieces(params, origin + a @ [u, v], (b - a) @ [u, v], low=0.0, high=1.0)
        assert {pattern.tobytes() for pattern in line.pattern} <= known
        crossed = [crosses(ring, a, b) for ring in rings(found)]
        assert sum(crossed) == len(line.slopes)


def crosses(ring, a, b):
    """Whether the segment from a to b meets the inside of a convex polygon: clip it by each side."""
    low, high = 0.0, 1.0
    for p, q in zip(ring, np.roll(ring, -1, 0), strict=True):
        normal = np.array([p[1] - q[1], q[0] - p[0]])
        at, along = normal @ (a - p), normal @ (b - a)
        if along > 0:
            low = max(low, -at / along)
        elif along < 0:
            high = min(high, -at / along)
        elif at < 0:
            return False
    return high - low > 1e-12


@pytest.mark.ledger("DEP2")
@pytest.mark.parametrize("units", [1, 2, 3, 6, 11])
def test_general_position_attains_zaslavsky(units, measured):
    """In the plane by polygons; the hyperplanes against their formula."""
    params = regions.general_position(units, 2)
    found = regions.polygons(params, np.zeros(2), SQUARE, low=(-4.0, -4.0), high=(4.0, 4.0))
    assert len(found.pattern) == regions.arrangement(units, 2)
    nodes = np.array([(2 * i - 1 - units) / units for i in range(1, units + 1)])
    expected = np.stack([np.ones(units), nodes, -(nodes**2)])
    (W, b), last = params
    error = (
        np.abs(np.stack([*np.asarray(W, float).T, b]) - expected).max() + np.abs(np.asarray(last.W, float) - 1).max()
    )
    measured(error, 1e-6 if W.dtype == np.float32 else 1e-15, oracle="the hyperplanes, written out in NumPy")


@pytest.mark.ledger("DEP2")
@pytest.mark.parametrize("dimension", [1, 2, 3, 4])
def test_patterns_are_signs_of_polynomials(dimension):
    """General position in any dimension: a sign pattern for each choice of at most d changes of sign, and no other."""
    units, rng = 6, np.random.default_rng(3)
    (W, b), _ = regions.general_position(units, dimension)
    nodes = np.asarray(W, float)[:, 1] if dimension > 1 else -np.asarray(b, float)
    gaps = [*((nodes[1:] + nodes[:-1]) / 2), 1.5]
    met = set()
    for count in range(dimension + 1):
        for between in itertools.combinations(range(units), count):
            roots = [gaps[i] for i in between]
            free = dimension - count
            extra = [z for k in range(free // 2) for z in (complex(9, 1 + k), complex(9, -1 - k))] + [-9.0] * (free % 2)
            x = -np.poly(roots + extra).real[1:][::-1]  # p(τ) = τᵈ − x_d τᵈ⁻¹ − … − x_1
            met.add(tuple(np.asarray(W, float) @ x + np.asarray(b, float) > 0))
    for x in rng.normal(size=(2000, dimension)) * rng.lognormal(sigma=2, size=(2000, 1)):
        met.add(tuple(np.asarray(W, float) @ x + np.asarray(b, float) > 0))
    assert len(met) == regions.arrangement(units, dimension) == sum(math.comb(units, j) for j in range(dimension + 1))


@pytest.mark.ledger("DEP2")
def test_folding_in_the_plane():
    """Each input folded by its own zigzag: the squares of the counts on a line, more than the lower bound."""
    for widths in [(3,), (4, 3), (3, 3)]:
        params = regions.zigzag(widths, 2)
        found = regions.polygons(params, np.zeros(2), SQUARE, low=(-9.0, -9.0), high=(9.0, 9.0))
        doubled = [2 * n for n in widths]
        assert mlp.sizes(params) == (2, *doubled, 1)
        assert len(found.pattern) == math.prod((n + 1) ** 2 for n in widths) <= regions.upper_bound(doubled, 2)
        if len(widths) > 1:
            assert len(found.pattern) > regions.lower_bound(doubled, 2)


@pytest.mark.ledger("DEP2")
def test_many_layers_of_one_line():
    """Coinciding lines: a unit copied through five layers of identities cuts once."""
    one = Dense(np.array([[0.3, 0.7], [-0.3, -0.7]]), np.array([0.1, -0.1]))
    keep = np.array([[1.0, -1.0], [-1.0, 1.0]])
    params = (one, *[Dense(keep, np.zeros(2))] * 5, Dense(np.ones((1, 2)), np.zeros(1)))
    found = regions.polygons(params, np.zeros(2), SQUARE, low=(-1, -1))
    assert len(found.pattern) == 2 and regions.areas(found).sum() == pytest.approx(4, rel=1e-14)
    flat = regions.polygons(params[-1:], np.zeros(2), SQUARE)
    assert flat.pattern.shape == (1, 0) and flat.slopes.tolist() == [[[1.0], [1.0]]]
    image = regions.raster(params[-1:], np.zeros(2), SQUARE, shape=(2, 3))
    assert image.pattern.shape == (1, 0) and image.ids.tolist() == [[0, 0, 0]] * 2


def test_planes_say_what_is_wrong(unchecked):
    params, x = mlp.init(jax.random.key(0), (3, 4, 1)), np.zeros(3)
    with pytest.raises(ValueError, match=r"`directions` must be finite numbers of shape \(2, 3\); got shape \(3,\)"):
        regions.polygons(params, x, x)
    with pytest.raises(ValueError, match="`low` must be less than `high` in both coordinates"):
        regions.raster(params, x, np.ones((2, 3)), low=(0.0, 1.0))
    with pytest.raises(ValueError, match="`shape` must be an integer ≥ 1; got 0"):
        regions.raster(params, x, np.ones((2, 3)), shape=(0, 5))
    with pytest.raises(ValueError, match="`params` must be known, not traced"):
        jax.jit(lambda p: regions.polygons(p, x, np.ones((2, 3))).slopes)(params)
