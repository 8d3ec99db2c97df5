"""Metrics against counting by hand, in plain Python."""

import fractions
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import metrics
from tests.helpers import eps


def problem(key, n=200, classes=5, dtype=None):
    """Logits, labels that agree with them about half of the time, and weights, a fifth of which are zero."""
    k1, k2, k3 = jax.random.split(key, 3)
    y = jax.random.randint(k1, (n,), 0, classes)
    logits = jax.random.normal(k2, (n, classes)) + 1.5 * jax.nn.one_hot(y, classes)
    weight = jax.random.randint(k3, (n,), 0, 5)
    return logits.astype(dtype or logits.dtype), y, weight


def by_hand(logits, y, weight):
    """Weighted accuracy as a fraction: the largest of each row is looked for with Python's own `max`."""
    rows = np.asarray(logits, np.float64).tolist()
    hits = [row.index(max(row)) == int(label) for row, label in zip(rows, y, strict=True)]
    weight = [int(w) for w in weight]
    return fractions.Fraction(sum(w for w, hit in zip(weight, hits, strict=True) if hit), sum(weight))


@pytest.mark.ledger("LOS7")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("weighted", [False, True])
def test_accuracy(key, measured, dtype, weighted):
    logits, y, weight = problem(key, n=3001, dtype=dtype)
    value = metrics.accuracy(logits, y, weight=weight if weighted else None)
    truth = by_hand(logits, y, weight if weighted else np.ones(len(y)))
    assert value.dtype == jnp.float32 and value.shape == ()
    measured(abs(float(value) / float(truth) - 1), eps("float32"), oracle="counting in Python, with fractions")


@pytest.mark.x64
def test_float64_stays(key):
    logits, y, weight = problem(key)
    assert metrics.accuracy(logits, y, weight=weight).dtype == jnp.float64
    assert metrics.confusion_matrix(y, y, classes=5, weight=weight.astype(float)).dtype == jnp.float64
    assert metrics.calibration_error(jax.nn.softmax(logits), y).dtype == jnp.float64


@pytest.mark.ledger("LOS7")
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "uint32"])
def test_class_indices_and_vectors_agree(key, dtype):
    logits, y, weight = problem(key)
    vectors = 0.4 * jax.nn.one_hot(y, 5) + 0.12
    for target in (y.astype(dtype), jax.nn.one_hot(y, 5), jax.nn.one_hot(y, 5, dtype=dtype), vectors):
        assert metrics.accuracy(logits, target) == metrics.accuracy(logits, y)
        assert metrics.calibration_error(jax.nn.softmax(logits), target) == metrics.calibration_error(
            jax.nn.softmax(logits), y
        )
        matrix = metrics.confusion_matrix(jnp.argmax(logits, axis=1), target, classes=5, weight=weight)
        assert (matrix == metrics.confusion_matrix(jnp.argmax(logits, axis=1), y, classes=5, weight=weight)).all()


@pytest.mark.ledger("LOS7")
def test_one_output_is_a_binary_classifier():
    logits = jnp.array([[3.0], [-2.0], [0.5], [0.0]])
    for y in (jnp.array([1, 0, 0, 0]), jnp.array([1.0, 0.0, 0.0, 0.0]), jnp.array([[1.0], [0.0], [0.2], [0.1]])):
        assert metrics.accuracy(logits, y) == 0.75
    error = metrics.calibration_error(jnp.array([[0.75], [0.125]]), jnp.array([1, 1]), bins=1)
    assert error == abs((1 - 0.75) + (0 - 0.875)) / 2


@pytest.mark.ledger("LOS7")
def test_not_a_number_is_never_right():
    logits = jnp.array([[jnp.nan, 0.0], [0.0, jnp.nan], [jnp.nan, jnp.nan], [1.0, 0.0]])
    assert jax.vmap(metrics.correct)(logits, jnp.array([0, 1, 0, 0])).tolist() == [0, 0, 0, 1]
    assert metrics.accuracy(jnp.full((3, 2), jnp.nan), jnp.zeros(3, int)) == 0


@pytest.mark.ledger("LOS7")
@pytest.mark.parametrize("label", [-1, 3, 255, -(2**31)])
def test_a_label_out_of_range_never_wraps(label):
    logits, y = jnp.eye(3), jnp.array([0, 1, label])
    for call in (
        lambda y: metrics.accuracy(logits, y),
        lambda y: metrics.calibration_error(logits, y),
        lambda y: metrics.confusion_matrix(jnp.arange(3), y, classes=3),
        lambda y: metrics.confusion_matrix(y, jnp.arange(3), classes=3),
    ):
        with pytest.raises(ValueError, match=rf"class indices from 0 to 2 .* got {label} at index 2"):
            call(y)
    assert jnp.isnan(jax.jit(metrics.accuracy)(logits, y))
    assert jnp.isnan(jax.jit(metrics.calibration_error)(logits, y))
    matrix = jax.jit(metrics.confusion_matrix, static_argnames="classes")
    assert matrix(jnp.arange(3), y, classes=3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert matrix(y, jnp.arange(3), classes=3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_small_integers_never_overflow():
    """200 classes do not fit into int8, nor does the index one beyond the last."""
    y = jnp.array([0, 100, -1], jnp.int8)
    matrix = jax.jit(metrics.confusion_matrix, static_argnames="classes")(y, y, classes=200)
    assert matrix[0, 0] == matrix[100, 100] == 1 and matrix.sum() == 2
    assert jnp.isnan(jax.jit(metrics.accuracy)(jnp.zeros((3, 200)), y))


@pytest.mark.ledger("LOS7")
def test_confusion_matrix(key, measured):
    logits, y, weight = problem(key, n=1000, classes=7)
    predicted = jnp.argmax(logits, axis=1)
    counts = [[0] * 7 for _ in range(7)]
    sums = [[0] * 7 for _ in range(7)]
    for truth, guess, w in zip(y.tolist(), predicted.tolist(), weight.tolist(), strict=True):
        counts[truth][guess] += 1
        sums[truth][guess] += w
    matrix = metrics.confusion_matrix(predicted, y, classes=7)
    assert matrix.dtype == jnp.int32 and matrix.tolist() == counts
    weighted = metrics.confusion_matrix(predicted, y, classes=7, weight=weight)
    measured(np.abs(np.asarray(weighted) - sums).max() / np.max(sums), 0, oracle="counting in Python")
    accuracy = metrics.accuracy(logits, y)
    measured(abs(np.trace(matrix) / matrix.sum() / accuracy - 1), 2 * eps(accuracy.dtype), oracle="trace over sum")
    assert metrics.confusion_matrix(predicted.astype(jnp.uint8), y, classes=300)[:7, :7].tolist() == counts


def calibration_by_hand(p, y, bins, weight):
    """The definition, bin after bin, with accuracy and mean confidence of each; sums in exact rounding."""
    confidence, guess = p.max(axis=1), p.argmax(axis=1)
    total = 0.0
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        w = weight[inside].tolist()
        if sum(w):
            hits = (guess == y)[inside].tolist()
            accuracy = math.fsum(map(np.multiply, w, hits)) / math.fsum(w)
            mean = math.fsum(map(np.multiply, w, confidence[inside].tolist())) / math.fsum(w)
            total += math.fsum(w) * abs(accuracy - mean)
    return total / weight.sum()


@pytest.mark.ledger("LOS7")
@pytest.mark.parametrize("bins", [1, 10, 15])
@pytest.mark.parametrize("weighted", [False, True])
def test_calibration_error(key, measured, bins, weighted):
    logits, y, weight = problem(key, n=1000)
    p = jax.nn.softmax(2 * logits)
    value = metrics.calibration_error(p, y, bins=bins, weight=weight if weighted else None)
    weight = np.asarray(weight, float) if weighted else np.ones(1000)
    truth = calibration_by_hand(np.asarray(p, float), np.asarray(y), bins, weight)
    assert value > 0.01
    error = abs(value - truth) / truth
    measured(error, 64 * eps(p.dtype), oracle="the definition bin by bin, sums exactly rounded")


@pytest.mark.ledger("LOS7")
def test_bins_contain_their_upper_edge():
    p = jnp.array([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0], [0.625, 0.375]])
    y = jnp.array([0, 1, 0, 1])
    # (¼, ½]: 0.5, hit. (½, ¾]: 0.75 and 0.625, missed. (¾, 1]: 1, hit.
    assert metrics.calibration_error(p, y, bins=4) == (0.5 + (0.75 + 0.625) + 0.0) / 4
    # (0, ½] and (½, 1], where a hit and two misses meet
    assert metrics.calibration_error(p, y, bins=2) == (0.5 + abs(1 - 0.75 - 0.625 - 1.0)) / 4


@pytest.mark.ledger("LOS7")
def test_who_draws_labels_from_its_probabilities_is_calibrated(key, measured):
    k1, k2 = jax.random.split(key)
    logits = 2 * jax.random.normal(k1, (20_000, 3))
    y = jax.random.categorical(k2, logits)
    measured(metrics.calibration_error(jax.nn.softmax(logits), y), 0.02, oracle="labels drawn from the model")
    assert metrics.calibration_error(jax.nn.softmax(3 * logits), y) > 0.1


@pytest.mark.ledger("LOS7")
def test_weights_repeat_and_drop_examples(key):
    logits, y, weight = problem(key)
    repeated = np.repeat(np.arange(len(y)), np.asarray(weight))
    p = jax.nn.softmax(logits)
    tolerance = 16 * eps(p.dtype)
    assert abs(metrics.accuracy(logits, y, weight=weight) - metrics.accuracy(logits[repeated], y[repeated])) < tolerance
    error = metrics.calibration_error(p, y, weight=weight) - metrics.calibration_error(p[repeated], y[repeated])
    assert abs(error) < tolerance
    predicted = jnp.argmax(logits, axis=1)
    matrix = metrics.confusion_matrix(predicted[repeated], y[repeated], classes=5)
    weighted = metrics.confusion_matrix(predicted, y, classes=5, weight=weight)
    assert weighted.tolist() == matrix.tolist()
    assert jnp.isnan(metrics.accuracy(logits, y, weight=jnp.zeros(len(y))))


def test_jit_and_vmap(key):
    members = [problem(k) for k in jax.random.split(key, 3)]
    logits, y, weight = (jnp.stack(column) for column in zip(*members, strict=True))

    def everything(z, y, w):
        matrix = metrics.confusion_matrix(jnp.argmax(z, axis=1), y, classes=5, weight=w)
        return metrics.accuracy(z, y, weight=w), matrix, metrics.calibration_error(jax.nn.softmax(z), y, weight=w)

    mapped = jax.jit(jax.vmap(everything))(logits, y, weight)
    for i, member in enumerate(members):
        for got, wanted in zip(mapped, everything(*member), strict=True):
            np.testing.assert_allclose(got[i], wanted, rtol=1e-5)


Z, Y, P = jnp.eye(4, 3), jnp.array([0, 1, 2, 0]), jnp.array([0, 1, 2, 0])
ERRORS = [
    (lambda: metrics.accuracy(Z[0], Y), r"`logits` must be those of a batch.*`logits\[None\]`"),
    (lambda: metrics.accuracy(Z[:0], Y[:0]), r"`logits` is empty"),
    (lambda: metrics.accuracy(Z[:, :0], Y), r"`logits` must be"),
    (lambda: metrics.accuracy(Z, Y[:, None]), r"shape \(4, 1\)\. Write y\[:, 0\]"),
    (lambda: metrics.accuracy(Z, Y[:3]), r"got shape \(3,\)\. Were `y` and `logits` cut alike"),
    (lambda: metrics.accuracy(Z, Z[:, :2]), r"a vector, shape \(4, 3\); got shape \(4, 2\)"),
    (lambda: metrics.accuracy(Z, Y.astype(float)), r"Write y\.astype\(int\)"),
    (lambda: metrics.accuracy(Z, Y, weight=jnp.ones((4, 1))), r"`weight` .*shape \(4,\); got shape \(4, 1\)"),
    (lambda: metrics.correct(Z, Y), r"`logits` must be those of one example.*jax\.vmap"),
    (lambda: metrics.correct(Z[0], Y), r"`y` must be a class index, shape \(\), or a vector of shape \(3,\)"),
    (lambda: metrics.confusion_matrix(Y[:, None], Y, classes=3), r"`predicted` must hold one class index per example"),
    (lambda: metrics.confusion_matrix(P, Y[:2], classes=3), r"Were `y` and `predicted` cut alike"),
    (lambda: metrics.confusion_matrix(P, Y, classes=2), r"class indices from 0 to 1 .* got 2 at index 2"),
    (lambda: metrics.confusion_matrix(P, Y, classes=1), r"`classes` must be at least 2"),
    (lambda: metrics.confusion_matrix(P[:0], Y[:0], classes=3), r"`predicted` is empty"),
    (lambda: metrics.calibration_error(Z, Y, bins=0), r"`bins` must be a positive integer; got 0"),
    (lambda: metrics.calibration_error(3 * Z, Y), r"lie in \[0, 1\]; got values from 0 to 3\. Of logits take"),
    (lambda: metrics.calibration_error(Z * jnp.nan, Y), r"lie in \[0, 1\]; got values from nan"),
    (lambda: metrics.calibration_error(Z[0], Y), r"`probabilities` must be those of a batch"),
]


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=range(len(ERRORS)))
def test_errors_are_clear(call, message):
    with pytest.raises(ValueError, match=message):
        call()
