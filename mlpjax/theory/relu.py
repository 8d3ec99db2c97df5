r"""Identity, absolute value, maximum, minimum, hat and powers as networks of rectified units (ACT11).

Each function returns parameters of an ordinary network with one hidden layer and small whole numbers for weights:

```python
>>> import jax.numpy as jnp
>>> from mlpjax import mlp
>>> from mlpjax.theory import relu
>>> mlp.apply(relu.maximum(), jnp.asarray([2.0, -3.0])).tolist()
[2.0]

```

They are equal to what they are named after for all real inputs, not approximations. In floating-point arithmetic no
weight is rounded, and what else is rounded stands in each docstring. `calculus` joins them to larger networks.
"""

import functools
import math
from collections.abc import Sequence

import jax.numpy as jnp

from mlpjax import _check, activations
from mlpjax._types import DTypeLike
from mlpjax._values import With
from mlpjax.activations import Activation
from mlpjax.layers.dense import Dense

__all__ = ["absolute", "hat", "identity", "maximum", "minimum", "power", "rectified_power"]


def _shallow(
    W: Sequence[Sequence[float]], b: Sequence[float], v: Sequence[float], dtype: DTypeLike | None
) -> tuple[Dense, Dense]:
    array = functools.partial(jnp.asarray, dtype=jnp.zeros((), dtype).dtype)
    return Dense(array(W), array(b)), Dense(array([v]), array([0]))


def identity(width: int = 1, *, dtype: DTypeLike | None = None) -> tuple[Dense, Dense]:
    r"""A layer that changes nothing (ACT11).

    $$x = \operatorname{ReLU}(x) - \operatorname{ReLU}(-x)
        = \begin{bmatrix} I & -I \end{bmatrix}
          \operatorname{ReLU}\Bigl(\begin{bmatrix} I \\ -I \end{bmatrix} x\Bigr), \qquad x \in \mathbb R^n$$

    Nothing is rounded: one of the two terms is x itself, the other is 0. The derivative is 1 except at x = 0, where
    autodiff gives 0: it takes the derivative of each ReLU there as 0.

    Args:
        width: the number n of inputs.
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        Parameters of sizes (n, 2n, n).

    Raises:
        ValueError: if n is not a positive integer.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import relu
        >>> mlp.apply(relu.identity(2), jnp.asarray([-0.1, 3.0])) == jnp.asarray([-0.1, 3.0])
        Array([ True,  True], dtype=bool)
    """
    _check.count("width", width, 1, "It is the number of inputs, and of outputs.")
    one = jnp.eye(width, dtype=dtype)
    first = Dense(jnp.concatenate([one, -one]), jnp.zeros(2 * width, one.dtype))
    return first, Dense(first.W.T, jnp.zeros(width, one.dtype))


def absolute(*, dtype: DTypeLike | None = None) -> tuple[Dense, Dense]:
    r"""The absolute value (ACT11).

    $$|x| = \operatorname{ReLU}(x) + \operatorname{ReLU}(-x)$$

    Nothing is rounded.

    Args:
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        Parameters of sizes (1, 2, 1).

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import relu
        >>> mlp.apply(relu.absolute(), jnp.asarray([-2.5])).tolist()
        [2.5]
    """
    return _shallow([[1], [-1]], [0, 0], [1, 1], dtype)


def maximum(*, dtype: DTypeLike | None = None) -> tuple[Dense, Dense]:
    r"""The larger of two numbers (ACT11).

    $$\max(u, v) = \operatorname{ReLU}(u - v) + v
        = \begin{bmatrix} 1 & 1 & -1 \end{bmatrix} \operatorname{ReLU}\left(
          \begin{bmatrix} 1 & -1 \\ 0 & 1 \\ 0 & -1 \end{bmatrix} \begin{bmatrix} u \\ v \end{bmatrix} \right)$$

    If v is the larger one, the answer has its bits. Otherwise two sums are rounded, and the error is at most
    a unit in the last place of $|u| + |v|$.

    Args:
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        Parameters of sizes (2, 3, 1).

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import relu
        >>> mlp.apply(relu.maximum(), jnp.asarray([-1.0, -4.0])).tolist()
        [-1.0]
    """
    return _shallow([[1, -1], [0, 1], [0, -1]], [0, 0, 0], [1, 1, -1], dtype)


def minimum(*, dtype: DTypeLike | None = None) -> tuple[Dense, Dense]:
    r"""The smaller of two numbers (ACT11).

    $$\min(u, v) = v - \operatorname{ReLU}(v - u)
        = \begin{bmatrix} -1 & 1 & -1 \end{bmatrix} \operatorname{ReLU}\left(
          \begin{bmatrix} -1 & 1 \\ 0 & 1 \\ 0 & -1 \end{bmatrix} \begin{bmatrix} u \\ v \end{bmatrix} \right)$$

    If v is the smaller one, the answer has its bits; otherwise two sums are rounded, as in `maximum`.

    Args:
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        Parameters of sizes (2, 3, 1).

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import relu
        >>> mlp.apply(relu.minimum(), jnp.asarray([-1.0, -4.0])).tolist()
        [-4.0]
    """
    return _shallow([[-1, 1], [0, 1], [0, -1]], [0, 0, 0], [-1, 1, -1], dtype)


def hat(*, dtype: DTypeLike | None = None) -> tuple[Dense, Dense]:
    r"""The hat: 1 at 0, falling to 0 at ±1, and 0 outside (ACT11).

    $$\max(0, 1 - |x|) = \operatorname{ReLU}(x - 1) - 2\operatorname{ReLU}(x) + \operatorname{ReLU}(x + 1)$$

    Left of −1 all units are 0. Right of 1 the three terms cancel, up to rounding of x ± 1.

    Args:
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        Parameters of sizes (1, 3, 1).

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import relu
        >>> [mlp.apply(relu.hat(), jnp.asarray([x])).item() for x in (-2.0, -0.5, 0.0, 0.25, 2.0)]
        [0.0, 0.5, 1.0, 0.75, 0.0]
    """
    return _shallow([[1], [1], [1]], [-1, 0, 1], [1, -2, 1], dtype)


def power(exponent: int, *, dtype: DTypeLike | None = None) -> tuple[Dense, Dense]:
    r"""A power of x, for units with activation `rectified_power` (ACT11).

    $$x^p = \operatorname{ReLU}(x)^p + (-1)^p \operatorname{ReLU}(-x)^p$$

    For p ≥ 2 no network of ordinary rectified units is equal to it, since all of those are piecewise affine.

    Args:
        exponent: p, a positive integer.
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        Parameters of sizes (1, 2, 1).

    Raises:
        ValueError: if p is not a positive integer.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import relu
        >>> mlp.apply(relu.power(3), jnp.asarray([-2.0]), activation=relu.rectified_power(3)).tolist()
        [-8.0]
    """
    _check.count("exponent", exponent, 1, "Other powers are not sums of two rectified ones.")
    return _shallow([[1], [-1]], [0, 0], [1, (-1) ** exponent], dtype)


def _rectified_power(x, p):
    return activations.relu(x) ** p


def _rectified_power_prime(x, p):
    return p * activations.relu(x) ** (p - 1)


def rectified_power(exponent: int) -> Activation:
    r"""The power of a rectified linear unit, an activation.

    $$\sigma(x) = \operatorname{ReLU}(x)^p, \qquad \sigma'(x) = p\,\operatorname{ReLU}(x)^{p-1}$$

    Args:
        exponent: p, a positive integer.

    Returns:
        The activation, equal for equal p; for p = 1 it is `activations.relu`.

    Raises:
        ValueError: if p is not a positive integer.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import relu
        >>> square = relu.rectified_power(2)
        >>> square(jnp.asarray([-3.0, 3.0])).tolist(), square.prime(jnp.asarray(3.0)).item()
        ([0.0, 9.0], 6.0)
    """
    _check.count("exponent", exponent, 1, "For p = 1 it is the ReLU.")
    if exponent == 1:
        return activations.relu
    return Activation(
        f"rectified_power({exponent})",
        fn=With(_rectified_power, (exponent,)),
        prime=With(_rectified_power_prime, (exponent,)),
        range=(0.0, math.inf),
        lipschitz=math.inf,
        saturates="left",
        monotone=True,
        smooth=exponent - 1,
        advantage="smooth, and exact for powers",
        drawback="grows fast: its slope is not bounded",
    )
