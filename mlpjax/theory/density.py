r"""Approximation in the sup norm, by constructions that know their error: polynomials, cosines, shallow networks.

A shallow network is a sum $\sum_i v_i\,\sigma(w_i \cdot x + b_i) + c$, two `Dense` layers. Cosines lead to one in any
number of dimensions: a function becomes a sum of waves $\cos(\pi\,w \cdot x)$, each wave a function of the single
number $w \cdot x$, and a function of one number is interpolated by units.

```python
>>> import jax.numpy as jnp
>>> from mlpjax import mlp
>>> from mlpjax.theory import density
>>> coefficients = density.cosine_series(jnp.abs(jnp.linspace(-0.4, 0.4, 5)))
>>> mlp.sizes(density.cosine_network(coefficients, pieces=4))
(1, 40, 1)

```
"""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, ArrayLike, Scalar
from mlpjax.activations import Activation
from mlpjax.layers import Dense

__all__ = ["bernstein", "cosine_bound", "cosine_network", "cosine_series", "monomial"]


def bernstein(values: Float[Array, " values"], x: Scalar) -> Scalar:
    r"""The Bernstein polynomial of degree n, by which Weierstrass' theorem is proved (UAT1).

    $$B_n f(x) = \sum_{k=0}^n f\bigl(\tfrac kn\bigr)\binom nk x^k (1-x)^{n-k}$$

    It is computed as de Casteljau did, by n rounds of averages $(1-x)\,c_k + x\,c_{k+1}$, in which nothing cancels. If
    f is Lipschitz with constant L, then $\lvert B_n f - f\rvert \le L/(2\sqrt n)$ on [0, 1].

    Args:
        values: $f(0), f(1/n), \dots, f(1)$.
        x: a point of [0, 1].

    Returns:
        $B_n f(x)$.

    Example:
        The polynomial of $f(x) = x^2$ is $x^2 + x(1-x)/n$.

        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import density
        >>> float(density.bernstein(jnp.linspace(0.0, 1.0, 5) ** 2, jnp.asarray(0.5)))
        0.3125

    References:
        S. Bernstein: Démonstration du théorème de Weierstrass fondée sur le calcul des probabilités, 1912.
    """
    values = _floating(values)
    x = jnp.asarray(x, values.dtype)

    def average(_, c):
        return (1 - x) * c + x * jnp.roll(c, -1)

    return jax.lax.fori_loop(0, values.size - 1, average, values)[0]


def cosine_series(values: Float[Array, "..."]) -> Float[Array, "..."]:
    r"""A smoothed cosine series, in any number of dimensions, from values on a grid (UAT1).

    $$T f(x) = \sum_k c_k \prod_i \cos(\pi k_i x_i), \qquad
      c_k = \sum_j f(x_j) \prod_i \frac{2 - [k_i = 0]}{m_i}\,\rho_{k_i} \cos(\pi k_i x_{j,i})$$

    The points $x_{j,i} = (j_i + \tfrac12)/m_i$ are the centers of the grid's cells. The factors ρ, with
    $\rho_k = \sum_i a_i a_{i+k} \big/ \sum_i a_i^2$ for $a_i = \sin\frac{(i+1)\pi}{m+1}$, damp the high frequencies so
    that $T f(x)$ is a weighted mean of the values, for every x. That is why its error is known: `cosine_bound`.

    Args:
        values: $f(x_j)$, one axis for each dimension, of lengths $m_i$.

    Returns:
        The coefficients $c_k$ for $0 \le k_i < m_i$, in the shape of `values`.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import density
        >>> density.cosine_series(jnp.ones((2, 2))).round(6).tolist()
        [[1.0, 0.0], [0.0, 0.0]]

    References:
        P. P. Korovkin: Linear operators and approximation theory, 1960.
    """
    values = _floating(values)
    for axis, m in enumerate(values.shape):
        along = jnp.tensordot(jnp.asarray(_smoothing(m), values.dtype), values, (1, axis))
        values = jnp.moveaxis(along, 0, axis)
    return values


def cosine_network(coefficients: Float[Array, "..."], *, pieces: int) -> tuple[Dense, Dense]:
    r"""A cosine series as a network with one hidden layer of ReLU units, in any number of dimensions (UAT1).

    $$\prod_i \cos(\pi k_i x_i) = 2^{-d} \sum_{s \in \{-1, 1\}^d} \cos\Bigl(\pi \sum_i s_i k_i x_i\Bigr)$$

    On the cube $w \cdot x$ runs through an interval of length $\lVert w\rVert_1$ between whole numbers. There
    $\cos \pi t$ is replaced by the polygon with corners at the multiples of $1/q$, where q is the number of pieces. Its
    slope changes by $-4q\sin^2\frac{\pi}{2q}\,\cos \pi t_i$ at corner $t_i$, so one unit for each corner,
    $\max(0, w \cdot x - t_i)$, and this weight make it.

    Args:
        coefficients: $c_k$ of `cosine_series`, one axis for each dimension.
        pieces: q, how many segments replace half a period of each wave.

    Returns:
        Parameters of sizes $(d, q \sum_w \lVert w\rVert_1, 1)$ for `mlp.apply`; w runs over one of each pair ±w.

    Raises:
        ValueError: if `pieces` is not a positive integer, or `coefficients` holds a constant and no wave.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import density
        >>> wave = density.cosine_network(jnp.array([[0.0, 0.0], [0.0, 1.0]]), pieces=2)
        >>> print(f"{mlp.apply(wave, jnp.array([0.0, 1.0]))[0]:.3f}")  # cos 0 · cos π
        -1.000
    """
    coefficients = _floating(coefficients)
    _check.count("pieces", pieces, 1, "It is the number of segments of each half wave.")
    if coefficients.size < 2:
        raise ValueError(
            f"`coefficients` must hold at least one wave beside the constant; got the shape {coefficients.shape}. "
            f"Sample the function at two or more points along some axis."
        )
    waves = np.array(_half_lattice(coefficients.shape))
    length, low = np.abs(waves).sum(1), np.minimum(waves, 0).sum(1)
    which = np.repeat(np.arange(len(waves)), pieces * length)
    corner = np.concatenate([np.arange(pieces * n) for n in length])
    t = low[which] + corner / pieces
    kink = -4 * pieces * np.sin(np.pi / (2 * pieces)) ** 2 * np.cos(np.pi * t) * np.where(corner == 0, 0.5, 1.0)
    cast = lambda v: jnp.asarray(v, coefficients.dtype)
    c = coefficients[tuple(np.abs(waves).T)] * cast(2.0 ** (1 - (waves != 0).sum(1)))
    constant = coefficients[(0,) * coefficients.ndim] + c @ cast((-1.0) ** low)
    return Dense(cast(waves[which]), cast(-t)), Dense((c[which] * cast(kink))[None], constant[None])


def cosine_bound(coefficients: Float[Array, "..."], *, lipschitz: ArrayLike, pieces: int) -> Scalar:
    r"""What the error of `cosine_network` on the cube never exceeds (UAT1).

    $$\lvert N - f\rvert \le L \sqrt{\sum_i \sin^2\frac{\pi}{2(m_i + 1)}}
      + \frac{\pi^2}{8q^2}\sum_{k \ne 0}\lvert c_k\rvert$$

    The first term belongs to the series, the second to the polygons.

    Args:
        coefficients: $c_k$ of `cosine_series`, of shape $(m_1, \dots, m_d)$.
        lipschitz: L, with $\lvert f(x) - f(y)\rvert \le L\,\lVert x - y\rVert_2$ on $[0, 1]^d$.
        pieces: q of `cosine_network`.

    Returns:
        The bound.

    Raises:
        ValueError: if `pieces` is not a positive integer, or L < 0.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import density
        >>> coefficients = density.cosine_series(jnp.abs(jnp.linspace(-0.4, 0.4, 5)))  # |x - 1/2|
        >>> print(f"{density.cosine_bound(coefficients, lipschitz=1.0, pieces=10):.3f}")
        0.260
    """
    _check.not_negative("lipschitz", lipschitz, "It bounds |f(x) - f(y)| / |x - y|.")
    _check.count("pieces", pieces, 1, "It is the number of segments of each half wave.")
    coefficients = _floating(coefficients)
    sines = [math.sin(math.pi / (2 * m + 2)) for m in coefficients.shape]
    waves = jnp.abs(coefficients).sum() - jnp.abs(coefficients[(0,) * coefficients.ndim])
    return jnp.asarray(lipschitz, waves.dtype) * math.hypot(*sines) + math.pi**2 / (8 * pieces**2) * waves


def monomial(power: int, *, activation: Activation, at: ArrayLike, step: ArrayLike) -> tuple[Dense, Dense]:
    r"""A power of x from p + 1 units, by a divided difference in their weight (UAT2).

    $$x^p \approx \frac{1}{h^p\,\sigma^{(p)}(b)}
      \sum_{j=0}^p (-1)^{p-j}\binom pj\,\sigma\bigl((j - \tfrac p2)\,h\,x + b\bigr)$$

    The right side tends to $x^p$ as h → 0, with an error of order $h^2$, uniformly on every bounded interval. In
    floating point the difference cancels, and rounding adds an error of order $\varepsilon\,h^{-p}$.

    Args:
        power: p ≥ 1.
        activation: σ, smooth near b.
        at: the bias b, a point where the derivative of order p is not zero.
        step: h.

    Returns:
        Parameters of sizes (1, p + 1, 1).

    Raises:
        ValueError: if `power` is not a positive integer, h ≤ 0, or $\sigma^{(p)}(b) = 0$.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.activations import sigmoid
        >>> from mlpjax.theory import density
        >>> square = density.monomial(2, activation=sigmoid, at=1.0, step=0.1)
        >>> print(f"{mlp.apply(square, jnp.array([1.5]), activation=sigmoid)[0]:.2f}")
        2.24
    """
    _check.count("power", power, 1, "A constant is a bias.")
    derivative = activation.fn
    for _ in range(power):
        derivative = jax.grad(derivative)
    at = _floating(at)
    step = jnp.asarray(step, at.dtype)
    if _check.concrete(step) and not float(step) > 0:
        raise ValueError(f"`step` must be a number > 0; got {float(step)}. The units stand so far apart.")
    slope = derivative(at)
    if _check.concrete(slope) and not abs(float(slope)) > jnp.finfo(slope.dtype).eps:
        raise ValueError(
            f"`at` must be a point where the derivative of order {power} of {activation.name} is not zero; at {at} it "
            f"is {float(slope):.1g}. Move it, unless the activation is a polynomial of a lower degree."
        )
    j = np.arange(power + 1)
    signed = [(-1.0) ** (power - i) * math.comb(power, i) for i in j]
    hidden = Dense(step * jnp.asarray(j - power / 2, at.dtype)[:, None], jnp.full(power + 1, at))
    return hidden, Dense(jnp.asarray(signed, slope.dtype)[None] / (slope * step**power), jnp.zeros(1, slope.dtype))


def _floating(values):
    """As an array that is not of whole numbers."""
    values = jnp.asarray(values)
    return values if jnp.issubdtype(values.dtype, jnp.inexact) else values.astype(float)


def _smoothing(m: int) -> np.ndarray:
    """The matrix from m values to m coefficients along one axis."""
    k = np.arange(m)
    a = np.sin((k + 1) * np.pi / (m + 1))
    damping = np.correlate(a, a, "full")[m - 1 :] / (a @ a)
    return (np.where(k == 0, 1, 2) * damping / m)[:, None] * np.cos(np.pi * np.outer(k, (k + 0.5) / m))


def _half_lattice(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The whole-numbered w with |wᵢ| < mᵢ, one of each pair ±w, without 0."""
    every = itertools.product(*(range(1 - m, m) for m in shape))
    return [w for w in every if w > (0,) * len(shape)]
