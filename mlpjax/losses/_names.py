"""Losses by their names, for configurations and command lines."""

import re

from mlpjax import _check, activations
from mlpjax.losses._classification import binary_cross_entropy, smoothed_cross_entropy, softmax_cross_entropy
from mlpjax.losses._regression import (
    activated_squared_error,
    half_squared_error,
    sigmoid_squared_error,
    squared_error,
)
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
        name: the name of one of `ALL`, or one with a part of your own, such as `"smoothed_cross_entropy(0.05)"` or
            `"tanh_squared_error"`.

    Returns:
        The loss, so that `by_name(str(loss)) == loss`.

    Raises:
        ValueError: if there is none; the message offers the nearest name.

    Example:
        >>> from mlpjax import losses
        >>> losses.by_name("squared_error") == losses.squared_error
        True
    """
    if family := re.fullmatch(r"smoothed_cross_entropy\((\d*\.?\d+(?:e-?\d+)?)\)", name):
        return smoothed_cross_entropy(float(family[1]))
    if (family := re.fullmatch(r"(.+)_squared_error", name)) and _is_activation(family[1]):
        return activated_squared_error(activations.by_name(family[1]))
    known = {loss.name: loss for loss in ALL}
    _check.known("loss", name, known)
    return known[name]


def _is_activation(name: str) -> bool:
    return name.partition("(")[0] in {activation.name for activation in activations.ALL}
