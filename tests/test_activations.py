"""Activations: σ′ against autodiff, their facts, and what they are as values; accuracy is in `tests/reliability`."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.special

from mlpjax import activations, mlp
from mlpjax.activations import Activation, by_name, elu, leaky_relu
from tests import oracles
from tests.helpers import eps
from tests.oracles import ORACLE
from tests.reliability import accuracy

ULP = 4
NAN, INF = math.nan, math.inf
SIZES = {"float32": (2500, 3000), "float64": (700, 700), "bfloat16": (150, 1000)}
ROWS = {
    "identity": "ACT8", "sigmoid": "ACT1", "tanh": "ACT2", "relu": "ACT3", "leaky_relu": "ACT4", "elu": "ACT5",
    "gelu": "ACT6", "gelu_tanh": "ACT6", "softplus": "ACT8", "silu": "ACT8", "hard_tanh": "ACT8",
    "hard_sigmoid": "ACT8", "hard_silu": "ACT8",
}  # fmt: skip


def every(activation_list=activations.ALL):
    return [pytest.param(a, id=a.name, marks=pytest.mark.ledger(ROWS[a.name])) for a in activation_list]


@pytest.mark.parametrize("activation", every())
def test_operation_by_operation(activation, measured):
    """Eagerly in float32; what is compiled, the other types and the special values are in `tests/reliability`."""
    if jax.config.read("jax_enable_x64"):
        pytest.skip("measured under --float32, where single operations are compiled as users have them")
    for _, found in accuracy.of_activation(activation, "float32", 400, seed=0, compiled=lambda f: f):
        measured(found["ulp"], ULP, oracle=ORACLE + ", errors in ulp of float32")


@pytest.mark.ledger("ACT1")
def test_the_slope_of_the_sigmoid_in_float16(measured):
    """Down to the least number, although e^x overflows beyond 11."""
    x = np.linspace(-17, 17, 1001).astype(np.float16)
    exact = 1 / (2 + np.exp(-np.float64(x)) + np.exp(np.float64(x)))
    ulp = np.maximum(np.exp2(np.floor(np.log2(exact)) - 10), 2.0**-24)
    error = np.abs(np.float64(activations.sigmoid.prime(jnp.asarray(x))) - exact) / ulp
    measured(error.max(), 1, oracle="1/(2 + e⁻ˣ + eˣ) in float64; in ulp of float16")


def test_the_slope_of_the_sigmoid_at_an_integer():
    """It was cut to 0 for a while, to be of the type of its argument."""
    assert float(activations.sigmoid.prime(jnp.int32(1))) == float(activations.sigmoid.prime(jnp.float32(1))) > 0


def test_the_comparison_can_fail():
    """A value one part in a million off is seen, and so is a tail that is flushed too early."""
    slope = 1 + 1e-6
    worst = lambda activation: dict(accuracy.of_activation(activation, "float32", 400, seed=0))
    off = worst(Activation("sigmoid", lambda x: jax.nn.sigmoid(x) * slope))
    assert off["sigmoid fn"]["ulp"] > 8
    flushed = worst(Activation("sigmoid", lambda x: jnp.where(x < -80, 0, jax.nn.sigmoid(x))))
    assert flushed["sigmoid fn"]["ulp"] > 1e6
    early = worst(Activation("relu", lambda x: jnp.minimum(jnp.maximum(x, 0), 1e38)))
    assert early["relu fn"]["ulp"] > 1e6


# Largest difference of the autodiff of σ′ and the second one of σ, in eps: gates multiply curvature by x, or a cubic
TWICE = {"silu": 48, "gelu_tanh": 512}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", pytest.param("float64", marks=pytest.mark.x64)])
@pytest.mark.parametrize("activation", every())
def test_prime_is_the_derivative_of_fn(activation, dtype, measured):
    """Everywhere, kinks included: forward mode and reverse mode."""
    kinks = jnp.asarray([0.0, -0.0, 1.0, -1.0, 3.0, -3.0], dtype)
    x = jnp.concatenate([kinks, jnp.asarray(oracles.points(dtype, *SIZES[dtype]))])
    forward = lambda x: jax.jvp(activation.fn, (x,), (jnp.ones_like(x),))[1]
    fns = (activation.prime, forward, jax.vmap(jax.grad(activation.fn)))
    prime, *autodiffs = jax.jit(lambda x: [fn(x) for fn in fns])(x)
    for autodiff in autodiffs:
        assert autodiff.dtype == prime.dtype == x.dtype
        difference = np.abs(np.float64(autodiff) - np.float64(prime)) / eps(dtype)
        measured(difference.max(), 2, oracle="jax.jvp and jax.grad, in eps")
        if activation.smooth < 2:
            measured(difference[: len(kinks)].max(), 1, oracle="jax.jvp and jax.grad at kinks, in eps")


def test_a_gradient_of_one_half_at_the_kink_is_seen():
    """`jnp.maximum` has slope ½ at 0 in JAX: that is what the test above would catch."""
    wrong = Activation("wrong", lambda x: jnp.maximum(x, 0))
    assert wrong.prime(jnp.zeros(())) == 0.5 != activations.relu.prime(jnp.zeros(()))


@pytest.mark.parametrize("activation", every())
def test_second_derivatives_exist(activation, measured):
    x = jnp.asarray(oracles.points("float32", *SIZES["float32"]))
    twice, once = (np.float64(jax.vmap(f)(x)) for f in (jax.grad(jax.grad(activation.fn)), jax.grad(activation.prime)))
    assert np.all(np.isfinite(twice))
    tolerance = TWICE.get(activation.name, 4)
    measured(np.abs(twice - once).max() / eps("float32"), tolerance, oracle="jax.grad of σ′, in eps")


@pytest.mark.parametrize("activation", every([a for a in activations.ALL if a.smooth >= 2]))
def test_second_derivatives_are_right(activation, measured):
    """The slope of σ′, for which some have a rule of their own, against that of its definition."""
    prime, x = oracles.ACTIVATIONS[activation.name][1], jnp.linspace(-6, 6, 49)
    with mpmath.workdps(oracles.DIGITS):
        exact = [float(mpmath.diff(prime, mpmath.mpf(v))) for v in np.float64(x).tolist()]
    error = np.abs(np.float64(jax.vmap(jax.grad(activation.prime))(x)) - exact).max()
    measured(error / eps(x.dtype), 32, oracle="numerical differentiation by mpmath at 50 digits, in eps")


@pytest.mark.ledger("ACT2")
def test_tanh_is_a_sigmoid(measured):
    x = jnp.linspace(-20, 20, 10_001, dtype=jnp.float32)
    error = jnp.abs(activations.tanh(x) - (2 * activations.sigmoid(2 * x) - 1))
    measured(error.max() / eps("float32"), 4, oracle="tanh x = 2 sigmoid(2x) − 1, in eps")


def extremum(f, start):
    """Where f′ = 0 near `start`, and the value there."""
    with mpmath.workdps(oracles.DIGITS):
        at = mpmath.findroot(lambda x: mpmath.diff(f, x), start)
        return float(at), float(f(at))


MINIMA = {"gelu": -0.7, "gelu_tanh": -0.7, "silu": -1.2, "hard_silu": -1.4}
STEEPEST = {"sigmoid": 0.1, "tanh": 0.1, "gelu": 1.4, "gelu_tanh": 1.4, "silu": 2.4}


@pytest.mark.parametrize("activation", every([a for a in activations.ALL if a.name in MINIMA]))
def test_minimum(activation, measured):
    _, least = extremum(oracles.ACTIVATIONS[activation.name][0], MINIMA[activation.name])
    measured(abs(activation.range[0] - least), 2e-16, oracle=ORACLE)


@pytest.mark.parametrize("activation", every([a for a in activations.ALL if a.name in STEEPEST]))
def test_steepest_slope(activation, measured):
    _, most = extremum(oracles.ACTIVATIONS[activation.name][1], STEEPEST[activation.name])
    measured(abs(activation.lipschitz - most), 4e-16, oracle=ORACLE)


@pytest.mark.ledger("ACT6")
def test_where_gelu_turns():
    fn, prime = oracles.ACTIVATIONS["gelu"]
    assert round(extremum(fn, -0.7)[0], 3) == -0.752 and round(activations.gelu.range[0], 3) == -0.170
    assert math.isclose(extremum(prime, 1.4)[0], math.sqrt(2)) and round(activations.gelu.lipschitz, 3) == 1.129
    assert round(extremum(oracles.ACTIVATIONS["silu"][0], -1.2)[0], 3) == -1.278


@pytest.mark.parametrize("activation", every())
def test_range_and_lipschitz_constant(activation):
    """Never left, and reached up to rounding, on the whole float range."""
    x = jnp.asarray(oracles.points("float32", *SIZES["float32"]))
    fine = jnp.linspace(-20, 20, 40_001, dtype=jnp.float32)
    value = np.float64(activation(jnp.concatenate([x, fine])))
    low, high = activation.range
    slack = ULP * eps("float32")
    assert low - slack <= value.min() and value.max() <= high + slack
    assert value.min() <= low + 1e-4 if math.isfinite(low) else value.min() < -1e36
    assert value.max() >= high - 1e-4 if math.isfinite(high) else value.max() > 1e36
    steepest = np.abs(np.float64(activation.prime(jnp.concatenate([x, fine])))).max()
    assert activation.lipschitz * (1 - 1e-3) <= steepest <= activation.lipschitz * (1 + slack)


@pytest.mark.ledger("ACT5", "ACT4")
@pytest.mark.parametrize("alpha", [0.25, 0.5, 1.0, 3.0])
def test_families(alpha):
    x = jnp.linspace(-12.0, 12.0, 2401).at[1200].set(0.0)
    unit = elu(alpha)
    assert unit.lipschitz == max(1.0, alpha) and unit.range == (-alpha, INF) and unit.smooth == (alpha == 1)
    assert math.isclose(float(jnp.abs(unit.prime(x)).max()), unit.lipschitz, rel_tol=1e-6)
    assert math.isclose(float(unit(x).min()), -alpha, rel_tol=1e-4)
    if alpha < 1:
        leaky = leaky_relu(alpha)
        np.testing.assert_array_equal(leaky(x), jnp.maximum(x, alpha * x))
        assert set(np.unique(leaky.prime(x)).tolist()) == {float(jnp.asarray(alpha)), 1.0}


def flat(activation, far):
    return abs(float(activation.prime(jnp.asarray(far)))) < 1e-6


def jumps(fn, at):
    """Whether fn differs on the two sides of a point by more than its slope explains."""
    h = 2.0**-12
    left, right = (float(fn(jnp.asarray(at + s * h))) for s in (-1, 1))
    return abs(left - right) > 64 * h


def smoothness(activation, orders=4):
    """How many derivatives, by autodiff, are continuous at the places where a kink may be."""
    fn = activation.fn
    for order in range(orders):
        if any(jumps(fn, at) for at in (-3.0, -1.0, 0.0, 1.0, 3.0)):
            return order - 1
        fn = Activation("derivative", fn).prime
    return INF


@pytest.mark.ledger("ACT5")
@pytest.mark.parametrize("activation", every())
def test_facts(activation):
    sides = {(True, True): "both", (True, False): "left", (False, True): "right", (False, False): ""}
    assert sides[flat(activation, -1e4), flat(activation, 1e4)] == activation.saturates
    # below the float64 of a step, roundings would look like a descent
    x = jnp.linspace(-10, 10, 2001)
    assert bool(jnp.all(jnp.diff(activation(x)) >= -4 * eps(x.dtype))) == activation.monotone
    assert smoothness(activation) == activation.smooth


@pytest.mark.ledger("ACT9")
def test_what_each_activation_breaks():
    """Measured on values alone: affine, decreasing somewhere, unboundedly steep."""
    x = jnp.linspace(-10, 10, 2001)
    broken = {}
    for a in (*activations.ALL, Activation("square", jnp.square), Activation("sine", jnp.sin)):
        bend = jnp.abs(a(x) + a(-x) - 2 * a(jnp.zeros_like(x))) + jnp.abs(a(2 * x) - 2 * a(x) + a(jnp.zeros_like(x)))
        steep = [float(jnp.abs(jnp.diff(a(s * x)) / jnp.diff(s * x)).max()) for s in (1.0, 1e3)]
        lipschitz = steep[1] < 2 * steep[0]
        affine = float(bend.max()) < 1e-4
        failures = {
            "non-linear": affine,
            # a polynomial with a Lipschitz constant is affine
            "non-polynomial": affine or not lipschitz,
            "non-decreasing": bool(jnp.any(jnp.diff(a(x)) < -1e-6)),
            "Lipschitz": not lipschitz,
        }
        broken[a.name] = {name for name, fails in failures.items() if fails}
        if a in activations.ALL:
            assert ("non-decreasing" in broken[a.name]) == (not a.monotone)
            assert ("Lipschitz" in broken[a.name]) == (not math.isfinite(a.lipschitz))
    assert {name: b for name, b in broken.items() if b} == {
        "identity": {"non-linear", "non-polynomial"},
        "gelu": {"non-decreasing"},
        "gelu_tanh": {"non-decreasing"},
        "silu": {"non-decreasing"},
        "hard_silu": {"non-decreasing"},
        "square": {"non-polynomial", "non-decreasing", "Lipschitz"},
        "sine": {"non-decreasing"},
    }


@pytest.mark.ledger("ACT9")
def test_a_linear_stack_collapses(key, measured):
    """Layers without an activation are one affine map; with any other activation they are not."""
    init = lambda key, shape, dtype: jax.random.normal(key, shape, dtype) / shape[-1] ** 0.5
    params = mlp.init(key, (5, 7, 6, 3), weight_init=init, bias_init=lambda k, s, d: jax.random.normal(k, s, d))
    W, b = params[0]
    for layer in params[1:]:
        W, b = layer.W @ W, layer.W @ b + layer.b
    x = 3 * jax.random.normal(jax.random.fold_in(key, 1), (100, 5))
    affine = jax.vmap(lambda x: W @ x + b)(x)
    networks = lambda x: [mlp.apply(params, x, activation=a) for a in activations.ALL]
    for activation, deep in zip(activations.ALL, jax.jit(jax.vmap(networks))(x), strict=True):
        error = float(jnp.abs(deep - affine).max() / jnp.abs(affine).max())
        if activation == activations.identity:
            measured(error / eps(x.dtype), 16, oracle="the product of the weights, in eps")
        else:
            assert error > 1e-2, activation.name


@pytest.mark.ledger("ACT10")
def test_guidance_is_documented_with_names_that_exist():
    guidance = activations.__doc__.partition("(ACT10)")[2]
    named = {word for word in guidance.split("`")[1::2]}
    assert {"leaky_relu", "gelu", "silu", "tanh"} <= named <= set(activations.__all__)
    assert "logits" in guidance and "zero-centered" in guidance
    assert all(a.advantage and a.drawback for a in activations.ALL)


def count_traces(activation_list):
    traces = []

    @jax.jit
    def f(activation, x):
        traces.append(activation.name)
        return activation(x) + activation.prime(x)

    for activation in activation_list:
        f(activation, jnp.zeros(3))
    return len(traces)


@pytest.mark.ledger("ACT4")
def test_equal_activations_compile_once():
    assert count_traces([leaky_relu(0.1), leaky_relu(0.1), leaky_relu(np.float64(0.1))]) == 1
    assert count_traces([elu(2), elu(2.0)]) == 1
    assert count_traces([leaky_relu(0.1), leaky_relu(0.2)]) == 2
    assert count_traces([Activation("sine", jnp.sin), Activation("sine", jnp.sin)]) == 1
    assert count_traces(activations.ALL) == len(activations.ALL)


def test_activations_are_values():
    assert len({*activations.ALL, *activations.ALL}) == len(activations.ALL) == 13
    assert leaky_relu(0.1) == leaky_relu(0.1) != leaky_relu(0.2) and hash(elu(0.5)) == hash(elu(0.5))
    assert str(leaky_relu()) == "leaky_relu" and str(leaky_relu(0.1)) == "leaky_relu(0.1)" and str(elu(2)) == "elu(2.0)"
    assert jax.tree.leaves(activations.ALL) == []
    with pytest.raises(AttributeError):
        activations.relu.name = "other"


def test_facts_do_not_make_another_activation():
    facts = dict(range=(0.0, 1.0), lipschitz=2.0, saturates="", monotone=None, smooth=3, advantage="", drawback="")
    other = dataclasses.replace(activations.relu, **facts)
    assert other == activations.relu and hash(other) == hash(activations.relu)


def test_activation_as_an_argument_under_transformations():
    """Static where it enters: jit, vmap, grad, scan."""
    x = jnp.linspace(-2.0, 2.0, 5)
    f = lambda activation, x: jnp.sum(activation(x))
    np.testing.assert_allclose(
        jax.jit(jax.grad(f, argnums=1))(activations.tanh, x), activations.tanh.prime(x), rtol=1e-6
    )
    batched = jax.vmap(lambda activation, x: activation(x), in_axes=(None, 0))(activations.gelu, x)
    np.testing.assert_allclose(batched, activations.gelu(x), rtol=1e-6)
    carried = jax.lax.scan(lambda carry, _: ((carry[0], carry[0](carry[1])), None), (activations.sigmoid, x), length=2)
    assert carried[0][0] == activations.sigmoid


def test_activation_of_a_user(measured):
    sine = Activation("sine", jnp.sin)
    x = jnp.linspace(-4.0, 4.0, 101)
    measured(jnp.abs(sine.prime(x) - jnp.cos(x)).max() / eps(x.dtype), 2, oracle="cos, in eps")
    assert math.isnan(sine.lipschitz) and sine.monotone is None and sine == Activation("sine", jnp.sin)
    params = mlp.init(jax.random.key(0), (2, 3, 1))
    assert mlp.apply(params, jnp.ones(2), activation=sine).shape == (1,)


@pytest.mark.parametrize(
    "activation", [*activations.ALL, leaky_relu(0.2), leaky_relu(1e-5), elu(0.5), elu(2), elu(1e20), elu(3e-7)], ids=str
)
def test_by_name(activation):
    assert by_name(str(activation)) == activation and str(by_name(str(activation))) == str(activation)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rellu", "Unknown activation 'rellu'. Did you mean 'relu'?"),
        ("Tanh", "Unknown activation 'Tanh'. Did you mean 'tanh'?"),
        ("swishy-washy", "Unknown activation 'swishy-washy'. Known: elu, gelu, gelu_tanh, "),
        ("leaky_rel(0.1)", "Unknown family of activations 'leaky_rel'. Did you mean 'leaky_relu'?"),
        ("leaky_relu(2)", "`alpha` must lie in (0, 1); got 2.0. For slope 0 take `relu`, for slope 1 `identity`."),
        ("elu(0)", "`alpha` must be positive and finite; got 0.0. For 0 take `relu`."),
        ("", "Unknown activation ''. Known: "),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(ValueError) as error:
        by_name(name)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, NAN, INF])
def test_slopes_that_no_leaky_relu_has(alpha):
    with pytest.raises(ValueError, match=r"`alpha` must lie in \(0, 1\)"):
        leaky_relu(alpha)


@pytest.mark.parametrize("alpha", [0.0, -1.0, NAN, INF])
def test_limits_that_no_elu_has(alpha):
    with pytest.raises(ValueError, match="`alpha` must be positive and finite"):
        elu(alpha)


# Softmax (ACT7)


def softmax_exactly(z):
    """Probabilities and Jacobian by mpmath."""
    with mpmath.workdps(oracles.DIGITS):
        e = [mpmath.exp(mpmath.mpf(v)) for v in np.float64(z).tolist()]
        p = [v / mpmath.fsum(e) for v in e]
        J = [[float(p[i] * ((i == j) - p[j])) for j in range(len(p))] for i in range(len(p))]
        return np.array([float(v) for v in p]), np.array(J)


@pytest.mark.ledger("ACT7")
@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0, 100.0])
def test_softmax_against_mpmath(key, spread, measured):
    z = spread * jax.random.normal(key, (50, 7))
    u = eps(z.dtype)
    p, J = (np.stack(part) for part in zip(*map(softmax_exactly, z), strict=True))
    measured(np.abs(jax.vmap(activations.softmax)(z) - p).max() / u, ULP, oracle=ORACLE + ", in eps")
    measured(np.abs(jax.vmap(activations.softmax_jacobian)(z) - J).max() / u, ULP, oracle=ORACLE + ", in eps")


@pytest.mark.ledger("ACT7")
def test_softmax_jacobian_is_its_derivative(key, measured):
    z = 3 * jax.random.normal(key, (50, 6))
    J, autodiff = (jax.jit(jax.vmap(f))(z) for f in (activations.softmax_jacobian, jax.jacfwd(activations.softmax)))
    u = eps(z.dtype)
    measured(jnp.abs(J - autodiff).max() / u, ULP, oracle="jax.jacfwd, in eps")
    measured(jnp.abs(J.sum(-1)).max() / u, ULP, oracle="rows sum to 0, in eps")
    measured(jnp.abs(activations.softmax(z[0]).sum() - 1) / u, ULP, oracle="probabilities sum to 1, in eps")
    np.testing.assert_array_equal(J, jnp.swapaxes(J, 1, 2))
    # positive semidefinite, with the constant vector in its kernel
    assert np.linalg.eigvalsh(np.float64(J)).min() > -4 * u
    assert activations.softmax(z[0].astype(jnp.bfloat16)).dtype == jnp.bfloat16


@pytest.mark.ledger("ACT7")
def test_softmax_is_invariant_under_shifts():
    """Exactly, for shifts that add without rounding."""
    z = jnp.asarray([-2.0, 0.25, 1.5, 3.0])
    for shift in (1.0, -64.0, 1024.0):
        np.testing.assert_array_equal(activations.softmax(z + shift), activations.softmax(z))


@pytest.mark.ledger("ACT7")
def test_softmax_at_extremes():
    softmax = lambda *z: activations.softmax(jnp.asarray(z)).tolist()
    assert softmax(1e30, 0.0, -1e30) == [1, 0, 0] == softmax(0.0, -INF, -INF)
    assert softmax(1e30, 1e30) == [0.5, 0.5] == softmax(-1e30, -1e30) and softmax(7.0) == [1]
    # an infinite logit has no stable meaning (two of them would be ∞ − ∞): it shows as NaN, it does not hide
    assert all(map(math.isnan, softmax(INF, 0.0))) and all(map(math.isnan, softmax(-INF, -INF)))
    assert all(map(math.isnan, softmax(NAN, 0.0)))
    J = activations.softmax_jacobian(jnp.asarray([1e30, 0.0, -INF]))
    np.testing.assert_array_equal(J, np.zeros((3, 3)))


# The equations as the book writes them


def against(activation, formula):
    """Largest error of σ and of σ′ on [−8, 8], each relative to its largest value there.

    The oracle is the formula in NumPy, continued to complex numbers: its imaginary part at x + iε, over ε, is the
    slope without any cancellation.
    """
    x = np.arange(-256, 257) / 32
    z = formula(x + 1e-30j)
    pairs = [(activation(jnp.asarray(x)), z.real), (activation.prime(jnp.asarray(x)), z.imag / 1e-30)]
    errors = [np.abs(np.asarray(got) - exact).max() / np.abs(exact).max() for got, exact in pairs]
    return max(errors)


def few(ulp=8):
    """A few roundings, in the precision of the run."""
    return ulp * eps(jnp.result_type(float))


@pytest.mark.ledger("ACT1")
def test_sigmoid(measured):
    error = against(activations.sigmoid, lambda x: 1 / (1 + np.exp(-x)))
    measured(error, few(), oracle="the formula in NumPy, float64, and its slope by a complex step")


@pytest.mark.ledger("ACT2")
def test_tanh(measured):
    error = against(activations.tanh, lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)))
    measured(error, few(), oracle="the formula in NumPy, float64, and its slope by a complex step")


@pytest.mark.ledger("ACT2")
def test_tanh_is_a_scaled_sigmoid(measured):
    error = against(activations.tanh, lambda x: 2 / (1 + np.exp(-2 * x)) - 1)
    measured(error, few(), oracle="2 sigmoid(2x) − 1 in NumPy, float64, its slope by a complex step")


@pytest.mark.ledger("ACT3")
def test_relu(measured):
    error = against(activations.relu, lambda x: np.where(x.real > 0, x, 0))
    measured(error, 0, oracle="the formula in NumPy, float64, and its slope by a complex step")


@pytest.mark.ledger("ACT4")
@pytest.mark.parametrize("alpha", [0.01, 0.5])
def test_leaky_relu(alpha, measured):
    error = against(activations.leaky_relu(alpha), lambda x: np.where(x.real > 0, x, alpha * x))
    measured(error, few(), oracle="the formula in NumPy, float64, and its slope by a complex step")


@pytest.mark.ledger("ACT5")
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_elu(alpha, measured):
    error = against(activations.elu(alpha), lambda x: np.where(x.real > 0, x, alpha * (np.exp(x) - 1)))
    measured(error, few(), oracle="the formula in NumPy, float64, and its slope by a complex step")


@pytest.mark.ledger("ACT6")
def test_gelu(measured):
    error = against(activations.gelu, lambda x: x * (1 + scipy.special.erf(x / np.sqrt(2))) / 2)
    measured(error, few(), oracle="xΦ(x) with SciPy's error function, its slope by a complex step")


@pytest.mark.ledger("ACT6")
def test_gelu_tanh(measured):
    inner = lambda x: np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    error = against(activations.gelu_tanh, lambda x: x / 2 * (1 + np.tanh(inner(x))))
    measured(error, few(), oracle="the formula in NumPy, float64, and its slope by a complex step")


@pytest.mark.ledger("ACT8")
def test_identity(measured):
    error = against(activations.identity, lambda x: x)
    measured(error, 0, oracle="the formula in NumPy, float64, and its slope by a complex step")


@pytest.mark.ledger("ACT8")
def test_softplus(measured):
    error = against(activations.softplus, lambda x: np.log(1 + np.exp(x)))
    measured(error, few(), oracle="the formula in NumPy, float64, and its slope by a complex step")


@pytest.mark.ledger("ACT8")
def test_silu(measured):
    error = against(activations.silu, lambda x: x / (1 + np.exp(-x)))
    measured(error, few(), oracle="the formula in NumPy, float64, and its slope by a complex step")


def clip(x, low, high):
    """The piecewise definition, for complex numbers: flat from the kinks on."""
    return np.where(x.real >= high, high, np.where(x.real <= low, low, x))


@pytest.mark.ledger("ACT8")
def test_hard_tanh(measured):
    error = against(activations.hard_tanh, lambda x: clip(x, -1, 1))
    measured(error, 0, oracle="the formula in NumPy, float64, and its slope by a complex step")


@pytest.mark.ledger("ACT8")
def test_hard_sigmoid(measured):
    error = against(activations.hard_sigmoid, lambda x: (clip(x, -3, 3) + 3) / 6)
    measured(error, few(), oracle="the formula in NumPy, float64, and its slope by a complex step")


@pytest.mark.ledger("ACT8")
def test_hard_silu(measured):
    inside = lambda x: np.where(x.real >= 3, x, np.where(x.real <= -3, 0, x * (x + 3) / 6))
    error = against(activations.hard_silu, inside)
    measured(error, few(), oracle="the formula in NumPy, float64, and its slope by a complex step")


def softmax_by_steps(z):
    """Softmax and its Jacobian in NumPy: the quotient of exponentials, and one complex step for each logit."""
    p = lambda z: np.exp(z) / np.exp(z).sum()
    steps = 1e-30j * np.eye(len(z))
    return p(z), np.stack([p(z + step).imag / 1e-30 for step in steps], axis=1)


LOGITS = [1.5, -0.25, 3.0, 0.0, -2.0]


@pytest.mark.ledger("ACT7")
def test_softmax(measured):
    p, _ = softmax_by_steps(np.array(LOGITS))
    got = activations.softmax(jnp.array(LOGITS))
    measured(np.abs(got / p - 1).max(), few(), oracle="the quotient of exponentials in NumPy, float64")


@pytest.mark.ledger("ACT7")
def test_softmax_jacobian(measured):
    _, J = softmax_by_steps(np.array(LOGITS))
    got = activations.softmax_jacobian(jnp.array(LOGITS))
    error = np.abs(got - J).max() / np.abs(J).max()
    measured(error, few(), oracle="one complex step for each logit in NumPy, float64")


@pytest.mark.ledger("ACT7")
@pytest.mark.parametrize("shift", [-64.0, 1024.0])
def test_softmax_of_shifted_logits(shift, measured):
    p, _ = softmax_by_steps(np.array(LOGITS))
    got = activations.softmax(jnp.array(LOGITS) + shift)
    measured(np.abs(got / p - 1).max(), few(), oracle="softmax of the logits without the shift, in NumPy")


@pytest.mark.ledger("ACT13")
def test_which_are_sigmoidal():
    """Finite limits on both sides; bounded is not enough: the sine has no limit, ReLU and its kin only one."""
    ends = jnp.asarray([-INF, INF])
    sigmoidal = {a.name for a in activations.ALL if np.isfinite(a(ends)).all()}
    assert sigmoidal == {"sigmoid", "tanh", "hard_tanh", "hard_sigmoid"}
    assert sigmoidal == {a.name for a in activations.ALL if a.saturates == "both"}
    assert sigmoidal == {a.name for a in activations.ALL if np.isfinite(a.range).all()}
    # the sine takes both 1 and −1 beyond every bound
    k = 2 * np.pi * np.array([0, 10, 1000])
    np.testing.assert_allclose(np.sin(k + np.pi / 2), 1, atol=1e-9)
    np.testing.assert_allclose(np.sin(k - np.pi / 2), -1, atol=1e-9)
