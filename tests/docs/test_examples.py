"""MNI2, MNI3: the two scripts of the book, by the API and by hand, run as a reader runs them, on the small digits."""

import importlib.util
import inspect
import os
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import backprop, data, losses, metrics, plots
from mlpjax.layers import Dense
from tests.helpers import assert_trees_close

ROOT = pathlib.Path(__file__).parents[2]
MNIST = pathlib.Path(os.environ.get("MLPJAX_MNIST", ROOT.parent / "shared" / "data" / "mnist"))


def example(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def as_a_reader():
    """Without the suite's strictness: a reader divides `uint8` by 16.0 and thinks nothing of it."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture(scope="module")
def digits():
    return data.digits.load("train"), data.digits.load("test")


@pytest.mark.ledger("MNI2")
def test_by_hand_learns_the_digits(digits, measured):
    by_hand = example("by_hand")
    train, test = digits
    params, curve = by_hand.train(train.x / 16.0, train.y, epochs=8)
    assert np.mean(curve[-10:]) < 0.3 < 2 < curve[0]
    measured(1 - by_hand.accuracy(params, test.x / 16.0, test.y), 0.05, oracle="error rate on 359 held-out digits")


@pytest.mark.ledger("MNI2")
def test_by_hand_is_the_backpropagation_of_the_package(digits):
    by_hand = example("by_hand")
    x, y = digits[0].x[:32] / 16.0, digits[0].y[:32]
    params = by_hand.init(jax.random.key(0), (64, 32, 16, 10))
    value, grads = by_hand.gradients(params, x, y)
    packed = tuple(Dense(*layer) for layer in params)
    expected = backprop.value_and_grad(packed, x, y, loss=losses.softmax_cross_entropy)
    assert_trees_close((value, tuple(Dense(*g) for g in grads)), expected)


@pytest.mark.ledger("MNI2", "MNI3")
def test_by_the_api_learns_the_digits(digits, measured):
    mnist = example("mnist")
    everything, test = digits
    scale = data.augment.scale(16)
    rest, watched = mnist.hold_out(everything, 143)
    params, history = mnist.train(rest, watched, scale, hidden=(64,), epochs=10, batch_size=64, progress=False)
    assert len(history.evaluations()[0]) == 10
    logits, matrix = mnist.examine(params, test, scale)
    measured(1 - metrics.accuracy(logits, test.y), 0.06, oracle="error rate on 359 test digits, looked at once")
    wrong = np.flatnonzero(np.argmax(logits, axis=1) != test.y)
    assert int(np.trace(matrix)) == 359 - len(wrong) and int(np.sum(matrix)) == 359
    # the pictures that go with it: first-layer weights, what was confused with what, the mistakes
    shown = plots.digits(test.x[wrong], test.y[wrong], np.argmax(logits, axis=1)[wrong])
    for figure in (plots.weights(params[0].W, (8, 8)), plots.confusion_matrix(matrix), shown):
        assert figure.axes


@pytest.mark.ledger("MNI2")
def test_what_is_watched_is_held_out(digits):
    """Every example is either trained on or watched, and the test set is neither."""
    everything, _ = digits
    numbered = everything._replace(y=jnp.arange(len(everything.x)))
    rest, watched = example("mnist").hold_out(numbered, 143)
    assert len(watched.y) == 143 and sorted([*rest.y.tolist(), *watched.y.tolist()]) == list(range(1438))
    np.testing.assert_array_equal(watched.x, everything.x[watched.y])
    parameters = inspect.signature(example("mnist").train).parameters
    assert not [name for name in parameters if "test" in name]


@pytest.mark.ledger("MNI3")
@pytest.mark.skipif(not MNIST.is_dir(), reason=f"no MNIST at {MNIST}: set MLPJAX_MNIST to a folder with its IDX files")
def test_real_mnist_in_two_epochs(measured):
    mnist = example("mnist")
    everything, test = (data.mnist.load(MNIST, split=split) for split in ("train", "test"))
    scale = data.augment.scale(255)
    rest, watched = mnist.hold_out(everything, 6000)
    params, _ = mnist.train(rest, watched, scale, hidden=(128,), epochs=2, progress=False)
    logits, _ = mnist.examine(params, test, scale)
    measured(1 - metrics.accuracy(logits, test.y), 0.05, oracle="error rate on the 10,000 test images")
