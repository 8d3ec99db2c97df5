r"""The multilayer perceptron: `init` makes parameters, `apply` is the network, `trace` keeps every step of it.

Parameters are a tuple of `Dense(W, b)`, nothing else: differentiate, map, stack, save them with the tools for pytrees.
`params[l]` is layer l + 1 of the mathematics. One function sees one example; `jax.vmap` makes batches:

```python
>>> import jax, jax.numpy as jnp
>>> from mlpjax import mlp
>>> params = mlp.init(jax.random.key(0), (784, 128, 10))
>>> x = jnp.zeros((32, 784))
>>> jax.vmap(mlp.apply, in_axes=(None, 0))(params, x).shape
(32, 10)

```
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
from jaxtyping import Float

from mlpjax import _check, _text
from mlpjax._types import Array, DTypeLike, Initializer, PRNGKey
from mlpjax.activations import Activation, relu
from mlpjax.initializers import he_normal, zeros
from mlpjax.layers import dense, dropout
from mlpjax.layers.dense import Dense

__all__ = ["Trace", "apply", "from_paths", "init", "sizes", "trace"]


class Trace(NamedTuple):
    r"""What the forward pass caches for the backward pass (FWD6), layer by layer.

    Attributes:
        a: the input of each layer: `a[0]` is x, `a[l]` is $a^{(l)}$.
        z: the pre-activation of each layer: `z[l]` is $z^{(l+1)}$, and `z[-1]` holds the logits.
        masks: what dropout multiplied each hidden activation by; empty without dropout.
    """

    a: tuple[Array, ...]
    z: tuple[Array, ...]
    masks: tuple[Array, ...] = ()


def init(
    key: PRNGKey,
    sizes: Sequence[int],
    *,
    weight_init: Initializer = he_normal,
    bias_init: Initializer = zeros,
    dtype: DTypeLike | None = None,
) -> tuple[Dense, ...]:
    """Parameters of a multilayer perceptron.

    Args:
        key: randomness; each layer gets a key of its own.
        sizes: numbers of units, inputs first, outputs last: `(784, 128, 10)`.
        weight_init: called as `(key, (out, in), dtype)` for each layer.
        bias_init: called as `(key, (out,), dtype)` for each layer.
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        One `Dense` per layer.

    Raises:
        ValueError: if there are fewer than two sizes, or one is not a positive integer.

    Example:
        >>> import jax
        >>> from mlpjax import mlp
        >>> [layer.W.shape for layer in mlp.init(jax.random.key(0), (2, 4, 1))]
        [(4, 2), (1, 4)]
    """
    _check.key("key", key)
    sizes = _check.sizes(sizes)
    keys = jax.random.split(key, len(sizes) - 1)
    return tuple(
        dense.init(k, n, m, weight_init=weight_init, bias_init=bias_init, dtype=dtype)
        for k, n, m in zip(keys, sizes, sizes[1:], strict=False)
    )


def trace(
    params: tuple[Dense, ...],
    x: Float[Array, " in"],
    *,
    activation: Activation | Sequence[Activation] = relu,
    dropout_rate: float = 0.0,
    key: PRNGKey | None = None,
) -> Trace:
    r"""The forward pass of one example with everything it computes on the way (FWD1, FWD2, FWD6).

    $$a^{(0)} = x, \qquad z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)}, \qquad a^{(l)} = \sigma^{(l)}(z^{(l)})$$

    Args:
        params: one `Dense` per layer.
        x: one example, shape `(in,)`.
        activation: σ of the hidden layers, or one for each of them.
        dropout_rate: the probability to drop a hidden unit.
        key: randomness of dropout. `None` is evaluation: nothing is dropped.

    Returns:
        Every $a^{(l)}$ and $z^{(l)}$; the last z are the logits, to which no activation is applied.

    Raises:
        ValueError: if x is not one example of the right width, or the number of activations is wrong.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> steps = mlp.trace(mlp.init(jax.random.key(0), (2, 4, 1)), jnp.ones(2))
        >>> [a.shape for a in steps.a], [z.shape for z in steps.z]
        ([(2,), (4,)], [(4,), (1,)])
    """
    _check_example(params, x)
    activations = per_layer(activation, hidden=len(params) - 1)
    a, z, masks = [x], [dense.apply(params[0], x)], []
    keys = _dropout_keys(key, dropout_rate, len(activations))
    for layer, sigma, k in zip(params[1:], activations, keys, strict=True):
        a.append(sigma(z[-1]))
        if k is not None:
            masks.append(dropout.mask(k, a[-1].shape, rate=dropout_rate, dtype=a[-1].dtype))
            a[-1] = a[-1] * masks[-1]
        z.append(dense.apply(layer, a[-1]))
    return Trace(tuple(a), tuple(z), tuple(masks))


def apply(
    params: tuple[Dense, ...],
    x: Float[Array, " in"],
    *,
    activation: Activation | Sequence[Activation] = relu,
    dropout_rate: float = 0.0,
    key: PRNGKey | None = None,
) -> Float[Array, " out"]:
    r"""The network as a map (FWD3).

    $$N_\theta = A_L \circ \sigma \circ A_{L-1} \circ \dots \circ \sigma \circ A_1, \qquad A_l(a) = W^{(l)}a + b^{(l)}$$

    Args:
        params: one `Dense` per layer; a single one is a linear model, one hidden layer a shallow network (FWD4).
        x: one example, shape `(in,)`. For a batch: `jax.vmap(mlp.apply, in_axes=(None, 0))(params, x)`.
        activation: σ of the hidden layers, or one for each of them.
        dropout_rate: the probability to drop a hidden unit.
        key: randomness of dropout. `None` is evaluation: nothing is dropped.

    Returns:
        The logits $z^{(L)}$, shape `(out,)`. The output non-linearity belongs to the loss: `loss.output(logits)`.

    Raises:
        ValueError: if x is not one example of the right width, or the number of activations is wrong.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> mlp.apply(mlp.init(jax.random.key(0), (2, 4, 3)), jnp.ones(2)).shape
        (3,)
    """
    return trace(params, x, activation=activation, dropout_rate=dropout_rate, key=key).z[-1]


def sizes(params: tuple[Dense, ...]) -> tuple[int, ...]:
    """The sizes that `init` was given, read off the parameters.

    Args:
        params: one `Dense` per layer.

    Returns:
        Inputs first, outputs last.

    Example:
        >>> import jax
        >>> from mlpjax import mlp
        >>> mlp.sizes(mlp.init(jax.random.key(0), (2, 4, 1)))
        (2, 4, 1)
    """
    return (params[0].W.shape[-1], *(layer.W.shape[-2] for layer in params))


def from_paths(leaves: Mapping[str, Array], prefix: str = "") -> tuple[Dense, ...]:
    """Parameters from arrays named by their paths, as `checkpoint.read` returns them.

    Args:
        leaves: arrays under `0/W`, `0/b`, `1/W`, …; other names are passed over if there is a prefix.
        prefix: what the names begin with, such as `"params/"`.

    Returns:
        One `Dense` per layer.

    Raises:
        ValueError: if a layer is incomplete, numbers have gaps, nothing is under the prefix, or shapes do not fit.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> mlp.sizes(mlp.from_paths({"0/W": jnp.ones((3, 2)), "0/b": jnp.ones(3)}))
        (2, 3)
    """
    found = {name.removeprefix(prefix): leaf for name, leaf in leaves.items() if name.startswith(prefix)}
    count = max(1, len({name.partition("/")[0] for name in found}))  # not the largest number, which may be anything
    wanted = {f"{i}/{field}" for i in range(count) for field in "Wb"}
    if wanted != set(found):
        missing, extra = (_text.listed(sorted(names)) for names in (wanted - set(found), set(found) - wanted))
        raise ValueError(
            f"`leaves` must hold W and b of every layer under {prefix + '0/W'!r}, {prefix + '0/b'!r}, …; "
            f"missing: {missing or 'none'}, extra: {extra or 'none'}. Is the prefix right?"
        )
    return _check.chain("leaves", tuple(Dense(found[f"{i}/W"], found[f"{i}/b"]) for i in range(count)))


def per_layer(activation: Activation | Sequence[Activation], *, hidden: int) -> tuple[Activation, ...]:
    """One activation for each hidden layer, from one for all or one for each."""
    if isinstance(activation, str):
        raise TypeError(
            f"`activation` must be a function; got {activation!r}: `activations.by_name` looks one up by name."
        )
    if callable(activation):
        return (activation,) * hidden
    if len(activation) != hidden:
        raise ValueError(
            f"`activation` must be one function or one for each of the {hidden} hidden layers; got {len(activation)}. "
            f"The output layer takes none: it returns logits."
        )
    return tuple(activation)


def _check_example(params: tuple[Dense, ...], x: Array) -> None:
    if x.ndim != 1:
        raise ValueError(
            f"`x` must be one example of shape ({params[0].W.shape[1]},); got shape {x.shape}. For a batch write "
            f"`jax.vmap(mlp.apply, in_axes=(None, 0))(params, x)`."
        )
    _check.not_bytes("x", x)
    widths = (x.shape[0], *(layer.W.shape[0] for layer in params))
    for i, (layer, width) in enumerate(zip(params, widths, strict=False)):
        if layer.W.shape[1] != width:
            raise ValueError(
                f"layer {i} of `params` expects {layer.W.shape[1]} inputs (its `W` has shape {layer.W.shape}), but "
                f"{'`x` has' if i == 0 else f'layer {i - 1} returns'} {width}. Initialize with sizes that fit: "
                f"the first size is the width of `x`."
            )


def _dropout_keys(key: PRNGKey | None, rate: float, hidden: int) -> Sequence[PRNGKey | None]:
    _check.probability("dropout_rate", rate)
    if key is None or hidden == 0 or (_check.concrete(rate) and rate == 0.0):
        return [None] * hidden
    return list(jax.random.split(key, hidden))
