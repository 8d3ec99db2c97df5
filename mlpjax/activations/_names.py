"""Activations by their names, for configurations and command lines."""

import re

from mlpjax import _check
from mlpjax.activations._gated import gelu, gelu_tanh, hard_silu, silu, softplus
from mlpjax.activations._rectifiers import elu, identity, leaky_relu, relu
from mlpjax.activations._sigmoids import hard_sigmoid, hard_tanh, sigmoid, tanh
from mlpjax.activations._type import Activation

_FAMILIES = (leaky_relu, elu)

ALL: tuple[Activation, ...] = (
    identity, sigmoid, tanh, relu, leaky_relu(), elu(), gelu, gelu_tanh, softplus, silu,
    hard_tanh, hard_sigmoid, hard_silu,
)  # fmt: skip
"""Every activation of this module, families with their default parameter."""


def by_name(name: str) -> Activation:
    """The activation of that name, as configurations write it.

    Args:
        name: the name of one of `ALL`, or a family with its parameter, such as `"leaky_relu(0.2)"`.

    Returns:
        The activation, so that `by_name(str(activation)) == activation`.

    Raises:
        ValueError: if there is none; the message offers the nearest name.

    Example:
        >>> from mlpjax import activations
        >>> activations.by_name("elu(0.5)") == activations.elu(0.5)
        True
    """
    if family := re.fullmatch(r"(\w+)\((\d+(?:\.\d+)?(?:e[+-]?\d+)?)\)", name):
        families = {f.__name__: f for f in _FAMILIES}
        _check.known("family of activations", family[1], families)
        return families[family[1]](float(family[2]))
    known = {activation.name: activation for activation in ALL}
    _check.known("activation", name, known)
    return known[name]
