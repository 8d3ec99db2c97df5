"""Losses: δ against three other derivations, and their targets; accuracy and limits are in `tests/reliability`."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from mlpjax import activations, losses, mlp, training
from mlpjax.data import Dataset
from mlpjax.losses import Loss, by_name, one_hot
from tests import oracles
from tests.helpers import eps
from tests.reliability import accuracy

ULP = 4
NAN, INF = math.nan, math.inf
ROWS = {
    "half_squared_error": "LOS2", "squared_error": "LOS2", "sigmoid_squared_error": "LOS4",
    "binary_cross_entropy": "LOS4", "softmax_cross_entropy": "LOS3", "smoothed_cross_entropy(0.1)": "LOS6",
}  # fmt: skip


def every():
    return [pytest.param(loss, id=loss.name, marks=pytest.mark.ledger(ROWS[loss.name])) for loss in losses.ALL]


def test_the_comparison_can_fail():
    naive = lambda z, y: jnp.sum(-y * jnp.log(jax.nn.sigmoid(z)) - (1 - y) * jnp.log(1 - jax.nn.sigmoid(z)))
    delta = lambda z, y: jax.nn.sigmoid(z) - y * 0.999999
    wrong = Loss("binary_cross_entropy", naive, delta, activations.sigmoid)
    found = dict(accuracy.of_loss(wrong, "float32", 400, seed=0))
    assert found["binary_cross_entropy value"]["ulp"] > 1e3 and found["binary_cross_entropy delta"]["ulp"] > 8


@pytest.mark.parametrize("loss", every())
def test_bfloat16_is_sane(loss, key):
    """dtype kept, and near the float32 result."""
    z = 3 * jax.random.normal(key, (200, 3), jnp.bfloat16)
    y = jax.random.uniform(jax.random.fold_in(key, 1), (200, 3)).astype(jnp.bfloat16)
    wide = [jax.vmap(f)(z.astype(jnp.float32), y.astype(jnp.float32)) for f in (loss.value, loss.delta)]
    for got, want in zip([jax.vmap(f)(z, y) for f in (loss.value, loss.delta)], wide, strict=True):
        assert got.dtype == jnp.bfloat16 and want.dtype == jnp.float32
        np.testing.assert_allclose(np.float64(got), np.float64(want), rtol=0.03, atol=0.03)


# δ, derived in other ways


@pytest.mark.parametrize("loss", [*every(), losses.activated_squared_error(activations.tanh)], ids=str)
def test_delta_is_the_gradient_of_value(loss, key, measured):
    """By autodiff, for moderate and for large logits, vectors and class indices."""
    scale = jnp.asarray([0.1, 1.0, 10.0, 1e3]).repeat(50)[:, None]
    z = scale * jax.random.normal(key, (200, 4))
    y = jax.nn.softmax(5 * jax.random.normal(jax.random.fold_in(key, 1), (200, 4)))
    targets = [y, jnp.argmax(y, 1)] if loss.classifies else [y, jnp.round(y)]
    for y in targets:
        delta, autodiff = jax.vmap(loss.delta)(z, y), jax.vmap(jax.grad(loss.value))(z, y)
        largest = jnp.maximum(1, jnp.abs(autodiff).max(1, keepdims=True))
        # autodiff takes 1 − s for the slope of softplus, which cancels; δ does not
        measured((jnp.abs(delta - autodiff) / largest).max() / eps(z.dtype), 16, oracle="jax.grad, in eps")


@pytest.mark.parametrize("loss", every())
def test_delta_is_the_derivative_at_fifty_digits(loss, measured):
    """The oracle's own C and δ agree, differentiated numerically with 50 digits: δ = p − y and a − y are derived."""
    value, delta = oracles.LOSSES[loss.name]
    worst = 0.0
    with mpmath.workdps(oracles.DIGITS):
        for z in ([0.3, -1.7, 2.5], [12, -7, 0.01], [-30, 25, 3]):
            z, y = [mpmath.mpf(v) for v in z], [mpmath.mpf("0.2"), mpmath.mpf("0.7"), mpmath.mpf("0.1")]
            for i in range(3):
                along = lambda t, i=i, z=z, y=y: value([*z[:i], t, *z[i + 1 :]], y)
                worst = max(worst, abs(mpmath.diff(along, z[i]) - delta(z, y)[i]))
        measured(float(worst), 1e-20, oracle="numerical differentiation by mpmath at 50 digits")


@pytest.mark.ledger("LOS3", "LOS4")
def test_delta_by_complex_step(measured):
    """In numpy, from the plain formulas: log Σ e^z − Σ y z, and log(1 + e^z) − y z."""
    rng = np.random.default_rng(2)
    cross_entropy = lambda z, y: np.log(np.exp(z).sum()) - (y * z).sum()
    binary = lambda z, y: (np.log(1 + np.exp(z)) - y * z).sum()
    for formula, loss in ((cross_entropy, losses.softmax_cross_entropy), (binary, losses.binary_cross_entropy)):
        for _ in range(20):
            z, y = rng.normal(size=5) * 3, rng.dirichlet(np.ones(5))
            step = np.array([formula(z + 1e-30j * e, y).imag / 1e-30 for e in np.eye(5)])
            u = eps(jnp.zeros(()).dtype)
            measured(
                np.abs(loss.delta(jnp.asarray(z), jnp.asarray(y)) - step).max() / u, ULP, oracle="complex step, in eps"
            )


@pytest.mark.ledger("LOS2")
def test_both_conventions_of_the_squared_error(key):
    z, y = jax.random.normal(key, (2, 6))
    np.testing.assert_allclose(losses.squared_error(z, y), 2 * losses.half_squared_error(z, y), rtol=1e-6)
    np.testing.assert_array_equal(losses.half_squared_error.delta(z, y), z - y)
    np.testing.assert_array_equal(losses.squared_error.delta(z, y), 2 * (z - y))


def test_loss_of_a_user():
    huber = Loss("huber", lambda z, y: jnp.sum(jnp.where(jnp.abs(z - y) < 1, (z - y) ** 2 / 2, jnp.abs(z - y) - 0.5)))
    np.testing.assert_array_equal(huber.delta(jnp.asarray([0.5, 3.0, -9.0]), jnp.zeros(3)), [0.5, 1.0, -1.0])
    z, y = jnp.asarray([0.5, 3.0]), jnp.zeros(2)
    assert huber(z, y) == huber.value(z, y) == 0.125 + 2.5 and huber.output(z) is z


@pytest.mark.parametrize("loss", every())
def test_output_is_the_prediction(loss, key):
    z = jax.random.normal(key, (4,))
    expected = {"sigmoid": activations.sigmoid, "binary": activations.sigmoid, "half": None, "squared": None}
    function = expected.get(loss.name.split("_")[0], activations.softmax)
    np.testing.assert_array_equal(loss.output(z), z if function is None else function(z))


# The equations of the book: C from its definition and δ by numerical differentiation, with 50 digits


def against(loss, definition, targets):
    """Errors of value and δ over random examples, relative to the largest value and the largest entry of δ."""
    rng = np.random.default_rng(3)
    z = jnp.asarray(3 * rng.normal(size=(len(targets), len(targets[0]))))
    y = jnp.asarray(targets, z.dtype)
    value, delta = [], []
    with mpmath.workdps(oracles.DIGITS):
        for row, target in zip(np.float64(z).tolist(), np.float64(y).tolist(), strict=True):
            row = [*map(mpmath.mpf, row)]
            moved = lambda i, t, row=row, target=target: definition([*row[:i], t, *row[i + 1 :]], target)
            slope = lambda i, row=row, moved=moved: mpmath.diff(lambda t: moved(i, t), row[i])
            value.append(float(definition(row, target)))
            delta.append([float(slope(i)) for i in range(len(row))])
    relative = lambda got, want: np.abs(np.float64(got) - want).max() / np.abs(want).max()
    return relative(jax.vmap(loss.value)(z, y), value), relative(jax.vmap(loss.delta)(z, y), delta)


def soft_and_hard(n=12, classes=4):
    """Distributions over the classes, every second of them on one class alone."""
    soft = np.random.default_rng(4).dirichlet(np.ones(classes), n)
    return np.where(np.arange(n)[:, None] % 2, soft, np.eye(classes)[np.arange(n) % classes])


@pytest.mark.ledger("LOS2")
@pytest.mark.parametrize(("name", "factor"), [("half_squared_error", "0.5"), ("squared_error", "1")])
def test_squared_error_by_definition(name, factor, measured):
    targets = np.random.default_rng(5).normal(size=(12, 4))
    definition = lambda z, y: mpmath.mpf(factor) * mpmath.fsum((v - t) ** 2 for v, t in zip(z, y, strict=True))
    for error in against(getattr(losses, name), definition, targets):
        measured(
            error, 8 * eps(jnp.zeros(()).dtype), oracle="the sum of squares and its numerical derivative, 50 digits"
        )


@pytest.mark.ledger("LOS3")
def test_cross_entropy_by_definition(measured):
    def definition(z, y):
        total = mpmath.fsum(map(mpmath.exp, z))
        return -mpmath.fsum(t * mpmath.log(mpmath.exp(v) / total) for v, t in zip(z, y, strict=True))

    for error in against(losses.softmax_cross_entropy, definition, soft_and_hard()):
        measured(error, 8 * eps(jnp.zeros(()).dtype), oracle="−Σ y log p and its numerical derivative, 50 digits")


@pytest.mark.ledger("LOS4")
def test_binary_cross_entropy_by_definition(measured):
    def definition(z, y):
        a = [1 / (1 + mpmath.exp(-v)) for v in z]
        return -mpmath.fsum(t * mpmath.log(v) + (1 - t) * mpmath.log(1 - v) for v, t in zip(a, y, strict=True))

    for error in against(losses.binary_cross_entropy, definition, soft_and_hard()):
        measured(error, 8 * eps(jnp.zeros(()).dtype), oracle="the definition and its numerical derivative, 50 digits")


@pytest.mark.ledger("LOS4")
def test_sigmoid_squared_error_by_definition(measured):
    def definition(z, y):
        return mpmath.fsum((1 / (1 + mpmath.exp(-v)) - t) ** 2 for v, t in zip(z, y, strict=True)) / 2

    for error in against(losses.sigmoid_squared_error, definition, soft_and_hard()):
        measured(error, 8 * eps(jnp.zeros(()).dtype), oracle="the definition and its numerical derivative, 50 digits")


# What losses mean


@pytest.mark.ledger("LOS5")
def test_losses_are_negative_log_likelihoods(key, measured):
    """Gaussian, Bernoulli, categorical: by scipy's densities."""
    from jax.scipy import stats

    z, y = jax.random.normal(key, (2, 5))
    u = eps(z.dtype)
    gaussian = -stats.norm.logpdf(y, z, 1).sum() - 2.5 * math.log(2 * math.pi)
    measured(abs(losses.half_squared_error(z, y) / gaussian - 1), 16 * u, oracle="jax.scipy.stats.norm")
    k = jnp.asarray([0.0, 1.0, 1.0, 0.0, 1.0])
    bernoulli = -stats.bernoulli.logpmf(k, jax.nn.sigmoid(z)).sum()
    measured(abs(losses.binary_cross_entropy(z, k) / bernoulli - 1), 16 * u, oracle="jax.scipy.stats.bernoulli")
    p = np.exp(np.float64(z)) / np.exp(np.float64(z)).sum()
    drawn = [0, 3, 3, 1, 4, 2, 2, 2]
    likelihood = np.prod(p[drawn])
    total = sum(float(losses.softmax_cross_entropy(z, jnp.asarray(i))) for i in drawn)
    measured(abs(total / -np.log(likelihood) - 1), 16 * u, oracle="the product of the probabilities")


@pytest.mark.ledger("LOS5")
def test_what_each_loss_estimates(key):
    """The risk is stationary at the frequencies under cross-entropy, and at the mean under squared error."""
    labels = jnp.asarray([0, 0, 0, 1, 1, 2])
    frequencies = jnp.asarray([3.0, 2.0, 1.0]) / 6
    mean_delta = lambda loss, z, y: jax.vmap(loss.delta, (None, 0))(z, y).mean(0)
    np.testing.assert_allclose(mean_delta(losses.softmax_cross_entropy, jnp.log(frequencies), labels), 0, atol=1e-6)
    risk = jax.vmap(losses.softmax_cross_entropy.value, (None, 0))(jnp.log(frequencies), labels).mean()
    np.testing.assert_allclose(risk, -(frequencies * jnp.log(frequencies)).sum(), rtol=1e-5)
    y = jax.random.normal(key, (20, 3))
    np.testing.assert_allclose(mean_delta(losses.half_squared_error, y.mean(0), y), 0, atol=1e-6)


@pytest.mark.ledger("LOS4", "LOS5")
def test_confident_mistakes():
    """One sigmoid unit, sure (z = 8) of 1 where 0 is right: cross-entropy unlearns it at once, squared error crawls."""

    def train(loss, steps):
        step = lambda theta, _: (
            theta - 0.5 * jax.grad(lambda theta: loss(theta[:1] + theta[1:], jnp.zeros(1)))(theta),
            0,
        )
        return jax.nn.sigmoid(jax.lax.scan(step, jnp.asarray([5.0, 3.0]), length=steps)[0].sum())

    start = jnp.asarray([8.0])
    assert losses.binary_cross_entropy.delta(start, jnp.zeros(1)) > 0.999
    assert losses.sigmoid_squared_error.delta(start, jnp.zeros(1)) < 4e-4
    # z falls by η·2·δ a step: 1 at first under cross-entropy, so the unit turns after 9 steps
    assert train(losses.binary_cross_entropy, 10) < 0.4 and train(losses.binary_cross_entropy, 100) < 0.02
    # under squared error dz/dt = −a²(1 − a) ≈ −e^(−z), so e^z falls by 1 a step: about e^8 = 2,981 steps
    assert train(losses.sigmoid_squared_error, 100) > 0.999 and train(losses.sigmoid_squared_error, 2700) > 0.99
    assert train(losses.sigmoid_squared_error, 3100) < 0.2


@pytest.mark.ledger("LOS1")
@pytest.mark.parametrize("weighted", [False, True])
def test_empirical_risk(key, weighted, measured):
    """`training.supervised` is the (weighted) mean, here by numpy from the definition."""
    params = mlp.init(key, (3, 5, 4))
    k1, k2, k3 = jax.random.split(key, 3)
    x, y = jax.random.normal(k1, (9, 3)), jax.random.randint(k2, (9,), 0, 4)
    weight = jax.random.uniform(k3, (9,)).at[2].set(0.0) if weighted else None
    risk = training.supervised(mlp.apply, losses.softmax_cross_entropy)(params, Dataset(x, y, weight), None)
    (W1, b1), (W2, b2) = [(np.float64(W), np.float64(b)) for W, b in params]
    z = np.maximum(np.float64(x) @ W1.T + b1, 0) @ W2.T + b2
    each = np.log(np.exp(z).sum(1)) - z[np.arange(9), np.asarray(y)]
    mean = each.mean() if weight is None else (np.float64(weight) * each).sum() / np.float64(weight).sum()
    measured(abs(float(risk) / mean - 1), 16 * eps(risk.dtype), oracle="the mean over examples, in NumPy")


# Targets


@pytest.mark.ledger("LOS6")
@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "int32", "uint32", pytest.param("int64", marks=pytest.mark.x64)]
)
@pytest.mark.parametrize("classes", [1, 3, 100, 200, 256, 257, 300])
def test_one_hot(dtype, classes):
    """Any integer type, however many classes: a label is itself or, out of range, NaN; it never wraps."""
    info = jnp.iinfo(dtype)
    y = {0, classes // 2, classes - 1, classes, 255, -1, int(info.min), int(info.max)}
    y = np.array(sorted(label for label in y if info.min <= label <= info.max), dtype)
    expected = [np.eye(classes)[label] if 0 <= label < classes else np.full(classes, NAN) for label in y.tolist()]
    got = jax.jit(jax.vmap(lambda label: one_hot(label, classes)))(jnp.asarray(y))
    np.testing.assert_array_equal(got, expected)


@pytest.mark.ledger("LOS6")
@pytest.mark.x64
def test_labels_beyond_32_bits_do_not_wrap():
    assert jnp.isnan(one_hot(jnp.asarray(2**32), 3)).all() and jnp.isnan(one_hot(jnp.asarray(-(2**32)), 3)).all()


@pytest.mark.ledger("LOS6")
@pytest.mark.parametrize("loss", [losses.softmax_cross_entropy, losses.smoothed_cross_entropy(0.2)], ids=str)
def test_class_indices(loss, key):
    """An index is its unit vector; out of range it makes value and δ NaN, under jit and vmap."""
    z, y = jax.random.normal(key, (6, 3)), jnp.asarray([0, 1, 2, -1, 3, 100])
    value, delta = jax.jit(jax.vmap(lambda z, y: (loss.value(z, y), loss.delta(z, y))))(z, y)
    np.testing.assert_allclose(value[:3], jax.vmap(loss.value)(z[:3], jnp.eye(3)), rtol=1e-6)
    np.testing.assert_allclose(delta[:3], jax.vmap(loss.delta)(z[:3], jnp.eye(3)), rtol=1e-6)
    assert jnp.isnan(value[3:]).all() and jnp.isnan(delta[3:]).all()
    grads = jax.grad(lambda z: jax.vmap(loss.value)(z, y).sum())(z)
    assert jnp.isfinite(grads[:3]).all() and jnp.isnan(grads[3:]).all()


@pytest.mark.ledger("LOS6")
def test_label_smoothing(key, measured):
    z, K = jax.random.normal(key, (7,)), 7
    y = jnp.asarray(4)
    for smoothing in (0.0, 0.1, 0.5):
        loss = losses.smoothed_cross_entropy(smoothing)
        p = jax.nn.softmax(z)
        mixture = (1 - smoothing) * losses.softmax_cross_entropy(z, y) - smoothing * jnp.log(p).mean()
        measured(abs(loss(z, y) / mixture - 1), 8 * eps(z.dtype), oracle="mixture with the uniform distribution")
        np.testing.assert_allclose(loss.delta(z, y), p - (1 - smoothing) * one_hot(y, K) - smoothing / K, atol=1e-6)
        np.testing.assert_allclose(loss.delta(z, y).sum(), 0, atol=1e-6)
    # minimal where p is the smoothed target: the logits of two classes stay finite, log((1 − ε/2)/(ε/2)) apart
    best = jnp.log(jnp.asarray([0.95, 0.05]))
    np.testing.assert_allclose(losses.smoothed_cross_entropy(0.1).delta(best, jnp.asarray(0)), 0, atol=1e-6)


MISTAKES = {
    "column of labels": (
        losses.softmax_cross_entropy, (3,), (1,), "int32",
        r"`y` must have the shape of the network's output, \(3,\), or be one integer class index; got shape \(1,\) and "
        r"dtype int32 for one example. For a column of class indices write `y\[:, 0\]`.",
    ),
    "float labels": (
        losses.softmax_cross_entropy, (3,), (), "float32",
        r"got shape \(\) and dtype float32 for one example. Class indices are integers: write `y.astype\(int\)`.",
    ),
    "boolean labels": (losses.smoothed_cross_entropy(0.1), (2,), (), "bool", r"write `y.astype\(int\)`"),
    "vector of another length": (
        losses.softmax_cross_entropy, (3,), (4,), "float32",
        r"got shape \(4,\).* Does the last size of the network fit the targets\?",
    ),
    "one number per example": (
        losses.half_squared_error, (1,), (), "float32",
        r"`y` must have the shape of the network's output, \(1,\), one number per output; got shape \(\) and dtype "
        r"float32 for one example. For one output per example write `y\[:, None\]`.",
    ),
    "labels for a regression": (losses.squared_error, (3,), (), "int32", r"take `softmax_cross_entropy`, or .*one_hot"),
    "never broadcast": (losses.binary_cross_entropy, (3,), (1,), "float32", r"\(3,\).*got shape \(1,\)"),
    "matrix": (losses.sigmoid_squared_error, (3,), (3, 1), "float32", r"\(3,\).*got shape \(3, 1\)"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("part", ["value", "delta"])
def test_targets_of_a_wrong_shape(mistake, part, unchecked):
    loss, outputs, shape, dtype, message = MISTAKES[mistake]
    batch = jnp.zeros((5, *outputs)), jnp.zeros((5, *shape), dtype)
    with pytest.raises(ValueError, match=message):
        jax.vmap(getattr(loss, part))(*batch)
    with pytest.raises(ValueError, match=message):
        jax.jit(jax.vmap(getattr(loss, part)))(*batch)


# Losses as values


def test_whether_it_classifies_does_not_make_another_loss():
    assert dataclasses.replace(losses.squared_error, classifies=True) == losses.squared_error


def test_which_take_class_indices():
    assert [loss.name for loss in losses.ALL if loss.classifies] == [
        "softmax_cross_entropy", "smoothed_cross_entropy(0.1)"
    ]  # fmt: skip
    value = lambda z, y: jnp.sum(z * y)
    assert not Loss("mine", value).classifies and Loss("mine", value, classifies=True) == Loss("mine", value)


def test_no_smoothing_is_cross_entropy(key):
    z, y = jax.random.normal(key, (3,)), jnp.asarray(1)
    for part in ("value", "delta"):
        smooth, plain = (
            getattr(loss, part)(z, y) for loss in (losses.smoothed_cross_entropy(0.0), losses.softmax_cross_entropy)
        )
        np.testing.assert_array_equal(smooth, plain)


def test_losses_are_values():
    assert len({*losses.ALL, *losses.ALL}) == len(losses.ALL) and jax.tree.leaves(losses.ALL) == []
    smoothed = losses.smoothed_cross_entropy
    assert smoothed(0.1) == smoothed(np.float64(0.1)) != smoothed(0.2) and smoothed(0) == smoothed(0.0)
    assert losses.activated_squared_error(activations.sigmoid) == losses.sigmoid_squared_error
    traces = []

    @jax.jit
    def f(loss, z):
        traces.append(loss)
        return loss.value(z, z) + loss.delta(z, z).sum()

    for loss in (*losses.ALL, smoothed(0.1), smoothed(0.1), losses.activated_squared_error(activations.sigmoid)):
        f(loss, jnp.zeros(3))
    assert len(traces) == len(losses.ALL)


@pytest.mark.parametrize(
    "loss",
    [
        *losses.ALL,
        *map(losses.smoothed_cross_entropy, (0, 0.05, 1e-5)),
        *map(losses.activated_squared_error, (activations.tanh, activations.leaky_relu(0.2))),
    ],
    ids=str,
)
def test_by_name(loss):
    assert by_name(str(loss)) == loss and str(by_name(str(loss))) == str(loss)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cross_entropy", "Unknown loss 'cross_entropy'. Did you mean 'binary_cross_entropy'?"),
        ("hlaf_squared_error", "Unknown loss 'hlaf_squared_error'. Did you mean 'half_squared_error'?"),
        ("mse", "Unknown loss 'mse'. Known: binary_cross_entropy, half_squared_error, "),
        ("smoothed_cross_entropy(1.5)", "`smoothing` must lie in [0, 1); got 1.5. Usual values are 0.05 to 0.2."),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(ValueError) as error:
        by_name(name)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, NAN])
def test_smoothing_out_of_range(smoothing):
    with pytest.raises(ValueError, match=r"`smoothing` must lie in \[0, 1\)"):
        losses.smoothed_cross_entropy(smoothing)
