"""Quadratics with a spectrum of one's choice."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mlpjax import _check, initializers
from mlpjax._types import Array, PRNGKey, Scalar

__all__ = ["Quadratic", "quadratic"]


class Quadratic(NamedTuple):
    r"""A quadratic function by its Hessian and its minimizer.

    $$F(\theta) = \tfrac12\,(\theta-\theta^*)^\top H\,(\theta-\theta^*), \qquad \nabla F(\theta) = H(\theta-\theta^*)$$

    With H symmetric and positive definite, F is μ-strongly convex and L-smooth (PRE6) for the least eigenvalue μ and
    the largest eigenvalue L of H, and for no larger μ and no smaller L.

    Attributes:
        H: the Hessian, symmetric, shape `(n, n)`.
        minimizer: θ*, shape `(n,)`; the least value is 0.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import convex
        >>> ravine = convex.Quadratic(jnp.diag(jnp.asarray([1.0, 10.0])), jnp.zeros(2))
        >>> float(ravine.value(jnp.ones(2))), ravine.gradient(jnp.ones(2)).tolist()
        (5.5, [1.0, 10.0])
    """

    H: Float[Array, "n n"]
    minimizer: Float[Array, " n"]

    def value(self, theta: Float[Array, " n"]) -> Scalar:
        """F(θ)."""
        error = theta - self.minimizer
        return error @ (self.H @ error) / 2

    def gradient(self, theta: Float[Array, " n"]) -> Float[Array, " n"]:
        """∇F(θ)."""
        return self.H @ (theta - self.minimizer)


def quadratic(key: PRNGKey, spectrum: Float[Array, " n"], *, minimizer: Float[Array, " n"] | None = None) -> Quadratic:
    r"""A quadratic with these eigenvalues in a random orthogonal basis.

    $$H = Q \operatorname{diag}(\lambda_1, \dots, \lambda_n)\,Q^\top$$

    Args:
        key: randomness of the basis Q, of which all are equally likely.
        spectrum: the eigenvalues $\lambda_i \ge 0$, in any order.
        minimizer: θ*; the origin if left out.

    Returns:
        The quadratic, in the dtype of `spectrum`. The columns of Q are `initializers.orthogonal(key, (n, n))`.

    Raises:
        ValueError: if an eigenvalue is negative, not finite or an integer, or shapes do not fit.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax.theory import convex
        >>> F = convex.quadratic(jax.random.key(0), jnp.geomspace(1.0, 100.0, 5))
        >>> [round(float(x), 2) for x in jnp.linalg.eigvalsh(F.H)]
        [1.0, 3.16, 10.0, 31.62, 100.0]
    """
    if spectrum.ndim != 1 or not jnp.issubdtype(spectrum.dtype, jnp.floating):
        raise ValueError(
            f"`spectrum` must be one axis of floating-point numbers; got shape {spectrum.shape} of {spectrum.dtype}. "
            f"Write 1.0 for 1."
        )
    n = len(spectrum)
    if _check.concrete(spectrum) and not (np.isfinite(spectrum) & (np.asarray(spectrum) >= 0)).all():
        raise ValueError(f"`spectrum` must hold finite numbers ≥ 0; got {spectrum}. A negative one makes F not convex.")
    minimizer = jnp.zeros(n, spectrum.dtype) if minimizer is None else minimizer
    if minimizer.shape != (n,):
        raise ValueError(
            f"`minimizer` must have one entry per eigenvalue, shape ({n},); got {minimizer.shape}. Leave it out for 0."
        )
    Q = initializers.orthogonal(key, (n, n), spectrum.dtype)
    return Quadratic((Q * spectrum[None, :]) @ Q.T, minimizer)
