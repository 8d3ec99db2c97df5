r"""One neuron: a weighted sum, a threshold, and the rule that learns it.

A `Neuron(w, b)` is a value. `apply` fires, 1, where $w \cdot x + b \ge 0$, and gives 0 elsewhere; `update` is one step of
the perceptron rule, `learn` a whole run of it. A neuron is one row of a `Dense` layer, and `heaviside` an `Activation`:
networks of threshold units are `mlp.apply(params, x, activation=heaviside)`.

```python
>>> from mlpjax import data, neuron
>>> params, history = neuron.learn(neuron.zeros(2), data.toy.mushrooms(), epochs=50)
>>> int((history.errors[-1] != 0).sum())
0

```
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, Num

from mlpjax._types import Array, DTypeLike, Scalar
from mlpjax.activations import Activation
from mlpjax.data import Dataset

__all__ = [
    "History",
    "Neuron",
    "and_gate",
    "apply",
    "heaviside",
    "learn",
    "nand_gate",
    "nor_gate",
    "not_gate",
    "or_gate",
    "pre_activation",
    "update",
    "weighted_sum",
    "zeros",
]


def _heaviside(z):
    # the innermost z is there for NaN only, which must not pass for an answer
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
    advantage="a yes or a no; gates of logic",
    drawback="its slope is 0 wherever it exists: no gradient to learn from",
)
r"""The Heaviside step (NEU4): $H(z) = 1$ for $z \ge 0$, else $0$; $H' = 0$, also at 0, where it does not exist."""


class Neuron(NamedTuple):
    """Parameters of a neuron.

    Attributes:
        w: weights, one per input, shape `(in,)`.
        b: bias, shape `()`.
    """

    w: Float[Array, " in"]
    b: Float[Array, ""]


class History(NamedTuple):
    """What `learn` did, example by example; its arrays begin with the axes `(epochs, N)`.

    Attributes:
        errors: $e = y - \\hat y$ at each example, −1, 0 or 1; mistakes are where it is not 0.
        params: the neuron after each example.
    """

    errors: Float[Array, "epochs N"]
    params: Neuron


def zeros(in_size: int, *, dtype: DTypeLike | None = None) -> Neuron:
    """A neuron that knows nothing: all weights and the bias are 0.

    Args:
        in_size: number of inputs.
        dtype: of the parameters; JAX's default float if left out.

    Example:
        >>> from mlpjax import neuron
        >>> neuron.zeros(2).w.tolist()
        [0.0, 0.0]
    """
    return Neuron(jnp.zeros(in_size, dtype), jnp.zeros((), dtype))


def weighted_sum(w: Float[Array, " in"], x: Float[Array, " in"]) -> Scalar:
    r"""The weighted sum of the inputs (NEU2): $z = \sum_i w_i x_i = w^\top x$."""
    return w @ x


def pre_activation(params: Neuron, x: Float[Array, " in"]) -> Scalar:
    r"""The weighted sum with bias (NEU3): $z = w^\top x + b$."""
    return weighted_sum(params.w, x) + params.b


def apply(params: Neuron, x: Float[Array, " in"]) -> Scalar:
    r"""The neuron's answer to one example (NEU4): $\hat y = H(w^\top x + b)$."""
    return heaviside(pre_activation(params, x))


def update(
    params: Neuron, x: Float[Array, " in"], y: Num[Array, ""], *, rate: float | Scalar = 1.0
) -> tuple[Neuron, Scalar]:
    r"""One step of the perceptron rule (NEU5).

    $$e = y - \hat y, \qquad w \leftarrow w + \eta\, e\, x, \qquad b \leftarrow b + \eta\, e$$
    """
    e = y.astype(x.dtype) - apply(params, x)
    return Neuron(params.w + rate * e * x, params.b + rate * e), e


def learn(params: Neuron, data: Dataset, *, epochs: int, rate: float | Scalar = 1.0) -> tuple[Neuron, History]:
    r"""The perceptron rule over all examples in their order, again and again (NEU5)."""
    x, y = data.x, data.y.reshape(-1)

    def example(params, xy):
        params, e = update(params, *xy, rate=rate)
        return params, History(e, params)

    return jax.lax.scan(lambda params, _: jax.lax.scan(example, params, (x, y)), params, length=epochs)


def _gate(w, b):
    return Neuron(jnp.asarray(w, float), jnp.asarray(b, float))


def and_gate(inputs: int = 2) -> Neuron:
    """1 where all inputs are 1: w = (1, …, 1), b = ½ − n."""
    return _gate([1] * inputs, 0.5 - inputs)


def or_gate(inputs: int = 2) -> Neuron:
    """1 where some input is 1: w = (1, …, 1), b = −½."""
    return _gate([1] * inputs, -0.5)


def nand_gate(inputs: int = 2) -> Neuron:
    """0 where all inputs are 1: w = (−1, …, −1), b = n − ½."""
    return _gate([-1] * inputs, inputs - 0.5)


def nor_gate(inputs: int = 2) -> Neuron:
    """1 where no input is 1: w = (−1, …, −1), b = ½."""
    return _gate([-1] * inputs, 0.5)


def not_gate() -> Neuron:
    """1 where the input is 0: w = −1, b = ½."""
    return _gate([-1], 0.5)
