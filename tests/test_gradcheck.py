"""Gradient checking: how exact it is, at which step, and that it catches planted bugs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import activations, backprop, gradcheck, losses, mlp
from mlpjax.layers import Dense
from tests.helpers import eps

SIGMA, LOSS = activations.tanh, losses.half_squared_error


def problem(key, sizes=(3, 5, 4, 2), n=7):
    params = mlp.init(key, sizes, bias_init=lambda key, shape, dtype: jax.random.normal(key, shape, dtype) / 3)
    k1, k2 = jax.random.split(key)
    return params, jax.random.normal(k1, (n, sizes[0])), jax.random.normal(k2, (n, sizes[-1]))


def risk(x, y):
    return lambda params: jax.vmap(lambda x, y: LOSS(mlp.apply(params, x, activation=SIGMA), y))(x, y).mean()


# CHK1


@pytest.mark.ledger("CHK1")
@pytest.mark.x64
def test_the_error_is_a_v_with_its_least_at_the_cube_root_of_u(key, measured, unchecked):
    """On log–log axes: slope 2 where truncation rules, −1 where rounding does."""
    params, x, y = problem(key)
    f = risk(x, y)
    exact = jax.grad(f)(params)
    error = jax.jit(lambda step: gradcheck.distance(gradcheck.central_difference(f, params, eps=step), exact))
    steps = np.logspace(-11, -1, 41)
    errors = np.array([float(error(step)) for step in steps])
    slope = lambda low, high: np.polyfit(*(np.log(v[(low <= steps) & (steps <= high)]) for v in (steps, errors)), 1)[0]
    measured(abs(slope(1e-3, 1e-1) - 2), 0.1, oracle="truncation error O(ε²)")
    measured(abs(slope(1e-11, 1e-7) + 1), 0.15, oracle="rounding error O(u/ε)")
    best = steps[errors.argmin()]
    measured(abs(np.log10(best / gradcheck.default_step(params))), 1.0, oracle="best ε is u^(1/3), in decades")
    assert float(error(gradcheck.default_step(params))) < 5 * errors.min() < 5e-10


@pytest.mark.ledger("CHK1")
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.x64)])
def test_default_step(dtype, key, measured):
    """The cube root of the dtype's eps, and what is reached with it."""
    params = jax.tree.map(lambda leaf: leaf.astype(dtype), problem(key)[0])
    _, x, y = (v.astype(dtype) if not isinstance(v, tuple) else v for v in problem(key))
    assert gradcheck.default_step(params) == eps(dtype) ** (1 / 3)
    f = risk(x, y)
    estimate = gradcheck.central_difference(f, params)
    assert jax.tree.structure(estimate) == jax.tree.structure(params)
    assert all(leaf.dtype == dtype for leaf in jax.tree.leaves(estimate))
    tolerance = {"float32": 1e-3, "float64": 1e-9}[dtype]
    measured(gradcheck.relative_error(f, jax.grad(f)(params), params), tolerance, oracle="jax.grad")


@pytest.mark.ledger("CHK1")
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e6])
def test_the_default_step_grows_with_large_parameters(scale, key, measured):
    """Weights of any size from 1 on, with inputs as much smaller; those far below 1 keep a step fit for 1."""
    W, x = jax.random.normal(key, (2, 3, 3))
    x = x / max(scale, 1)
    f = lambda W: jnp.sum(jnp.tanh(W @ x))
    error = jax.jit(lambda W: gradcheck.relative_error(f, jax.grad(f)(W), W))(scale * W)
    measured(error, 1e-3 if W.dtype == "float32" else 1e-8, oracle="jax.grad")


@pytest.mark.ledger("CHK1")
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.x64)])
def test_central_difference(dtype, measured):
    """A function of three parameters whose gradient is written down by hand."""
    theta = {"a": jnp.asarray([0.3, -1.2], dtype), "b": jnp.asarray(0.8, dtype)}
    f = lambda t: jnp.exp(t["a"][0]) * jnp.sin(t["a"][1]) + jnp.cosh(t["b"])
    by_hand = [np.exp(0.3) * np.sin(-1.2), np.exp(0.3) * np.cos(-1.2), np.sinh(0.8)]
    estimate = gradcheck.central_difference(f, theta)
    error = np.linalg.norm(np.float64([*estimate["a"], estimate["b"]]) - by_hand) / np.linalg.norm(by_hand)
    measured(error, 10 * eps(dtype) ** (2 / 3), oracle="derivatives written by hand")


@pytest.mark.ledger("CHK1")
def test_exact_for_quadratics(measured):
    """No truncation error at all: only rounding is left, and the step that was really taken is divided by."""
    theta = {"a": jnp.asarray([1.0, -2.0]), "b": [jnp.asarray(0.3), jnp.zeros((2, 2))]}
    f = lambda t: 3 * jnp.sum(t["a"] ** 2) + t["b"][0] * t["a"][0] + jnp.sum(t["b"][1])
    estimate = gradcheck.central_difference(f, theta, eps=0.25)
    assert (
        estimate["a"].tolist() == [float(6 + theta["b"][0]), -12.0]
        or gradcheck.distance(estimate, jax.grad(f)(theta)) < 1e-6
    )
    measured(gradcheck.distance(estimate, jax.grad(f)(theta)) / eps(jnp.zeros(()).dtype), 16, oracle="jax.grad, in eps")


# CHK2


def wrong_gradients(params, x, y, *, transpose=True, prime=True, mean=True, cache=0, bias_sum=True, delta=True):
    """Backpropagation in numpy, written again, with switches for the classical bugs."""
    params, x, y = jax.tree.map(np.float64, (params, x, y))
    a, z = [x], []
    for W, b in params:
        z.append(a[-1] @ W.T + b)
        a.append(np.tanh(z[-1]))
    error = z[-1] - y if delta else y - z[-1]
    error = error / len(x) if mean else error / x.shape[1]
    grads = []
    for l in reversed(range(len(params))):
        input = a[max(l - cache, 0)] if a[max(l - cache, 0)].shape == a[l].shape else a[l]
        grads.insert(0, Dense(error.T @ input, error.sum(0) if bias_sum else error[0]))
        if l:
            W = params[l].W
            error = error @ (W if transpose else W.T)
            error = error * (1 - np.tanh(z[l - 1]) ** 2) if prime else error
    return jax.tree.map(jnp.asarray, tuple(grads))


BUGS = {
    "missing transpose": dict(transpose=False),
    "missing σ′": dict(prime=False),
    "wrong mean": dict(mean=False),
    "off-by-one cache": dict(cache=1),
    "missing bias sum": dict(bias_sum=False),
    "sign of the error": dict(delta=False),
}


@jax.jit
def verdicts(params, x, y, grads, key):
    f = risk(x, y)
    return gradcheck.relative_error(f, grads, params), gradcheck.directional(f, grads, params, key=key)


@pytest.mark.ledger("CHK2")
@pytest.mark.x64
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_caught(bug, key, measured):
    """Equal widths, so that no bug shows by its shapes: each is 10,000 times over the threshold of 10⁻⁷."""
    params, x, y = problem(key, sizes=(4, 4, 4, 4))
    by_backprop = backprop.value_and_grad(params, x, y, activation=SIGMA, loss=LOSS)[1]
    for right in (wrong_gradients(params, x, y), by_backprop):
        full, along = verdicts(params, x, y, right, key)
        measured(full, 1e-9, oracle="central differences")
        measured(along, 1e-7, oracle="central differences along a random direction")
    full, along = verdicts(params, x, y, wrong_gradients(params, x, y, **BUGS[bug]), key)
    assert float(full) > 1e-3 and float(along) > 1e-3


@pytest.mark.ledger("CHK2")
@pytest.mark.x64
@pytest.mark.parametrize("step", [1e-7, 1e-6, 1e-5])
def test_right_gradients_pass_for_every_usual_step(step, key, measured):
    params, x, y = problem(key)
    f = risk(x, y)
    measured(gradcheck.relative_error(f, jax.grad(f)(params), params, eps=step), 1e-7, oracle="central differences")


@pytest.mark.ledger("CHK2")
@pytest.mark.x64
def test_a_kink_inside_the_step_is_no_bug():
    """|θ| < ε at ReLU: the right gradient fails the check, as documented."""
    f = lambda t: jnp.sum(activations.relu(t))
    at_kink = jnp.asarray([1e-7, 1.0])
    assert float(gradcheck.relative_error(f, jax.grad(f)(at_kink), at_kink)) > 0.1
    beside = jnp.asarray([1e-3, 1.0])
    assert float(gradcheck.relative_error(f, jax.grad(f)(beside), beside)) < 1e-9


@pytest.mark.ledger("CHK2")
@pytest.mark.parametrize("c", [1.0, -0.5, 0.01])
def test_relative_error(c, measured):
    """A gradient too large by a factor 1 + c: the relative error is |c|/(2 + c), from both functions."""
    w = {"W": jnp.asarray([[3.0, -0.5]]), "b": jnp.asarray([4.0])}
    f = lambda w: jnp.sum(w["W"] ** 2) + jnp.sum(w["b"] ** 2)
    wrong = jax.tree.map(lambda v: 2 * (1 + c) * v, w)
    exact = jax.tree.map(lambda v: 2 * v, w)
    expected = abs(c) / (2 + c)
    # a quadratic has no truncation error, so a step of 1/4 leaves rounding alone
    by_difference = gradcheck.relative_error(f, wrong, w, eps=0.25)
    tolerance = 16 * eps(w["b"].dtype) / abs(c)  # what is lost where g − ĝ cancels
    measured(abs(by_difference - expected) / expected, tolerance, oracle="|c|/(2 + c), worked by hand")
    measured(
        abs(gradcheck.distance(wrong, exact) - expected) / expected, tolerance, oracle="|c|/(2 + c), worked by hand"
    )


@pytest.mark.ledger("CHK2")
def test_distance():
    g = {"W": jnp.asarray([[3.0, 0.0]]), "b": jnp.asarray([4.0])}
    zero = jax.tree.map(jnp.zeros_like, g)
    assert float(gradcheck.distance(g, g)) == 0 == float(gradcheck.distance(zero, zero))
    assert float(gradcheck.distance(g, zero)) == 1 == float(gradcheck.distance(g, jax.tree.map(jnp.negative, g)))
    twice = jax.tree.map(lambda v: 2 * v, g)
    np.testing.assert_allclose(gradcheck.distance(g, twice), 1 / 3, rtol=1e-6)
    np.testing.assert_allclose(gradcheck.distance(twice, g), 1 / 3, rtol=1e-6)
    np.testing.assert_allclose(gradcheck.distance(g, zero, floor=5.0), 0.5, rtol=1e-6)


# CHK3


@pytest.mark.ledger("CHK3")
@pytest.mark.x64
def test_random_directions(key, measured):
    """Two evaluations, however many parameters; each of a hundred directions passes the right gradient."""
    params, x, y = problem(key, sizes=(20, 30, 5))
    f = risk(x, y)
    grads = jax.grad(f)(params)
    f, calls = jax.jit(f), []
    gradcheck.directional(lambda p: calls.append(1) or f(p), grads, params, key=key)
    assert len(calls) == 2
    keys = jax.random.split(key, 100)
    along = jax.jit(jax.vmap(lambda key, g: gradcheck.directional(f, g, params, key=key), (0, None)))
    right = along(keys, grads)
    measured(right.max(), 1e-7, oracle="central differences along 100 random directions")
    scaled = jax.tree.map(lambda g: 1.001 * g, grads)
    wrong = along(keys, scaled)
    # ⟨g, v⟩/‖g‖ is standard normal: its median absolute value is 0.67
    np.testing.assert_allclose(jnp.median(wrong), 0.67e-3, rtol=0.4)


@pytest.mark.ledger("CHK3")
def test_directional_in_any_precision_and_for_flat_functions(key):
    w = jnp.linspace(0.0, 1.0, 1000, dtype=jnp.float32)
    f = lambda w: jnp.sum(w**2)
    assert float(gradcheck.directional(f, 2 * w, w, key=key)) < 1e-2 < float(gradcheck.directional(f, w, w, key=key))
    flat = lambda w: jnp.sum(0 * w)
    assert float(gradcheck.directional(flat, jnp.zeros_like(w), w, key=key)) == 0
    assert float(gradcheck.directional(f, jnp.zeros_like(w), w, key=key)) > 1


@pytest.mark.ledger("CHK3")
@pytest.mark.x64
@pytest.mark.parametrize("activation", [activations.tanh, activations.sigmoid, activations.silu], ids=str)
def test_complex_steps(activation, key, measured, unchecked):
    """Exact to rounding: nothing is truncated or subtracted. The network is the library's own, in complex numbers."""
    params, x, y = problem(key)

    def f(params, dtype=complex):
        apply = lambda x: mlp.apply(params, x.astype(dtype), activation=activation)
        return jax.vmap(lambda x, y: LOSS(apply(x), y.astype(dtype)))(x, y).mean()

    estimate = gradcheck.complex_step(f, params)
    assert jax.tree.structure(estimate) == jax.tree.structure(params)
    measured(gradcheck.distance(estimate, jax.grad(lambda p: f(p, float))(params)), 1e-14, oracle="jax.grad")


@pytest.mark.ledger("CHK3")
def test_softplus_is_not_analytic_in_jax():
    """The documented trap: `logaddexp` wraps the imaginary part into (−π, π], and so loses ε."""
    estimate = lambda f: float(gradcheck.complex_step(lambda w: jnp.sum(f(w)), jnp.asarray([0.5]))[0])
    assert estimate(jax.nn.softplus) == 0.0
    assert abs(estimate(lambda w: jnp.log1p(jnp.exp(w))) - 1 / (1 + np.exp(-0.5))) < 4 * eps(jnp.zeros(()).dtype)


@pytest.mark.ledger("CHK3")
def test_complex_steps_on_pytrees(measured):
    theta = {"w": jnp.asarray([[0.3, -1.2]]), "rest": [jnp.asarray(2.0), (jnp.asarray([1.5]),)]}
    f = lambda t: jnp.exp(t["w"][0, 0] * t["rest"][0]) * jnp.sin(t["w"][0, 1]) + t["rest"][1][0][0] ** 3
    estimate, exact = gradcheck.complex_step(f, theta), jax.grad(f)(theta)
    assert [leaf.dtype for leaf in jax.tree.leaves(estimate)] == [leaf.dtype for leaf in jax.tree.leaves(theta)]
    measured(gradcheck.distance(estimate, exact) / eps(jnp.zeros(()).dtype), 8, oracle="jax.grad, in eps")
    single = gradcheck.complex_step(lambda w: jnp.sum(jnp.exp(w)), jnp.asarray(0.5))
    assert single.shape == () and abs(float(single) - np.exp(0.5)) < 4 * eps(single.dtype)


@pytest.mark.ledger("CHK3")
def test_complex_steps_see_a_wrong_gradient():
    f = lambda w: jnp.sum(jnp.sin(w))
    w = jnp.asarray([0.1, 0.2])
    assert float(gradcheck.distance(gradcheck.complex_step(f, w), jnp.cos(w) + 1e-4)) > 1e-5
