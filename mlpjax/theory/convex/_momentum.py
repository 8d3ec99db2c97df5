"""Momentum: the best learning rate with its momentum, and the factor that they reach."""

from typing import NamedTuple

from mlpjax._types import Array
from mlpjax.theory.convex._rates import check_condition, check_constants

__all__ = ["Tuning", "heavy_ball_factor", "heavy_ball_tuning", "nesterov_factor", "nesterov_tuning"]


class Tuning(NamedTuple):
    """A learning rate and a momentum; `heavy_ball(gradient, start, **tuning._asdict(), steps=100)` uses them.

    Attributes:
        rate: τ.
        momentum: β.
    """

    rate: float | Array
    momentum: float | Array


def heavy_ball_tuning(mu: float | Array, L: float | Array) -> Tuning:
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
    check_constants(mu, L)
    return Tuning(4 / (L**0.5 + mu**0.5) ** 2, heavy_ball_factor(L / mu) ** 2)


def heavy_ball_factor(kappa: float | Array) -> float | Array:
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
    check_condition(kappa)
    return (kappa**0.5 - 1) / (kappa**0.5 + 1)


def nesterov_tuning(mu: float | Array, L: float | Array) -> Tuning:
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
    check_constants(mu, L)
    return Tuning(1 / L, heavy_ball_factor(L / mu))


def nesterov_factor(kappa: float | Array) -> float | Array:
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
    check_condition(kappa)
    return 1 - 1 / kappa**0.5
