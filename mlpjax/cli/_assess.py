"""How good a network is on data that it has not seen."""

from typing import Any, NamedTuple

import numpy as np

from mlpjax.cli._problem import Problem, class_indices


class Assessment(NamedTuple):
    """What was found.

    Attributes:
        n: how many examples.
        loss: the mean loss, without penalty.
        accuracy: the fraction that is right.
        calibration: the expected calibration error.
        matrix: the confusion matrix: rows true, columns predicted.
    """

    n: int
    loss: float
    accuracy: float
    calibration: float
    matrix: np.ndarray

    @property
    def right(self) -> int:
        """How many are right."""
        return int(np.trace(self.matrix))

    def record(self) -> dict[str, float]:
        """What the log keeps."""
        return {"loss": self.loss, "accuracy": self.accuracy, "calibration_error": self.calibration, "n": self.n}


def assess(problem: Problem, params: Any, examples: Any) -> Assessment:
    """Loss, accuracy, calibration and confusions, in one compiled program."""
    import jax
    import jax.numpy as jnp

    from mlpjax import metrics, training

    labels = np.asarray(class_indices(examples.y), np.int32)
    plain = problem.objective.__class__(problem.apply, problem.loss)

    def measure(params, examples, labels):
        found = training.evaluate(params, examples, objective=plain, transform=problem.transform)
        p = problem.probabilities(params, examples.x)
        matrix = metrics.confusion_matrix(jnp.argmax(p, axis=1), labels, classes=problem.classes)
        return found["loss"], metrics.calibration_error(p, labels), matrix

    loss, calibration, matrix = jax.device_get(jax.jit(measure)(params, examples, labels))
    return Assessment(len(labels), float(loss), float(np.trace(matrix) / len(labels)), float(calibration), matrix)


def per_class(matrix: np.ndarray) -> list[tuple[int, int, float, float, float]]:
    """Class, examples, precision, recall and F1, row by row; NaN where there is nothing to divide by."""
    hits, true, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    with np.errstate(invalid="ignore"):
        precision, recall, f1 = hits / predicted, hits / true, 2 * hits / (true + predicted)
    return [(k, int(true[k]), float(precision[k]), float(recall[k]), float(f1[k])) for k in range(len(matrix))]
