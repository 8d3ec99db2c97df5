"""What the chapter on universal approximation claims beyond the functions: ranks, distances, counts, a trap."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from mlpjax import losses, mlp
from mlpjax.activations import relu, sigmoid, tanh
from mlpjax.layers import Dense
from mlpjax.theory import density
from tests.helpers import tolerance

cast = lambda v: jnp.asarray(v, jnp.zeros(()).dtype)
PRIME = 2**31 - 1


def exact_rank(rows):
    """The rank of a matrix of whole numbers modulo a prime: at most, and nearly always, the rank over the rationals."""
    rows, rank = [[int(v) % PRIME for v in row] for row in rows], 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        inverse = pow(rows[rank][column], -1, PRIME)
        for i in range(rank + 1, len(rows)):
            factor = rows[i][column] * inverse
            rows[i] = [(a - factor * b) % PRIME for a, b in zip(rows[i], rows[rank], strict=True)]
        rank += 1
    return rank


@pytest.mark.ledger("UAT1")
def test_bernstein_at_a_corner(measured):
    """For |x − ½| the error at ½ is C(n, n/2)/2ⁿ⁺¹, about 0.8 of the bound."""
    n = 64
    f = np.abs(np.linspace(0, 1, n + 1) - 0.5)
    found = float(density.bernstein(cast(f), cast(0.5)))
    closed = math.comb(n, n // 2) / 2 ** (n + 1)
    measured(abs(found / closed - 1), 10 * tolerance(cast(0.0).dtype), oracle="C(n, n/2)/2ⁿ⁺¹")
    assert abs(closed * 2 * math.sqrt(n) - math.sqrt(2 / math.pi)) < 0.01


@pytest.mark.ledger("UAT1")
@given(st.integers(1, 5), st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_products_of_cosines_are_waves(d, seed):
    angles = np.random.default_rng(seed).normal(size=d) * 5
    waves = [np.cos(np.dot(s, angles)) for s in itertools.product((-1, 1), repeat=d)]
    assert abs(np.mean(waves) - np.cos(angles).prod()) < 1e-12


@pytest.mark.ledger("UAT1")
@given(st.integers(0, 10**6), st.integers(2, 12), st.floats(0.5, 200))
@settings(max_examples=40, deadline=None)
def test_steps_of_any_squashing_function(seed, bars, sharpness):
    """The bound of the proof, for a distribution function with jumps and heavy tails, and a function with L = 1."""
    rng = np.random.default_rng(seed)
    jumps = np.sort(rng.normal(size=4))
    squash = lambda z: (np.searchsorted(jumps, z) / 4 + np.arctan(z) / np.pi + 0.5) / 2
    f, edges, h = lambda x: np.abs(x - 0.37), np.linspace(0, 1, bars + 1), 1 / bars
    x = np.linspace(0, 1, 501)[:, None]
    steps = np.hstack([np.ones_like(x), squash(sharpness * (x - edges[1:-1])), np.zeros_like(x)])
    found = (steps[:, :-1] - steps[:, 1:]) @ f((edges[1:] + edges[:-1]) / 2)
    bound = 1.5 * h + (1 - squash(sharpness * h) + squash(-sharpness * h)) * 0.63
    assert np.abs(found - f(x[:, 0])).max() <= bound


@pytest.mark.ledger("UAT1")
def test_two_relus_make_a_sigmoidal_function():
    """ReLU(z + 1) − ReLU(z): 0 on the left, 1 on the right, between them in between."""
    z = jnp.asarray([-1e6, -1.0, -0.25, 0.0, 1e6])
    np.testing.assert_allclose(relu(z + 1) - relu(z), [0, 0, 0.75, 1, 1])


@pytest.mark.ledger("UAT3")
@pytest.mark.parametrize("sharpness", [4.0, 12.0, 40.0])
def test_bars_where_they_are_needed(sharpness):
    """Exercise 7 for √x, with tails that matter: (1/N + 2 e^(−ch/2)) bounds the error, h the narrowest bar."""
    for n in (2, 5, 20):
        c, x = sharpness * n**2, np.linspace(0, 1, 2001)[:, None] ** 2
        z = c * (x - (np.arange(1, n) / n) ** 2)
        error = np.abs((0.5 + (1 + np.tanh(z / 2)).sum(1) / 2) / n - np.sqrt(x[:, 0])).max()
        assert error <= 1 / n + 2 * np.exp(-sharpness / 2)


@pytest.mark.ledger("UAT1")
def test_half_spaces_from_units():
    """σ(λt + φ) tends to 1, σ(φ), 0 for the sigmoid, and to 0 on both sides for the Gaussian of the erratum."""
    t, phi, steep = jnp.asarray([-1.0, 0.0, 1.0]), 0.7, 1e4
    np.testing.assert_allclose(sigmoid(steep * t + phi), [0, float(sigmoid(jnp.asarray(phi))), 1], atol=1e-6)
    gaussian = np.exp(-((steep * np.asarray(t) + phi) ** 2))
    np.testing.assert_allclose(gaussian, [0, np.exp(-(phi**2)), 0])


@pytest.mark.ledger("UAT1")
def test_gaussian_units_approximate_too():
    """What the theorem of 1991 adds: 40 units exp(−(wx + b)²) come close to a corner."""
    x = np.linspace(-1, 1, 401)[:, None]
    units = np.exp(-((20 * (x - np.linspace(-1.05, 1.05, 40))) ** 2))
    weights = np.linalg.lstsq(units, np.abs(x[:, 0]), rcond=1e-8)[0]
    assert np.abs(units @ weights - np.abs(x[:, 0])).max() < 0.02


@pytest.mark.ledger("UAT2")
@pytest.mark.parametrize(("d", "p"), [(1, 1), (1, 5), (2, 2), (2, 3), (3, 2), (4, 2), (5, 1), (5, 2)])
def test_units_of_a_polynomial_span_few_dimensions(d, p, measured):
    """C(d + p, p) exactly, in whole numbers; and the numerical rank of the units is the same."""
    rng, dimension = np.random.default_rng(d + 10 * p), math.comb(d + p, p)
    count = dimension + 6
    W, b, x = rng.integers(-5, 6, (count, d)), rng.integers(-5, 6, count), rng.integers(-5, 6, (count, d))
    assert exact_rank((x @ W.T + b).astype(object) ** p) == dimension
    W, b, x = rng.normal(size=(count, d)), rng.normal(size=count), rng.uniform(-1, 1, (3 * count, d))
    values = np.linalg.svd((x @ W.T + b) ** p, compute_uv=False)
    measured(values[dimension] / values[dimension - 1], 1e-9, oracle="C(d + p, p): relative size of what is behind")


@pytest.mark.ledger("UAT2")
@pytest.mark.parametrize("activation", [tanh, sigmoid], ids=lambda a: a.name)
def test_other_units_are_independent(activation):
    rng = np.random.default_rng(0)
    z = cast(rng.uniform(-1, 1, (150, 5)) @ rng.normal(size=(5, 60)) + rng.normal(size=60))
    assert np.linalg.matrix_rank(np.asarray(activation(z))) == 60


@pytest.mark.ledger("UAT2")
@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_distance_to_the_next_power(p, measured):
    """No polynomial of degree p is closer to x^(p+1) on [−1, 1] than 2⁻ᵖ: the best one, by linear programming."""
    x = np.cos(np.linspace(0, np.pi, 60 * (p + 1) + 1))  # ±1 of Chebyshev among them
    powers, target = x[:, None] ** np.arange(p + 1), x ** (p + 1)
    one = np.ones((len(x), 1))
    A = np.block([[powers, -one], [-powers, -one]])
    best = optimize.linprog([*np.zeros(p + 1), 1], A, np.concatenate([target, -target]), bounds=(None, None))
    measured(abs(best.fun * 2**p - 1), 1e-6, oracle="2⁻ᵖ, by Chebyshev's alternation")


@pytest.mark.ledger("UAT2")
def test_squares_in_layers():
    """Two hidden layers of squares in one variable: dimension 5, in whole numbers; and xy from two squares."""
    rng = np.random.default_rng(1)
    w, b = rng.integers(-3, 4, (9, 1)), rng.integers(-3, 4, 9)
    first = (np.arange(-6, 6)[:, None] @ w.T + b).astype(object) ** 2
    second = (first @ rng.integers(-3, 4, (9, 9)).astype(object) + b) ** 2
    assert exact_rank(second) == 5
    a, c = rng.normal(size=(2, 20))
    np.testing.assert_allclose(a * c, (a + c) ** 2 / 4 - (a - c) ** 2 / 4, atol=1e-12)


@pytest.mark.ledger("UAT4")
@pytest.mark.parametrize(("d", "m", "q"), [(1, 4, 3), (2, 3, 2), (3, 2, 1), (4, 2, 2)])
def test_count_of_units(d, m, q):
    build = functools.partial(density.cosine_network, pieces=q)
    assert 2 * jax.eval_shape(build, cast(np.ones((m,) * d)))[0].b.size == q * d * (2 * m - 1) ** (d - 1) * m * (m - 1)


@pytest.mark.ledger("UAT4")
def test_cones_of_all_signs_are_lipschitz():
    """The functions of the lower bound: height ±s/2 at the grid's points, slope 1, for random signs."""
    rng, s = np.random.default_rng(2), 0.24
    points = np.stack(np.meshgrid(*[s * np.arange(math.floor(1 / s) + 1)] * 2), -1).reshape(-1, 2)
    assert len(points) >= (1 / s) ** 2
    signs = rng.choice([-1, 1], len(points))
    f = lambda x: (signs * np.maximum(s / 2 - np.linalg.norm(x[:, None] - points, axis=-1), 0)).sum(1)
    np.testing.assert_allclose(f(points), signs * s / 2)
    x, y = rng.uniform(size=(2, 3000, 2))
    y = np.where(rng.uniform(size=(3000, 1)) < 0.5, x + 0.05 * y, y)
    assert np.all(np.abs(f(x) - f(y)) <= np.linalg.norm(x - y, axis=1) + 1e-12)


def squared(params, x, y):
    z = jax.vmap(lambda x: mlp.apply(params, x, activation=relu))(x)
    return jax.vmap(losses.half_squared_error.value)(z, y).mean()


@pytest.mark.ledger("UAT4")
def test_a_hat_has_three_units_and_gradient_descent_a_trap(measured):
    """Three units represent the hat; with two corners, one flank right and a line for the rest, the gradient is 0."""
    x = np.linspace(-1, 1, 21)
    hat = np.maximum(0, 1 - 2 * np.abs(x))
    exact = Dense(cast(np.ones((3, 1))), cast([0.5, 0.0, -0.5])), Dense(cast([[2.0, -4.0, 2.0]]), cast(np.zeros(1)))
    z = jax.vmap(lambda x: mlp.apply(exact, x)[0])(cast(x)[:, None])
    np.testing.assert_allclose(z, hat, atol=1e-6)

    def fit(corners):
        ramps = np.maximum(x[:, None] - corners, 0)
        v = np.linalg.lstsq(ramps, hat, rcond=None)[0]
        return v, ramps @ v - hat

    corners = optimize.minimize(lambda t: (fit(t)[1] ** 2).sum(), [-0.51, -0.07], method="Nelder-Mead", tol=1e-13).x
    v, rest = fit(corners)
    stuck = (
        Dense(cast([[1.0], [1.0], [-1.0]]), cast([-corners[0], -corners[1], -2.0])),
        Dense(cast([[v[0], v[1], 0.3]]), cast(np.zeros(1))),
    )
    grads = jax.jit(jax.grad(squared))(stuck, cast(x)[:, None], cast(hat)[:, None])
    scale = np.abs(rest).max()
    measured(
        max(float(np.abs(g).max()) for g in jax.tree.leaves(grads)) / scale,
        1e-4,
        oracle="0, at the best fit with two corners",
    )
    assert abs(scale - 0.273) < 0.001 and abs(corners[0] + 0.5) < 0.02 and abs(corners[1] + 0.07) < 0.02
