r"""The dense layer: an affine map z = W a + b."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from mlpjax._types import Array, DTypeLike, Initializer, PRNGKey
from mlpjax.initializers import he_normal, zeros

__all__ = ["Dense", "apply", "init"]


class Dense(NamedTuple):
    """Parameters of a dense layer.

    Attributes:
        W: weights, shape `(out, in)`: row i belongs to unit i.
        b: biases, shape `(out,)`.
    """

    W: Float[Array, "out in"]
    b: Float[Array, " out"]


def init(
    key: PRNGKey,
    in_size: int,
    out_size: int,
    *,
    weight_init: Initializer = he_normal,
    bias_init: Initializer = zeros,
    dtype: DTypeLike | None = None,
) -> Dense:
    """Parameters of a dense layer.

    Args:
        key: randomness.
        in_size: number of inputs.
        out_size: number of units.
        weight_init: called as `(key, (out, in), dtype)`.
        bias_init: called as `(key, (out,), dtype)`.
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        The parameters.

    Example:
        >>> import jax
        >>> from mlpjax.layers import dense
        >>> dense.init(jax.random.key(0), 3, 2).W.shape
        (2, 3)
    """
    dtype = jnp.zeros((), dtype).dtype
    weight_key, bias_key = jax.random.split(key)
    W = weight_init(weight_key, (out_size, in_size), dtype)
    return Dense(W, bias_init(bias_key, (out_size,), dtype))


def apply(params: Dense, x: Float[Array, " in"]) -> Float[Array, " out"]:
    r"""The affine map of one example (FWD1).

    $$z = W a + b$$

    Args:
        params: W of shape `(out, in)` and b of shape `(out,)`.
        x: the layer's input a, shape `(in,)`.

    Returns:
        The pre-activation z, shape `(out,)`.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.layers import Dense, dense
        >>> dense.apply(Dense(jnp.ones((2, 3)), jnp.zeros(2)), jnp.ones(3)).tolist()
        [3.0, 3.0]
    """
    return params.W @ x + params.b
