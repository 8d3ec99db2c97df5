"""The unit itself: its parameters, its weighted sum, its step, its boundary."""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, DTypeLike, Scalar
from mlpjax.activations import Activation


def _heaviside(z):
    # the innermost z is reached by NaN only, which must not pass for an answer
    return jnp.where(z >= 0, jnp.ones_like(z), jnp.where(z < 0, jnp.zeros_like(z), z))


heaviside = Activation(
    "heaviside",
    fn=_heaviside,
    prime=jnp.zeros_like,
    range=(0.0, 1.0),
    lipschitz=math.inf,
    saturates="both",
    monotone=True,
    smooth=-1,
    advantage="a yes or a no; the gates of logic",
    drawback="no slope to learn from; it jumps",
)
r"""The Heaviside step (NEU4): $H(z) = 1$ for $z \ge 0$, else $0$. $H' = 0$ stands at 0 too, where there is none."""


class Neuron(NamedTuple):
    """Parameters of a neuron.

    Attributes:
        w: weights, one for each input, shape `(in,)`.
        b: bias, shape `()`.
    """

    w: Float[Array, " in"]
    b: Float[Array, ""]


def zeros(in_size: int, *, dtype: DTypeLike | None = None) -> Neuron:
    """The neuron whose weights and bias are 0, where the perceptron rule starts.

    Args:
        in_size: number of inputs.
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        The parameters.

    Raises:
        ValueError: if `in_size` is not a positive integer.

    Example:
        >>> from mlpjax import neuron
        >>> neuron.zeros(2).w.tolist()
        [0.0, 0.0]
    """
    _check.count("in_size", in_size, 1, "A neuron has at least one input.")
    return Neuron(jnp.zeros(in_size, dtype), jnp.zeros((), dtype))


def weighted_sum(w: Float[Array, " in"], x: Float[Array, " in"]) -> Scalar:
    r"""The weighted sum of the inputs (NEU2).

    $$z = w_1 x_1 + \dots + w_n x_n = w^\top x$$

    Args:
        w: weights, shape `(in,)`.
        x: one example, shape `(in,)`.

    Returns:
        z.

    Raises:
        ValueError: if x is not one example with one input for each weight.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import neuron
        >>> float(neuron.weighted_sum(jnp.array([2.0, -1.0]), jnp.array([3.0, 4.0])))
        2.0
    """
    _check_example(w, x)
    return w @ x


def pre_activation(params: Neuron, x: Float[Array, " in"]) -> Scalar:
    r"""The weighted sum with a bias (NEU3).

    $$z = w^\top x + b$$

    Args:
        params: w of shape `(in,)` and b of shape `()`.
        x: one example, shape `(in,)`.

    Returns:
        z; the neuron fires where it is at least 0, so where the weighted sum reaches −b.

    Raises:
        ValueError: if x is not one example with one input for each weight.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import neuron
        >>> float(neuron.pre_activation(neuron.or_gate(), jnp.array([0.0, 1.0])))
        0.5
    """
    return weighted_sum(params.w, x) + params.b


def apply(params: Neuron, x: Float[Array, " in"]) -> Scalar:
    r"""The neuron's answer to one example (NEU4).

    $$\hat y = H(w^\top x + b)$$

    Args:
        params: w of shape `(in,)` and b of shape `()`.
        x: one example, shape `(in,)`. For a batch: `jax.vmap(neuron.apply, in_axes=(None, 0))(params, x)`.

    Returns:
        1 or 0, in the dtype of the sum; NaN where that is NaN.

    Raises:
        ValueError: if x is not one example with one input for each weight.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import neuron
        >>> float(neuron.apply(neuron.and_gate(), jnp.array([1.0, 1.0])))
        1.0
    """
    return heaviside(pre_activation(params, x))


def distance(params: Neuron, x: Float[Array, " in"]) -> Scalar:
    r"""How far an example lies from the decision boundary, with a sign (NEU7).

    $$d = \frac{w^\top x + b}{\|w\|}$$

    Args:
        params: w of shape `(in,)`, not 0, and b of shape `()`.
        x: one example, shape `(in,)`.

    Returns:
        The distance from the hyperplane $w^\top x + b = 0$, positive on the side to which w points; ±∞ or NaN if w = 0.

    Raises:
        ValueError: if x is not one example with one input for each weight.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import neuron
        >>> params = neuron.Neuron(jnp.array([3.0, 4.0]), jnp.array(-5.0))
        >>> round(float(neuron.distance(params, jnp.array([3.0, 4.0]))), 6)
        4.0
    """
    return pre_activation(params, x) / jnp.linalg.norm(params.w)


def _check_example(w: Array, x: Array) -> None:
    if x.shape != w.shape:
        raise ValueError(
            f"`x` must be one example of shape {w.shape}, one input for each weight; got shape {x.shape}. For a batch "
            f"write `jax.vmap(neuron.apply, in_axes=(None, 0))(params, x)`."
        )
