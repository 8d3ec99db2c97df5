"""What a data set is: arrays whose first axis counts the examples."""

from typing import NamedTuple

from mlpjax._types import Array


class Dataset(NamedTuple):
    """Examples and their targets; a batch of them has the same form.

    Attributes:
        x: inputs, shape `(N, ...)`.
        y: class indices, shape `(N,)`, or target vectors, shape `(N, K)`.
        weight: how much each example counts, shape `(N,)`; `None` counts all alike. Sample weights as they are, class
            weights as `class_weights[y]`.
    """

    x: Array
    y: Array
    weight: Array | None = None
