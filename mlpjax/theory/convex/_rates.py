"""Gradient descent: the factor that a step promises, and the learning rate that makes it least."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, Scalar

__all__ = ["contraction", "optimal_contraction", "optimal_rate", "quadratic_factor"]


def check_constants(mu, L):
    """0 < μ ≤ L."""
    if _check.concrete((mu, L)) and not np.all((0 < np.asarray(mu)) & (np.asarray(mu) <= np.asarray(L))):
        raise ValueError(
            f"`mu` and `L` must satisfy 0 < mu <= L; got mu = {mu}, L = {L}. They are the least and the largest "
            f"curvature; without a positive `mu` there is no geometric rate."
        )


def check_condition(kappa):
    """κ ≥ 1."""
    if _check.concrete(kappa) and not np.all(np.asarray(kappa) >= 1):
        raise ValueError(
            f"`kappa` must be at least 1; got {kappa}. It is L / mu, the largest over the least curvature."
        )


def check_rate(rate, mu, L):
    """0 < τ ≤ 2/(μ + L)."""
    if not _check.concrete((rate, mu, L)):
        return
    rate, largest = np.asarray(rate), np.asarray(optimal_rate(mu, L))
    if not np.all((0 < rate) & (rate <= largest * (1 + 1e-6))):
        raise ValueError(
            f"`rate` must satisfy 0 < rate <= 2 / (mu + L) = {largest}; got {rate}. For larger rates use "
            f"`quadratic_factor` with the spectrum (mu, L): its square is a bound for every rate below 2 / L."
        )


def contraction(rate: float | Array, mu: float | Array, L: float | Array) -> float | Array:
    r"""The factor by which a step of gradient descent at least shrinks the squared distance to the minimizer (GD3).

    $$\gamma = 1 - \frac{2\tau\mu L}{\mu + L}, \qquad
    \lVert\theta_k - \theta^*\rVert^2 \le \gamma^k\,\lVert\theta_0 - \theta^*\rVert^2$$

    Args:
        rate: τ with 0 < τ ≤ 2/(μ + L).
        mu: F is μ-strongly convex, μ > 0.
        L: F is L-smooth.

    Returns:
        γ in [0, 1). It is 0 where μ = L and τ = 1/L.

    Raises:
        ValueError: if the constants or the rate are not in these ranges.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.contraction(0.5, 1.0, 3.0)
        0.25
    """
    check_constants(mu, L)
    check_rate(rate, mu, L)
    return 1 - 2 * rate * mu * L / (mu + L)


def optimal_rate(mu: float | Array, L: float | Array) -> float | Array:
    r"""The learning rate with the least contraction factor (GD3).

    $$\tau^* = \frac{2}{\mu + L}$$

    Args:
        mu: F is μ-strongly convex, μ > 0.
        L: F is L-smooth.

    Returns:
        τ*.

    Raises:
        ValueError: if not 0 < μ ≤ L.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.optimal_rate(1.0, 3.0)
        0.5
    """
    check_constants(mu, L)
    return 2 / (mu + L)


def optimal_contraction(kappa: float | Array) -> float | Array:
    r"""The contraction factor at the best learning rate (GD3), of the squared distance.

    $$\gamma^* = \Bigl(\frac{\kappa - 1}{\kappa + 1}\Bigr)^2$$

    Args:
        kappa: the condition number κ = L/μ ≥ 1.

    Returns:
        γ*.

    Raises:
        ValueError: if κ < 1.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.optimal_contraction(3.0)
        0.25
    """
    check_condition(kappa)
    return ((kappa - 1) / (kappa + 1)) ** 2


def quadratic_factor(rate: float | Array, spectrum: Float[Array, " n"]) -> Scalar:
    r"""The factor by which gradient descent on a quadratic multiplies the distance to the minimizer, at most (GD2).

    $$\rho = \max_i \lvert 1 - \tau\lambda_i\rvert$$

    Along the eigenvector of $\lambda_i$ the error is multiplied by exactly $1 - \tau\lambda_i$ in each step. With all
    eigenvalues positive, ρ < 1 if and only if 0 < τ < 2/L; then, and only then, every start converges.

    Args:
        rate: τ.
        spectrum: the eigenvalues of the Hessian, floating-point; (μ, L) alone gives the same.

    Returns:
        ρ, a factor of the distance; `contraction` and `optimal_contraction` are factors of its square.

    Raises:
        ValueError: `spectrum` holds integers.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import convex
        >>> float(convex.quadratic_factor(0.25, jnp.asarray([1.0, 2.0, 4.0])))
        0.75
    """
    spectrum = jnp.asarray(spectrum)
    if not jnp.issubdtype(spectrum.dtype, jnp.floating):
        raise ValueError(f"`spectrum` must hold floating-point numbers; got {spectrum.dtype}. Write 1.0 for 1.")
    return jnp.max(jnp.abs(1 - jnp.asarray(rate, spectrum.dtype) * spectrum))
