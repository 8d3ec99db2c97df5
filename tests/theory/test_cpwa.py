"""Continuous piecewise affine functions as networks, against the same functions in NumPy."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from mlpjax import mlp
from mlpjax.theory import calculus, cpwa
from tests.helpers import FAST_TO_COMPILE, tolerance

seeds = st.integers(0, 2**32 - 1)
batch = jax.vmap(mlp.apply, (None, 0))


def real(v):
    return jnp.asarray(v, jnp.zeros(()).dtype)


def draw(seed, M, d, whole=False):
    """M affine functions on d inputs, and forty inputs."""
    rng = np.random.default_rng(seed)
    one = (lambda *shape: rng.integers(-4, 5, shape).astype(float)) if whole else (lambda *s: rng.normal(size=s))
    A, b, x = one(M, d), one(M), one(40, d)
    return tuple(np.asarray(v, jnp.zeros(()).dtype) for v in (A, b, x))


def pieces(A, b, x):
    return x.astype(float) @ A.astype(float).T + b


def error(found, wanted, A, b, x, terms=1):
    """Relative to the sum of the magnitudes that are added up."""
    scale = terms * (np.abs(x) @ np.abs(A).T + np.abs(b)).max(axis=1) + 1e-30
    return float((np.abs(np.asarray(found, float) - wanted) / scale).max())


@functools.partial(jax.jit, static_argnums=0)
def built(make, A, b, x):
    return batch(make(A, b), x)[:, 0]


@pytest.mark.ledger("UAT5")
@pytest.mark.parametrize(("M", "d"), [(1, 2), (2, 1), (3, 2), (5, 3), (8, 4), (13, 5)])
def test_the_maximum_of_affine_functions(M, d, measured):
    """Any number of them in one to five dimensions, twenty draws each."""
    worst = 0.0
    for seed in range(20):
        A, b, x = draw(seed, M, d)
        worst = max(worst, error(built(cpwa.max_affine, A, b, x), pieces(A, b, x).max(axis=1), A, b, x))
    measured(worst, 4 * tolerance(x.dtype), oracle="numpy.max")


@pytest.mark.ledger("UAT5")
@settings(max_examples=20, deadline=None)
@given(seeds)
def test_whole_numbers_bit_for_bit(seed):
    """With ties, and nothing to round: no error at all."""
    A, b, x = draw(seed, 7, 3, whole=True)
    np.testing.assert_array_equal(built(cpwa.max_affine, A, b, x), pieces(A, b, x).max(axis=1))


@pytest.mark.ledger("UAT5")
def test_depth_and_widths_of_the_tree():
    """⌈log₂ M⌉ + 1 layers, and the widths of the docstring, for M up to 40."""
    for M in (1, 2, 3, 5, 8, 9, 17, 40):
        left, wanted = M, [3]
        while left > 1:
            wanted.append(3 * (left // 2) + 2 * (left % 2))
            left = -(-left // 2)
        shape = jax.eval_shape(cpwa.max_affine, jnp.zeros((M, 3)), jnp.zeros(M))
        assert mlp.sizes(shape) == (*wanted, 1)
        assert len(shape) == math.ceil(math.log2(M)) + 1


SETS = ((0, 1, 2), (3,), (1, 4, 5, 6, 2), (0, 6))


@jax.jit
def four_ways(A, b, x):
    """f as a max of min and as a difference of convex functions, and these two, as functions of the inputs."""
    g, h = cpwa.convex_parts(A, b, SETS)
    networks = cpwa.lattice(A, b, SETS), calculus.add(g, calculus.scale(h, -1.0)), g, h
    return [batch(network, x)[:, 0] for network in networks]


@pytest.mark.ledger("UAT5")
@pytest.mark.parametrize("d", [1, 5])
def test_lattice_and_convex_parts(d, measured):
    """f = max min = g − h; g and h are max of sums and lie below their chords."""
    worst = 0.0
    for seed in range(10):
        A, b, x = draw(seed, 7, d)
        middle = (x[:20] + x[20:]) / 2
        f, by_parts, g, h = four_ways(A, b, np.concatenate([x, middle]))
        values = pieces(A, b, np.concatenate([x, middle]))
        wanted = np.max([values[:, list(s)].min(axis=1) for s in SETS], axis=0)
        minus = np.stack([-values[:, list(s)].min(axis=1) for s in SETS])
        checks = ((f, wanted), (by_parts, wanted), (h, minus.sum(axis=0)), (g, (minus.sum(axis=0) - minus).max(axis=0)))
        everywhere = np.concatenate([x, middle])
        worst = max(worst, *(error(one, other, A, b, everywhere, len(SETS)) for one, other in checks))
        for convex in (np.asarray(g), np.asarray(h)):
            assert (convex[40:] <= (convex[:20] + convex[20:40]) / 2 + 1e-4).all()
    measured(worst, 4 * tolerance(x.dtype), oracle="numpy.max of numpy.min")


@pytest.mark.ledger("UAT5")
def test_depth_of_a_lattice():
    for sets in (SETS, ((0,),), ((0, 1, 2, 3, 4, 5, 6),), tuple((j,) for j in range(7))):
        f = jax.eval_shape(functools.partial(cpwa.lattice, sets=sets), jnp.zeros((7, 2)), jnp.zeros(7))
        rounds = math.ceil(math.log2(len(sets))) + math.ceil(math.log2(max(map(len, sets))))
        assert len(f) == rounds + 1


@pytest.mark.ledger("UAT5")
def test_the_difference_of_two(measured):
    """With unequal numbers of pieces, so that one network is padded."""

    @jax.jit
    def both(A, b, C, d, x):
        return batch(cpwa.difference((A, b), (C, d)), x)[:, 0]

    worst = 0.0
    for seed in range(20):
        (A, b, x), (C, d, _) = draw(seed, 9, 4), draw(seed + 100, 2, 4)
        wanted = pieces(A, b, x).max(axis=1) - pieces(C, d, x).max(axis=1)
        worst = max(worst, error(both(A, b, C, d, x), wanted, A, b, x, 2))
    measured(worst, 4 * tolerance(x.dtype), oracle="numpy.max − numpy.max")
    shape = jax.eval_shape(cpwa.difference, (A, b), (C, d))
    assert mlp.sizes(shape) == (4, 14 + 3, 8 + 2, 5 + 2, 3 + 2, 1)


@pytest.mark.ledger("UAT5")
@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 9), st.integers(1, 5), st.booleans())
def test_few_functions_in_each_maximum(seed, M, d, whole):
    """At most d + 1 in each, also where slopes are equal or dependent, and the same function."""
    A, b, x = draw(seed, M, d, whole)
    terms, values = cpwa.hinges(A, b), pieces(A, b, x)
    assert max(len(s) for _, s in terms) <= d + 1
    total = sum(c * values[:, list(s)].max(axis=1) for c, s in terms)
    assert error(total, values.max(axis=1), A, b, x, sum(abs(c) for c, _ in terms)) < 1e-6
    assert sum(c for c, _ in terms) == 1  # since it is true of constants too


@pytest.mark.ledger("UAT5")
@pytest.mark.parametrize("d", [1, 2, 3])
def test_depth_by_the_number_of_inputs(d, measured):
    """⌈log₂(d + 1)⌉ + 1 layers for eight functions, whose tree has four."""
    A, b, x = draw(d, 8, d)
    network = cpwa.from_hinges(jnp.asarray(A), jnp.asarray(b), terms := cpwa.hinges(A, b))
    assert len(network) == math.ceil(math.log2(d + 1)) + 1 < 4 == len(jax.eval_shape(cpwa.max_affine, A, b))
    found = jax.jit(batch, compiler_options=FAST_TO_COMPILE)(network, x)[:, 0]
    wanted, count = pieces(A, b, x).max(axis=1), sum(abs(c) for c, _ in terms)
    measured(error(found, wanted, A, b, x, count), 4 * tolerance(x.dtype), oracle="numpy.max")


@pytest.mark.ledger("UAT5")
@pytest.mark.parametrize("n", [2, 3, 9])
def test_splines(n, key, measured):
    """numpy.interp inside, the outer segments beyond; n − 1 units; every bit of the value at the second point."""
    rng = np.random.default_rng(n)
    x, y = np.sort(rng.uniform(-3, 3, n)).astype(jnp.zeros(()).dtype), rng.normal(size=n).astype(jnp.zeros(()).dtype)
    network = cpwa.from_samples(jnp.asarray(x), jnp.asarray(y))
    assert mlp.sizes(network) == (1, max(n - 1, 2), 1)
    t = np.linspace(-5, 5, 201).astype(x.dtype)
    left, right = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])
    wanted = np.interp(t, x, y) + left * np.minimum(t - x[0], 0) + right * np.maximum(t - x[-1], 0)
    found = jax.jit(batch)(network, jnp.asarray(t)[:, None])[:, 0]
    scale = np.abs(np.asarray(network[1].W)).sum() * 10
    assert mlp.apply(network, jnp.asarray(x[1:2])) == y[1]
    measured(np.abs(found - wanted).max() / scale, tolerance(x.dtype), oracle="numpy.interp, and two straight lines")


@pytest.mark.ledger("UAT5")
def test_a_spline_is_linear_in_its_values():
    """So its derivative in y at a point is the row of hats there; under jit and grad."""
    x, y = jnp.arange(5.0), jnp.asarray([0.0, 2.0, 1.0, 1.0, 3.0])
    at = lambda y, t: mlp.apply(cpwa.from_samples(x, y), t[None])[0]
    row = jax.jit(jax.grad(at))(y, jnp.asarray(2.25))
    np.testing.assert_allclose(row, [0, 0, 0.75, 0.25, 0], atol=1e-6)


def triangulation(d, n, seed=0):
    """Random points, their Delaunay simplices, values, and points inside with the interpolated value there."""
    rng = np.random.default_rng(seed)
    P, v = rng.normal(size=(n, d)), rng.normal(size=n)
    order = np.argsort(P[:, 0])
    T = np.c_[order[:-1], order[1:]] if d == 1 else Delaunay(P).simplices
    weights = rng.dirichlet(np.ones(d + 1), size=(len(T), 4))
    inside = np.einsum("mkc,mcd->mkd", weights, P[T]).reshape(-1, d)
    return P, T, v, inside, np.einsum("mkc,mc->mk", weights, v[T]).ravel()


@pytest.mark.ledger("UAT5")
@pytest.mark.parametrize(("d", "n"), [(1, 6), (2, 6), (2, 9)])
def test_triangulations(d, n, measured):
    """Linear interpolation in every simplex, and the given values at the corners."""
    P, T, v, inside, wanted = triangulation(d, n, seed=d)
    A, b, sets = cpwa.lattice_form(P, T, v)
    network = cpwa.from_triangulation(P, T, v)
    at, expected = np.concatenate([inside, P]), np.concatenate([wanted, v])
    found = jax.jit(batch, compiler_options=FAST_TO_COMPILE)(network, real(at))[:, 0]
    A, b = np.asarray(A), np.asarray(b)
    measured(error(found, expected, A, b, at), 4 * tolerance(found.dtype), oracle="barycentric interpolation")
    by_sets = np.max([pieces(A, b, at)[:, list(s)].min(axis=1) for s in sets], axis=0)
    assert error(by_sets, expected, A, b, at) < 1e-5


@pytest.mark.ledger("UAT5")
def test_triangles_are_cut_where_pieces_cross(measured):
    """A valley min(0, y + ε + |x|) on a square: on the whole of the large triangle no piece but 0 lies above 0, so that
    its set alone would put 0 into the valley."""
    P = np.asarray(
        [[-1, 0], [1, 0], [0, 1], [0, -0.2], [-0.8, -1], [0.8, -1], [0, -1], [-1, -1], [1, -1], [-1, 1], [1, 1]]
    )
    T = np.asarray(
        [[0, 1, 2], [0, 1, 3], [3, 4, 6], [3, 5, 6], [0, 3, 4], [1, 3, 5], [0, 4, 7], [1, 5, 8], [0, 2, 9], [1, 2, 10]]
    )
    valley = lambda p: np.minimum(0, p[:, 1] + 0.2 + np.abs(p[:, 0]))
    _, b, sets = cpwa.lattice_form(P, T, valley(P))
    assert sets == ((0, 1), (0, 2)) and len(b) == 3
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 21), np.linspace(-1, 1, 21)), axis=-1).reshape(-1, 2)
    found = jax.jit(batch)(cpwa.from_triangulation(P, T, valley(P)), real(grid))[:, 0]
    measured(np.abs(found - valley(grid)).max(), 4 * tolerance(found.dtype), oracle="min(0, y + ε + |x|)")


@pytest.mark.ledger("UAT5")
def test_lattice_forms_are_small_where_they_can_be():
    """Convex: one piece in a set. Concave: one set. Affine: one piece. All by theory, on a grid of eight triangles."""
    P = np.stack(np.meshgrid(np.arange(3.0), np.arange(3.0)), axis=-1).reshape(-1, 2)
    T = np.asarray([t for i in (0, 1, 3, 4) for t in ((i, i + 1, i + 4), (i, i + 4, i + 3))])
    convex = np.maximum.reduce([P[:, 0] - 1, P[:, 1] - 1, 0 * P[:, 0]])
    A, b, sets = cpwa.lattice_form(P, T, convex)
    assert len(b) == 3 and sets == ((0,), (1,), (2,))
    _, b, sets = cpwa.lattice_form(P, T, -convex)
    assert len(b) == 3 and sets == ((0, 1, 2),)
    A, b, sets = cpwa.lattice_form(P, T, P @ np.asarray([2.0, -1.0]) + 3)
    assert sets == ((0,),)
    np.testing.assert_allclose(np.r_[A[0], b], [2, -1, 3], atol=1e-5)


def test_lists_are_taken(unchecked):
    A, b, x = [[1.0, -1.0], [0.5, 2.0]], [0.0, 1.0], jnp.ones(2)
    assert mlp.apply(cpwa.max_affine(A, b), x) == 3.5
    assert mlp.apply(cpwa.lattice(A, b, [[0, 1]]), x) == 0


def test_what_cannot_be(unchecked):
    square, two = np.asarray([[0.0, 0], [1, 0], [1, 1], [0, 1]]), np.asarray([[0, 1, 2], [0, 2, 3]])
    v = np.zeros(4)
    refused = lambda match: pytest.raises(ValueError, match=match)
    shapes = r"`A` must have shape \(M, d\) with M ≥ 1, one row for each function, and `b` \(M,\); got "
    with refused(shapes + r"\(0, 2\) and \(0,\)"):
        cpwa.max_affine(jnp.zeros((0, 2)), jnp.zeros(0))
    for make in (cpwa.lattice, cpwa.convex_parts):  # an index that only one of the two has
        with refused(shapes + r"\(2, 1\) and \(5,\)"):
            make(jnp.zeros((2, 1)), jnp.zeros(5), [[4]])
    with refused(shapes + r"\(0, 2\) and \(0,\)"):
        cpwa.hinges(np.zeros((0, 2)), np.zeros(0))
    for terms in ((), ((1, ()),), ((1, (5,)),)):
        with refused(r"`terms` must hold one set or more, each of one index or more from 0 to 1"):
            cpwa.from_hinges(jnp.zeros((2, 1)), jnp.zeros(2), terms)
    for sets in ([], [[0], []], [[0, 4]], [[0.5]]):
        with refused(r"`sets` must hold one set or more, each of one index or more from 0 to 3"):
            cpwa.lattice(jnp.zeros((4, 2)), jnp.zeros(4), sets)
    with refused("`A` and `b` must be known, not traced"):
        jax.jit(cpwa.hinges)(jnp.zeros((4, 2)), jnp.zeros(4))
    with refused("`x` and `y` must be vectors of one length, at least 2"):
        cpwa.from_samples(jnp.zeros(1), jnp.zeros(1))
    with refused(r"`x` must increase from each place to the next; got .* Sort it"):
        cpwa.from_samples(jnp.asarray([0.0, 1.0, 1.0]), jnp.zeros(3))
    with refused(r"must have shapes .* with d = 1 or 2 and m ≥ 1; got \(4, 2\), \(2, 3\), \(3,\)"):
        cpwa.from_triangulation(square, two, v[:3])
    with refused(r"`simplices` must hold indices of points, from 0 to 3"):
        cpwa.from_triangulation(square, two + 2, v)
    with refused(r"`simplices` must not be flat; the corners \[0, 1, 2\]"):
        cpwa.from_triangulation(np.asarray([[0.0, 0], [1, 0], [2, 0], [0, 1]]), two, v)
    with refused("`values` holds 1 values that are NaN or infinite"):
        cpwa.from_triangulation(square, two, np.asarray([0.0, np.nan, 0.0, 1.0]))
    with refused(r"`x` must increase from each place to the next; got \[1. 1. 2.\]"):  # equal only in float32
        cpwa.from_samples(jnp.asarray([1.0, 1 + 1e-9, 2.0], jnp.float32), jnp.zeros(3))
    with refused("`points`, `simplices`, `values` must be known, not traced"):
        jax.jit(lambda v: cpwa.from_triangulation(square, two, v))(jnp.zeros(4))


def test_two_covers_are_refused(unchecked):
    """Each alone is a triangulation; a corner of the second lies at the center of the first simplex."""
    square = np.asarray([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    corners = np.concatenate([square, square, [[2 / 3, 1 / 3]]])
    first, second = [[0, 1, 2], [0, 2, 3]], [[4, 5, 8], [5, 6, 8], [6, 7, 8], [7, 4, 8]]
    line = np.asarray([[0.0], [1], [0], [0.5], [1]])
    for points, simplices in ((corners, first + second), (line, [[0, 1], [2, 3], [3, 4]])):
        with pytest.raises(ValueError, match="must not overlap"):
            cpwa.lattice_form(points, np.asarray(simplices), np.zeros(len(points)))


def test_fractions_are_kept(unchecked):
    """Slopes between whole numbers, in networks of real weights; a half as coefficient of a maximum."""
    square, two = 2 * np.asarray([[0, 0], [1, 0], [1, 1], [0, 1]]), np.asarray([[0, 1, 2], [0, 2, 3]])
    A, b, _ = cpwa.lattice_form(square, two, jnp.asarray([0, 1, 0, 2]))
    assert A.dtype == b.dtype == real(0).dtype and A.tolist() == [[0.5, -0.5], [-1, 1]]
    spline = cpwa.from_samples(jnp.asarray([0, 2, 4]), jnp.asarray([0, 1, 5]))
    assert {leaf.dtype for leaf in jax.tree.leaves(spline)} == {real(0).dtype}
    assert spline[1].W.tolist() == [[-0.5, 2]]
    assert cpwa.from_hinges(jnp.ones((2, 1)), jnp.zeros(2), ((0.5, (0,)),))[0].W == 0.5


@pytest.mark.parametrize(
    ("simplices", "message"),
    [
        ([[0, 1, 2]], None),
        ([[0, 1, 2], [0, 2, 3]], None),
        ([[0, 1, 2], [2, 0, 3]], None),
        ([[0, 1, 2], [0, 1, 3]], "must fill a convex set"),
        ([[0, 1, 2], [0, 2, 3], [0, 1, 2]], "must fill a convex set"),
        ([[0, 1, 4], [1, 2, 4], [2, 3, 4]], "must fill a convex set"),
        ([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]], None),
        ([[0, 1, 4], [0, 4, 3], [1, 2, 3]], "must fill a convex set"),
        ([[0, 1, 3], [0, 5, 6], [5, 1, 4], [4, 3, 6], [4, 5, 6]], "must not overlap"),
    ],
)
def test_what_triangulates(simplices, message, unchecked):
    """A square with its center 4 and the middles 5 and 6 of two sides: gaps, overlaps, hanging corners are refused."""
    corners = np.asarray([[0.0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5], [0.5, 0], [0, 0.5]])
    used = np.unique(simplices)
    renumbered = np.searchsorted(used, np.asarray(simplices))
    make = functools.partial(cpwa.lattice_form, corners[used], renumbered, np.zeros(len(used)))
    if message is None:
        make()
    else:
        with pytest.raises(ValueError, match=message):
            make()
