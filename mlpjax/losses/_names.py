"""Losses by their names, for configurations and command lines."""

import re

from mlpjax import _check
from mlpjax.losses._classification import binary_cross_entropy, smoothed_cross_entropy, softmax_cross_entropy
from mlpjax.losses._regression import half_squared_error, sigmoid_squared_error, squared_error
from mlpjax.losses._type import Loss

ALL: tuple[Loss, ...] = (
    half_squared_error,
    squared_error,
    sigmoid_squared_error,
    binary_cross_entropy,
    softmax_cross_entropy,
    smoothed_cross_entropy(0.1),
)
"""Every loss of this module; the family with one typical parameter."""


def by_name(name: str) -> Loss:
    """The loss of that name, as configurations write it.

    Args:
        name: the name of one of `ALL`, or `"smoothed_cross_entropy(0.05)"` with a parameter of your own.

    Returns:
        The loss, so that `by_name(str(loss)) == loss`.

    Raises:
        ValueError: if there is none; the message offers the nearest name.

    Example:
        >>> from mlpjax import losses
        >>> losses.by_name("squared_error") == losses.squared_error
        True
    """
    if family := re.fullmatch(r"smoothed_cross_entropy\((0?\.\d+)\)", name):
        return smoothed_cross_entropy(float(family[1]))
    known = {loss.name: loss for loss in ALL}
    _check.known("loss", name, known)
    return known[name]
