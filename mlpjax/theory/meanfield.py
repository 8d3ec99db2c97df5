r"""Signals in wide random networks: what one layer does to the mean square of activations and errors.

In a wide network with independent weights of mean 0 a pre-activation is a sum of many small terms, so it is nearly
normal, $z = \sqrt{q}\,Z$ with $Z \sim N(0, 1)$. One number per layer, its variance q, then says how large the signal is
and what the error will be multiplied by on its way back (INI4).
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, ArrayLike, Callable
from mlpjax.activations import Activation

__all__ = ["gradient_factors", "second_moments"]


def second_moments(
    activation: Activation,
    *,
    weight_variance: ArrayLike,
    bias_variance: ArrayLike = 0.0,
    start: ArrayLike = 1.0,
    depth: int,
) -> Float[Array, " depth"]:
    r"""The variance of the pre-activations, layer by layer (INI4).

    $$q_1 = \sigma_w^2\, m_0 + \sigma_b^2, \qquad
      q_{l+1} = \sigma_w^2\,\mathbb{E}\,\sigma\bigl(\sqrt{q_l}\,Z\bigr)^2 + \sigma_b^2$$

    Exact in the limit of infinite widths. The quadrature of the expectations is exact to rounding for smooth σ and for
    those with a kink at 0; for kinks elsewhere, as the hard sigmoids have them, it is good to about a thousandth, and
    to a few hundredths in `gradient_factors`.

    Args:
        activation: σ of every layer.
        weight_variance: $\sigma_w^2 = n_{\text{in}}\operatorname{Var}W_{ij}$: 1 for LeCun, 2 for He.
        bias_variance: $\sigma_b^2$, the variance of the biases.
        start: $m_0$, the mean square of the inputs.
        depth: the number of layers. Static.

    Returns:
        $q_1, \dots, q_{\text{depth}}$. The mean square of the activations is $(q_{l+1} - \sigma_b^2)/\sigma_w^2$.

    Raises:
        ValueError: if `depth` is not a positive integer.

    Example:
        Xavier halves ReLU's signal in every layer; He keeps it.

        >>> from mlpjax.activations import relu
        >>> from mlpjax.theory import meanfield
        >>> meanfield.second_moments(relu, weight_variance=1.0, depth=3).round(3).tolist()
        [1.0, 0.5, 0.25]
        >>> meanfield.second_moments(relu, weight_variance=2.0, depth=3).round(3).tolist()
        [2.0, 2.0, 2.0]

    References:
        B. Poole, S. Lahiri, M. Raghu, J. Sohl-Dickstein, S. Ganguli: Exponential expressivity in deep neural networks
        through transient chaos, 2016.
    """
    _check.count("depth", depth, 1, "It is the number of layers.")

    def layer(q, _):
        return weight_variance * _expect(lambda z: activation(z) ** 2, q) + bias_variance, q

    q = jnp.asarray(1.0 * weight_variance * start + bias_variance)
    return jax.lax.scan(layer, q, length=depth)[1]


def gradient_factors(
    activation: Activation, moments: Float[Array, "..."], *, weight_variance: ArrayLike
) -> Float[Array, "..."]:
    r"""What the mean square of the error is multiplied by from one layer to the layer below (INI4).

    $$\chi(q) = \sigma_w^2\,\mathbb{E}\,\sigma'\bigl(\sqrt{q}\,Z\bigr)^2$$

    Errors vanish where it stays below 1 and explode where it stays above.

    Args:
        activation: σ.
        moments: q of the layers below, as `second_moments` gives them; any shape.
        weight_variance: $\sigma_w^2$; for unequal widths $n_{\text{out}}\operatorname{Var} W_{ij}$ instead.

    Returns:
        χ for each q. The length of the error is multiplied by its root.

    Example:
        The sigmoid with Xavier weights: each layer leaves less than a quarter of the error's length.

        >>> from mlpjax.activations import sigmoid
        >>> from mlpjax.theory import meanfield
        >>> q = meanfield.second_moments(sigmoid, weight_variance=1.0, depth=20)
        >>> print(f"{meanfield.gradient_factors(sigmoid, q, weight_variance=1.0)[-1] ** 0.5:.3f}")
        0.236

    References:
        S. S. Schoenholz, J. Gilmer, S. Ganguli, J. Sohl-Dickstein: Deep information propagation, 2017.
    """
    slopes = functools.partial(_expect, lambda z: activation.prime(z) ** 2)
    return weight_variance * jnp.vectorize(slopes)(moments)


def _expect(f: Callable[[Array], Array], q: Array) -> Array:
    """E f(√q Z), by the rule of Gauss and Legendre on 32 pieces of [−12, 12], with a border at the kink."""
    nodes, weights = _rule()
    return jnp.asarray(weights, q.dtype) @ f(jnp.sqrt(q) * jnp.asarray(nodes, q.dtype))


@functools.cache
def _rule(pieces: int = 32, points: int = 16, end: float = 12.0) -> tuple[np.ndarray, np.ndarray]:
    x, w = np.polynomial.legendre.leggauss(points)
    half = end / pieces
    z = (np.linspace(-end, end, pieces, endpoint=False)[:, None] + half * (1 + x)).ravel()
    weights = np.tile(half * w, pieces) * np.exp(-(z**2) / 2)
    return z, weights / weights.sum()
