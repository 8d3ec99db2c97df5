"""Gradient descent and momentum on quadratics and other convex functions: promised against measured."""

import functools
import itertools

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


def slope(x, y):
    """Of the line through (log x, log y), with half the width of its 95 % interval by Student's t."""
    fit = scipy.stats.linregress(np.log(np.asarray(x, float)), np.log(np.asarray(y, float)))
    return fit.slope, scipy.stats.t.ppf(0.975, len(x) - 2) * fit.stderr


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


# a function that is no quadratic: logistic regression with a ridge


class Logistic:
    """(1/N) Σ softplus(−xᵢ·θ) + (μ/2)‖θ‖²: μ-strongly convex, and smooth with L = μ + λmax(XᵀX)/(4N)."""

    def __init__(self, key, mu=0.05, n=30):
        self.x, self.mu = jax.random.normal(key, (n, 4)) * jnp.asarray([[0.5, 1.0, 2.0, 3.0]]), mu
        self.L = mu + jnp.linalg.eigvalsh(self.x.T @ self.x)[-1] / (4 * n)
        self.gradient = jax.grad(self.value)
        newton = lambda theta: theta - jnp.linalg.solve(jax.hessian(self.value)(theta), self.gradient(theta))
        self.minimizer = jax.lax.fori_loop(0, 30, lambda _, theta: newton(theta), jnp.zeros(4))

    def value(self, theta):
        return jnp.mean(jax.nn.softplus(-(self.x @ theta))) + self.mu / 2 * theta @ theta


@functools.partial(fast, static_argnames="instances")
def on_logistic(key, instances=24):
    """By instance: gap of co-coercivity, excess over γ and over the exact factor's square, Nesterov's potential."""

    def one(key):
        keys = jax.random.split(key, 4)
        F, rate = Logistic(keys[0]), jax.random.uniform(keys[1])
        best, (x, y) = F.minimizer, 2 * jax.random.normal(keys[2], (2, 4))
        d, g = x - y, F.gradient(x) - F.gradient(y)
        lower = (F.mu * F.L * (d @ d) + g @ g) / (F.mu + F.L)

        share = lambda rate: jnp.sum((convex.descend(F.gradient, x, rate=rate, steps=20) - best[None, :]) ** 2, -1)
        squares, beyond = share(rate * 2 / (F.mu + F.L)), share(rate * 2 / F.L)
        gamma = 1 - 2 * rate * 2 / (F.mu + F.L) * F.mu * F.L / (F.mu + F.L)
        sharp = jnp.maximum(jnp.abs(1 - rate * 2 / F.L * F.mu), jnp.abs(1 - rate * 2)) ** 2

        s = jnp.sqrt(F.mu / F.L)
        path = convex.nesterov(F.gradient, x, **convex.nesterov_tuning(F.mu, F.L)._asdict(), steps=30)
        before = jnp.concatenate([path[:1], path[:-1]])
        z = before + (path - before) / s
        excess = jax.vmap(F.value)(path) - F.value(best)
        potential = excess + F.mu / 2 * jnp.sum((z - best[None, :]) ** 2, -1)
        bound = 2 * (1 - s) ** jnp.arange(31.0) * excess[0]
        return {
            "co-coercivity": lower / (g @ d),
            "gamma": jnp.max(squares[1:] / squares[:-1]) / gamma,
            "sharp": jnp.max(beyond[1:] / beyond[:-1]) / sharp,
            "potential": jnp.max(potential[1:] / potential[:-1]) / (1 - s),
            "nesterov": jnp.max(excess / bound),
        }

    return jax.vmap(one)(jax.random.split(key, instances))


@pytest.mark.x64
@pytest.mark.ledger("GD3")
@pytest.mark.parametrize("inequality", ["co-coercivity", "gamma", "sharp"])
def test_bounds_hold_beyond_quadratics(inequality, measured):
    """Ridge-regularized logistic regression: all ratios of what is bounded to its bound are at most 1."""
    found = np.asarray(on_logistic(jax.random.key(5))[inequality])
    assert found.max() > 0.3  # the bound is not idle
    measured(max(found.max() - 1, 0), 1e-9, oracle="the inequality of the theorem")


# momentum


@pytest.mark.ledger("OPT1")
@pytest.mark.parametrize("nesterov", [False, True], ids=["heavy_ball", "nesterov"])
def test_momentum_is_that_of_optax(nesterov, key, measured):
    """optax keeps the velocity; with Nesterov its parameters are the points y where the gradient is taken."""
    F = fast(convex.quadratic)(key, spectrum(30.0, 4))
    method = convex.nesterov if nesterov else convex.heavy_ball
    path = method(F.gradient, jnp.ones(4), rate=0.02, momentum=0.8, steps=20)
    expected = path
    if nesterov:
        before = jnp.concatenate([path[:1], path[:-1]])
        expected = path + 0.8 * (path - before)
    optimizer, theta = optax.sgd(0.02, 0.8, nesterov=nesterov), jnp.ones(4)

    def update(carry):
        theta, state = carry
        updates, state = optimizer.update(F.gradient(theta), state)
        return theta + updates, state

    found = convex.iterate(update, (theta, optimizer.init(theta)), steps=20)[0]
    error = jnp.abs(found - expected).max() / jnp.abs(expected).max()
    measured(error, tolerance(path.dtype), oracle="optax.sgd with momentum")


def companion(rate, momentum, curvature, nesterov=False):
    """The step of momentum on ½λθ², as a matrix on (θ_k, θ_{k−1})."""
    c = 1 - rate * curvature
    top = [c * (1 + momentum), -c * momentum] if nesterov else [c + momentum, -momentum]
    return np.array([top, [1.0, 0.0]])


def radius(tuning, kappa, nesterov=False):
    """Largest absolute value of an eigenvalue over curvatures between 1 and κ."""
    step = functools.partial(companion, float(tuning.rate), float(tuning.momentum), nesterov=nesterov)
    return max(np.abs(np.linalg.eigvals(step(c))).max() for c in np.geomspace(1, kappa, 60))


@pytest.mark.ledger("OPT1")
@pytest.mark.parametrize("kappa", [1.0, 4.0, 100.0, 10_000.0])
def test_momentum_factors(kappa, measured):
    """Spectral radii of the 2 × 2 matrices; double roots cost half the digits."""
    found = radius(convex.heavy_ball_tuning(1.0, kappa), kappa)
    measured(abs(convex.heavy_ball_factor(kappa) - found), 1e-7, oracle="eigenvalues of companion matrices")
    found = radius(convex.nesterov_tuning(1.0, kappa), kappa, nesterov=True)
    measured(abs(convex.nesterov_factor(kappa) - found), 1e-7, oracle="eigenvalues of companion matrices")


@pytest.mark.ledger("OPT1")
def test_no_tuning_of_the_heavy_ball_is_better(measured):
    """Over a grid of rates and momenta, on the interval of curvatures from 1 to 25."""
    rates, momenta = np.linspace(0.005, 0.2, 60), np.linspace(-0.5, 0.95, 60)
    curvature = np.geomspace(1, 25, 40)
    b = 1 + momenta[None, :, None] - rates[:, None, None] * curvature
    root = np.sqrt(b.astype(complex) ** 2 - 4 * momenta[None, :, None])
    radii = np.maximum(abs(b + root), abs(b - root)).max(-1) / 2
    least = convex.heavy_ball_factor(25.0)
    assert radii.min() >= least - 1e-12
    measured(radii.min() / least - 1, 0.02, oracle="best of 3,600 tunings")


@functools.partial(jax.jit, static_argnames=("method", "steps"))
def iterations(method, kappas, short, steps):
    """Steps until ‖θ_k‖ ≤ short·‖θ₀‖ on quadratics with these condition numbers, from a start of ones."""

    def count(kappa):
        gradient, one = lambda theta: jnp.geomspace(1.0, kappa, 12) * theta, jnp.ones(12)
        if method == "descend":
            path = convex.descend(gradient, one, rate=convex.optimal_rate(1.0, kappa), steps=steps)
        else:
            tuning = getattr(convex, f"{method}_tuning")(1.0, kappa)
            path = getattr(convex, method)(gradient, one, **tuning._asdict(), steps=steps)
        return jnp.argmax(jnp.linalg.norm(path, axis=1) <= short * jnp.sqrt(12.0))

    return jax.vmap(count)(kappas)


@pytest.mark.x64
@pytest.mark.ledger("OPT1")
@pytest.mark.parametrize(
    ("method", "power", "steps"), [("descend", 1.0, 100_000), ("heavy_ball", 0.5, 3_000), ("nesterov", 0.5, 3_000)]
)
def test_iterations_grow_with_a_power_of_kappa(method, power, steps, measured):
    """κ for gradient descent, √κ with momentum: slope on log–log axes, κ from 10 to 10⁴."""
    kappas = jnp.geomspace(10.0, 10_000.0, 7)
    found, half = slope(kappas, iterations(method, kappas, 1e-8, steps))
    assert half < 0.05
    measured(abs(found - power) / power, 0.12, oracle="κ, or √κ up to a logarithm")


@pytest.mark.x64
@pytest.mark.ledger("OPT1")
@pytest.mark.parametrize("inequality", ["potential", "nesterov"])
def test_nesterov_beyond_quadratics(inequality, measured):
    found = np.asarray(on_logistic(jax.random.key(5))[inequality])
    measured(max(found.max() - 1, 0), 1e-9, oracle="V shrinks by 1 − 1/√κ; F − F* ≤ 2(1 − 1/√κ)ᵏ(F₀ − F*)")


# merely convex, and noise


def huber(theta, width):
    """½θ² up to |θ| = width, and straight beyond: convex and 1-smooth."""
    return optax.huber_loss(theta, delta=width)


@pytest.mark.ledger("GD5")
def test_descent_bound(measured):
    """The worst Huber function of each horizon leaves D²L/(4t + 2), which is the bound times t/(2t + 1)."""
    horizons, distance = (10, 30, 100, 300), 3.0
    width = jnp.asarray([distance / (2 * t + 1) for t in horizons])
    run = lambda w: convex.descend(jax.grad(lambda theta: huber(theta, w)), distance, rate=1.0, steps=300)
    paths = jax.jit(jax.vmap(run))(width)
    left = np.asarray(huber(paths[jnp.arange(4), jnp.asarray(horizons)], width))
    bound = np.array([convex.descent_bound(t, L=1.0, distance=distance) for t in horizons])
    sharp = left * np.array([(2 * t + 1) / t for t in horizons])
    measured(np.abs(bound / sharp - 1).max(), 20 * tolerance(paths.dtype), oracle="attained by Huber's functions")
    found, _ = slope(horizons, left)
    assert abs(found + 1) < 0.03


@pytest.mark.ledger("GD5")
def test_horizon_rate(measured):
    """The least of D²/(2τt) + τσ²/2 over τ, where 1/L allows it."""
    D, noise, t = 2.0, 0.5, 400
    sum_ = lambda rate: D**2 / (2 * rate * t) + rate * noise**2 / 2
    best = scipy.optimize.minimize_scalar(sum_, bounds=(1e-3, 1.0), method="bounded", options={"xatol": 1e-12})
    rate = float(convex.horizon_rate(t, L=1.0, distance=D, noise=noise))
    measured(abs(rate / best.x - 1), 1e-5, oracle="minimized by scipy")
    extra = convex.descent_bound(t, L=0.0, distance=D, noise=noise)
    measured(abs(extra / best.fun - 1), 1e-9, oracle="minimized by scipy")
    assert float(convex.horizon_rate(t, L=50.0, distance=D, noise=noise)) == pytest.approx(1 / 50)
    assert float(convex.horizon_rate(t, L=50.0, distance=D)) == pytest.approx(1 / 50)


@pytest.mark.ledger("GD5")
def test_stochastic_descend(key, measured):
    """The same as a loop; the running mean as NumPy has it."""
    F = fast(convex.quadratic)(key, jnp.asarray([1.0, 3.0]))
    noisy = lambda theta, key: F.gradient(theta) + jax.random.normal(key, (2,))
    rates = 0.3 / jnp.sqrt(jnp.arange(1.0, 11))
    path = fast(lambda key: convex.stochastic_descend(key, noisy, jnp.ones(2), rate=rates, steps=10))(key)
    draws = np.asarray(fast(lambda key: jax.vmap(lambda k: jax.random.normal(k, (2,)))(jax.random.split(key, 10)))(key))
    theta, expected = np.ones(2), [np.ones(2)]
    for rate, draw in zip(np.asarray(rates), draws, strict=True):
        theta = theta - rate * (np.asarray(F.H) @ theta + draw)
        expected.append(theta)
    measured(np.abs(path - np.array(expected)).max(), 10 * tolerance(path.dtype), oracle="a loop in NumPy")
    means = [np.mean(expected[: k + 1], 0) for k in range(11)]
    measured(np.abs(convex.running_mean(path) - np.array(means)).max(), 10 * tolerance(path.dtype), oracle="numpy.mean")


def flat(theta):
    """θ⁴/4 up to |θ| = 1, and straight beyond: convex and 3-smooth, with no curvature at its minimum."""
    near = jnp.clip(jnp.abs(theta), 0.0, 1.0)
    return near**4 / 4 + jnp.maximum(jnp.abs(theta) - 1, 0.0)


@pytest.mark.ledger("GD5")
def test_noise_slows_to_the_square_root(key, measured):
    """Slope of the mean excess against t, with its 95 % interval by bootstrap over seeds; the bound holds."""
    horizons, seeds = (200, 400, 800, 1600, 3200), 60
    noisy = lambda theta, key: jax.grad(flat)(theta) + jax.random.normal(key, (), theta.dtype) / 2
    rates = jnp.stack([convex.horizon_rate(t, L=3.0, distance=1.0, noise=0.5) for t in horizons])
    run = lambda key, rate: convex.stochastic_descend(key, noisy, 1.0, rate=rate, steps=max(horizons))
    runs = jax.jit(jax.vmap(jax.vmap(run, (0, None)), (None, 0)))(jax.random.split(key, seeds), rates)
    values, runs = np.asarray(jax.jit(flat)(runs)), np.asarray(runs)
    values = np.array([values[i, :, :t].mean(1) for i, t in enumerate(horizons)])
    of_mean = np.array([runs[i, :, :t].mean(1) for i, t in enumerate(horizons)])
    of_mean = np.asarray(flat(jnp.asarray(of_mean)))
    bound = np.array([convex.descent_bound(t, L=3.0, distance=1.0, noise=0.5) for t in horizons])
    assert (values.mean(1) <= bound).all() and (of_mean <= values + 1e-6).all()
    draws = np.random.default_rng(0).integers(0, seeds, (400, seeds))
    slopes = [np.polyfit(np.log(horizons), np.log(values[:, d].mean(1)), 1)[0] for d in draws]
    low, high = np.quantile(slopes, [0.025, 0.975])
    assert high - low < 0.1
    measured(abs((low + high) / 2 + 0.5) / 0.5, 0.1, oracle="−½")


@pytest.mark.ledger("GD5")
@pytest.mark.parametrize("replacement", [True, False])
def test_batch_noise(replacement, key, measured):
    """Every batch there is: all 7³ tuples, or all 35 subsets, of 3 of 7 examples."""
    tree = {"W": jax.random.normal(key, (7, 2, 3)), "b": jax.random.normal(key, (7, 2))}
    flat = np.concatenate([np.asarray(leaf, np.float64).reshape(7, -1) for leaf in tree.values()], 1)
    draws = itertools.product(range(7), repeat=3) if replacement else itertools.combinations(range(7), 3)
    off = np.array([flat[list(d)].mean(0) - flat.mean(0) for d in draws])
    expected = np.sqrt((off**2).sum(1).mean())
    found = convex.batch_noise(tree, 3, replacement=replacement)
    measured(abs(found / expected - 1), tolerance(found.dtype), oracle="mean over all batches")
    assert float(convex.batch_noise(tree, 7, replacement=False)) == 0
