r"""Any Lipschitz function as a sum of bumps of sigmoids, with the error known before anything is computed (UAT3).

The interval is cut into N bars of width h. A bump is the difference of two steep sigmoids, one at either edge of its
bar; N bumps, each as high as the function is in the middle of its bar, make a network of one hidden layer:

```python
>>> import jax, jax.numpy as jnp
>>> from mlpjax import activations, mlp
>>> from mlpjax.theory import bumps
>>> params = bumps.network(jnp.sin, (0.0, 3.0), bumps=100)
>>> x = jnp.linspace(0.0, 3.0, 1001)[:, None]
>>> y = jax.vmap(lambda x: mlp.apply(params, x, activation=activations.sigmoid))(x)
>>> bool(jnp.abs(y - jnp.sin(x)).max() <= bumps.guarantee(1.0, (0.0, 3.0), bumps=100))
True

```
"""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, ArrayLike, Callable, Scalar
from mlpjax.activations import sigmoid
from mlpjax.layers import Dense

__all__ = ["bump", "guarantee", "needed", "network", "shares", "surface"]

STEEP = 40.0  # sharpness times width, if none is given: the tails, e⁻⁴⁰, are below the rounding of float64


def bump(left: ArrayLike, right: ArrayLike, *, sharpness: ArrayLike, height: ArrayLike = 1.0) -> tuple[Dense, Dense]:
    r"""A bump of two units: a step up at its left edge, a step down at its right one (UAT3).

    $$\beta(x) = \sigma\bigl(c\,(x - l)\bigr) - \sigma\bigl(c\,(x - r)\bigr)$$

    Args:
        left: l, where it rises.
        right: r, where it falls.
        sharpness: c > 0; an edge is about 4/c wide.
        height: what the bump is multiplied by.

    Returns:
        Parameters of sizes (1, 2, 1), for the activation `sigmoid`.

    Example:
        >>> from mlpjax.theory import bumps
        >>> hidden, output = bumps.bump(1.0, 3.0, sharpness=8.0)
        >>> hidden.b.tolist(), output.W.tolist()
        ([-8.0, -24.0], [[1.0, -1.0]])
    """
    edges = jnp.linspace(left, right, 2)
    c, top = jnp.asarray(sharpness, edges.dtype), jnp.asarray(height, edges.dtype)
    return Dense(jnp.full((2, 1), c), -c * edges), Dense(jnp.stack([top, -top])[None], jnp.zeros(1, edges.dtype))


def shares(
    x: Scalar, interval: Sequence[ArrayLike], *, bumps: int, sharpness: ArrayLike | None = None
) -> Float[Array, " bumps"]:
    r"""The N bumps at a point: not negative, with sum 1 (UAT3).

    $$\beta_i = s_{i-1} - s_i, \qquad s_i(x) = \sigma\bigl(c\,(x - t_i)\bigr), \quad s_0 = 1, \quad s_N = 0$$

    Args:
        x: a point.
        interval: (a, b), cut by $t_i = a + ih$, $h = (b - a)/N$.
        bumps: N.
        sharpness: c; 40/h if left out.

    Returns:
        $\beta_1(x), \dots, \beta_N(x)$.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import bumps
        >>> bumps.shares(jnp.asarray(0.5), (0.0, 2.0), bumps=4).round(3).tolist()
        [0.5, 0.5, 0.0, 0.0]
    """
    t, c = _bars(interval, bumps, sharpness)
    s = sigmoid(c * (jnp.asarray(x, t.dtype) - t[1:-1]))
    return -jnp.diff(s, prepend=1.0, append=0.0)


def network(
    f: Callable[[Scalar], Scalar], interval: Sequence[ArrayLike], *, bumps: int, sharpness: ArrayLike | None = None
) -> tuple[Dense, Dense]:
    r"""The sum of N bumps, each as high as f is in the middle of its bar (UAT3).

    $$N_\theta(x) = \sum_{i=1}^N f(m_i)\,\beta_i(x)
      = f(m_1) + \sum_{i=1}^{N-1} \bigl(f(m_{i+1}) - f(m_i)\bigr)\,\sigma\bigl(c\,(x - t_i)\bigr)$$

    The falling edge of a bump and the rising one of the next are the same unit, so N bumps need N − 1 units.

    Args:
        f: a function of a number that `jax.vmap` can map.
        interval: (a, b), cut by $t_i = a + ih$, $h = (b - a)/N$; $m_i = (t_{i-1} + t_i)/2$.
        bumps: N.
        sharpness: c; 40/h if left out.

    Returns:
        Parameters of sizes (1, N − 1, 1), for the activation `sigmoid`.

    Raises:
        ValueError: if N < 2, b ≤ a or c ≤ 0, if the edges coincide in this precision, or f returns an array.

    Example:
        >>> from mlpjax.theory import bumps
        >>> hidden, output = bumps.network(lambda x: x**2, (0.0, 4.0), bumps=4, sharpness=10.0)
        >>> hidden.b.tolist(), output.W.tolist(), output.b.tolist()
        ([-10.0, -20.0, -30.0], [[2.0, 4.0, 6.0]], [0.25])
    """
    t, c = _bars(interval, bumps, sharpness)
    heights = _heights(jax.vmap(f)((t[:-1] + t[1:]) / 2), (bumps,), t.dtype)
    return Dense(jnp.full((bumps - 1, 1), c), -c * t[1:-1]), Dense(jnp.diff(heights)[None], heights[:1])


def guarantee(
    lipschitz: ArrayLike, interval: Sequence[ArrayLike], *, bumps: int, sharpness: ArrayLike | None = None
) -> Scalar:
    r"""What the error of `network` cannot exceed, for any f with this Lipschitz constant (UAT3).

    $$\max_{a \le x \le b} \lvert N_\theta(x) - f(x)\rvert \le
      L\,h\,\Bigl(\frac12 + 2\sum_{k=1}^{N-1} \frac1{1 + e^{k\,ch}}\Bigr)$$

    The half is the error of a bar chart, the sum that of the sigmoids' tails; they are below $2/(e^{ch} - 1)$ and below
    $2 \ln 2/(ch)$. No better bound follows from L, N and c: $f(x) = L\lvert x - t\rvert$ with a jump t in the middle
    of the interval attains it up to a term of order $e^{-c(b-a)/2}$.

    Args:
        lipschitz: L with |f(x) − f(y)| ≤ L |x − y| (PRE6).
        interval: (a, b).
        bumps: N.
        sharpness: c; 40/h if left out.

    Returns:
        The bound.

    Raises:
        ValueError: if N < 2, b ≤ a, c ≤ 0 or L < 0.

    Example:
        >>> from mlpjax.theory import bumps
        >>> [round(float(bumps.guarantee(1.0, (0.0, 1.0), bumps=10, sharpness=c)), 4) for c in (5.0, 20.0, 80.0)]
        [0.2759, 0.078, 0.0501]
    """
    _check.not_negative("lipschitz", lipschitz, "It bounds |f(x) - f(y)| / |x - y|.")
    t, c = _bars(interval, bumps, sharpness)
    h, k = (t[-1] - t[0]) / bumps, jnp.arange(1, bumps).astype(t.dtype)
    return jnp.asarray(lipschitz, t.dtype) * h * (0.5 + 2 * sigmoid(-c * h * k).sum())


def needed(lipschitz: float, interval: Sequence[float], *, error: float) -> int:
    r"""How many bumps guarantee an error, at the sharpness that `network` takes by itself (UAT3).

    $$N = \Bigl\lceil \frac{L\,(b - a)}{2\varepsilon}\Bigl(1 + \frac4{e^{40} - 1}\Bigr) \Bigr\rceil$$

    Args:
        lipschitz: L.
        interval: (a, b).
        error: ε > 0.

    Returns:
        N, at least 2.

    Example:
        >>> from mlpjax.theory import bumps
        >>> bumps.needed(1.0, (0.0, 1.0), error=0.01)
        50
    """
    a, b = interval
    _increasing("interval[0]", "interval[1]", a, b)
    _positive("error", error, "No finite network has the error 0.")
    _check.not_negative("lipschitz", lipschitz, "It bounds |f(x) - f(y)| / |x - y|.")
    return max(2, math.ceil(lipschitz * (b - a) / (2 * error) * (1 + 4 / math.expm1(STEEP))))


def surface(
    f: Callable[[Array], Scalar], box: Sequence[Sequence[ArrayLike]], *, bumps: int, sharpness: ArrayLike | None = None
) -> tuple[Dense, Dense, Dense]:
    r"""A Lipschitz function of two variables from N² cells: steps in the first layer, ANDs in the second (UAT3).

    $$N_\theta(x) = \sum_{i,j=0}^{N-1} \Delta_{ij}\,\mathrm{ReLU}\bigl(s_i(x_1) + s_j(x_2) - 1\bigr), \qquad
      \Delta_{ij} = f_{ij} - f_{i-1,j} - f_{i,j-1} + f_{i-1,j-1}$$

    Here $f_{ij}$ is f in the middle of cell (i, j), counted from 0, and 0 for a negative index; $s_0 = 1$. If
    $\lvert f(x) - f(y)\rvert \le L_1\lvert x_1 - y_1\rvert + L_2\lvert x_2 - y_2\rvert$, the error is at most the sum
    of the two `guarantee`s, of $L_1$ on the first side and of $L_2$ on the second.

    Args:
        f: a function of a point of shape `(2,)` that `jax.vmap` can map.
        box: ((a₁, b₁), (a₂, b₂)).
        bumps: N, along either side.
        sharpness: c, of both sides; 40/h of each side if left out.

    Returns:
        Parameters of sizes (2, 2N − 2, N², 1), for the activations `(sigmoid, relu)`.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import activations, mlp
        >>> from mlpjax.theory import bumps
        >>> params = bumps.surface(lambda x: x[0] * x[1], ((0.0, 1.0), (0.0, 1.0)), bumps=10)
        >>> y = mlp.apply(params, jnp.asarray([0.25, 0.75]), activation=(activations.sigmoid, activations.relu))
        >>> mlp.sizes(params), round(float(y[0]), 4)
        ((2, 18, 100, 1), 0.1875)
    """
    across, up = (_bars(side, bumps, sharpness) for side in box)
    t, c = map(jnp.stack, zip(across, up, strict=True))
    steps = Dense(jnp.kron(jnp.diag(c), jnp.ones((bumps - 1, 1), t.dtype)), (-c[:, None] * t[:, 1:-1]).ravel())
    middles = (t[:, :-1] + t[:, 1:]) / 2
    heights = jax.vmap(lambda p: jax.vmap(lambda q: f(jnp.stack([p, q])))(middles[1]))(middles[0])
    take = jnp.eye(bumps, dtype=t.dtype)[:, 1:]  # row i takes step i of its side; row 0, none: that step is 1
    first, second = jnp.repeat(take, bumps, axis=0), jnp.tile(take, (bumps, 1))
    changes = jnp.diff(jnp.diff(_heights(heights, (bumps, bumps), t.dtype), axis=0, prepend=0), axis=1, prepend=0)
    both = Dense(jnp.concatenate([first, second], axis=1), 1 - first.sum(axis=1) - second.sum(axis=1))
    return steps, both, Dense(changes.reshape(1, -1), jnp.zeros(1, t.dtype))


def _bars(interval, bumps, sharpness):
    """The edges t₀ … t_N of the bars, and c."""
    a, b = interval
    _check.count("bumps", bumps, 2, "One bump is a constant and has no unit.")
    _increasing("interval[0]", "interval[1]", a, b)
    t = jnp.linspace(a, b, bumps + 1)
    if _check.concrete(t) and not np.all(np.diff(np.asarray(t, np.float64)) > 0):
        raise ValueError(f"`interval` must hold {bumps + 1} edges that differ in {t.dtype}; got {a}, {b}. Widen it.")
    _positive("sharpness", 1.0 if sharpness is None else sharpness, "Leave it out for the usual one.")
    return t, STEEP * bumps / (t[-1] - t[0]) if sharpness is None else jnp.asarray(sharpness, t.dtype)


def _heights(values, shape, dtype):
    """The values of f in the middles, one number each."""
    if jnp.shape(values) != shape:
        raise ValueError(f"`f` must return a number; got the shape {values.shape[len(shape) :]}. Take its only entry.")
    return values.astype(dtype)


def _increasing(low, high, a, b):
    if _check.concrete((a, b)) and not -math.inf < float(a) < float(b) < math.inf:
        raise ValueError(f"`{low}` must be less than `{high}`, both finite; got {a} and {b}. Is their order right?")


def _positive(argument, value, remedy):
    if _check.concrete(value) and not 0 < float(value) < math.inf:
        raise ValueError(f"`{argument}` must be a finite number > 0; got {value}. {remedy}")
