"""Functions as values: equal when what they compute is equal, so that `jax.jit` never compiles them twice."""

from collections.abc import Hashable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from mlpjax._types import Callable


@dataclass(frozen=True)
class With:
    """`fn` with values bound behind its arguments; equal for equal values, as no lambda and no partial is."""

    fn: Callable
    parameters: tuple[Hashable, ...]

    def __call__(self, *arguments):
        return self.fn(*arguments, *self.parameters)


@dataclass(frozen=True)
class Slope:
    """σ′ of an elementwise σ, by forward-mode autodiff."""

    fn: Callable

    def __call__(self, x):
        return jax.jvp(self.fn, (x,), (jnp.ones_like(x),))[1]


@dataclass(frozen=True)
class Gradient:
    """The gradient of a real function in its first argument, by reverse-mode autodiff."""

    fn: Callable

    def __call__(self, *arguments):
        return jax.grad(self.fn)(*arguments)
