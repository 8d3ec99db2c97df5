"""The type of every activation function."""

import math
from dataclasses import dataclass, field

import jax
from jaxtyping import Float

from mlpjax._types import Array, Callable
from mlpjax._values import Slope


@jax.tree_util.register_static
@dataclass(frozen=True)
class Activation:
    r"""An elementwise function σ with its derivative σ′ and the facts one chooses it by.

    Args:
        name: what it is called in configurations and tables.
        fn: σ, elementwise on arrays of any shape.
        prime: σ′, elementwise. Left out, it is derived from `fn` by forward-mode autodiff.
        range: infimum and supremum of σ.
        lipschitz: the Lipschitz constant, which is $\sup_x |\sigma'(x)|$.
        saturates: where σ flattens: `"left"`, `"right"`, `"both"` or `""`.
        monotone: whether σ never decreases.
        smooth: how many continuous derivatives σ has.
        advantage: what it is good at.
        drawback: what it costs.

    Two activations are equal if name, `fn` and `prime` are.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax.activations import Activation
        >>> sine = Activation("sine", jnp.sin)
        >>> float(sine.prime(jnp.asarray(0.0)))
        1.0
        >>> jax.jit(lambda a, x: a(x))(sine, jnp.zeros(3)).shape
        (3,)
    """

    name: str
    fn: Callable[[Array], Array]
    prime: Callable[[Array], Array] = None  # pyright: ignore[reportAssignmentType]
    range: tuple[float, float] = field(default=(-math.inf, math.inf), compare=False)
    lipschitz: float = field(default=math.nan, compare=False)
    saturates: str = field(default="", compare=False)
    monotone: bool | None = field(default=None, compare=False)
    smooth: float = field(default=math.nan, compare=False)
    advantage: str = field(default="", compare=False)
    drawback: str = field(default="", compare=False)

    def __post_init__(self):
        if self.prime is None:
            object.__setattr__(self, "prime", Slope(self.fn))

    def __call__(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """σ(x), elementwise."""
        return self.fn(x)

    def __str__(self) -> str:
        return self.name
