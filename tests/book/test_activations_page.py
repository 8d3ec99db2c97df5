"""What the chapter on activation functions says beyond its equations: the table, the proofs, the dead units."""

import json
import math
import pathlib
import re

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docs.figures import activations_step, activations_zigzag
from mlpjax import activations, backprop, gradcheck, initializers, losses, mlp, neuron
from mlpjax.data import digits, toy
from tests import oracles
from tests.helpers import assert_trees_equal, eps

DOCS = pathlib.Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "book" / "activations.md").read_text("utf-8")
COSTS = json.loads((DOCS / "figures" / "data" / "activations.json").read_text("utf-8"))
SMOOTH = {"$C^0$": 0, "$C^1$": 1, "$C^\\infty$": math.inf}
SIDES = {"both sides": "both", "left": "left", "nowhere": ""}


def tables():
    """The cells of the two tables that have one row for each activation, by activation."""
    rows = re.findall(r"^ *\| \[`(\w+)`\]\[mlpjax\.activations\.\1\] \| (.+) \|$", PAGE, re.M)
    cells = [(name, rest.split(" | ")) for name, rest in rows]
    return [{name: row for name, row in cells if len(row) == n} for n in (6, 2)]


def value(text):
    """A number as the table writes it."""
    return float(text.replace("−", "-").replace("∞", "inf"))


@pytest.mark.ledger("ACT15")
def test_the_table_is_the_package():
    facts, words = tables()
    names = [a.name for a in activations.ALL]
    assert list(facts) == list(words) == names
    for a in activations.ALL:
        reach, steepest, side, monotone, smooth, cost = facts[a.name]
        ends = [value(v) for v in reach[1:-1].split(", ")]
        np.testing.assert_allclose(ends, a.range, atol=5e-4)
        assert abs(value(steepest) - a.lipschitz) <= 5e-4
        assert SIDES[side] == a.saturates and SMOOTH[smooth] == a.smooth
        assert {"yes": True, "no": False}[monotone] == a.monotone
        assert abs(float(cost) - COSTS["alone"][a.name]) <= 0.051
        assert words[a.name] == [a.advantage, a.drawback]


@pytest.mark.x64  # in float32, tanh is flat before 7, and its largest value depends on rounding
@pytest.mark.ledger("ACT15")
@pytest.mark.parametrize("a", activations.ALL, ids=str)
def test_square_brackets_are_reached_ends(a):
    """An end of the range is reached inside [−7, 7], or at an end of it exactly; or it is not reached at all."""
    x = jnp.linspace(-7, 7, 3585)
    y = np.asarray(a(x))
    for bracket, bound, at in ((0, a.range[0], y.argmin()), (-1, a.range[1], y.argmax())):
        reached = y[at] == bound or (0 < at < len(y) - 1 and math.isfinite(bound))
        assert (tables()[0][a.name][0][bracket] in "[]") == reached


@pytest.mark.ledger("ACT15")
def test_the_cost_was_measured_as_the_page_says():
    assert (COSTS["batch"], COSTS["width"]) == (128, 512) and COSTS["machine"].startswith("cpu")
    bound = 1 + int(re.search(r"at most (\d+) % more", PAGE)[1]) / 100
    assert set(COSTS["gradient"]) == {a.name for a in activations.ALL} and max(COSTS["gradient"].values()) <= bound


KAPPA, C = mpmath.mpf("0.044715"), mpmath.sqrt(2 / mpmath.pi)
BENDS = {  # σ″ as the proofs write it
    "gelu": lambda x: mpmath.npdf(x) * (2 - x * x),
    "silu": lambda x: mpmath.sech(x / 2) ** 2 / 4 * (2 - x * mpmath.tanh(x / 2)),
    "gelu_tanh": lambda x: (
        C * mpmath.sech(u(x)) ** 2
        * (1 + 6 * KAPPA * x**2 - C * x * (1 + 3 * KAPPA * x**2) ** 2 * mpmath.tanh(u(x)))
    ),
}  # fmt: skip
TURNS = {"gelu": math.sqrt(2), "silu": 2.39935728, "gelu_tanh": 1.41850401}


def u(x):
    return C * (x + KAPPA * x**3)


@pytest.mark.ledger("ACT6", "ACT8")
@pytest.mark.parametrize("name", BENDS)
def test_second_derivatives_of_the_gates(name, measured):
    """The closed forms of the proofs, and that each is positive up to r and negative beyond."""
    x = jnp.linspace(-6.0, 6.0, 241)
    exact = np.array([float(BENDS[name](mpmath.mpf(float(v)))) for v in x])
    bend = jax.vmap(jax.grad(activations.by_name(name).prime))(x)
    error = np.abs(bend - exact).max() / np.abs(exact).max()
    measured(error, 64 * eps(x.dtype), oracle="σ″ of the proof, mpmath")
    np.testing.assert_array_equal(exact > 0, np.abs(x) < TURNS[name])


@pytest.mark.ledger("ACT6", "ACT8")
@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "silu", "hard_silu"])
def test_the_lemma_about_gates(name, measured):
    """σ(x) − σ(−x) = x, and hence inf σ′ = 1 − sup σ′."""
    a, x = activations.by_name(name), jnp.linspace(-8.0, 8.0, 16_385)[1:-1]
    measured(jnp.abs(a(x) - a(-x) - x).max() / 8, 2 * eps(x.dtype), oracle="σ(x) − σ(−x) = x, relative to 8")
    assert abs(float(a.prime(x).min()) - (1 - a.lipschitz)) < 1e-3


@pytest.mark.ledger("ACT6", "ACT8")
def test_numbers_of_the_proofs():
    gelu, silu = activations.gelu, activations.silu
    Phi = lambda x: (1 + math.erf(x / math.sqrt(2))) / 2
    assert math.isclose(gelu.lipschitz, Phi(math.sqrt(2)) + 1 / (math.e * math.sqrt(math.pi)), rel_tol=1e-15)
    r = mpmath.findroot(lambda r: r * mpmath.tanh(r / 2) - 2, 2.4)
    assert math.isclose(silu.lipschitz, (r + 2) / 4, rel_tol=1e-15)
    assert math.isclose(silu.range[0], -mpmath.lambertw(1 / mpmath.e).real, rel_tol=1e-15)
    slope = oracles.ACTIVATIONS["gelu_tanh"][1]
    assert math.isclose(mpmath.findroot(slope, -0.75), -0.75246, abs_tol=5e-6)
    assert math.isclose(activations.gelu_tanh.lipschitz, slope(mpmath.mpf(TURNS["gelu_tanh"])), rel_tol=1e-12)


@pytest.mark.ledger("ACT1", "ACT2", "ACT8")
def test_bounds_on_the_tails():
    x = jnp.linspace(-30.0, 30.0, 601)
    slack = 1 + 8 * eps(x.dtype)
    assert bool((activations.sigmoid.prime(x) <= jnp.exp(-jnp.abs(x)) * slack).all())
    # 1 − tanh² is good to some roundings of 1, no better
    assert bool((activations.tanh.prime(x) <= 4 * jnp.exp(-2 * jnp.abs(x)) + 16 * eps(x.dtype)).all())
    gap = activations.softplus(x) - activations.relu(x)
    np.testing.assert_allclose(gap, jnp.log1p(jnp.exp(-jnp.abs(x))), atol=32 * eps(x.dtype))


def descend(params, layer, activation, steps=60):
    x, y, _ = digits.load("train")
    x, y = x[:64].astype(float) / digits.MAXIMUM, y[:64]
    unit = lambda params: jax.vmap(lambda x: mlp.trace(params, x, activation=activation).z[layer][:16])(x).max(axis=0)
    shift = jnp.zeros(32).at[:16].set(unit(params) + 0.1)
    params = (*params[:layer], params[layer]._replace(b=params[layer].b - shift), *params[layer + 1 :])
    assert bool((unit(params) < 0).all())

    def step(params, _):
        loss = losses.softmax_cross_entropy
        _, grads = backprop.value_and_grad(params, x, y, activation=activation, loss=loss)
        return jax.tree.map(lambda p, g: p - 0.1 * g, params, grads), None

    after = jax.jit(lambda p: jax.lax.scan(step, p, length=steps)[0])(params)
    dead = lambda params: jax.tree.map(lambda p: p[:16], params[layer])
    return dead(params), dead(after), unit(after)


@pytest.mark.ledger("ACT3", "ACT4")
def test_dead_units():
    """Final in the first layer, bit for bit; not in the second; not with a leaky ReLU."""
    params = mlp.init(jax.random.key(0), (64, 32, 32, 10))
    before, after, _ = descend(params, 0, activations.relu)
    assert_trees_equal(before, after)
    before, after, highest = descend(params, 1, activations.relu)
    assert bool((highest > 0).any())
    before, after, _ = descend(params, 0, activations.leaky_relu(0.1))
    assert bool((jnp.abs(after.W - before.W).max(axis=1) > 0).all())


@pytest.mark.ledger("ACT3")
def test_halved_weights_halve_the_gradient_in_every_layer(key):
    """Exactly: powers of two round nothing."""
    deep = mlp.init(key, (8, *[16] * 11, 1))
    x = jax.random.normal(jax.random.key(1), (8,))
    slope = jax.grad(lambda x, params: mlp.apply(params, x)[0])
    half = jax.tree.map(lambda p: p / 2, deep)
    assert float(jnp.abs(slope(x, deep)).max()) > 0
    np.testing.assert_array_equal(slope(x, half) * 2.0 ** len(deep), slope(x, deep))


@pytest.mark.ledger("ACT9")
def test_polynomial_networks_are_polynomials(key, measured):
    """With σ = square, L = 4 layers have degree at most 8 on every line: the ninth difference vanishes."""
    square = activations.Activation("square", jnp.square)
    params = mlp.init(key, (2, 9, 9, 9, 1))
    start, direction = jax.random.normal(jax.random.key(1), (2, 2))
    x = start[None, :] + jnp.linspace(-1.0, 1.0, 10)[:, None] * direction[None, :]
    outputs = lambda a: np.asarray(jax.vmap(lambda x: mlp.apply(params, x, activation=a)[0])(x))
    difference = lambda y: abs(np.diff(y, 9)[0]) / (2**9 * np.abs(y).max())
    measured(difference(outputs(square)), 16 * eps(x.dtype), oracle="9th differences of degree 8 vanish")
    assert difference(outputs(activations.softplus)) > 0 and difference(outputs(activations.relu)) > 1e-4


@pytest.mark.ledger("ACT7")
@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=2, max_size=7), st.integers(0, 2**31 - 1))
def test_jacobian_of_softmax_is_a_variance(z, seed):
    J = np.asarray(activations.softmax_jacobian(jnp.asarray(z, float)), np.float64)
    p = np.exp(np.array(z) - max(z))
    p = p / p.sum()
    v = np.random.default_rng(seed).normal(size=len(z))
    tolerance = 64 * eps(jnp.result_type(float))
    assert abs(v @ J @ v - p @ (v - p @ v) ** 2) <= tolerance * (v @ v)
    assert np.linalg.eigvalsh(J)[-1] <= 0.5 + tolerance
    gap = max(z) - sorted(z)[-2]
    assert 1 - p.max() <= (len(z) - 1) * math.exp(-gap) + tolerance


@pytest.mark.ledger("ACT12")
def test_threshold_units_have_no_gradient(key, measured):
    """Autodiff and difference quotients of a three-layer network of steps: 0 in every hidden parameter, exactly."""
    normal = initializers.normal(1.0)
    params = mlp.init(key, (2, 5, 4, 1), bias_init=normal, weight_init=normal)
    xor = toy.xor()

    def value(params):
        z = jax.vmap(lambda x: mlp.apply(params, x, activation=neuron.heaviside))(xor.x)
        return jnp.mean(jax.vmap(losses.binary_cross_entropy.value)(z, xor.y))

    @jax.jit
    def three_ways(params):
        settings = dict(activation=neuron.heaviside, loss=losses.binary_cross_entropy)
        by_hand = backprop.value_and_grad(params, xor.x, xor.y, **settings)[1]
        pre = jax.vmap(lambda x: mlp.trace(params, x, activation=neuron.heaviside).z)(xor.x)
        nearest = [jnp.abs(z).min() for z in pre[:-1]]
        return jax.grad(value)(params), gradcheck.central_difference(value, params), by_hand, nearest

    autodiff, quotients, by_hand, nearest = three_ways(params)
    assert min(nearest) > 1e-2  # no threshold is within the step of a quotient
    largest = max(
        float(jnp.abs(g).max()) for grads in (autodiff, quotients, by_hand) for g in jax.tree.leaves(grads[:2])
    )
    measured(largest, 0, oracle="0 by autodiff, by difference quotients, by BP2")
    assert gradcheck.distance(autodiff[2], quotients[2]) < {8: 1e-7, 4: 1e-2}[xor.x.dtype.itemsize]
    assert float(jnp.abs(autodiff[2].W).max()) > 1e-3


@pytest.mark.ledger("ACT12")
def test_the_loss_of_threshold_units_is_a_staircase():
    """Three values along a line on which sigmoids have a slope everywhere."""
    t = jnp.linspace(-1.5, 3.0, 301)
    steps = jax.jit(jax.vmap(lambda t: activations_step.loss(t, neuron.heaviside, 1.0)))(t)
    assert sorted({round(float(v), 6) for v in steps}) == [0, 0.125, 0.25]
    slopes = jax.jit(jax.vmap(jax.grad(lambda t: activations_step.loss(t, activations.sigmoid, 6.0))))(t)
    assert bool((jnp.abs(slopes) > 0).all())


@pytest.mark.ledger("ACT14")
def test_positive_inputs_give_gradients_of_one_sign(key, measured):
    """Autodiff of a unit's loss: with positive inputs every entry has the sign of δ; with centered ones it need not."""
    k1, k2, k3 = jax.random.split(key, 3)
    a, w, y = jax.random.uniform(k1, (200, 6)), jax.random.normal(k2, (6,)), jax.random.normal(k3, (200, 1))
    loss = losses.half_squared_error
    gradient = jax.vmap(jax.grad(lambda w, a, y: loss.value((w @ a)[None], y)), (None, 0, 0))
    delta = jax.vmap(lambda a, y: loss.delta((w @ a)[None], y))(a, y)
    found = gradient(w, a, y)
    mixed = lambda g: int(jnp.sum(jnp.any(g > 0, axis=1) & jnp.any(g < 0, axis=1)))
    assert bool((jnp.sign(found) == jnp.sign(delta)).all()) and mixed(found) == 0
    assert mixed(gradient(w, a - 0.5, y)) > 150
    error = jnp.abs(found - delta * a).max() / jnp.abs(found).max()
    measured(error, 4 * eps(a.dtype), oracle="jax.grad of one unit's loss against δ aⱼ")


@pytest.mark.ledger("ACT14")
def test_positive_inputs_zigzag():
    """Median steps until the two weights of the figure stay within 0.05 of the goal."""
    run = lambda key, center: activations_zigzag.arrival(activations_zigzag.descend(key, center))
    median = {
        center: float(
            jnp.median(jax.jit(jax.vmap(lambda k, c=center: run(k, c)))(jax.random.split(jax.random.key(0), 200)))
        )
        for center in (False, True)
    }
    assert 70 <= median[False] <= 85 and 14 <= median[True] <= 20


@pytest.mark.x64
@pytest.mark.ledger("ACT14")
@pytest.mark.parametrize(("n", "m"), [(2, 0.5), (16, 0.5), (16, 0.0)])
def test_curvature_of_inputs_with_a_mean(n, m, measured):
    """Eigenvalues of the second moments of n inputs and a constant: v, and the roots of t² − Tt + v."""
    v = 0.05
    mean = np.append(np.full(n, m), 1.0)
    moments = np.outer(mean, mean) + np.diag(np.append(np.full(n, v), 0.0))
    T = 1 + v + n * m**2
    roots = [(T - s * math.sqrt(T**2 - 4 * v)) / 2 for s in (1, -1)]
    exact = np.sort([*[v] * (n - 1), *roots])
    found = np.linalg.eigvalsh(moments)
    measured(np.abs(found / exact - 1).max(), 1e-12, oracle="v and the roots of t² − Tt + v")
