r"""Transforms of a batch that run inside the compiled step: cast, scale, distort (REG7).

A transform is a function `(batch, key) -> batch`. With `key=None` it does only its deterministic part, which is what
evaluation needs. The ones here are values: equal for equal parameters and hashable, so that a jitted function which
takes one as an argument is not compiled again. Any function of that form may stand beside them.
"""

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Int, Shaped

from mlpjax._types import Array, PRNGKey
from mlpjax.data._dataset import Dataset
from mlpjax.data._once import once

__all__ = ["Transform", "compose", "scale", "shift"]

Transform: TypeAlias = Callable[[Dataset, PRNGKey | None], Dataset]
"""A function `(batch, key) -> batch`; with `key=None` only its deterministic part."""


def scale(divisor: float) -> Transform:
    r"""Divide the inputs by a constant, after a cast from integers.

    $$x \mapsto x / d$$

    Args:
        divisor: $d$, not zero: 255 for the bytes of a picture, 16 for the embedded digits.

    Returns:
        The transform. Integers become the default floating-point dtype, other dtypes are kept. It needs no key.

    Raises:
        ValueError: if `divisor` is zero, infinite or NaN.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.data import Dataset, augment
        >>> batch = Dataset(jnp.array([[0, 4, 16]], jnp.uint8), jnp.array([3]))
        >>> augment.scale(16)(batch, None).x.tolist()
        [[0.0, 0.25, 1.0]]
    """
    if not 0.0 < abs(divisor) < float("inf"):
        raise ValueError(f"`divisor` must be a finite number other than zero; got {divisor}. For bytes it is 255.")
    return _Scale(divisor)


def shift(pixels: int, *, height: int, width: int) -> Transform:
    r"""Move each picture by a random whole number of pixels in both directions, with zeros moving in.

    $$x'_{r, c} = x_{r - u,\, c - v}, \qquad u, v \sim \mathcal U\{-k, \dots, k\}$$

    Each of the $(2k+1)^2$ shifts is equally likely, independently for each picture.

    Args:
        pixels: the largest shift $k$, at least 0 and less than `height` and `width`.
        height: rows of a picture.
        width: columns of a picture.

    Returns:
        The transform of batches whose `x` has shape `(n, height * width)`; the dtype is kept. Without a key it is the
        identity.

    Raises:
        ValueError: if `pixels` is out of range, or a batch has another width.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax.data import Dataset, augment
        >>> batch = Dataset(jnp.arange(1, 10, dtype=jnp.uint8).reshape(1, 9), jnp.array([0]))
        >>> move = augment.shift(1, height=3, width=3)
        >>> jax.jit(move)(batch, jax.random.key(2)).x.reshape(3, 3).tolist()
        [[4, 5, 6], [7, 8, 9], [0, 0, 0]]
        >>> move == augment.shift(1, height=3, width=3)
        True

    References:
        P. Y. Simard, D. Steinkraus, J. C. Platt (2003). Best practices for convolutional neural networks applied to
        visual document analysis. ICDAR.
    """
    if not 0 <= pixels < min(height, width):
        raise ValueError(
            f"`pixels` must be at least 0 and less than `height` (={height}) and `width` (={width}); got {pixels}. "
            "A larger shift would move the whole picture out."
        )
    return _Shift(pixels, height, width)


def compose(*transforms: Transform) -> Transform:
    r"""One transform after another, first to last, each with a key of its own.

    $$t = t_m \circ \dots \circ t_1$$

    Args:
        *transforms: in the order in which they are applied; none gives the identity.

    Returns:
        The transform. It is equal to another if all its parts are.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.data import Dataset, augment
        >>> prepare = augment.compose(augment.shift(1, height=2, width=2), augment.scale(2))
        >>> prepare(Dataset(jnp.array([[0, 2, 4, 6]]), jnp.array([1])), None).x.tolist()
        [[0.0, 1.0, 2.0, 3.0]]
    """
    return _Compose(transforms)


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class _Scale:
    divisor: float

    def __call__(self, batch: Dataset, key: PRNGKey | None) -> Dataset:
        x = batch.x if jnp.issubdtype(batch.x.dtype, jnp.inexact) else batch.x.astype(float)
        return batch._replace(x=x / self.divisor)

    def __repr__(self) -> str:
        return f"scale({self.divisor})"


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class _Shift:
    pixels: int
    height: int
    width: int

    def __call__(self, batch: Dataset, key: PRNGKey | None) -> Dataset:
        if batch.x.ndim != 2 or batch.x.shape[1] != self.height * self.width:
            raise ValueError(
                f"`x` must have shape (n, {self.height * self.width}), flat pictures of {self.height} × {self.width} "
                f"pixels; got {batch.x.shape}. Give `shift` the pictures' size, or flatten them."
            )
        if key is None:
            return batch
        side = 2 * self.pixels + 1
        choice = jax.random.bits(key, batch.x.shape[:1], jnp.uint32) % side**2
        x = once(batch.x, jnp.any(choice >= side**2))
        choice = choice.astype(jnp.int32)
        return batch._replace(x=jax.vmap(self.move)(x, choice // side - self.pixels, choice % side - self.pixels))

    def move(self, x: Shaped[Array, " size"], down: Int[Array, ""], right: Int[Array, ""]) -> Shaped[Array, " size"]:
        """One flat picture, moved: a slice of the picture between zeros, less what wrapped into the next row."""
        margin = self.pixels * (self.width + 1)
        moved = jax.lax.dynamic_slice(jnp.pad(x, margin), (margin - down * self.width - right,), x.shape)
        source = jnp.arange(x.size, dtype=jnp.int32) % self.width - right
        return jnp.where((source >= 0) & (source < self.width), moved, jnp.zeros_like(moved))

    def __repr__(self) -> str:
        return f"shift({self.pixels}, height={self.height}, width={self.width})"


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class _Compose:
    transforms: tuple[Transform, ...]

    def __call__(self, batch: Dataset, key: PRNGKey | None) -> Dataset:
        count = len(self.transforms)
        keys = [None] * count if key is None else jax.random.split(key, count)
        for transform, own in zip(self.transforms, keys, strict=True):
            batch = transform(batch, own)
        return batch

    def __repr__(self) -> str:
        return f"compose({', '.join(map(repr, self.transforms))})"
