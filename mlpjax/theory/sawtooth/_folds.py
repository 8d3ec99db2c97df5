"""The tent map and its folds."""

import functools

import jax.numpy as jnp
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, DTypeLike
from mlpjax.layers.dense import Dense
from mlpjax.theory.calculus import compose

__all__ = ["sawtooth", "tent", "triangle_wave"]


def tent(*, dtype: DTypeLike | None = None) -> tuple[Dense, ...]:
    r"""The tent map on [0, 1] as a network of two units (DEP1).

    $$T(x) = 2\,\mathrm{ReLU}(x) - 4\,\mathrm{ReLU}(x - \tfrac12)
           = \begin{cases} 2x & 0 \le x \le \tfrac12 \\ 2 - 2x & \tfrac12 \le x \le 1 \end{cases}$$

    Args:
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        Parameters of sizes (1, 2, 1). Left of 0 the network gives 0; right of 1 it goes on as 2 − 2x.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import sawtooth
        >>> [mlp.apply(sawtooth.tent(), jnp.array([x])).item() for x in (0.0, 0.25, 0.5, 0.75, 1.0)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    hidden = Dense(jnp.ones((2, 1), dtype), jnp.array([0.0, -0.5], dtype))
    return hidden, Dense(jnp.array([[2.0, -4.0]], dtype), jnp.zeros(1, dtype))


def sawtooth(k: int, *, dtype: DTypeLike | None = None) -> tuple[Dense, ...]:
    r"""The tent map applied k times: $2^k$ pieces from 2k units (DEP1).

    $$s_k = \underbrace{T \circ \dots \circ T}_{k}$$

    No operation rounds: the network is exact at every normal floating-point number of [0, 1]. (XLA may take subnormal
    ones for 0, and matrix products in TF32 round what they are given.)

    Args:
        k: the number of folds.
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        Parameters of sizes (1, 2, …, 2, 1) with k hidden layers.

    Raises:
        ValueError: if k is not a positive integer.

    Example:
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import sawtooth
        >>> mlp.sizes(sawtooth.sawtooth(4))
        (1, 2, 2, 2, 2, 1)
    """
    _check.count("k", k, 1, "The tent map is applied at least once.")
    return functools.reduce(compose, [tent(dtype=dtype)] * k)


def triangle_wave(x: Float[Array, "..."], k: int) -> Float[Array, "..."]:
    r"""The sawtooth in closed form: how far $2^k x$ is from the nearest even integer (DEP1).

    $$s_k(x) = \Bigl\lvert\, 2^k x - 2\operatorname{round}\bigl(2^{k-1}x\bigr) \Bigr\rvert, \qquad 0 \le x \le 1$$

    Args:
        x: any shape.
        k: the number of folds.

    Returns:
        One value for each x, equal to `sawtooth(k)` on [0, 1] in every bit.

    Raises:
        ValueError: if k is not a positive integer, or $2^k$ is too large for the dtype of x.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import sawtooth
        >>> sawtooth.triangle_wave(jnp.array([0.0, 0.125, 0.25, 0.4375]), 2).tolist()
        [0.0, 0.5, 1.0, 0.25]
    """
    _check.count("k", k, 1, "The tent map is applied at least once.")
    if k >= (most := jnp.finfo(x.dtype).maxexp):
        raise ValueError(f"`k` must be below {most} for {x.dtype}, which cannot hold 2ᵏ; got {k}. Use `sawtooth(k)`.")
    return jnp.abs(2.0**k * x - 2.0 * jnp.round(2.0 ** (k - 1) * x))
