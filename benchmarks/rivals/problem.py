"""What every contestant is given: the same numbers to start from, the same batches in the same order."""

from typing import NamedTuple

import numpy as np


class Problem(NamedTuple):
    """One training run. Everything in it is a NumPy array or a plain value, so that no rival sees another's library.

    Attributes:
        x: inputs, float32, shape (N, in). MNIST: pixels over 255.
        y: targets: int32 class indices, shape (N,), for `"cross-entropy"` (softmax over logits, mean over the batch);
            float32 of shape (N, out) for `"squared"` (sigmoid output a, half the squared error, mean over the batch).
        order: the examples of each step, int32, shape (steps, batch); all of them in their order if full batch.
        layers: initial (W, b) of each layer, float32, W of shape (out, in).
        activation: of the hidden layers: `"relu"` or `"sigmoid"`.
        loss: `"cross-entropy"` or `"squared"`.
        optimizer: `"adam"` (β 0.9, 0.999, ε 1e-8) or `"sgd"`.
        rate: the learning rate.
    """

    x: np.ndarray
    y: np.ndarray
    order: np.ndarray
    layers: list[tuple[np.ndarray, np.ndarray]]
    activation: str
    loss: str
    optimizer: str
    rate: float
