"""The names that annotations share."""

from collections.abc import Callable
from typing import Any, TypeAlias

from jax import Array
from jax.typing import ArrayLike, DTypeLike
from jaxtyping import Float, Key, PyTree

Scalar: TypeAlias = Float[Array, ""]
"""A real number, as a JAX array of shape `()`."""

PRNGKey: TypeAlias = Key[Array, ""]
"""One typed key, as `jax.random.key` makes it."""

Params: TypeAlias = PyTree
"""Parameters: any pytree of arrays."""

Initializer: TypeAlias = Callable[..., Array]
"""A function `(key, shape, dtype) -> Array`."""

__all__ = [
    "Any",
    "Array",
    "ArrayLike",
    "Callable",
    "DTypeLike",
    "Initializer",
    "PRNGKey",
    "Params",
    "PyTree",
    "Scalar",
]
