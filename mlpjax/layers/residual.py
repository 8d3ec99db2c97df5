r"""The residual connection: a layer, or several, that adds to its input instead of replacing it."""

import jax.numpy as jnp
from jaxtyping import Float

from mlpjax._types import Array, Callable, DTypeLike, Initializer, PRNGKey
from mlpjax.initializers import lecun_normal

__all__ = ["apply", "init"]


def init(
    key: PRNGKey,
    in_size: int,
    out_size: int,
    *,
    weight_init: Initializer = lecun_normal,
    dtype: DTypeLike | None = None,
) -> Float[Array, "out in"] | None:
    """The projection of a residual connection: `None` where the widths are equal, since the identity has no weights.

    Args:
        key: randomness.
        in_size: width of the input.
        out_size: width of what the branch returns.
        weight_init: called as `(key, (out, in), dtype)` if a projection is needed.
        dtype: of the projection; JAX's default float if left out.

    Returns:
        The projection of shape `(out, in)`, or `None`.

    Example:
        >>> import jax
        >>> from mlpjax.layers import residual
        >>> residual.init(jax.random.key(0), 3, 2).shape
        (2, 3)
        >>> residual.init(jax.random.key(0), 3, 3) is None
        True
    """
    return None if in_size == out_size else weight_init(key, (out_size, in_size), jnp.zeros((), dtype).dtype)


def apply(
    branch: Callable[[Array], Array], x: Float[Array, "*n in"], projection: Float[Array, "out in"] | None = None
) -> Float[Array, "*n out"]:
    r"""A branch added to its input (VAN4).

    $$y = f(x) + x, \qquad\text{or}\qquad y = f(x) + W_s\,x$$

    where f changes the width. The Jacobian is $I + f'(x)$: what comes back through the sum reaches x even where $f'$
    is small.

    Args:
        branch: f, any function of x: one layer, or several.
        x: the input, shape `(in,)`, or a batch if the branch takes one, as batch normalization does.
        projection: $W_s$, shape `(out, in)`; `None` is the identity.

    Returns:
        The sum.

    Raises:
        ValueError: if the widths differ and there is no projection, or it does not fit.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax.activations import relu
        >>> from mlpjax.layers import dense, residual
        >>> layer = dense.init(jax.random.key(0), 3, 3)
        >>> residual.apply(lambda a: relu(dense.apply(layer, a)), jnp.ones(3)).shape
        (3,)

    References:
        K. He, X. Zhang, S. Ren, J. Sun: Deep residual learning for image recognition, 2016.
    """
    y = branch(x)
    shortcut = x if projection is None else x @ projection.T
    if y.shape != shortcut.shape:
        raise ValueError(
            f"`branch` must return the shape that the shortcut has, {shortcut.shape}; got {y.shape}. Where the widths "
            f"differ, give a `projection` of shape (out, in), as `residual.init` makes it."
        )
    return y + shortcut
