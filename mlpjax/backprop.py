r"""Backpropagation by hand: the four equations BP1 to BP4, and the algorithm that they make.

The error of a layer is the derivative of the loss in its pre-activations, $\delta^{(l)} = \partial C/\partial z^{(l)}$.
BP1 starts it at the output, BP2 carries it one layer back, BP3 and BP4 turn it into gradients. `value_and_grad` agrees
with `jax.value_and_grad` to rounding and costs the same (BP8); `supervised` makes of it a drop-in for autodiff in
`training.run`, dropout, penalties and weights of examples included.

Each equation is written for one example; `jax.vmap` carries BP1 and BP2 over a batch. BP3 and BP4 sum over the batch
in one product of matrices: averaging outer products example by example would take about twice the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Float, Num

from mlpjax import mlp
from mlpjax._types import Any, Array, Callable, PRNGKey, Scalar
from mlpjax.activations import Activation, relu
from mlpjax.data import Dataset
from mlpjax.layers import Dense
from mlpjax.losses import Loss
from mlpjax.regularizers import Penalty

__all__ = ["bp1", "bp2", "bp3", "bp4", "supervised", "value_and_grad"]


def bp1(z: Float[Array, " out"], y: Num[Array, "..."], *, loss: Loss) -> Float[Array, " out"]:
    r"""Error of the output layer (BP1).

    $$\delta^{(L)} = \nabla_{a} C \odot \sigma'(z^{(L)}) = \frac{\partial C}{\partial z^{(L)}}$$

    The loss knows its output activation, so it knows this product in closed form: $p - y$ for softmax with
    cross-entropy, $(a-y)\odot\sigma'(z)$ for a sigmoid with squared error.

    Args:
        z: logits of one example, shape `(out,)`.
        y: its target: a class index or a vector.
        loss: the loss, with its `delta`.

    Returns:
        The error, shape `(out,)`.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import backprop, losses
        >>> backprop.bp1(jnp.zeros(2), jnp.asarray(1), loss=losses.softmax_cross_entropy).tolist()
        [0.5, -0.5]
    """
    return loss.delta(z, y)


def bp2(
    W: Float[Array, "out hidden"], delta: Float[Array, " out"], z: Float[Array, " hidden"], *, activation: Activation
) -> Float[Array, " hidden"]:
    r"""Error one layer back (BP2).

    $$\delta^{(l)} = \bigl((W^{(l+1)})^\top \delta^{(l+1)}\bigr) \odot \sigma'(z^{(l)})$$

    Args:
        W: weights of layer l+1, shape `(out, hidden)`.
        delta: error of layer l+1, shape `(out,)`.
        z: pre-activations of layer l, shape `(hidden,)`.
        activation: σ of layer l.

    Returns:
        The error of layer l, shape `(hidden,)`.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import backprop
        >>> from mlpjax.activations import relu
        >>> backprop.bp2(jnp.ones((1, 2)), jnp.asarray([3.0]), jnp.asarray([-1.0, 1.0]), activation=relu).tolist()
        [0.0, 3.0]
    """
    return (W.T @ delta) * activation.prime(z)


def bp3(delta: Float[Array, "*batch out"], a: Float[Array, "*batch in"]) -> Float[Array, "out in"]:
    r"""Gradient in the weights (BP3): error times input.

    $$\frac{\partial C}{\partial W^{(l)}} = \delta^{(l)} \, (a^{(l-1)})^\top$$

    Args:
        delta: error of layer l, shape `(out,)`, or one for each example, shape `(n, out)`.
        a: input of layer l, shape `(in,)` or `(n, in)`.

    Returns:
        The gradient, shape `(out, in)`, summed over the examples.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import backprop
        >>> backprop.bp3(jnp.asarray([1.0, 2.0]), jnp.asarray([3.0, 4.0])).tolist()
        [[3.0, 4.0], [6.0, 8.0]]
    """
    return jnp.einsum("...i,...j->ij", delta, a)


def bp4(delta: Float[Array, "*batch out"]) -> Float[Array, " out"]:
    r"""Gradient in the biases (BP4): the error itself.

    $$\frac{\partial C}{\partial b^{(l)}} = \delta^{(l)}$$

    Args:
        delta: error of layer l, shape `(out,)`, or one for each example, shape `(n, out)`.

    Returns:
        The gradient, shape `(out,)`, summed over the examples.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import backprop
        >>> backprop.bp4(jnp.ones((5, 2))).tolist()
        [5.0, 5.0]
    """
    return jnp.sum(delta, axis=tuple(range(delta.ndim - 1)))


def value_and_grad(
    params: tuple[Dense, ...],
    x: Float[Array, "n in"],
    y: Num[Array, "n ..."],
    *,
    activation: Activation | Sequence[Activation] = relu,
    loss: Loss,
    weight: Float[Array, " n"] | None = None,
    dropout_rate: float = 0.0,
    key: PRNGKey | None = None,
) -> tuple[Scalar, tuple[Dense, ...]]:
    r"""Mean loss of a batch and its gradient, by backpropagation (BP5).

    The pseudocode, with layers counted from 0 as Python does, is the body:

    1. forward: $a^{(0)} = x$; for each layer $z = Wa + b$, $a = \sigma(z)$, all cached;
    2. backward: $\delta^{(L)}$ by BP1, divided by n so that everything after it is a mean; then BP2, layer by layer;
    3. gradients: BP3 and BP4 for each layer.

    Args:
        params: one `Dense` per layer.
        x: inputs, shape `(n, in)`.
        y: targets, shape `(n,)` for class indices or `(n, out)`.
        activation: σ of the hidden layers, or one for each of them.
        loss: the loss.
        weight: how much each example counts, shape `(n,)`; the mean is $\sum_i w_i C_i / \sum_i w_i$.
        dropout_rate: the probability to drop a hidden unit.
        key: randomness of dropout. `None` is evaluation: nothing is dropped.

    Returns:
        The mean loss, and gradients with the structure of `params`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import backprop, losses, mlp
        >>> params = mlp.init(jax.random.key(0), (2, 4, 1))
        >>> x, y = jnp.ones((3, 2)), jnp.zeros((3, 1))
        >>> value, grads = backprop.value_and_grad(params, x, y, loss=losses.half_squared_error)
        >>> jax.tree.structure(grads) == jax.tree.structure(params)
        True
    """
    L = len(params)
    sigma = mlp.per_layer(activation, hidden=L - 1)

    # forward, with cache
    def forward(x, key):
        return mlp.trace(params, x, activation=activation, dropout_rate=dropout_rate, key=key)

    keys = None if key is None else jax.random.split(key, len(x))
    a, z, masks = jax.vmap(forward)(x, keys)
    share = shares(weight, len(x), z[-1].dtype)
    value = share @ jax.vmap(loss.value)(z[-1], y)

    # backward
    delta: list[Any] = [None] * L
    delta[-1] = share[:, None] * jax.vmap(lambda z, y: bp1(z, y, loss=loss))(z[-1], y)
    for l in reversed(range(L - 1)):
        back = jax.vmap(lambda delta, z, l=l: bp2(params[l + 1].W, delta, z, activation=sigma[l]))
        delta[l] = back(delta[l + 1], z[l])
        if masks:
            delta[l] = delta[l] * masks[l]

    # gradients
    grads = tuple(Dense(W=bp3(delta[l], a[l]), b=bp4(delta[l])) for l in range(L))
    return value, jax.tree.map(lambda g, p: g.astype(p.dtype), grads, params)


def shares(weight: Array | None, n: int, dtype) -> Float[Array, " n"]:
    """What each example contributes to the mean: 1/n, or its weight over the sum of weights (0 if that is 0)."""
    if weight is None:
        return jnp.full(n, 1 / n, dtype)
    weight = weight.astype(dtype)
    total = jnp.sum(weight)
    return weight / jnp.where(total > 0, total, 1)


def supervised(
    *,
    activation: Activation | Sequence[Activation] = relu,
    loss: Loss,
    dropout_rate: float = 0.0,
    penalty: Penalty | None = None,
) -> Callable[[tuple[Dense, ...], Dataset, PRNGKey | None], tuple[Scalar, tuple[Dense, ...]]]:
    """Backpropagation in the form that training takes: `(params, batch, key) -> (value, grads)`.

    Interchangeable with `jax.value_and_grad(training.supervised(apply, loss, penalty=penalty))`, where `apply` is
    `mlp.apply` with the same activation and dropout rate: same masks for the same key, same value, same gradients.

    Args:
        activation: σ of the hidden layers, or one for each of them.
        loss: the loss.
        dropout_rate: the probability to drop a hidden unit.
        penalty: added to the mean loss, with its own gradient.

    Returns:
        A pure function of parameters, a batch `Dataset(x, y, weight)` and a key (`None`: no dropout).

    Example:
        >>> import jax
        >>> from mlpjax import backprop, data, losses, mlp
        >>> value_and_grad = backprop.supervised(loss=losses.sigmoid_squared_error)
        >>> params = mlp.init(jax.random.key(0), (2, 4, 1))
        >>> value, grads = jax.jit(value_and_grad)(params, data.toy.xor(), None)
        >>> grads[0].W.shape
        (4, 2)
    """
    sigma = activation if callable(activation) else tuple(activation)
    return Supervised(value_and_grad, sigma, loss, dropout_rate, penalty)


@jax.tree_util.register_static
@dataclass(frozen=True)
class Supervised:
    """What `supervised` makes: a value, so that equal parts never compile twice."""

    value_and_grad: Callable
    activation: Activation | tuple[Activation, ...]
    loss: Loss
    dropout_rate: float
    penalty: Penalty | None

    def __call__(self, params, batch, key):
        x, y, weight = batch
        settings: dict[str, Any] = dict(activation=self.activation, loss=self.loss, dropout_rate=self.dropout_rate)
        value, grads = self.value_and_grad(params, x, y, weight=weight, key=key, **settings)
        if self.penalty is None:
            return value, grads
        return value + self.penalty(params), jax.tree.map(jnp.add, grads, self.penalty.grad(params))
