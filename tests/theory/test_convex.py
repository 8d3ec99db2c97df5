"""Quadratics, the iteration, its threshold and the contraction theorem: promised against measured."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.optimize
import scipy.stats

from mlpjax import initializers, mlp
from mlpjax.theory import convex
from tests.helpers import FAST_TO_COMPILE, assert_trees_close, eps, tolerance

fast = functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)

KAPPAS = (2.0, 10.0, 100.0, 1_000.0, 10_000.0)
MADE = fast(convex.quadratic)
FEW = hypothesis.settings(max_examples=12, deadline=None)


def spectrum(kappa, n=6):
    return jnp.geomspace(1.0, kappa, n)


def ratios(path):
    """Of consecutive distances to the origin."""
    size = np.linalg.norm(np.asarray(path, np.float64), axis=-1)
    return size[1:] / size[:-1]


# quadratics


@pytest.mark.ledger("GD3")
def test_quadratic(key, measured):
    values = jnp.asarray([3.0, 0.5, 7.0, 0.5])
    F = fast(convex.quadratic)(key, values, minimizer=jnp.arange(4.0))
    found = np.linalg.eigvalsh(np.asarray(F.H, np.float64))
    measured(np.abs(found - np.sort(values)).max() / 7, tolerance(F.H.dtype), oracle="numpy.linalg.eigvalsh")
    theta = jnp.asarray([1.0, -2.0, 0.5, 4.0])
    assert_trees_close(F.gradient(theta), fast(jax.grad(F.value))(theta))
    assert float(F.value(F.minimizer)) == 0 and not np.asarray(F.gradient(F.minimizer)).any()
    Q = np.asarray(fast(lambda key: initializers.orthogonal(key, (4, 4)))(key))
    assert np.allclose(np.asarray(F.H) @ Q, Q * np.asarray(values), atol=7 * tolerance(F.H.dtype))
    assert jax.eval_shape(convex.quadratic, key, values.astype(jnp.float32)).H.dtype == jnp.float32


def test_what_is_refused(key, unchecked):
    with pytest.raises(ValueError, match=r"`spectrum` must hold finite numbers ≥ 0"):
        convex.quadratic(key, jnp.asarray([1.0, -1.0]))
    with pytest.raises(ValueError, match=r"`minimizer` must have one entry per eigenvalue, shape \(2,\); got \(3,\)"):
        convex.quadratic(key, jnp.ones(2), minimizer=jnp.ones(3))
    with pytest.raises(ValueError, match=r"`mu` and `L` must satisfy 0 < mu <= L; got mu = 2.0, L = 1.0"):
        convex.optimal_rate(2.0, 1.0)
    with pytest.raises(ValueError, match=r"`rate` must satisfy 0 < rate <= 2 / \(mu \+ L\) = 0.5; got 0.6"):
        convex.contraction(0.6, 1.0, 3.0)
    with pytest.raises(ValueError, match=r"`kappa` must be at least 1; got 0.5"):
        convex.nesterov_factor(0.5)
    with pytest.raises(ValueError, match=r"`batch_size` must lie between 1 and the number of examples, 3; got 4"):
        convex.batch_noise(jnp.ones((3, 2)), 4, replacement=False)


def test_integers_are_refused(key, unchecked):
    """A rate of 0.1 would be cast to their dtype, and be 0."""
    wanted, options = r"`start` must hold floating-point numbers; got int", {"rate": 0.1, "steps": 2}
    with pytest.raises(ValueError, match=wanted):
        convex.descend(lambda t: t, 1, **options)
    for method in (convex.heavy_ball, convex.nesterov):
        with pytest.raises(ValueError, match=wanted):
            method(lambda t: t, {"a": 1.0, "b": 1}, momentum=0.5, **options)
    with pytest.raises(ValueError, match=wanted):
        convex.stochastic_descend(key, lambda t, key: t, 1, **options)
    with pytest.raises(ValueError, match=r"`spectrum` must be one axis of floating-point numbers; got shape"):
        convex.quadratic(key, jnp.asarray([1, 2]))
    with pytest.raises(ValueError, match=r"`spectrum` must hold floating-point numbers; got int"):
        convex.quadratic_factor(0.1, jnp.asarray([1, 2]))
    assert float(convex.quadratic_factor(0.25, (1.0, 4.0))) == 0.75


def test_steps_and_horizons(key, unchecked):
    with pytest.raises(ValueError, match=r"`steps` must be an integer ≥ 0; got -1"):
        convex.descend(lambda t: t, 1.0, rate=0.1, steps=-1)
    assert convex.descend(lambda t: t, 1.0, rate=0.1, steps=0).tolist() == [1.0]
    assert convex.stochastic_descend(key, lambda t, key: t, 1.0, rate=0.1, steps=0).tolist() == [1.0]
    assert int(convex.iterate_until(lambda t: t, 1.0, stop=lambda t: False, limit=3)[1]) == 3
    for function in (convex.horizon_rate, convex.descent_bound):
        with pytest.raises(ValueError, match=r"`steps` must be an integer ≥ 1; got 0"):
            function(0, L=1.0, distance=1.0)
        with pytest.raises(ValueError, match=r"`distance` must be positive; got 0.0"):
            function(9, L=1.0, distance=0.0)
        with pytest.raises(ValueError, match=r"`noise` must be at least 0; got nan"):
            function(9, L=1.0, distance=1.0, noise=float("nan"))


# the iteration


@pytest.mark.ledger("GD1")
def test_descend_on_a_quadratic(key, measured):
    """θ_k = θ* + (I − τH)ᵏ(θ₀ − θ*)."""
    F = fast(convex.quadratic)(key, jnp.asarray([0.3, 1.0, 2.0, 5.0]), minimizer=jnp.arange(4.0))
    path = fast(lambda rate: convex.descend(F.gradient, jnp.ones(4), rate=rate, steps=30))(0.3)
    H, best = np.asarray(F.H, np.float64), np.arange(4.0)
    powers = [np.linalg.matrix_power(np.eye(4) - 0.3 * H, k) for k in range(31)]
    expected = best + np.array([P @ (1 - best) for P in powers])
    assert path.shape == (31, 4)
    measured(np.abs(path - expected).max() / 3, tolerance(path.dtype), oracle="powers of I − τH in NumPy")


@pytest.mark.ledger("GD1")
def test_descend_trains_any_tree(key, measured):
    """A network's parameters, under vmap over the learning rate, against optax.sgd."""
    params, x = mlp.init(key, (2, 3, 1)), jax.random.normal(key, (5, 2))
    slope = jax.grad(lambda p: jnp.mean(jax.vmap(functools.partial(mlp.apply, p))(x) ** 2))
    run = lambda rate: convex.descend(slope, params, rate=rate, steps=4)
    paths = fast(jax.vmap(run))(jnp.asarray([0.1, 0.2]))
    optimizer = optax.sgd(0.2)

    def update(theta, state):
        updates, state = optimizer.update(slope(theta), state)
        return optax.apply_updates(theta, updates), state

    theta, state, update = params, optimizer.init(params), fast(update)
    for _ in range(4):
        theta, state = update(theta, state)
    flat = lambda tree: np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])
    last = flat(jax.tree.map(lambda leaf: leaf[1, -1], paths))
    measured(np.abs(last / flat(theta) - 1).max(), 50 * tolerance(x.dtype), oracle="optax.sgd")
    assert_trees_close(jax.tree.map(lambda leaf: leaf[0, 0], paths), params)


@pytest.mark.x64
@pytest.mark.ledger("GD1")
def test_the_run_is_differentiable(measured):
    """d/dτ (1 − τλ)ᵏ = −kλ(1 − τλ)ᵏ⁻¹."""
    last = lambda rate: convex.descend(lambda theta: 2 * theta, 1.0, rate=rate, steps=5)[-1]
    measured(abs(jax.grad(last)(0.1) / (-10 * 0.8**4) - 1), 1e-12, oracle="−kλ(1 − τλ)ᵏ⁻¹")


@pytest.mark.ledger("GD1")
def test_stopping(key, measured):
    """The first step at which the criterion holds; a short gradient certifies a small distance and a small excess."""
    mu, L, short = 0.5, 4.0, 1e-3
    F = fast(convex.quadratic)(key, jnp.asarray([mu, 1.0, L]), minimizer=jnp.ones(3))
    update = lambda theta: theta - 0.4 * F.gradient(theta)
    stop = lambda theta: jnp.linalg.norm(F.gradient(theta)) <= short
    theta, k = fast(lambda t: convex.iterate_until(update, t, stop=stop, limit=1000))(jnp.zeros(3))
    path = fast(lambda t: convex.iterate(update, t, steps=100))(jnp.zeros(3))
    first = int(np.argmax(np.linalg.norm((np.asarray(path) - 1) @ np.asarray(F.H), axis=1) <= short))
    assert int(k) == first > 0
    assert_trees_close(theta, path[first])
    assert float(jnp.linalg.norm(theta - 1)) <= short / mu
    assert float(F.value(theta)) <= short**2 / (2 * mu)
    never = convex.iterate_until(update, jnp.zeros(3), stop=lambda theta: jnp.any(theta > 9), limit=7)[1]
    measured(abs(int(never) - 7), 0, oracle="the limit")


def test_dtypes_are_kept():
    start = jnp.ones(2, jnp.bfloat16)
    for method in (convex.heavy_ball, convex.nesterov):
        assert method(lambda t: t, start, rate=0.5, momentum=0.5, steps=2).dtype == jnp.bfloat16
    noisy = lambda theta, key: theta + jax.random.normal(key, theta.shape, theta.dtype)
    path = convex.stochastic_descend(jax.random.key(0), noisy, start, rate=0.5, steps=2)
    assert path.dtype == jnp.bfloat16 and convex.running_mean(path).dtype == jnp.bfloat16


# the threshold


@pytest.mark.ledger("GD2")
@FEW
@hypothesis.given(st.lists(st.floats(0.01, 10), min_size=4, max_size=4), st.floats(0.01, 1))
def test_quadratic_factor_is_the_norm(values, rate):
    H = np.asarray(MADE(jax.random.key(1), jnp.asarray(values)).H, np.float64)
    norm = np.linalg.norm(np.eye(4) - rate * H, 2)
    factor = float(convex.quadratic_factor(rate, jnp.asarray(values)))
    assert abs(factor - norm) <= 64 * eps(jnp.asarray(1.0).dtype) * 10
    assert (factor < 1 - 1e-6) <= (rate < 2 / max(values)) and (factor > 1 + 1e-6) <= (rate > 2 / max(values))


@pytest.mark.ledger("GD2")
def test_quadratic_factor(key, measured):
    values = jnp.asarray([0.5, 1.0, 4.0])
    H = np.asarray(fast(convex.quadratic)(key, values).H, np.float64)
    found = [float(convex.quadratic_factor(rate, values)) for rate in (0.1, 0.4, 0.45, 0.7)]
    norms = [np.linalg.norm(np.eye(3) - rate * H, 2) for rate in (0.1, 0.4, 0.45, 0.7)]
    measured(
        np.abs(np.divide(found, norms) - 1).max(), tolerance(values.dtype), oracle="norm of I − τH, by NumPy's SVD"
    )


@pytest.mark.ledger("GD2")
def test_threshold():
    """λ = 1 and L = 8: below 2/L the path ends at 0, at 2/L it jumps between two points forever, above it leaves."""
    gradient = lambda theta: jnp.asarray([1.0, 8.0], theta.dtype) * theta
    run = jax.jit(jax.vmap(lambda rate: convex.descend(gradient, jnp.ones(2), rate=rate, steps=2000)))
    below, at, above = np.abs(np.asarray(run(jnp.asarray([0.2475, 0.25, 0.2525]))))
    assert below[-1].max() < 1e-12
    assert (at[:, 1] == 1).all() and at[-1, 0] < 1e-12
    assert above[-1, 1] > 1e12 and above[-1, 0] < 1e-12


# the theorem


SHARES = (0.1, 0.5, 0.9, 1.0)


@functools.partial(fast, static_argnames="steps")
def squared_ratios(key, start, steps=15):
    """‖θ_{k+1} − θ*‖²/‖θ_k − θ*‖² from a start given in the eigenbasis, by κ, by τ/τ*, by step."""

    def run(values, share):
        F, Q = convex.quadratic(key, values), initializers.orthogonal(key, (6, 6), values.dtype)
        path = convex.descend(F.gradient, Q @ start, rate=share * convex.optimal_rate(1.0, values[-1]), steps=steps)
        squares = jnp.sum(path**2, -1)
        return squares[1:] / squares[:-1]

    spectra = jnp.stack([spectrum(kappa) for kappa in KAPPAS])
    return jax.vmap(jax.vmap(run, (None, 0)), (0, None))(spectra, jnp.asarray(SHARES, start.dtype))


def promised():
    return np.array([[convex.contraction(s * convex.optimal_rate(1.0, k), 1.0, k) for s in SHARES] for k in KAPPAS])


@pytest.mark.ledger("GD3")
def test_no_step_contracts_less(key, measured):
    largest = np.asarray(squared_ratios(key, jax.random.normal(key, (6,)))).max(-1)
    measured(
        (largest / promised()).max() - 1,
        64 * eps("float64" if jax.config.jax_enable_x64 else "float32"),
        oracle="γ = 1 − 2τμL/(μ + L)",
    )


@pytest.mark.ledger("GD3")
def test_contraction(key, measured):
    """From the eigenspaces of μ and L every step at τ* contracts by the same factor; γ is linear in τ, and 1 at 0."""
    start = jnp.asarray([0.6, 0, 0, 0, 0, 0.8])
    attained = np.asarray(squared_ratios(key, start))[:, -1]
    line = 1 - np.asarray(SHARES) * (1 - attained.mean(-1, keepdims=True))
    assert np.ptp(attained, axis=-1).max() < 64 * eps(start.dtype)
    measured(np.abs(promised() / line - 1).max(), 32 * tolerance(start.dtype), oracle="measured at τ*, linear below")


@pytest.mark.ledger("GD3")
def test_optimal_contraction(key, measured):
    attained = np.asarray(squared_ratios(key, jnp.asarray([1.0, 0, 0, 0, 0, 1.0])))[:, -1].mean(-1)
    found = [convex.optimal_contraction(kappa) for kappa in KAPPAS]
    measured(np.abs(found / attained - 1).max(), 32 * tolerance(jnp.asarray(1.0).dtype), oracle="measured contraction")
    assert convex.optimal_contraction(1.0) == 0 == convex.contraction(0.25, 4.0, 4.0)


@pytest.mark.ledger("GD3")
def test_attained_nowhere_else(key):
    """One component in another eigenspace, however small, and the first step contracts more; below τ* all do."""
    inside = np.asarray(squared_ratios(key, jnp.asarray([1.0, 0, 0.01, 0, 0, 1.0])))
    slack = 1 - inside / promised()[:, :, None]
    small = 10 * eps(jnp.asarray(1.0).dtype)
    assert (slack[:3, -1, 0] > small).all() and (slack[:2, :-1] > small).all()


@pytest.mark.ledger("GD3")
def test_optimal_rate(measured):
    """Where the largest of |1 − τλ| is least, by golden section."""
    for mu, L in ((1.0, 1.0), (0.5, 8.0), (2.0, 300.0)):
        worst = lambda rate, mu=mu, L=L: max(abs(1 - rate * mu), abs(1 - rate * L))
        best = scipy.optimize.minimize_scalar(worst, bracket=(0, 2 / L), tol=1e-14).x
        measured(abs(convex.optimal_rate(mu, L) / best - 1), 1e-9, oracle="golden section on max |1 − τλ|")
