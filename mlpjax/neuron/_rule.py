"""The perceptron rule: one step, and a run."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, Num

from mlpjax import _check
from mlpjax._types import Array, Scalar
from mlpjax.data import Dataset
from mlpjax.neuron._margin import examples
from mlpjax.neuron._unit import Neuron, apply


class History(NamedTuple):
    r"""What `learn` did, example by example: arrays with the axes `(epochs, N)` first.

    Attributes:
        errors: $e = y - \hat y$ at every example, −1, 0 or 1. A mistake is an error that is not 0.
        params: the neuron after every example.
    """

    errors: Float[Array, "epochs N"]
    params: Neuron


def update(
    params: Neuron, x: Float[Array, " in"], y: float | Num[Array, ""], *, rate: float | Scalar = 1.0
) -> tuple[Neuron, Scalar]:
    r"""One step of the perceptron rule (NEU5).

    $$e = y - \hat y, \qquad w \leftarrow w + \eta\, e\, x, \qquad b \leftarrow b + \eta\, e$$

    Args:
        params: the neuron.
        x: one example, shape `(in,)`.
        y: what the answer should be, 1 or 0.
        rate: the learning rate η.

    Returns:
        The neuron after the step, and e: 1 where it should have fired, −1 where it should not have, 0 where it was
        right and nothing changes.

    Raises:
        ValueError: if x is not one example with one input for each weight.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import neuron
        >>> params, e = neuron.update(neuron.zeros(2), jnp.array([2.0, 1.0]), jnp.array(0))
        >>> params.w.tolist(), float(params.b), float(e)
        ([-2.0, -1.0], -1.0, -1.0)

    References:
        F. Rosenblatt (1958). The perceptron: a probabilistic model for information storage and organization in the
        brain. Psychological Review 65.
    """
    e = jnp.asarray(y, x.dtype) - apply(params, x)
    return Neuron(params.w + rate * e * x, params.b + rate * e), e


def learn(params: Neuron, data: Dataset, *, epochs: int, rate: float | Scalar = 1.0) -> tuple[Neuron, History]:
    r"""The perceptron rule, example after example in the order of the data, so many times over (NEU5).

    After an epoch without a mistake nothing changes any more. On data that a hyperplane separates this happens: from
    `zeros` the number of mistakes is at most `mistake_bound` (NEU6) and does not depend on `rate` (NEU9). On other data
    it never does. The run computes in the common dtype of parameters, inputs and rate. Pure: `jit`, `vmap` over rates,
    starts or data sets, and `scan` apply to the whole run.

    Args:
        params: where to start, such as `zeros(in)`.
        data: x of shape `(N, in)` and targets 1 or 0 of shape `(N,)` or `(N, 1)`, without weights.
        epochs: how often all examples are gone through.
        rate: the learning rate η.

    Returns:
        The neuron after the run, and every error and every neuron on the way. Under `jit`, what is not used of the
        history costs nothing.

    Raises:
        ValueError: if the data are not of this form, or `epochs` is not a positive integer.

    Example:
        >>> from mlpjax import data, neuron
        >>> params, history = neuron.learn(neuron.zeros(2), data.toy.mushrooms(), epochs=20)
        >>> history.errors.shape, bool(history.errors[-1].any())
        ((20, 24), False)
    """
    _check.count("epochs", epochs, 1, "One epoch goes through all examples once.")
    xy = examples(data)
    dtype = jnp.result_type(params.w, params.b, xy[0], rate)
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), params)

    def example(params, xy):
        params, e = update(params, *xy, rate=rate)
        return params, History(e, params)

    return jax.lax.scan(lambda params, _: jax.lax.scan(example, params, xy), params, length=epochs)
