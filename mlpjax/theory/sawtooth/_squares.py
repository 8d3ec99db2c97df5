"""Squares and products by depth."""

import functools
from collections.abc import Sequence

import jax.numpy as jnp

from mlpjax import _check
from mlpjax._types import DTypeLike
from mlpjax.layers.dense import Dense
from mlpjax.theory.calculus import affine, compose, parallel
from mlpjax.theory.relu import absolute

__all__ = ["multiply", "square"]


def square(k: int, *, dtype: DTypeLike | None = None) -> tuple[Dense, ...]:
    r"""x² on [0, 1] by k folds, with an error of at most $4^{-k-1}$ (DEP1).

    $$f_k(x) = x - \sum_{j=1}^{k} \frac{s_j(x)}{4^j}, \qquad 0 \le f_k(x) - x^2 \le 4^{-k-1}$$

    Hidden layer j + 1 holds $\mathrm{ReLU}(s_j)$ and $\mathrm{ReLU}(s_j - \tfrac12)$ for the next fold, and $f_j$.

    Args:
        k: the number of folds.
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        Parameters of sizes (1, 3, …, 3, 1) with k hidden layers. The error is attained at odd multiples of
        $2^{-k-1}$, and 0 at multiples of $2^{-k}$.

    Raises:
        ValueError: if k is not a positive integer.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import sawtooth
        >>> mlp.apply(sawtooth.square(3), jnp.array([0.625])).item()
        0.390625

    References:
        D. Yarotsky: Error bounds for approximations with deep ReLU networks. Neural Networks 94, 2017.
    """
    _check.count("k", k, 1, "The tent map is applied at least once.")
    steps = [_refine(j, dtype) for j in range(1, k + 1)]
    return _chain(_linear([[1], [1]], dtype), *steps, _linear([[0, 1]], dtype))


def multiply(k: int, *, bound: float = 1.0, dtype: DTypeLike | None = None) -> tuple[Dense, ...]:
    r"""The product of two numbers by two squares, with an error of at most $B^2\,4^{-k-1}$ (DEP1).

    $$xy = B^2\left[\Bigl(\frac{\lvert x + y\rvert}{2B}\Bigr)^2 - \Bigl(\frac{\lvert x - y\rvert}{2B}\Bigr)^2\right],
      \qquad \lvert x\rvert, \lvert y\rvert \le B$$

    Args:
        k: the number of folds; each more divides the error by 4.
        bound: B > 0. The guarantee holds on $[-B, B]^2$.
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        Parameters of sizes (2, 4, 6, …, 6, 1) with k + 1 hidden layers. With x = 0 or y = 0 the two squares cancel.

    Raises:
        ValueError: if k is not a positive integer, or the bound not a positive number with a square within the dtype.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import sawtooth
        >>> mlp.apply(sawtooth.multiply(4, bound=2.0), jnp.array([-1.5, 0.5])).item()
        -0.75

    References:
        D. Yarotsky: Error bounds for approximations with deep ReLU networks. Neural Networks 94, 2017.
    """
    largest = float(jnp.finfo(jnp.zeros((), dtype).dtype).max)
    if not (bound > 0 and 1 / largest < bound * bound < largest):
        raise ValueError(f"`bound` must be a positive number; got {bound}. Its square, and 1 over it, must be finite.")
    half = 0.5 / bound
    magnitude = _chain(absolute(dtype=dtype), square(k, dtype=dtype))
    squares = parallel(magnitude, magnitude)
    return _chain(_linear([[half, half], [half, -half]], dtype), squares, _linear([[bound**2, -(bound**2)]], dtype))


def _chain(*networks: tuple[Dense, ...]) -> tuple[Dense, ...]:
    """One network after another, the first one first."""
    return functools.reduce(lambda inner, outer: compose(outer, inner), networks)


def _linear(W: Sequence[Sequence[float]], dtype: DTypeLike | None) -> tuple[Dense]:
    return affine(jnp.asarray(W, jnp.zeros((), dtype).dtype), jnp.zeros(len(W), dtype))


def _refine(j: int, dtype: DTypeLike | None) -> tuple[Dense, ...]:
    """The map (s, f) ↦ (T(s), f − T(s)/4ʲ), for f ≥ 0."""
    W = jnp.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype)
    units = Dense(W, jnp.array([0.0, -0.5, 0.0], dtype))
    return units, *_linear([[2, -4, 0], [-2 / 4**j, 4 / 4**j, 1]], dtype)
