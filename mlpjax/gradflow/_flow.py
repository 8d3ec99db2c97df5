"""One look at a network: how large errors and gradients are in each layer, and how much of it is flat."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, Num

from mlpjax import mlp
from mlpjax._types import Array, Scalar
from mlpjax.activations import Activation, relu
from mlpjax.backprop import bp1, bp2, bp3
from mlpjax.layers import Dense
from mlpjax.losses import Loss


class Flow(NamedTuple):
    r"""What `trace` sees on a batch, one number for each layer; index l belongs to layer l + 1 (VAN3).

    Attributes:
        a: size of the activations, the root mean square over examples and units; of the last layer, of the logits.
        delta: length of the error, $\bigl(\tfrac1n\sum_i\|\delta_i^{(l)}\|^2\bigr)^{1/2}$.
        W: norm of the gradient of the mean loss in the weights, $\|\partial F/\partial W^{(l)}\|_F$.
        flat: the share of σ′(z) that is below a fraction of sup |σ′|, over examples and units of a hidden layer.
        dead: the share of units of a hidden layer with σ′(z) = 0 on every example.
    """

    a: Float[Array, " layers"]
    delta: Float[Array, " layers"]
    W: Float[Array, " layers"]
    flat: Float[Array, " hidden"]
    dead: Float[Array, " hidden"]


def trace(
    params: tuple[Dense, ...],
    x: Float[Array, "n in"],
    y: Num[Array, "n ..."],
    *,
    activation: Activation | Sequence[Activation] = relu,
    loss: Loss,
    fraction: float = 0.1,
) -> Flow:
    r"""The flow of the gradient through a network, on a batch (VAN3).

    Forward with every z and a, backward by BP1 and BP2, and of each layer a few numbers. Costs one
    gradient. Norms are taken relative to the largest entry, so an error of $10^{-30}$ is still seen in float32, where
    its square is 0.

    Args:
        params: one `Dense` per layer; of a stacked network `deep.unstack(params)`.
        x: inputs, shape `(n, in)`.
        y: targets, shape `(n,)` for class indices or `(n, out)`.
        activation: σ of the hidden layers, or one for each of them.
        loss: the loss.
        fraction: a unit counts as flat, or saturated, where |σ′| is less than this part of its supremum.

    Returns:
        One number for each layer; see `Flow`.

    Raises:
        ValueError: if x is not a batch, or an activation does not say how steep it is at most.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import gradflow, losses, mlp
        >>> from mlpjax.activations import sigmoid
        >>> params = mlp.init(jax.random.key(0), (2, 8, 8, 8, 1))
        >>> x, y = jnp.ones((3, 2)), jnp.zeros((3, 1))
        >>> flow = gradflow.trace(params, x, y, activation=sigmoid, loss=losses.half_squared_error)
        >>> flow.delta.shape, flow.dead.tolist()
        ((4,), [0.0, 0.0, 0.0])
    """
    sigma = steep(activation, hidden=len(params) - 1)
    a, z, _ = jax.vmap(lambda x: mlp.trace(params, x, activation=sigma))(_batch(params, x))
    delta = errors(params, z, y, sigma=sigma, loss=loss)
    slopes = [jnp.abs(s.prime(z)) for s, z in zip(sigma, z, strict=False)]
    share = lambda parts: jnp.asarray([jnp.mean(part, dtype=x.dtype) for part in parts], x.dtype)
    return Flow(
        a=jnp.stack([norm(v) / math.sqrt(v.size) for v in (*a[1:], z[-1])]),
        delta=jnp.stack([norm(d) / math.sqrt(len(x)) for d in delta]),
        W=jnp.stack([norm(bp3(d, a) / len(x)) for d, a in zip(delta, a, strict=True)]),
        flat=share([slope < fraction * s.lipschitz for s, slope in zip(sigma, slopes, strict=True)]),
        dead=share([jnp.all(slope == 0, axis=0) for slope in slopes]),
    )


def errors(params, z, y, *, sigma, loss):
    """δ of every layer, example by example."""
    delta = [jax.vmap(lambda z, y: bp1(z, y, loss=loss))(z[-1], y)]
    for layer, z_below, s in reversed(list(zip(params[1:], z, sigma, strict=False))):
        back = jax.vmap(lambda delta, z, layer=layer, s=s: bp2(layer.W, delta, z, activation=s))
        delta.append(back(delta[-1], z_below))
    return tuple(reversed(delta))


def norm(v: Array) -> Scalar:
    """The Euclidean norm of all entries, by way of the largest: squares neither underflow nor overflow."""
    largest = jnp.max(jnp.abs(v))
    unit = jnp.where((largest > 0) & (largest < jnp.inf), largest, jnp.ones_like(largest))
    return largest * jnp.sqrt(jnp.sum(jnp.square(v / unit)))


def steep(activation, *, hidden):
    """One activation for each hidden layer, each with a known supremum of |σ′|."""
    sigma = mlp.per_layer(activation, hidden=hidden)
    for s in sigma:
        if math.isnan(s.lipschitz):
            raise ValueError(
                f"`activation` must know the supremum of its slope; got {s.name!r} without it. Give it: "
                f"`Activation({s.name!r}, fn, lipschitz=...)`."
            )
    return sigma


def _batch(params, x):
    if x.ndim != 2:
        raise ValueError(
            f"`x` must be a batch of shape (n, {params[0].W.shape[1]}); got shape {x.shape}. For one example write "
            f"`x[None]` and `y[None]`."
        )
    return x
