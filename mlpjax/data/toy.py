r"""Problems small enough to draw.

Each is a function that returns a `Dataset` of two classes in the default floating-point dtype: inputs of shape
`(N, in)` and targets 0 or 1 of shape `(N, 1)`. Fixed ones take no argument. Drawn ones take a key first, then the
number of examples, and give the classes in turn: example i has target i mod 2.
"""

import math

import jax
import jax.numpy as jnp

from mlpjax import _check
from mlpjax._types import Array, PRNGKey, Scalar
from mlpjax.data._dataset import Dataset

__all__ = ["blobs", "moons", "mushrooms", "spirals", "xor"]

# spots, stem in centimeters, poisonous
_MUSHROOMS = (
    (19, 3, 0), (0, 16, 0), (26, 15, 1), (16, 5, 0), (24, 14, 1), (16, 13, 1), (29, 7, 1), (11, 10, 0),
    (1, 8, 0), (22, 17, 1), (26, 12, 1), (4, 12, 0), (22, 4, 0), (4, 6, 0), (3, 9, 0), (27, 7, 1),
    (21, 14, 1), (18, 17, 1), (10, 8, 0), (8, 4, 0), (12, 6, 0), (18, 13, 1), (15, 15, 1), (12, 17, 1),
)  # fmt: skip


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


def mushrooms() -> Dataset:
    r"""Twenty-four mushrooms, which one neuron learns to tell apart (NEU8).

    $$y = 1 \text{ (poisonous) above a line}, \qquad y = 0 \text{ (safe) below it}$$

    $x_1$ is the number of spots in tens (0 to 2.9), $x_2$ the length of the stem in decimeters (0.3 to 1.7). Many spots
    and long stems are poisonous here. The numbers are made up and no guide to what may be eaten.

    A line separates the classes: $x_1/1.4 + x_2/0.8 > 2.375$ for the poisonous ones and $< 2.375$ for the safe ones.
    From zero the perceptron rule makes 25 mistakes in four epochs and none in the fifth (NEU5).

    Returns:
        `x` of shape `(24, 2)` and targets `y` of shape `(24, 1)`, twelve of each class.

    Example:
        >>> from mlpjax.data import toy
        >>> x, y, _ = toy.mushrooms()
        >>> bool(((x[:, 0] / 1.4 + x[:, 1] / 0.8 > 2.375) == (y[:, 0] == 1)).all())
        True
    """
    table = jnp.array(_MUSHROOMS, dtype=float)
    return Dataset(table[:, :2] / 10, table[:, 2:])


def moons(key: PRNGKey, n: int, *, noise: float | Scalar = 0.1) -> Dataset:
    r"""Two half circles, each with an end inside the other: no line parts them, hidden layers do (LAY4).

    $$x = \begin{cases} (\cos t,\ \sin t) & y = 0 \\ (1 - \cos t,\ \tfrac12 - \sin t) & y = 1 \end{cases}
      \;+\; \nu\,\varepsilon, \qquad t \sim U(0, \pi), \quad \varepsilon \sim N(0, I)$$

    Args:
        key: randomness.
        n: number of examples, at least 2.
        noise: the standard deviation ν in each direction.

    Returns:
        `x` of shape `(n, 2)` and targets `y` of shape `(n, 1)`.

    Raises:
        ValueError: if `n` or `noise` is out of range.

    Example:
        >>> import jax
        >>> from mlpjax.data import toy
        >>> x, y, _ = toy.moons(jax.random.key(0), 200)
        >>> x.shape, float(y.mean())
        ((200, 2), 0.5)
    """
    angle_key, noise_key = _keys(key, n, noise)
    t, y = jax.random.uniform(angle_key, (n, 1), maxval=math.pi), _targets(n)
    x, other = jnp.hstack([jnp.cos(t), jnp.sin(t)]), jnp.hstack([1 - jnp.cos(t), 0.5 - jnp.sin(t)])
    return Dataset(jnp.where(y == 0, x, other) + noise * jax.random.normal(noise_key, (n, 2)), y)


def spirals(key: PRNGKey, n: int, *, turns: float | Scalar = 1.5, noise: float | Scalar = 0.0) -> Dataset:
    r"""Two arms of a spiral, wound into each other: no line parts them, hidden layers do (LAY4).

    $$x = s\,(\cos\varphi,\ \sin\varphi) + \nu\,\varepsilon, \qquad \varphi = 2\pi\,k\,s + \pi y, \qquad
      s = \tfrac1{10} + \tfrac9{10}\sqrt u, \quad u \sim U(0, 1), \quad \varepsilon \sim N(0, I)$$

    One arm is the other turned by half a turn. On a ray from the center they follow each other at distance $1/(2k)$.
    The root makes the examples about equally dense along an arm.

    Args:
        key: randomness.
        n: number of examples, at least 2.
        turns: the turns k of an arm on the way from the center to radius 1, at least 0.
        noise: the standard deviation ν in each direction.

    Returns:
        `x` of shape `(n, 2)` and targets `y` of shape `(n, 1)`.

    Raises:
        ValueError: if `n`, `turns` or `noise` is out of range.

    Example:
        >>> import jax
        >>> from mlpjax.data import toy
        >>> x, y, _ = toy.spirals(jax.random.key(0), 200)
        >>> x.shape, float(y.mean())
        ((200, 2), 0.5)

    References:
        K. J. Lang, M. J. Witbrock (1988). Learning to tell two spirals apart. Connectionist Models Summer School.
    """
    place_key, noise_key = _keys(key, n, noise)
    _check.not_negative("turns", turns, "0 gives two rays, 1.5 is common.")
    y = _targets(n)
    s = 0.1 + 0.9 * jnp.sqrt(jax.random.uniform(place_key, (n, 1)))
    angle = 2 * math.pi * turns * s + math.pi * y
    return Dataset(s * jnp.hstack([jnp.cos(angle), jnp.sin(angle)]) + noise * jax.random.normal(noise_key, (n, 2)), y)


def blobs(key: PRNGKey, n: int, *, margin: float | Scalar = 0.5, inputs: int = 2) -> Dataset:
    r"""Two Gaussian blobs on either side of a hyperplane, none of whose examples is nearer to it than a margin (NEU6).

    $$x = g + \bigl(s\,(\gamma + |2 + u^\top g|) - u^\top g\bigr)\,u, \qquad g \sim N(0, I), \quad s = 2y - 1, \quad
      u = \tfrac{1}{\sqrt d}(1, \dots, 1)$$

    Along u a blob is a Gaussian around $s(\gamma + 2)$ whose tail beyond the margin, 2.3 % of it, is folded back;
    across u it is a Gaussian around 0. So

    $$s\,u^\top x = \gamma + |2 + u^\top g| \ge \gamma:$$

    up to rounding every example lies on its side of $x_1 + \dots + x_d = 0$, at least the margin away from it.

    Args:
        key: randomness.
        n: number of examples, at least 2.
        margin: the distance γ that is kept, at least 0.
        inputs: the dimension d.

    Returns:
        `x` of shape `(n, d)` and targets `y` of shape `(n, 1)`.

    Raises:
        ValueError: if `n`, `margin` or `inputs` is out of range.

    Example:
        >>> import jax
        >>> from mlpjax.data import toy
        >>> x, y, _ = toy.blobs(jax.random.key(0), 200, margin=0.3)
        >>> bool(((2 * y[:, 0] - 1) * x.sum(axis=1) / 2**0.5 > 0.2999).all())
        True
    """
    _check.key("key", key)
    _check.not_negative("margin", margin, "It is a distance; at 0 the classes touch.")
    _check.count("inputs", inputs, 1, "It is the dimension of an example.")
    y, g = _targets(n), jax.random.normal(key, (n, inputs))
    along = g.sum(axis=1, keepdims=True) / math.sqrt(inputs)
    moved = (2 * y - 1) * (margin + jnp.abs(2 + along)) - along
    return Dataset(g + moved / math.sqrt(inputs), y)


def _keys(key: PRNGKey, n: int, noise: float | Scalar) -> Array:
    _check.key("key", key)
    _check.not_negative("noise", noise, "It is a standard deviation.")
    _targets(n)
    return jax.random.split(key)


def _targets(n: int) -> Array:
    _check.count("n", n, 2, "Each class needs an example.")
    return (jnp.arange(n) % 2).astype(float)[:, None]
