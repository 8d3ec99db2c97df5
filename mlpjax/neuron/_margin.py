r"""How hard a problem is for the perceptron rule: radius, margin and the bound that they give.

The bias counts as a weight of one more input that is always 1, so that a neuron is the vector (w, b) and an example
(x, 1). A mistake is then $s\,(w, b)^\top (x, 1) \le 0$ with $s = 2y - 1$, the same for both classes.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, Scalar
from mlpjax.data import Dataset
from mlpjax.neuron._unit import Neuron


def examples(data: Dataset) -> tuple[Float[Array, "N in"], Float[Array, " N"]]:
    """The arrays of the data, checked: whole numbers as floats, y of shape `(N,)` in the dtype of x."""
    n, y = _check.leading_axis((data.x, data.y)), data.y
    if data.x.ndim != 2 or y.size != n:
        raise ValueError(
            f"`data` must hold x of shape (N, in) and one target for each example; got x of shape {data.x.shape} and y "
            f"of shape {y.shape}. A neuron has one answer: take one column of the targets."
        )
    if _check.concrete(y) and not np.isin(np.asarray(y), (0, 1)).all():
        raise ValueError(
            f"the targets `y` of a neuron must be 1 or 0; got values from {y.min()} to {y.max()}. For targets −1 and 1 "
            f"write `(y + 1) / 2`."
        )
    if data.weight is not None:
        raise ValueError("`data` must have no weights: the rule takes every example as it is. Pass `weight=None`.")
    x = data.x if jnp.issubdtype(data.x.dtype, jnp.floating) else data.x.astype(float)
    return x, y.reshape(n).astype(x.dtype)


def signed(data: Dataset) -> Float[Array, "N augmented"]:
    r"""The examples with the input 1 for the bias, turned to one side (NEU6).

    $$v_i = s_i\,(x_i, 1), \qquad s_i = 2y_i - 1$$

    Args:
        data: x of shape `(N, in)` and targets 1 or 0.

    Returns:
        One row for each example. A neuron separates the classes if $(w, b)^\top v_i > 0$ for all of them.

    Raises:
        ValueError: if the data are not of this form.

    Example:
        >>> from mlpjax import data, neuron
        >>> neuron.signed(data.toy.xor()).sum(axis=0).tolist()
        [0.0, 0.0, 0.0]
    """
    x, y = examples(data)
    return (2 * y - 1)[:, None] * jnp.concatenate([x, jnp.ones_like(x[:, :1])], axis=1)


def radius(data: Dataset) -> Scalar:
    r"""The length of the longest example (NEU6).

    $$R = \max_i \|(x_i, 1)\|$$

    Args:
        data: x of shape `(N, in)` and targets 1 or 0.

    Returns:
        R.

    Raises:
        ValueError: if the data are not of this form.
    """
    return jnp.linalg.norm(signed(data), axis=1).max()


def margin(params: Neuron, data: Dataset) -> Scalar:
    r"""How clearly a neuron separates two classes (NEU6).

    $$\gamma = \min_i \frac{s_i\,(w^\top x_i + b)}{\|(w, b)\|}$$

    Args:
        params: a neuron that is not 0; its length does not matter.
        data: x of shape `(N, in)` and targets 1 or 0.

    Returns:
        γ, which is positive exactly if every example lies on its side of the boundary and none on it.

    Raises:
        ValueError: if the data are not of this form.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import data, neuron
        >>> both = data.Dataset(data.toy.xor().x, jnp.array([0, 0, 0, 1]))
        >>> round(float(neuron.margin(neuron.and_gate(), both)), 4)
        0.2425
    """
    wb = jnp.append(params.w, params.b)
    return (signed(data) @ wb).min() / jnp.linalg.norm(wb)


def mistake_bound(params: Neuron, data: Dataset) -> Scalar:
    r"""How many mistakes the perceptron rule can make at most, from zero and in any order (NEU6).

    $$\Bigl(\frac{R}{\gamma}\Bigr)^2$$

    Args:
        params: a neuron that separates the classes; the larger its margin, the better the bound. `separator` finds the
            largest.
        data: x of shape `(N, in)` and targets 1 or 0.

    Returns:
        The bound; ∞ if this neuron does not separate them.

    Raises:
        ValueError: if the data are not of this form.

    Example:
        >>> from mlpjax import data, neuron
        >>> float(neuron.mistake_bound(neuron.or_gate(), data.toy.xor()))
        inf

    References:
        A. B. J. Novikoff (1962). On convergence proofs on perceptrons. Symposium on the Mathematical Theory of
        Automata.
    """
    gamma = margin(params, data)
    return jnp.where(gamma > 0, (radius(data) / gamma) ** 2, jnp.inf)


def shifted(weights: Float[Array, " N"], v: Float[Array, "N d"]) -> Float[Array, " N"]:
    """One step to the nearest point: weight goes from the row that reaches farthest to the one that reaches least."""
    reach = v @ (weights @ v)
    least = jax.nn.one_hot(jnp.argmin(reach), len(v), dtype=v.dtype)
    most = jax.nn.one_hot(jnp.argmax(jnp.where(weights > 0, reach, -jnp.inf)), len(v), dtype=v.dtype)
    way = (most - least) @ v
    best = ((most - least) @ reach) / jnp.maximum(way @ way, jnp.finfo(v.dtype).tiny)
    return weights + jnp.clip(best, 0, most @ weights) * (least - most)


def nearest_point(v: Float[Array, "N d"], *, steps: int = 1000) -> Float[Array, " d"]:
    r"""The point of a convex hull that is nearest to 0, by the algorithm of Mitchell, Dem'yanov and Malozemov.

    $$p = \sum_i \alpha_i v_i, \qquad \alpha_i \ge 0, \qquad \sum_i \alpha_i = 1, \qquad \|p\| \text{ smallest}$$

    Every step moves weight from the $v_i$ with $\alpha_i > 0$ and the largest $p^\top v_i$ to the $v_j$ with the
    smallest, as far as the length of p falls. At any time the distance from 0 lies between
    $\min_i p^\top v_i / \|p\|$ and $\|p\|$.

    Args:
        v: the points, one a row.
        steps: how many; more where the points differ much in length.

    Returns:
        p, shape `(d,)`; 0 if the hull contains 0.

    Raises:
        ValueError: if v is not a matrix of floats with a row, or `steps` is not an integer ≥ 0.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import neuron
        >>> neuron.nearest_point(jnp.array([[2.0, 0.0], [0.0, 2.0]])).tolist()
        [1.0, 1.0]

    References:
        B. F. Mitchell, V. F. Dem'yanov, V. N. Malozemov (1974). Finding the point of a polyhedron closest to the
        origin. SIAM Journal on Control 12.
    """
    if v.ndim != 2 or not len(v) or not jnp.issubdtype(v.dtype, jnp.floating):
        raise ValueError(
            f"`v` must be floats, one point a row and at least one; got {v.dtype} of shape {v.shape}. For one point "
            f"write `v[None]`."
        )
    _check.count("steps", steps, 0, "A thousand are usual.")
    start = jnp.full(len(v), 1 / len(v), v.dtype)
    return jax.lax.fori_loop(0, steps, lambda _, weights: shifted(weights, v), start) @ v


def separator(data: Dataset, *, steps: int = 1000) -> Neuron:
    r"""The neuron of largest margin, as the point nearest to 0 in the convex hull of `signed` (NEU6).

    Its length is that margin: $\max_{(w, b)} \gamma = \min_{p \,\in\, \operatorname{hull}\{v_i\}} \|p\|$. If no neuron
    separates the classes, the hull contains 0.

    Args:
        data: x of shape `(N, in)` and targets 1 or 0.
        steps: of `nearest_point`. `margin(params, data)` is at most the largest margin and $\|(w, b)\|$ at least.

    Returns:
        The neuron.

    Raises:
        ValueError: if the data are not of this form.

    Example:
        >>> from mlpjax import data, neuron
        >>> float(neuron.margin(neuron.separator(data.toy.mushrooms()), data.toy.mushrooms())) > 0
        True
    """
    p = nearest_point(signed(data), steps=steps)
    return Neuron(p[:-1], p[-1])
