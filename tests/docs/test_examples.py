"""MNI2, MNI3: the two scripts of the book, by the API and by hand, run as a reader runs them, on the small digits."""

import importlib.util
import os
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import backprop, data, losses, mlp, plots
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
    train, test = digits
    params, history, matrix = mnist.train(train, test, 16, hidden=(64,), epochs=10, batch_size=64, progress=False)
    accuracy = history.validation["accuracy"]
    assert np.sum(~np.isnan(accuracy)) == 10
    measured(1 - accuracy[-1], 0.05, oracle="error rate on 359 held-out digits")
    assert int(np.trace(matrix)) == round(float(accuracy[-1]) * 359) and int(np.sum(matrix)) == 359
    # the pictures that go with it: first-layer weights, the mistakes
    wrong = np.flatnonzero(np.asarray(jax.vmap(lambda x: mlp.apply(params, x))(test.x / 16.0)).argmax(1) != test.y)
    for figure in (plots.weights(params[0].W, (8, 8)), plots.confusion_matrix(matrix)):
        assert figure.axes
    assert len(wrong) < 30


@pytest.mark.ledger("MNI3")
@pytest.mark.skipif(not MNIST.is_dir(), reason=f"no MNIST at {MNIST}: set MLPJAX_MNIST to a folder with its IDX files")
def test_real_mnist_in_two_epochs(measured):
    mnist = example("mnist")
    sets = [data.mnist.load(MNIST, split=split) for split in ("train", "test")]
    _, history, _ = mnist.train(*sets, 255, hidden=(128,), epochs=2, progress=False)
    accuracy = history.validation["accuracy"]
    measured(1 - accuracy[~jnp.isnan(accuracy)][-1], 0.05, oracle="error rate on the 10,000 test images")
