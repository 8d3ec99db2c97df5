"""Activations with a kink at 0: ReLU and its kin, and the identity they are on the right."""

import math

import jax
import jax.numpy as jnp

from mlpjax._values import With
from mlpjax.activations._type import Activation


def _identity(x):
    return x


identity = Activation(
    "identity",
    fn=_identity,
    prime=jnp.ones_like,
    lipschitz=1.0,
    monotone=True,
    smooth=math.inf,
    advantage="the natural output of a regression",
    drawback="linear: hidden layers collapse into one affine map",
)
r"""The identity (ACT8): $\sigma(x) = x$, $\sigma'(x) = 1$."""


def _name(family, alpha, default):
    return family if alpha == default else f"{family}({alpha})"


def _relu_prime(x):
    return jnp.where(x > 0, jnp.ones_like(x), jnp.zeros_like(x))


relu = Activation(
    "relu",
    fn=jax.nn.relu,
    prime=_relu_prime,
    range=(0.0, math.inf),
    lipschitz=1.0,
    saturates="left",
    monotone=True,
    smooth=0,
    advantage="cheap; slope 1 wherever it is active",
    drawback="a unit that is off for every example learns nothing: it is dead",
)
r"""The rectified linear unit (ACT3): $\sigma(x) = \max(0, x)$; $\sigma'(x) = 1$ for $x > 0$, else $0$ (also at 0)."""


def _leaky_relu(x, alpha):
    return jnp.where(x > 0, x, alpha * x)


def _leaky_relu_prime(x, alpha):
    return jnp.where(x > 0, jnp.ones_like(x), jnp.full_like(x, alpha))


def leaky_relu(alpha: float = 0.01) -> Activation:
    r"""The leaky ReLU (ACT4).

    $$\sigma(x) = \max(x, \alpha x), \qquad \sigma'(x) = 1 \text{ for } x > 0, \text{ else } \alpha$$

    Args:
        alpha: slope on the left, in (0, 1).

    Returns:
        The activation; equal for equal `alpha`.

    Raises:
        ValueError: if `alpha` is not in (0, 1).

    Example:
        >>> from mlpjax.activations import leaky_relu
        >>> leaky_relu(0.1) == leaky_relu(0.1)
        True
    """
    alpha = float(alpha)
    if not 0 < alpha < 1:
        raise ValueError(f"`alpha` must lie in (0, 1); got {alpha}. For slope 0 take `relu`, for slope 1 `identity`.")
    return Activation(
        _name("leaky_relu", alpha, 0.01),
        fn=With(_leaky_relu, (alpha,)),
        prime=With(_leaky_relu_prime, (alpha,)),
        lipschitz=1.0,
        monotone=True,
        smooth=0,
        advantage="never flat: a dead unit can come back",
        drawback="one more number to choose",
    )


def _elu(x, alpha):
    # the inner `where` keeps e^x of large x out of the derivative, where 0·∞ would be NaN
    return jnp.where(x > 0, x, alpha * jnp.expm1(jnp.where(x > 0, 0, x)))


def _elu_prime(x, alpha):
    return jnp.where(x > 0, jnp.ones_like(x), alpha * jnp.exp(jnp.where(x > 0, 0, x)))


def elu(alpha: float = 1.0) -> Activation:
    r"""The exponential linear unit (ACT5).

    $$\sigma(x) = \begin{cases} x & x > 0 \\ \alpha\,(e^x - 1) & x \le 0 \end{cases} \qquad
      \sigma'(x) = \begin{cases} 1 & x > 0 \\ \alpha\,e^x & x \le 0 \end{cases}$$

    Once continuously differentiable for $\alpha = 1$ only; Lipschitz constant $\max(1, \alpha)$.

    Args:
        alpha: minus the limit at −∞, positive and finite.

    Returns:
        The activation; equal for equal `alpha`.

    Raises:
        ValueError: if `alpha` is not positive and finite.

    Example:
        >>> from mlpjax.activations import elu
        >>> elu(2.0).lipschitz, elu(2.0).range
        (2.0, (-2.0, inf))
    """
    alpha = float(alpha)
    if not 0 < alpha < math.inf:
        raise ValueError(f"`alpha` must be positive and finite; got {alpha}. For 0 take `relu`.")
    return Activation(
        _name("elu", alpha, 1.0),
        fn=With(_elu, (alpha,)),
        prime=With(_elu_prime, (alpha,)),
        range=(-alpha, math.inf),
        lipschitz=max(1.0, alpha),
        saturates="left",
        monotone=True,
        smooth=1 if alpha == 1 else 0,
        advantage="means close to 0; C¹ for α = 1",
        drawback="an exponential a unit",
    )
