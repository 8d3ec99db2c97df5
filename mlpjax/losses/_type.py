"""The type of every loss."""

from dataclasses import dataclass, field

import jax
from jaxtyping import Float, Num

from mlpjax._types import Array, Callable, Scalar
from mlpjax._values import Gradient
from mlpjax.activations import identity


@jax.tree_util.register_static
@dataclass(frozen=True)
class Loss:
    r"""A loss C(z, y) of one example, with $\delta = \partial C/\partial z$.

    Args:
        name: what it is called in configurations.
        value: $(z, y) \mapsto C$, a scalar.
        delta: $(z, y) \mapsto \partial C/\partial z$, of the shape of z. Left out, it is derived by autodiff.
        output: $z \mapsto$ the prediction, such as probabilities.
        classifies: whether y may be a class index.

    Hashable and static under `jax.jit`. Two losses are equal if name, `value`, `delta` and `output` are.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.losses import Loss
        >>> absolute = Loss("absolute", lambda z, y: jnp.sum(jnp.abs(z - y)))
        >>> absolute.delta(jnp.asarray([3.0]), jnp.asarray([1.0])).tolist()
        [1.0]
    """

    name: str
    value: Callable[[Array, Array], Array]
    delta: Callable[[Array, Array], Array] = None  # pyright: ignore[reportAssignmentType]
    output: Callable[[Array], Array] = identity
    classifies: bool = field(default=False, compare=False)

    def __post_init__(self):
        if self.delta is None:
            object.__setattr__(self, "delta", Gradient(self.value))

    def __call__(self, z: Float[Array, " out"], y: Num[Array, "..."]) -> Scalar:
        """The same as `value`."""
        return self.value(z, y)

    def __str__(self) -> str:
        return self.name
