"""How many regions there can be: bounds that depend on the widths alone."""

import math
from collections.abc import Sequence

from mlpjax import _check


def arrangement(hyperplanes: int, dimension: int) -> int:
    r"""The most regions into which hyperplanes cut a space: the number of Schläfli and Zaslavsky (DEP2).

    $$\sum_{j=0}^{d}\binom{m}{j}$$

    Attained by m hyperplanes in general position: any k ≤ d of them meet in dimension d − k, and no d + 1 of
    them have a point in common. It is the maximum for one hidden layer of m rectified units on d inputs.

    Args:
        hyperplanes: their number m.
        dimension: of the space, d.

    Returns:
        The number of regions.

    Raises:
        ValueError: if one of them is not an integer ≥ 0.

    Example:
        >>> from mlpjax.theory import regions
        >>> [regions.arrangement(3, d) for d in (0, 1, 2, 3, 4)]
        [1, 4, 7, 8, 8]

    References:
        T. Zaslavsky: Facing up to arrangements, Memoirs of the American Mathematical Society 154, 1975.
    """
    _check.count("hyperplanes", hyperplanes, 0, "It is their number.")
    _check.count("dimension", dimension, 0, "It is that of the space.")
    return sum(math.comb(hyperplanes, j) for j in range(dimension + 1))


def trivial_bound(widths: Sequence[int]) -> int:
    r"""The number of all patterns of active and inactive units (DEP2).

    $$2^{\,n_1 + \dots + n_H}$$

    Args:
        widths: of the hidden layers, $n_1, \dots, n_H$.

    Returns:
        A bound for the regions in every dimension.

    Raises:
        ValueError: if a width is not a positive integer.

    Example:
        >>> from mlpjax.theory import regions
        >>> regions.trivial_bound((3, 3))
        64
    """
    return 2 ** sum(checked(widths, 1))


def upper_bound(widths: Sequence[int], dimension: int) -> int:
    r"""No network of these widths has more regions (DEP2).

    $$\prod_{l=1}^{H}\,\sum_{j=0}^{d_l}\binom{n_l}{j}, \qquad d_l = \min(n_0, n_1, \dots, n_{l-1})$$

    Holds for every network with hidden layers of widths $n_1, \dots, n_H$ on $n_0$ inputs, and on every slice of
    dimension $n_0$ through more of them. On a line it is $\prod_l (n_l + 1)$, and some network attains it if every
    width is at least 3: see `zigzag`. For one layer it is `arrangement`, attained by `general_position`.

    Args:
        widths: of the hidden layers.
        dimension: $n_0$, of the input or of the slice.

    Returns:
        The bound.

    Raises:
        ValueError: if a width or the dimension is not a positive integer.

    Example:
        >>> from mlpjax.theory import regions
        >>> regions.upper_bound((4, 4), 1), regions.upper_bound((8,), 1)
        (25, 9)
        >>> regions.upper_bound((4, 4), 2), regions.upper_bound((8,), 2)
        (121, 37)

    References:
        G. Montúfar: Notes on the number of linear regions of deep neural networks, SampTA 2017.
        T. Serra, C. Tjandraatmadja, S. Ramalingam: Bounding and counting linear regions of deep neural
        networks, ICML 2018: a smaller bound, and that it is exact for one input.
    """
    _check.count("dimension", dimension, 1, "It is that of the input.")
    widths = checked(widths, 1)
    dimensions = [min([dimension, *widths[:l]]) for l in range(len(widths))]
    return math.prod(arrangement(n, d) for n, d in zip(widths, dimensions, strict=True))


def lower_bound(widths: Sequence[int], dimension: int) -> int:
    r"""Some network of these widths has at least as many regions (DEP2).

    $$\prod_{l=1}^{H-1}\Bigl\lfloor\frac{n_l}{n_0}\Bigr\rfloor^{n_0}\cdot\sum_{j=0}^{n_0}\binom{n_H}{j}$$

    A statement on the best choice of the parameters, not on all: zero weights leave one region.

    Args:
        widths: of the hidden layers, each at least $n_0$.
        dimension: $n_0$, of the input.

    Returns:
        The bound.

    Raises:
        ValueError: if a width is less than the dimension.

    Example:
        >>> from mlpjax.theory import regions
        >>> regions.lower_bound((4, 4), 2), regions.lower_bound((8,), 2)
        (44, 37)

    References:
        G. Montúfar, R. Pascanu, K. Cho, Y. Bengio: On the number of linear regions of deep neural
        networks, NeurIPS 2014.
    """
    _check.count("dimension", dimension, 1, "It is that of the input.")
    *folding, last = checked(widths, dimension)
    return math.prod((n // dimension) ** dimension for n in folding) * arrangement(last, dimension)


def checked(
    widths: Sequence[int], least: int, remedy: str = "They are the numbers of hidden units."
) -> tuple[int, ...]:
    """The widths of at least one hidden layer, none of them too small."""
    for n in widths:
        _check.count("widths", n, least, remedy)
    if not widths:
        raise ValueError("`widths` must hold at least one hidden layer; got none. A network without one is affine.")
    return tuple(widths)
