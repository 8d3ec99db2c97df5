r"""What the theorems promise: factors per step and the rates that make them least."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, ArrayLike, Scalar

__all__ = [
    "Tuning",
    "contraction",
    "heavy_ball_factor",
    "heavy_ball_tuning",
    "nesterov_factor",
    "nesterov_tuning",
    "optimal_contraction",
    "optimal_rate",
    "quadratic_factor",
]


def _check_constants(mu, L):
    if _check.concrete((mu, L)) and not 0 < float(mu) <= float(L):
        raise ValueError(
            f"`mu` and `L` must satisfy 0 < mu <= L; got mu = {mu}, L = {L}. They are the least and the largest "
            f"curvature; without a positive `mu` there is no geometric rate."
        )


def _check_condition(kappa):
    if _check.concrete(kappa) and not float(kappa) >= 1:
        raise ValueError(
            f"`kappa` must be at least 1; got {kappa}. It is L / mu, the largest curvature over the least."
        )


def contraction(rate: ArrayLike, mu: ArrayLike, L: ArrayLike) -> ArrayLike:
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
    _check_constants(mu, L)
    if _check.concrete((rate, mu, L)) and not 0 < float(rate) <= 2 / (float(mu) + float(L)) * (1 + 1e-6):
        raise ValueError(
            f"`rate` must satisfy 0 < rate <= 2 / (mu + L) = {2 / (float(mu) + float(L)):.6g}; got {rate}. For larger "
            f"rates use `quadratic_factor` with (mu, L): its square is a bound for every rate below 2 / L."
        )
    return 1 - 2 * rate * mu * L / (mu + L)


def optimal_rate(mu: ArrayLike, L: ArrayLike) -> ArrayLike:
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
    _check_constants(mu, L)
    return 2 / (mu + L)


def optimal_contraction(kappa: ArrayLike) -> ArrayLike:
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
    _check_condition(kappa)
    return ((kappa - 1) / (kappa + 1)) ** 2


def quadratic_factor(rate: ArrayLike, spectrum: Float[Array, " n"]) -> Scalar:
    r"""The factor by which gradient descent on a quadratic multiplies the distance to the minimizer, at most (GD2).

    $$\rho = \max_i \lvert 1 - \tau\lambda_i\rvert$$

    Along the eigenvector of $\lambda_i$ the error is multiplied by exactly $1 - \tau\lambda_i$ in each step. With all
    eigenvalues positive, ρ < 1 if and only if 0 < τ < 2/L; then, and only then, every start converges.

    Args:
        rate: τ.
        spectrum: the eigenvalues of the Hessian; (μ, L) alone gives the same.

    Returns:
        ρ, a factor of the distance; `contraction` and `optimal_contraction` are factors of its square.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import convex
        >>> float(convex.quadratic_factor(0.25, jnp.asarray([1.0, 2.0, 4.0])))
        0.75
    """
    return jnp.max(jnp.abs(1 - jnp.asarray(rate, spectrum.dtype) * spectrum))


class Tuning(NamedTuple):
    """A learning rate and a momentum; `heavy_ball(gradient, start, **tuning._asdict(), steps=100)` uses them.

    Args:
        rate: τ.
        momentum: β.
    """

    rate: ArrayLike
    momentum: ArrayLike


def heavy_ball_tuning(mu: ArrayLike, L: ArrayLike) -> Tuning:
    r"""The best learning rate and momentum of the heavy ball on quadratics (OPT1).

    $$\tau = \frac{4}{(\sqrt L + \sqrt\mu)^2}, \qquad \beta = \Bigl(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\Bigr)^2$$

    Args:
        mu: the least eigenvalue of the Hessian, positive.
        L: the largest.

    Returns:
        τ and β.

    Raises:
        ValueError: if not 0 < μ ≤ L.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.heavy_ball_tuning(1.0, 9.0)
        Tuning(rate=0.25, momentum=0.25)

    References:
        B. T. Polyak: Some methods of speeding up the convergence of iteration methods, 1964.
    """
    _check_constants(mu, L)
    return Tuning(4 / (L**0.5 + mu**0.5) ** 2, heavy_ball_factor(L / mu) ** 2)


def heavy_ball_factor(kappa: ArrayLike) -> ArrayLike:
    r"""The factor per step of the heavy ball on quadratics, with its best tuning (OPT1).

    $$\rho = \sqrt\beta = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}$$

    It is the spectral radius of the iteration: the k-th root of the distance after k steps tends to it, from almost
    every start. No rate and no momentum have a smaller one for all quadratics with eigenvalues between μ and L.

    Args:
        kappa: the condition number κ = L/μ ≥ 1.

    Returns:
        ρ, a factor of the distance.

    Raises:
        ValueError: if κ < 1.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.heavy_ball_factor(9.0)
        0.5
    """
    _check_condition(kappa)
    return (kappa**0.5 - 1) / (kappa**0.5 + 1)


def nesterov_tuning(mu: ArrayLike, L: ArrayLike) -> Tuning:
    r"""Nesterov's learning rate and momentum for smooth and strongly convex functions (OPT1).

    $$\tau = \frac1L, \qquad \beta = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}$$

    Args:
        mu: F is μ-strongly convex, μ > 0.
        L: F is L-smooth.

    Returns:
        τ and β.

    Raises:
        ValueError: if not 0 < μ ≤ L.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.nesterov_tuning(1.0, 4.0).rate
        0.25
    """
    _check_constants(mu, L)
    return Tuning(1 / L, heavy_ball_factor(L / mu))


def nesterov_factor(kappa: ArrayLike) -> ArrayLike:
    r"""The factor per step that Nesterov's method guarantees, for the excess F − F* (OPT1).

    $$q = 1 - \frac{1}{\sqrt\kappa}, \qquad F(\theta_k) - F^* \le 2\,q^k\,\bigl(F(\theta_0) - F^*\bigr)$$

    Args:
        kappa: the condition number κ = L/μ ≥ 1.

    Returns:
        The factor. On a quadratic it is the spectral radius too: a factor of the distance, and F shrinks by q².

    Raises:
        ValueError: if κ < 1.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.nesterov_factor(4.0)
        0.5
    """
    _check_condition(kappa)
    return 1 - 1 / kappa**0.5
