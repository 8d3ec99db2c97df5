r"""The tent map folded k times, what no shallow network does as cheaply, and products by depth (DEP1).

Everything is about functions of one variable on [0, 1]. A *piece* of such a function is an interval on which it is
affine. The networks use ReLU, the activation that `mlp.apply` takes by default:

```python
>>> import jax.numpy as jnp
>>> from mlpjax import mlp
>>> from mlpjax.theory import sawtooth
>>> [mlp.apply(sawtooth.sawtooth(3), jnp.array([j / 8])).item() for j in range(9)]
[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]

```
"""

import functools

import jax.numpy as jnp

from mlpjax import _check
from mlpjax.layers import Dense

__all__ = ["sawtooth", "tent"]


def _compose(outer: tuple[Dense, ...], inner: tuple[Dense, ...]) -> tuple[Dense, ...]:
    (W, b), (V, c) = outer[0], inner[-1]
    return (*inner[:-1], Dense(W @ V, W @ c + b), *outer[1:])


def tent() -> tuple[Dense, Dense]:
    r"""The tent map on [0, 1] as a network of two units (DEP1).

    $$T(x) = 2\,\mathrm{ReLU}(x) - 4\,\mathrm{ReLU}(x - \tfrac12)
           = \begin{cases} 2x & 0 \le x \le \tfrac12 \\ 2 - 2x & \tfrac12 \le x \le 1 \end{cases}$$

    Returns:
        Parameters of sizes (1, 2, 1). Left of 0 the network gives 0, right of 1 it continues as 2 − 2x.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import sawtooth
        >>> [mlp.apply(sawtooth.tent(), jnp.array([x])).item() for x in (0.0, 0.25, 0.5, 0.75, 1.0)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return Dense(jnp.ones((2, 1)), jnp.array([0.0, -0.5])), Dense(jnp.array([[2.0, -4.0]]), jnp.zeros(1))


def sawtooth(k: int) -> tuple[Dense, ...]:
    r"""The tent map applied k times: $2^k$ pieces from 2k units (DEP1).

    $$s_k = T \circ \dots \circ T$$

    Exact at every floating-point number of [0, 1]: no operation on the way rounds.

    Args:
        k: the number of folds.

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
    return functools.reduce(_compose, [tent()] * k)
