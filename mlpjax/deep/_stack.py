"""Parameters with their inner layers stacked: from and to the ordinary tuple of layers."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from mlpjax import _check, trees
from mlpjax._types import DTypeLike, Initializer, PRNGKey
from mlpjax._values import With
from mlpjax.initializers import he_normal, zeros
from mlpjax.layers import Dense, dense
from mlpjax.regularizers import Penalty


class Deep(NamedTuple):
    """Parameters of a network whose layers between the first and the last are alike.

    Attributes:
        first: W of shape `(width, in)`.
        hidden: all layers between, stacked: W of shape `(layers, width, width)`, b of shape `(layers, width)`.
        last: W of shape `(out, width)`.
    """

    first: Dense
    hidden: Dense
    last: Dense


def init(
    key: PRNGKey,
    sizes: Sequence[int],
    *,
    weight_init: Initializer = he_normal,
    bias_init: Initializer = zeros,
    dtype: DTypeLike | None = None,
) -> Deep:
    """Parameters of a deep network, drawn for all inner layers at once.

    The numbers of `stack(mlp.init(key, sizes))`, bit for bit with JAX's default generator, from a program that does not
    grow with depth.

    Args:
        key: randomness; each layer gets a key of its own.
        sizes: inputs, then one width for each hidden layer, all the same, then outputs: `(784, 256, 256, 256, 10)`.
        weight_init: called as `(key, (out, in), dtype)` for each layer.
        bias_init: called as `(key, (out,), dtype)` for each layer.
        dtype: of the parameters; JAX's default float if left out.

    Raises:
        ValueError: if there is no hidden layer, or two differ in width.

    Example:
        >>> import jax
        >>> from mlpjax import deep
        >>> deep.init(jax.random.key(0), (2, *[8] * 100, 1)).hidden.W.shape
        (99, 8, 8)
    """
    _check.key("key", key)
    n, *widths, m = sizes = _check.sizes(sizes)
    if len(set(widths)) != 1:
        raise ValueError(f"`sizes` must have one width for all hidden layers; got {sizes}. `mlp.init` takes any sizes.")
    make = lambda n, m: lambda k: dense.init(k, n, m, weight_init=weight_init, bias_init=bias_init, dtype=dtype)
    (width, *_), keys = widths, jax.random.split(key, len(sizes) - 1)
    hidden = jax.vmap(make(width, width))(keys[1:-1])
    return Deep(make(n, width)(keys[0]), hidden, make(width, m)(keys[-1]))


def stack(params: tuple[Dense, ...]) -> Deep:
    """Stack the inner layers of a network; the inverse of `unstack`.

    Args:
        params: two layers or more; all but the first and the last square, of one shape and one dtype. Where nothing
            lies between the two, the stack has length 0.

    Raises:
        ValueError: if there are fewer than two layers, or one does not fit.

    Example:
        >>> import jax
        >>> from mlpjax import deep, mlp
        >>> deep.stack(mlp.init(jax.random.key(0), (2, 8, 8, 8, 1))).hidden.W.shape
        (2, 8, 8)
    """
    if len(params) < 2:
        raise ValueError(f"`params` must have a first and a last layer; got {len(params)}. `mlp.apply` takes one.")
    first, *inner, last = params
    width, dtype = first.W.shape[0], (inner or params)[0].W.dtype
    for i, layer in enumerate((*inner, last), 1):
        shape = (width if i <= len(inner) else layer.W.shape[0], width)
        if layer.W.shape != shape or (i <= len(inner) and layer.W.dtype != dtype):
            raise ValueError(
                f"layer {i} of `params` must have `W` of shape {shape} and dtype {dtype}, to stack all layers between "
                f"the first and the last; got {layer.W.shape} and {layer.W.dtype}. Give all hidden layers one width, "
                f"or use `mlp` and `backprop`, which take any."
            )
    if inner:
        return Deep(first, trees.stack(inner), last)
    return Deep(first, Dense(jnp.zeros((0, width, width), dtype), jnp.zeros((0, width), dtype)), last)


def unstack(params: Deep) -> tuple[Dense, ...]:
    """Take the stack apart again: the parameters that `mlp` and `backprop` know, bit for bit.

    Args:
        params: as `stack` or `init` makes them; gradients too.

    Example:
        >>> import jax
        >>> from mlpjax import deep, mlp
        >>> mlp.sizes(deep.unstack(deep.init(jax.random.key(0), (2, 8, 8, 8, 1))))
        (2, 8, 8, 8, 1)
    """
    inner = map(Dense, jnp.unstack(params.hidden.W), jnp.unstack(params.hidden.b))
    return (params.first, *inner, params.last)


def by_layer(penalty: Penalty) -> Penalty:
    r"""A penalty of stacked parameters: the sum of what it is for each layer alone.

    $$R(\theta) = \sum_l R\bigl((W^{(l)}, b^{(l)})\bigr)$$

    Penalties take for weights whatever has two axes or more, and stacked biases have two. So in
    `training.supervised(deep.apply, loss, penalty=...)` give them through this; `deep.supervised` does it by itself.

    Args:
        penalty: of a tuple of layers, as L1 and L2 are. One that is no sum over layers must be written of
            `deep.unstack(params)`, at the price of a program that grows with depth.

    Returns:
        The penalty of a `Deep`; equal for equal penalties.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import deep, regularizers
        >>> from mlpjax.layers import Dense
        >>> layer = Dense(jnp.zeros((2, 2)), jnp.ones(2))
        >>> float(deep.by_layer(regularizers.l2(1.0))(deep.stack((layer, layer, layer))))
        0.0
    """
    return Penalty(penalty.name, With(_penalty, (penalty,)), With(_penalty_grad, (penalty,)))


def _penalty(params, penalty):
    of_one = lambda layer: penalty((layer,))
    return of_one(params.first) + jnp.sum(jax.vmap(of_one)(params.hidden)) + of_one(params.last)


def _penalty_grad(params, penalty):
    of_one = lambda layer: penalty.grad((layer,))[0]
    return Deep(of_one(params.first), jax.vmap(of_one)(params.hidden), of_one(params.last))
