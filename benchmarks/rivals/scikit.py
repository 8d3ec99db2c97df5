"""scikit-learn: `MLPClassifier.fit`.

Its batches are made the problem's own: the examples are laid out in the problem's order beforehand and not shuffled
again, and one "epoch" of `fit` is the whole run. So scikit-learn is spared the gathering of its batches, which all
others do while they are timed. Initial values go in by a subclass that overrides `_init_coef`; the rest is untouched.

Its Adam adds ε to √v before v is corrected for its start at zero, so losses agree a little less exactly.

Classification alone can be compared: the output of `MLPRegressor` is the identity, not a sigmoid.
"""

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.rivals.problem import Problem

ACTIVATIONS = {"relu": "relu", "sigmoid": "logistic"}


class Given(MLPClassifier):
    """With initial values from outside, of which `initial` yields one layer after another."""

    def _init_coef(self, fan_in, fan_out, dtype):
        W, b = next(self.initial)
        return np.array(W.T, dtype, order="C"), np.array(b, dtype)  # copies: training works in place


def network(problem: Problem) -> Given:
    """The problem's network with its initial values; constants not named are the problem's by default."""
    network = Given(
        hidden_layer_sizes=[len(b) for _, b in problem.layers[:-1]],
        activation=ACTIVATIONS[problem.activation],
        solver=problem.optimizer,
        learning_rate_init=problem.rate,
        batch_size=problem.order.shape[1],
        alpha=0.0,
        momentum=0.0,
        nesterovs_momentum=False,
        max_iter=1,
        shuffle=False,
    )
    network.initial = iter(problem.layers)
    return network


def fit(problem: Problem) -> Callable:
    """`MLPClassifier.fit` on all batches in their order."""
    if problem.loss != "cross-entropy":
        raise NotImplementedError("not offered: the output of MLPRegressor is the identity")
    rows, outputs = problem.order.ravel(), len(problem.layers[-1][1])
    x, y = problem.x[rows], problem.y[rows]
    if outputs < 3 or len(np.unique(y)) != outputs:
        raise NotImplementedError("not offered: softmax is over the classes that occur, and over three at least")

    def prepare():
        classifier = network(problem)
        return lambda: trained(classifier, x, y)

    return prepare


def trained(classifier: Given, x: np.ndarray, y: np.ndarray) -> float:
    """The mean loss of the batches, which are equally large; it has not converged, and says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(classifier.fit(x, y).loss_)
