"""Forward and backward passes as scans over the stacked layers."""

import jax
from jaxtyping import Float, Num

from mlpjax import _check, backprop
from mlpjax._types import Array, Callable, PRNGKey, Scalar
from mlpjax.activations import Activation, relu
from mlpjax.backprop import bp1, bp2, bp3, bp4, shares
from mlpjax.data import Dataset
from mlpjax.deep._stack import Deep, by_layer
from mlpjax.layers import Dense, dense, dropout
from mlpjax.losses import Loss
from mlpjax.regularizers import Penalty


def apply(
    params: Deep,
    x: Float[Array, " in"],
    *,
    activation: Activation = relu,
    dropout_rate: float = 0.0,
    key: PRNGKey | None = None,
) -> Float[Array, " out"]:
    """The network as a map, by a scan over its layers: `mlp.apply` of the unstacked parameters.

    Args:
        params: the stacked parameters.
        x: one example, shape `(in,)`. For a batch: `jax.vmap(deep.apply, in_axes=(None, 0))(params, x)`.
        activation: σ of all hidden layers.
        dropout_rate: the probability to drop a hidden unit.
        key: randomness of dropout, with the masks of `mlp.apply`. `None` is evaluation: nothing is dropped.

    Returns:
        The logits, shape `(out,)`.

    Raises:
        ValueError: if x is not one example of the right width, or there is more than one activation.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import deep
        >>> deep.apply(deep.init(jax.random.key(0), (2, 8, 8, 8, 3)), jnp.ones(2)).shape
        (3,)
    """
    _check_call(params, x, 1, activation)

    def forward(z, turn):
        layer, k = turn
        return dense.apply(layer, _output(z, k, activation, dropout_rate)[0]), None

    inner, outer = _keys(params, dropout_rate, key)
    z, _ = jax.lax.scan(forward, dense.apply(params.first, x), (params.hidden, inner))
    return forward(z, (params.last, outer))[0]


def value_and_grad(
    params: Deep,
    x: Float[Array, "n in"],
    y: Num[Array, "n ..."],
    *,
    activation: Activation = relu,
    loss: Loss,
    weight: Float[Array, " n"] | None = None,
    dropout_rate: float = 0.0,
    key: PRNGKey | None = None,
) -> tuple[Scalar, Deep]:
    r"""Mean loss of a batch and its gradient, by backpropagation in two scans over layers (BP5).

    1. forward: each turn caches the z that it is given, and makes the next: $z \leftarrow W\sigma(z) + b$;
    2. backward: each turn has the error δ of its layer, makes of it that layer's gradients by BP3 and BP4, and hands
       the error of the layer below to the next turn, by BP2.

    Args:
        params: the stacked parameters.
        x: inputs, shape `(n, in)`.
        y: targets, shape `(n,)` for class indices or `(n, out)`.
        activation: σ of all hidden layers.
        loss: the loss.
        weight: how much each example counts, shape `(n,)`; the mean is $\sum_i w_i C_i / \sum_i w_i$.
        dropout_rate: the probability to drop a hidden unit.
        key: randomness of dropout, with the masks of `backprop.value_and_grad`. `None`: nothing is dropped.

    Returns:
        The mean loss, and gradients with the structure of `params`.

    Raises:
        ValueError: if x is not a batch of the right width, or there is more than one activation.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import deep, losses
        >>> params = deep.init(jax.random.key(0), (2, 8, 8, 8, 1))
        >>> x, y = jnp.ones((3, 2)), jnp.zeros((3, 1))
        >>> value, grads = deep.value_and_grad(params, x, y, loss=losses.half_squared_error)
        >>> grads.hidden.W.shape
        (2, 8, 8)
    """
    _check_call(params, x, 2, activation)
    affine = jax.vmap(dense.apply, (None, 0))
    output = jax.vmap(lambda z, k: _output(z, k, activation, dropout_rate))

    def forward(z, turn):
        layer, k = turn
        a, mask = output(z, k)
        return affine(layer, a), (z, mask)

    def backward(delta, turn):
        layer, (z, mask) = turn
        a = _drop(activation(z), mask)
        back = jax.vmap(lambda delta, z: bp2(layer.W, delta, z, activation=activation))
        return _drop(back(delta, z), mask), Dense(W=bp3(delta, a), b=bp4(delta))

    inner, outer = _keys(params, dropout_rate, key, len(x))
    z, cache = jax.lax.scan(forward, affine(params.first, x), (params.hidden, inner))
    z, end = forward(z, (params.last, outer))
    share = shares(weight, len(x), z.dtype)
    value = share @ jax.vmap(loss.value)(z, y)

    delta = share[:, None] * jax.vmap(lambda z, y: bp1(z, y, loss=loss))(z, y)
    delta, last = backward(delta, (params.last, end))
    delta, hidden = jax.lax.scan(backward, delta, (params.hidden, cache), reverse=True)
    grads = Deep(Dense(W=bp3(delta, x), b=bp4(delta)), hidden, last)
    return value, jax.tree.map(lambda g, p: g.astype(p.dtype), grads, params)


def supervised(
    *, activation: Activation = relu, loss: Loss, dropout_rate: float = 0.0, penalty: Penalty | None = None
) -> Callable[[Deep, Dataset, PRNGKey | None], tuple[Scalar, Deep]]:
    """Backpropagation by scan in the form that training takes: `backprop.supervised` for stacked parameters.

    Args:
        activation: σ of all hidden layers.
        loss: the loss.
        dropout_rate: the probability to drop a hidden unit.
        penalty: of the layers one by one, added to the mean loss with its own gradient; see `by_layer`.

    Returns:
        A pure function of parameters, a batch `Dataset(x, y, weight)` and a key (`None`: no dropout), for the argument
        `value_and_grad` of `training.run`; equal for equal parts.

    Example:
        >>> import jax
        >>> from mlpjax import data, deep, losses
        >>> value_and_grad = deep.supervised(loss=losses.sigmoid_squared_error)
        >>> params = deep.init(jax.random.key(0), (2, 8, 8, 8, 1))
        >>> value, grads = jax.jit(value_and_grad)(params, data.toy.xor(), None)
        >>> grads.hidden.b.shape
        (2, 8)
    """
    penalty = None if penalty is None else by_layer(penalty)
    return backprop.Supervised(value_and_grad, activation, loss, dropout_rate, penalty)


def _drop(a, mask):
    return a if mask is None else a * mask


def _output(z, key, activation, rate):
    """The output of a hidden layer, and what dropout multiplied it by."""
    a = activation(z)
    mask = None if key is None else dropout.mask(key, a.shape, rate=rate, dtype=a.dtype)
    return _drop(a, mask), mask


def _keys(params, rate, key, n=None):
    """Keys of dropout as `mlp` draws them, first for the stack and then for the input of the last layer."""
    _check.probability("dropout_rate", rate)
    if key is None or (_check.concrete(rate) and rate == 0.0):
        return None, None
    split = lambda key: jax.random.split(key, len(params.hidden.b) + 1)
    keys = split(key) if n is None else jax.vmap(split, out_axes=1)(jax.random.split(key, n))
    return keys[:-1], keys[-1]


def _check_call(params, x, axes, activation):
    if not isinstance(params, Deep):
        raise TypeError(
            f"`params` must be a `Deep`; got a {type(params).__name__}. `deep.stack` makes one of the layers of an MLP."
        )
    width = params.first.W.shape[1]
    if x.ndim != axes or x.shape[-1] != width:
        wanted = f"one example of shape ({width},)" if axes == 1 else f"a batch of shape (n, {width})"
        remedy = " For a batch write `jax.vmap(deep.apply, in_axes=(None, 0))(params, x)`." * (axes < x.ndim)
        raise ValueError(f"`x` must be {wanted}; got shape {x.shape}.{remedy}")
    _check.not_bytes("x", x)
    if not callable(activation):
        raise ValueError(
            f"`activation` must be one function, since one scan runs all hidden layers; got {activation!r}. With one "
            f"for each, use `mlp` and `backprop` on `deep.unstack(params)`."
        )
