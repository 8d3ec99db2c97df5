"""How many pieces a network can have, and what too few of them miss."""

import jax.numpy as jnp
from jaxtyping import Float, Int

from mlpjax import _check
from mlpjax._types import Array

__all__ = ["crossings", "sawtooth_error", "square_error", "width_needed"]


def crossings(values: Float[Array, " samples"], *, level: float = 0.5) -> Int[Array, ""]:
    r"""How often a function passes a level, seen at samples in order: Telgarsky's measure of oscillation (DEP1).

    $$\#\bigl\{\,i : \mathbf 1[f(x_i) \ge c] \ne \mathbf 1[f(x_{i+1}) \ge c]\,\bigr\}$$

    A continuous function with m pieces has at most m crossings of any level, however it is sampled.

    Args:
        values: $f(x_0), f(x_1), \dots$ with $x_0 < x_1 < \dots$.
        level: c.

    Returns:
        The number of crossings.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import sawtooth
        >>> int(sawtooth.crossings(sawtooth.triangle_wave(jnp.arange(9) / 8, 3)))
        8
    """
    above = values >= level
    return jnp.sum(above[1:] != above[:-1])


def width_needed(pieces: int, *, hidden_layers: int) -> int:
    r"""The least width at which `regions.line_bound` allows as many pieces (DEP1).

    $$w = \bigl\lceil m^{1/D} \bigr\rceil - 1$$

    Args:
        pieces: m.
        hidden_layers: D, all of the same width.

    Returns:
        The least w with $(w + 1)^D \ge m$, in exact arithmetic.

    Raises:
        ValueError: if one of them is not a positive integer.

    Example:
        >>> from mlpjax.theory import sawtooth
        >>> [sawtooth.width_needed(2**20, hidden_layers=D) for D in (1, 2, 4, 20)]
        [1048575, 1023, 31, 1]
    """
    _check.count("pieces", pieces, 1, "A function has at least one piece.")
    _check.count("hidden_layers", hidden_layers, 1, "Without one, the network is affine: one piece.")
    low, high = 0, pieces - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if (middle + 1) ** hidden_layers >= pieces else (middle + 1, high)
    return low


def sawtooth_error(k: int, *, pieces: int) -> float:
    r"""What a function with m pieces misses the sawtooth by, at least, in the mean over [0, 1] (DEP1).

    $$\int_0^1 \lvert f - s_k\rvert \,\mathrm dx \;\ge\; \frac14 - \frac{m - 1}{2^{k+1}}$$

    The constant ½ has error ¼.

    Args:
        k: the number of folds.
        pieces: m. The function need not be continuous.

    Returns:
        The right-hand side, or 0 where it is negative.

    Raises:
        ValueError: if k or m is not a positive integer.

    Example:
        >>> from mlpjax.theory import sawtooth
        >>> sawtooth.sawtooth_error(10, pieces=1), sawtooth.sawtooth_error(10, pieces=257)
        (0.25, 0.125)
    """
    _check.count("k", k, 1, "The tent map is applied at least once.")
    _check.count("pieces", pieces, 1, "A function has at least one piece.")
    return max(0, 2 ** (k - 1) - (pieces - 1)) / 2 ** (k + 1)


def square_error(pieces: int) -> float:
    r"""What a function with m pieces misses x² by, at least, somewhere in [0, 1] (DEP1).

    $$\min_f\;\max_{0 \le x \le 1} \lvert f(x) - x^2\rvert = \frac{1}{8m^2}$$

    Args:
        pieces: m. The function need not be continuous; the best one is.

    Returns:
        The minimum.

    Raises:
        ValueError: if m is not a positive integer.

    Example:
        >>> from mlpjax.theory import sawtooth
        >>> sawtooth.square_error(1), sawtooth.square_error(8)
        (0.125, 0.001953125)
    """
    _check.count("pieces", pieces, 1, "A function has at least one piece.")
    return 1 / (8 * pieces**2)
