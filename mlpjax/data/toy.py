r"""Problems small enough to draw.

Each is a function that returns a `Dataset` in the default floating-point dtype. Fixed ones take no argument; drawn ones
take a key first, then the number of examples.
"""

import jax.numpy as jnp

from mlpjax.data._dataset import Dataset

__all__ = ["xor"]


def xor() -> Dataset:
    r"""Exclusive or: the four corners of the square, 1 where exactly one coordinate is 1.

    $$y = x_1 + x_2 - 2\, x_1 x_2, \qquad x \in \{0, 1\}^2$$

    No line separates its two classes (LAY1): $w \cdot x + b > 0$ at (0, 1) and (1, 0) and $\le 0$ at (0, 0) and (1, 1)
    cannot hold together, since both pairs have the same sum. One hidden layer suffices (LAY2), and a network of sizes
    `(2, 4, 1)` learns it from most initial values (CHK4).

    Returns:
        `x` of shape `(4, 2)`, in the order 00, 01, 10, 11, and targets `y` of shape `(4, 1)`.

    Example:
        >>> from mlpjax.data import toy
        >>> x, y, _ = toy.xor()
        >>> x.astype(int).tolist(), y.astype(int).ravel().tolist()
        ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])

    References:
        M. Minsky, S. Papert (1969). Perceptrons. MIT Press.
    """
    x = jnp.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    return Dataset(x, x[:, :1] + x[:, 1:] - 2 * x[:, :1] * x[:, 1:])
