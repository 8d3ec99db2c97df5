"""What the chapter on losses states beyond its equations."""

import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from mlpjax import activations, losses, metrics, mlp, training
from mlpjax.data import Dataset
from mlpjax.layers.dense import Dense
from tests.helpers import eps

logits = st.lists(st.floats(-30, 30, width=32), min_size=4, max_size=4).map(lambda z: np.array(z, np.float64))
EPS32 = 2.0**-23
VALUE = jax.jit(losses.softmax_cross_entropy.value)
HESSIAN = jax.jit(jax.hessian(losses.softmax_cross_entropy.value))
DELTA = jax.jit(losses.softmax_cross_entropy.delta)


def risk(loss, z, targets):
    """The mean loss of one prediction over several targets, in plain numbers."""
    return float(jax.vmap(loss.value, (None, 0))(jnp.asarray(z), jnp.asarray(targets)).mean())


@pytest.mark.ledger("LOS2")
def test_the_mean_minimizes_the_squared_error(key, measured):
    """E‖y − c‖² = E‖y − m‖² + ‖m − c‖² with the mean m: by hand."""
    y = np.asarray(jax.random.normal(key, (50, 3)), np.float64)
    c = np.array([0.3, -2.0, 1.0])
    split = ((y - y.mean(0)) ** 2).sum(1).mean() + ((y.mean(0) - c) ** 2).sum()
    value = risk(losses.squared_error, c, y)
    measured(abs(value / split - 1), 8 * eps(jnp.zeros(()).dtype), oracle="spread plus squared distance to the mean")


@pytest.mark.ledger("LOS3")
@settings(max_examples=60, deadline=None)
@given(z=logits)
def test_log_sum_exp_lies_above_the_largest_logit(z):
    """m ≤ log Σ e^z ≤ m + log K, at 50 digits and as the package evaluates it."""
    with mpmath.workdps(50):
        exact = mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(v)) for v in z))
        above = exact - mpmath.mpf(float(z.max()))
        assert 0 <= above <= mpmath.log(4) * (1 + mpmath.mpf(10) ** -45)
    # the loss of the likeliest class is that difference
    assert abs(VALUE(jnp.asarray(z), jnp.asarray(int(z.argmax()))) - float(above)) <= 4 * eps(jnp.zeros(()).dtype)


@pytest.mark.ledger("LOS3")
def test_where_float32_leaves_the_formula():
    exp = jax.jit(lambda x: jnp.exp(jnp.float32(x)))
    assert jnp.isfinite(exp(88.7)) and jnp.isinf(exp(88.8)) and exp(-104.0) == 0
    assert losses.softmax_cross_entropy(jnp.float32([100, 0]), jnp.asarray(1)) == 100
    # tiny losses: softmax's is right to about eps of 1, the sigmoid's to eps of itself
    assert losses.softmax_cross_entropy(jnp.float32([20, 0]), jnp.asarray(0)) <= EPS32
    tiny = float(losses.binary_cross_entropy(jnp.float32([20]), jnp.float32([1])))
    assert abs(tiny / math.log1p(math.exp(-20)) - 1) < 4 * EPS32


@pytest.mark.ledger("LOS3")
@settings(max_examples=60, deadline=None)
@given(z=logits, seed=st.integers(0, 10**6))
def test_cross_entropy_is_convex_in_the_logits(z, seed):
    """vᵀHv is the variance of v under p: between 0 and ‖v‖²/2. H by autodiff of the value."""
    v = np.random.default_rng(seed).normal(size=len(z))
    H = np.asarray(HESSIAN(jnp.asarray(z), jnp.asarray(0)), np.float64)
    e = np.exp(z - z.max())
    p = e / e.sum()
    variance = (p * (v - p @ v) ** 2).sum()
    slack = 64 * eps(jnp.zeros(()).dtype) * (v @ v)
    assert abs(v @ H @ v - variance) <= slack and -slack <= v @ H @ v <= (v @ v) / 2 + slack
    assert np.linalg.norm(DELTA(jnp.asarray(z), jnp.asarray(0))) <= math.sqrt(2) * (1 + 1e-6)


@pytest.mark.ledger("LOS4")
def test_largest_delta_behind_a_sigmoid(measured):
    """sup abs(δ) = 4/27, at z = log 2 for y = 0, and no target in [0, 1] has more."""
    z = jnp.linspace(-15.0, 15.0, 3001)
    delta = jax.vmap(jax.vmap(losses.sigmoid_squared_error.delta, (0, None)), (None, 0))(
        z[:, None], jnp.linspace(0.0, 1.0, 21)[:, None]
    )
    top = losses.sigmoid_squared_error.delta(jnp.log(jnp.asarray([2.0])), jnp.zeros(1))[0]
    measured(abs(top * 27 / 4 - 1), 8 * eps(z.dtype), oracle="4/27 at z = log 2, by hand")
    assert jnp.abs(delta).max() <= top * (1 + 8 * eps(z.dtype)) and jnp.abs(delta).max() > 0.999 * top
    curvature = jax.vmap(jax.hessian(lambda z: losses.sigmoid_squared_error.value(z[None], jnp.zeros(1))))(z)
    assert (curvature[z > 0.7] < 0).all() and (curvature[z < 0.69] > 0).all()


@pytest.mark.ledger("LOS5")
@settings(max_examples=60, deadline=None)
@given(a=logits, seed=st.integers(0, 10**6))
def test_cross_entropy_is_entropy_plus_divergence(a, seed):
    """Σ q log(q/p) ≥ 0, by scipy's relative entropy: the risk is least where p is the frequencies."""
    q = np.random.default_rng(seed).dirichlet(np.ones(len(a)))
    e = np.exp(a - a.max())
    value = float(VALUE(jnp.asarray(a), jnp.asarray(q)))
    right = stats.entropy(q) + stats.entropy(q, e / e.sum())
    assert abs(value - right) <= 1e2 * eps(jnp.zeros(()).dtype) * max(1, right) and value >= stats.entropy(q) - 1e-5


FAMILIES = {  # A, the loss, and (y, log h(y)) over the support, counted or on a grid
    "Gaussian": (lambda z: z**2 / 2, None),
    "Bernoulli": (lambda z: math.log(1 + math.exp(z)), [(0, 0.0), (1, 0.0)]),
    "Poisson": (math.exp, [(n, -math.lgamma(n + 1)) for n in range(200)]),
}


@pytest.mark.ledger("LOS5", "LOS2")
@pytest.mark.parametrize("family", FAMILIES)
def test_canonical_link(family, measured):
    """Mean and variance of y under h(y) exp(zy − A(z)), summed or integrated, are A′ and A″."""
    A, support = FAMILIES[family]
    mean = {"Gaussian": activations.identity, "Bernoulli": activations.sigmoid, "Poisson": jnp.exp}[family]
    for z in (-1.3, 0.0, 2.1):
        if support is None:
            density = lambda y, z=z: math.exp(z * y - A(z) - y**2 / 2) / math.sqrt(2 * math.pi)
            moments = [integrate.quad(lambda y, k=k, f=density: y**k * f(y), z - 12, z + 12)[0] for k in (0, 1, 2)]
        else:
            weights = [math.exp(z * y - A(z) + h) for y, h in support]
            moments = [math.fsum(w * y**k for w, (y, _) in zip(weights, support, strict=True)) for k in (0, 1, 2)]
        prime = float(mean(jnp.asarray(z)))
        second = float(jax.grad(lambda z: jnp.sum(mean(z)))(jnp.asarray(z)))
        assert abs(moments[0] - 1) < 1e-9 and abs(moments[2] - moments[1] ** 2 - second) < 1e-5
        error = abs(prime - moments[1]) / max(1, abs(moments[1]))
        measured(error, max(1e-8, 8 * eps(jnp.zeros(()).dtype)), oracle="the mean under the density, summed")


def steps_until_half(loss, starts, steps, rate=0.5):
    """One sigmoid unit of input 1 and target 0: the step at which its output first falls below ½."""
    example = Dataset(jnp.ones((1, 1)), jnp.zeros((1, 1)))
    optimizer = optax.sgd(rate)
    metric = {"z": lambda params, batch: mlp.apply(params, batch.x[0])[0]}

    def z(start):
        params = (Dense(0.625 * start[None, None], 0.375 * start[None]),)
        _, history = training.run(
            training.start(jax.random.key(0), params, optimizer=optimizer), example, steps=steps, optimizer=optimizer,
            objective=training.supervised(mlp.apply, loss), validation=example, metrics=metric, evaluate_every=1,
        )  # fmt: skip
        return history.validation["z"]

    return 1 + np.argmax(np.asarray(jax.jit(jax.vmap(z))(starts)) < 0, axis=1)


@pytest.mark.ledger("LOS5")
def test_steps_to_unlearn_a_confident_mistake(measured):
    """Gradient flow solved by hand: z + 1 − e^(−z), and e^z − 1 + 3z + 3(1 − e^(−z)) + (1 − e^(−2z))/2."""
    z = np.arange(1.0, 8.0)
    linear = z + 1 - np.exp(-z)
    exponential = np.exp(z) - 1 + 3 * z + 3 * (1 - np.exp(-z)) + (1 - np.exp(-2 * z)) / 2
    counted = steps_until_half(losses.binary_cross_entropy, jnp.asarray(z), 12)
    assert np.abs(counted - linear).max() < 1
    measured(np.abs(counted - linear).max() / linear.max(), 0.05, oracle="gradient flow solved by hand")
    counted = steps_until_half(losses.sigmoid_squared_error, jnp.asarray(z), 1200)
    measured(np.abs(counted / exponential - 1).max(), 0.05, oracle="gradient flow solved by hand")


@pytest.mark.ledger("LOS6")
@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("smoothing", [0.01, 0.1, 0.5])
def test_the_least_smoothed_loss_is_an_entropy(classes, smoothing, measured):
    """Reached where the logits differ by log(1 + K(1 − ε)/ε); the value by scipy's entropy."""
    loss = losses.smoothed_cross_entropy(smoothing)
    target = np.full(classes, smoothing / classes)
    target[0] += 1 - smoothing
    gap = math.log(1 + classes * (1 - smoothing) / smoothing)
    z = jnp.zeros(classes).at[0].set(gap)
    u = eps(z.dtype)
    measured(abs(loss(z, jnp.asarray(0)) / stats.entropy(target) - 1), 64 * u, oracle="scipy.stats.entropy")
    assert jnp.abs(loss.delta(z, jnp.asarray(0))).max() < 16 * u
    assert loss(z * 1.1, jnp.asarray(0)) > loss(z, jnp.asarray(0)) < loss(z * 0.9, jnp.asarray(0))


@pytest.mark.ledger("LOS7")
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), bins=st.sampled_from([1, 5, 8]))
def test_finer_bins_never_lower_the_calibration_error(seed, bins):
    rng = np.random.default_rng(seed)
    p, y = jnp.asarray(rng.dirichlet(np.ones(3), 50)), jnp.asarray(rng.integers(0, 3, 50))
    coarse, fine = (metrics.calibration_error(p, y, bins=b) for b in (bins, 2 * bins))
    assert fine >= coarse - 16 * eps(p.dtype)


@pytest.mark.ledger("LOS7")
def test_calibrated_and_useless(measured):
    """Who always says the frequencies is calibrated, and right as often as the largest class occurs."""
    y = jnp.repeat(jnp.arange(3), jnp.asarray([10, 6, 4]), total_repeat_length=20)
    p = jnp.tile(jnp.asarray([0.5, 0.3, 0.2]), (20, 1))
    measured(metrics.calibration_error(p, y), 4 * EPS32, oracle="0, by hand")
    assert metrics.accuracy(p, y) == 0.5
