"""From a network back to the piecewise affine function that it is."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from mlpjax.activations import Activation, relu
from mlpjax.layers import Dense
from mlpjax.theory import regions


class Spline(NamedTuple):
    r"""A continuous piecewise affine function of one variable, on all of ℝ.

    Attributes:
        knots: where it bends, increasing. A function that bends nowhere has the one knot 0.
        values: of the function at the knots.
        slopes: left of the first knot, between the knots, and right of the last.
    """

    knots: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]
    slopes: Float[np.ndarray, " n+1"]


def from_network(params: tuple[Dense, ...], *, activation: Activation | Sequence[Activation] = relu) -> Spline:
    r"""The function that a network of one input and one output is (UAT5, DEP2).

    $$f(t) = \begin{cases} f(t_1) + s_0\,(t - t_1) & t \le t_1 \\ f(t_k) + s_k\,(t - t_k) & t_k \le t \le t_{k+1} \\
      f(t_n) + s_n\,(t - t_n) & t \ge t_n \end{cases}$$

    The inverse of `from_samples` up to the choice of the weights: two networks are the same function exactly if this
    gives the same for both. Breakpoints at which some unit changes its state but the function goes straight on are left
    out; `regions.pieces` has them. On the host, in NumPy and float64, with the rounding described there.

    Args:
        params: a network of any width and depth with one input and one output.
        activation: of the hidden layers, or one for each: `relu`, or another that is linear on both sides of 0.

    Returns:
        Knots, values there, and slopes.

    Raises:
        ValueError: if there is another number of inputs or outputs, something is traced, or an activation has other
            kinks.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import cpwa
        >>> spline = cpwa.from_samples(jnp.asarray([0.0, 1.0, 2.0, 4.0]), jnp.asarray([1.0, 3.0, 2.0, 2.0]))
        >>> [part.tolist() for part in cpwa.from_network(spline)]
        [[1.0, 2.0], [3.0, 2.0], [2.0, -1.0, 0.0]]
    """
    shapes = [layer.W.shape for layer in params]
    if not shapes or (shapes[0][1], shapes[-1][0]) != (1, 1):
        raise ValueError(
            f"`params` must be a network of one input and one output; got weights of shapes {shapes}. Along a line "
            f"through more inputs: `regions.pieces`."
        )
    found = regions.pieces(params, np.zeros(1), np.ones(1), activation=activation)
    knots = found.ends[1:-1][found.bends]
    knots = knots if len(knots) else np.zeros(1)
    first = np.concatenate([[True], found.bends])
    slopes = found.slopes[first, 0]
    return Spline(knots, regions.evaluate(found, knots)[:, 0], slopes if len(slopes) > 1 else np.repeat(slopes, 2))
