"""Networks with as many regions as there can be."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from mlpjax import _check
from mlpjax.layers import Dense
from mlpjax.theory.regions._bounds import checked


def general_position(units: int, inputs: int) -> tuple[Dense, Dense]:
    r"""One hidden layer with the most regions: hyperplanes in general position (DEP2).

    $$W_{ij} = \tau_i^{\,j-1}, \quad b_i = -\tau_i^{\,d}, \qquad \tau_i = \tfrac{2i - 1 - m}{m}, \quad j = 1, \dots, d$$

    A point x is on hyperplane i where $\tau_i$ is a root of the monic polynomial
    $p(\tau) = \tau^d - x_d\tau^{d-1} - \dots - x_1$. Through any d of the numbers as roots goes exactly one such
    polynomial, and none has d + 1 roots: so any d hyperplanes meet in one point, and no d + 1 do.

    Args:
        units: their number m.
        inputs: the dimension d.

    Returns:
        Parameters of sizes (d, m, 1); the output is the sum of the hidden units.

    Raises:
        ValueError: if one of them is not a positive integer.

    Example:
        >>> from mlpjax.theory import regions
        >>> lines = regions.general_position(5, 2)
        >>> found = regions.polygons(lines, [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], low=(-9.0, -9.0), high=(9.0, 9.0))
        >>> len(found.pattern), regions.arrangement(5, 2)
        (16, 16)
    """
    _check.count("units", units, 1, "It is the number of hyperplanes.")
    _check.count("inputs", inputs, 1, "It is the dimension of the space.")
    powers = ((2 * np.arange(1, units + 1) - 1 - units) / units)[:, None] ** np.arange(inputs + 1)
    return _layer(powers[:, :-1], -powers[:, -1]), _layer(np.ones((1, units)), np.zeros(1))


def zigzag(widths: Sequence[int], inputs: int = 1) -> tuple[Dense, ...]:
    r"""A network that has as many pieces as a network on a line can have (DEP2).

    A hidden layer of n ≥ 3 units draws a zigzag of n + 1 straight pieces between 1 and 0, with corners at $ih$ for
    $i = 1, \dots, n$ and $h = 2^{-k} < 1/n$ the largest:

    $$g(y) = 5 + \frac1h\Bigl(-3\,(y - h)_+ + 2\,(y - 2h)_+ - 2\,(3h - y)_+
      + 2\,(y - 4h)_+ - 2\,(y - 5h)_+ + \cdots\Bigr)$$

    The third unit looks to the left, so that the first piece is not flat. Every piece covers the interval (0, 1), where
    all corners of the next zigzag are; so $g \circ g$ has its corners on each of the n + 1 pieces, and H layers make
    $\prod_l (n_l + 1)$ pieces. All parameters are dyadic, so no rounding moves a corner.

    With several inputs each one is folded by its own zigzag and the outputs are summed.

    Args:
        widths: of the hidden layers for each input, all at least 3.
        inputs: their number d.

    Returns:
        Parameters of sizes $(d, d\,n_1, \dots, d\,n_H, 1)$, with $\prod_l (n_l + 1)^d$ regions.

    Raises:
        ValueError: if a width is less than 3 or there is none.

    Example:
        >>> from mlpjax.theory import regions
        >>> len(regions.pieces(regions.zigzag((3, 5)), [0.0], [1.0]).slopes), regions.line_bound((3, 5))
        (24, 24)

    References:
        T. Serra, C. Tjandraatmadja, S. Ramalingam: Bounding and counting linear regions of deep neural
        networks, ICML 2018.
    """
    widths = checked(widths, 3, "With one or two units a piece of a layer is flat, and the next does not cut it.")
    _check.count("inputs", inputs, 1, "It is the dimension of the input.")
    W, b, layers = np.ones((1, 1)), np.zeros(1), []
    for n in widths:
        (units, corners), heights, shift = _zigzag(n)
        layers.append((units @ W, units @ b + corners))
        W, b = heights, shift
    layers = [(np.kron(np.eye(inputs), W), np.tile(b, inputs)) for W, b in layers]
    return tuple(_layer(W, b) for W, b in [*layers, (np.tile(W, inputs), inputs * b)])


def _zigzag(n: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
    """The units of one zigzag, its weights of them, and its constant."""
    h, i = 0.5 ** n.bit_length(), np.arange(1, n + 1)
    looks = np.where(i == 3, -1.0, 1.0)
    heights = np.where(i % 2 == 0, 2.0, -2.0)
    heights[0] = -3.0
    return (looks[:, None], -looks * i * h), heights[None, :] / h, np.full(1, 5.0)


def _layer(W: np.ndarray, b: np.ndarray) -> Dense:
    return Dense(jnp.asarray(W, float), jnp.asarray(b, float))
