"""Targets: class indices, unit vectors, and the shapes they must have."""

import jax
import jax.numpy as jnp
from jaxtyping import Float, Integer

from mlpjax._types import Array


def one_hot(y: Integer[Array, ""], classes: int, dtype=None) -> Float[Array, " classes"]:
    r"""The unit vector e(y) of a class (LOS6).

    $$e(y)_j = 1 \text{ if } j = y, \text{ else } 0$$

    Args:
        y: a class index.
        classes: the number K of classes.
        dtype: of the result; JAX's default float if left out.

    Returns:
        Shape `(K,)`; all NaN where y is not in 0 … K−1, so that a wrong label is seen and never wraps.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.losses import one_hot
        >>> one_hot(jnp.asarray(2), 4).tolist(), one_hot(jnp.asarray(-1), 2).tolist()
        ([0.0, 0.0, 1.0, 0.0], [nan, nan])
    """
    # 256 classes fit into labels of type uint8, but their number does not
    y = y.astype(jnp.int32) if y.dtype.itemsize < 4 else y
    e = jax.nn.one_hot(y, classes, dtype=dtype or jnp.zeros(()).dtype)
    return jnp.where((y >= 0) & (y < classes), e, jnp.nan)


def target(z: Array, y: Array) -> Array:
    """The target as a vector like z: an index becomes its unit vector, a vector stays."""
    if y.ndim == 0 and jnp.issubdtype(y.dtype, jnp.integer):
        return one_hot(y, z.shape[0], z.dtype)
    return same_shape(z, y, classes=True)


def same_shape(z: Array, y: Array, *, classes: bool = False) -> Array:
    """A target vector in z's dtype; never broadcast."""
    if y.shape != z.shape:
        raise ValueError(
            f"`y` must have the shape of the network's output, {z.shape}, "
            f"{'or be one integer class index' if classes else 'one number per output'}; got shape {y.shape} and "
            f"dtype {y.dtype} for one example. {_remedy(z, y, classes)}"
        )
    return y.astype(z.dtype)


def _remedy(z: Array, y: Array, classes: bool) -> str:
    if classes and y.shape == ():
        return "Class indices are integers: write `y.astype(int)`."
    if classes and y.shape == (1,):
        return "For a column of class indices write `y[:, 0]`."
    if not classes and y.shape == () and z.shape == (1,):
        return "For one output per example write `y[:, None]`."
    if not classes and y.shape == ():
        return "For class indices take `softmax_cross_entropy`, or make them vectors with `losses.one_hot`."
    return "Does the last size of the network fit the targets?"
