r"""Initial weights: functions `(key, shape, dtype) -> Array` for a weight of shape `(out, in)`.

They are JAX's own, told that the last axis is the input: `jax.nn.initializers.he_normal()` as it comes assumes
`(in, out)` and would scale a wide-to-narrow layer wrongly.

Zeros will not do for weights (INI1): the hidden units of a layer would stay equal for ever. What a good variance is
follows from asking that signals keep their size forwards, and gradients backwards (INI2, INI3).
"""

from collections.abc import Sequence
from typing import Literal

import jax
import jax.numpy as jnp

from mlpjax._types import Array, DTypeLike, Initializer, PRNGKey

__all__ = [
    "constant",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "normal",
    "orthogonal",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]


def variance_scaling(
    scale: float,
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in",
    distribution: Literal["truncated_normal", "normal", "uniform"] = "truncated_normal",
) -> Initializer:
    r"""Weights of variance scale / n, for layers `(out, in)`.

    $$\operatorname{Var} W_{ij} = s / n, \qquad n = n_{\text{in}},\ n_{\text{out}} \text{ or their mean}$$

    For leaky ReLU take $s = 2/(1+\alpha^2)$ (INI3).

    Args:
        scale: s.
        mode: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"`, `"normal"` or `"uniform"`, all of that variance.

    Returns:
        A function `(key, shape, dtype) -> Array`.

    Raises:
        ValueError: from JAX, for another mode or distribution.

    Example:
        >>> import jax
        >>> from mlpjax.initializers import variance_scaling
        >>> W = variance_scaling(2 / (1 + 0.1**2))(jax.random.key(0), (300, 200))
        >>> bool(abs(W.var() * 200 / 2 - 1) < 0.05)
        True
    """
    return jax.nn.initializers.variance_scaling(scale, mode, distribution, in_axis=-1, out_axis=-2)


def zeros(key: PRNGKey, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
    """All zeros: right for biases, wrong for weights (INI1).

    Args:
        key: not used.
        shape: of the result.
        dtype: of the result; JAX's default float if left out.

    Returns:
        Zeros.
    """
    del key
    return jnp.zeros(shape, dtype)


def constant(value: float) -> Initializer:
    """All entries equal, such as a small positive bias under ReLU; for weights as wrong as zeros (INI1).

    Args:
        value: of every entry.

    Returns:
        A function `(key, shape, dtype) -> Array`.
    """
    return jax.nn.initializers.constant(value)


def normal(stddev: float) -> Initializer:
    """Independent normal entries of mean 0, of one standard deviation whatever the sizes.

    Args:
        stddev: the standard deviation.

    Returns:
        A function `(key, shape, dtype) -> Array`.
    """
    return jax.nn.initializers.normal(stddev)


def xavier_normal(key: PRNGKey, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
    r"""Xavier or Glorot, normal (INI2): $\operatorname{Var} W = 2/(n_{\text{in}}+n_{\text{out}})$.

    The compromise between preserving the variance of signals, $1/n_{\text{in}}$, and of gradients,
    $1/n_{\text{out}}$; exact for both only where the sizes are equal. Its derivation needs σ(0) = 0 and σ′(0) = 1:
    made for tanh, not for the sigmoid.

    Args:
        key: randomness.
        shape: `(out, in)`.
        dtype: of the result; JAX's default float if left out.

    Returns:
        The weight; normal, truncated at two standard deviations, of the variance stated.

    References:
        X. Glorot, Y. Bengio: Understanding the difficulty of training deep feedforward neural networks, 2010.
    """
    return variance_scaling(1.0, "fan_avg")(key, shape, dtype)


def xavier_uniform(key: PRNGKey, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
    r"""Xavier or Glorot, uniform (INI2): on $\pm\sqrt{6/(n_{\text{in}}+n_{\text{out}})}$, so of the same variance.

    Args:
        key: randomness.
        shape: `(out, in)`.
        dtype: of the result; JAX's default float if left out.

    Returns:
        The weight.
    """
    return variance_scaling(1.0, "fan_avg", "uniform")(key, shape, dtype)


def he_normal(key: PRNGKey, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
    r"""He or Kaiming, normal (INI3): $\operatorname{Var} W = 2/n_{\text{in}}$, for ReLU.

    ReLU halves the second moment of a symmetric signal; the 2 puts it back.

    Args:
        key: randomness.
        shape: `(out, in)`.
        dtype: of the result; JAX's default float if left out.

    Returns:
        The weight; normal, truncated at two standard deviations, of the variance stated.

    References:
        K. He, X. Zhang, S. Ren, J. Sun: Delving deep into rectifiers, 2015.
    """
    return variance_scaling(2.0)(key, shape, dtype)


def he_uniform(key: PRNGKey, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
    r"""He or Kaiming, uniform (INI3): on $\pm\sqrt{6/n_{\text{in}}}$.

    Args:
        key: randomness.
        shape: `(out, in)`.
        dtype: of the result; JAX's default float if left out.

    Returns:
        The weight.
    """
    return variance_scaling(2.0, "fan_in", "uniform")(key, shape, dtype)


def lecun_normal(key: PRNGKey, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
    r"""LeCun, normal (INI3): $\operatorname{Var} W = 1/n_{\text{in}}$, which preserves signals where σ is near linear.

    Args:
        key: randomness.
        shape: `(out, in)`.
        dtype: of the result; JAX's default float if left out.

    Returns:
        The weight.
    """
    return variance_scaling(1.0)(key, shape, dtype)


def orthogonal(key: PRNGKey, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
    r"""Orthogonal rows or columns, whichever fit (INI3): $W W^\top = I$ or $W^\top W = I$; uniform among such W.

    Args:
        key: randomness.
        shape: `(out, in)`.
        dtype: of the result; JAX's default float if left out. A half precision is rounded from float32.

    Returns:
        The weight.

    References:
        A. Saxe, J. McClelland, S. Ganguli: Exact solutions to the nonlinear dynamics of learning, 2014.
    """
    dtype = jnp.zeros((), dtype).dtype
    wide = dtype if dtype in (jnp.float32, jnp.float64) else jnp.float32
    return jax.nn.initializers.orthogonal()(key, tuple(shape), wide).astype(dtype)
