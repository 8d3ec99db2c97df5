"""Squared errors."""

import jax.numpy as jnp

from mlpjax._values import With
from mlpjax.activations import Activation, sigmoid
from mlpjax.losses._targets import same_shape
from mlpjax.losses._type import Loss


def _half_squared_error(z, y):
    return jnp.sum((z - same_shape(z, y)) ** 2) / 2


def _half_squared_error_delta(z, y):
    return z - same_shape(z, y)


half_squared_error = Loss("half_squared_error", _half_squared_error, _half_squared_error_delta)
r"""Half the squared error, for regression (LOS2): $C = \tfrac12\|z-y\|^2$, $\delta = z - y$."""


def _squared_error(z, y):
    return jnp.sum((z - same_shape(z, y)) ** 2)


def _squared_error_delta(z, y):
    return 2 * (z - same_shape(z, y))


squared_error = Loss("squared_error", _squared_error, _squared_error_delta)
r"""The squared error (LOS2): $C = \|z-y\|^2$, $\delta = 2(z-y)$; its mean over examples is the usual MSE."""


def _activated_squared_error(z, y, sigma):
    return jnp.sum((sigma(z) - same_shape(z, y)) ** 2) / 2


def _activated_squared_error_delta(z, y, sigma):
    # BP1 in its first form: the gradient in a, times σ′
    return (sigma(z) - same_shape(z, y)) * sigma.prime(z)


def activated_squared_error(activation: Activation) -> Loss:
    r"""Half the squared error behind an output activation σ (LOS2, LOS4).

    $$C = \tfrac12\|\sigma(z)-y\|^2, \qquad \delta = (\sigma(z)-y)\odot\sigma'(z)$$

    With a sigmoid this is the classical pairing, and the one that learns slowly from confident mistakes: δ keeps the
    factor σ′, which is nearly 0 where the unit is saturated. `binary_cross_entropy` cancels it.

    Args:
        activation: σ of the output layer.

    Returns:
        The loss; equal for equal activations. Its `output` is σ.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import activations, losses
        >>> loss = losses.activated_squared_error(activations.tanh)
        >>> float(loss.value(jnp.zeros(1), jnp.ones(1)))
        0.5
    """
    value, delta = With(_activated_squared_error, (activation,)), With(_activated_squared_error_delta, (activation,))
    return Loss(f"{activation}_squared_error", value, delta, activation)


sigmoid_squared_error = activated_squared_error(sigmoid)
r"""Half the squared error behind a sigmoid (LOS4): $\delta = (a-y)\odot\sigma'(z)$ with $a = \sigma(z)$."""
