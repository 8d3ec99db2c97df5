"""Gates of logic: neurons whose inputs are 0 and 1, with the threshold halfway between the sums that it parts."""

import jax.numpy as jnp

from mlpjax import _check
from mlpjax.neuron._unit import Neuron


def _gate(inputs, w, b):
    _check.count("inputs", inputs, 1, "A gate has at least one input.")
    return Neuron(jnp.full(inputs, float(w)), jnp.asarray(float(b)))


def and_gate(inputs: int = 2) -> Neuron:
    r"""AND: 1 where all of n inputs are 1.

    $$w = (1, \dots, 1), \qquad b = \tfrac12 - n$$

    Args:
        inputs: their number n.

    Returns:
        The neuron.

    Raises:
        ValueError: if n is not a positive integer.

    Example:
        >>> from mlpjax import neuron
        >>> float(neuron.and_gate().b)
        -1.5
    """
    return _gate(inputs, 1, 0.5 - inputs)


def or_gate(inputs: int = 2) -> Neuron:
    r"""OR: 1 where at least one of n inputs is 1.

    $$w = (1, \dots, 1), \qquad b = -\tfrac12$$

    Args:
        inputs: their number n.

    Returns:
        The neuron.

    Raises:
        ValueError: if n is not a positive integer.
    """
    return _gate(inputs, 1, -0.5)


def nand_gate(inputs: int = 2) -> Neuron:
    r"""NAND: 0 where all of n inputs are 1.

    $$w = (-1, \dots, -1), \qquad b = n - \tfrac12$$

    Args:
        inputs: their number n.

    Returns:
        The neuron. Every function of 0 and 1 is a network of such gates.

    Raises:
        ValueError: if n is not a positive integer.
    """
    return _gate(inputs, -1, inputs - 0.5)


def nor_gate(inputs: int = 2) -> Neuron:
    r"""NOR: 1 where none of n inputs is 1.

    $$w = (-1, \dots, -1), \qquad b = \tfrac12$$

    Args:
        inputs: their number n.

    Returns:
        The neuron.

    Raises:
        ValueError: if n is not a positive integer.
    """
    return _gate(inputs, -1, 0.5)


def not_gate() -> Neuron:
    r"""NOT: 1 where its one input is 0.

    $$w = -1, \qquad b = \tfrac12$$

    Returns:
        The neuron.
    """
    return nor_gate(1)
