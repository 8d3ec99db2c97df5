r"""Arithmetic of networks: compose, run side by side, add, scale and lengthen them, exactly (UAT6).

A network is the tuple of `Dense` that `mlp.apply` takes, and so is every result. Each docstring tells its depth L,
which counts the layers, and its sizes $(n_0, \dots, n_L)$. Everything can be jitted, mapped and differentiated.

```python
>>> import jax.numpy as jnp
>>> from mlpjax import mlp
>>> from mlpjax.theory import calculus, relu
>>> norm = calculus.compose(relu.maximum(), calculus.parallel(relu.absolute(), relu.absolute()))
>>> mlp.sizes(norm), mlp.apply(norm, jnp.asarray([2.0, -5.0])).tolist()     # max(|x₁|, |x₂|)
((2, 4, 3, 1), [5.0])

```

`pad`, and with it the joining of networks of unequal depth, adds units of `relu.identity`, so it is for ReLU in the
hidden layers; everything else holds for every activation. Rounded are the product of the two matrices that touch in
`compose`, the sum of the last biases in `add`, and multiples in `scale`. The others only place numbers beside zeros.
Still the last bits may differ: the compiler may add up a longer row in another order.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Float

from mlpjax import _check, mlp
from mlpjax._types import Array, Scalar
from mlpjax.layers.dense import Dense

__all__ = ["add", "affine", "compose", "fork", "pad", "parallel", "scale"]


def affine(W: Float[Array, "out in"], b: Float[Array, " out"]) -> tuple[Dense]:
    r"""An affine map as a network of one layer (UAT6).

    $$x \mapsto Wx + b, \qquad L = 1$$

    Args:
        W: shape `(out, in)`.
        b: shape `(out,)`.

    Returns:
        One layer.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import calculus
        >>> mlp.apply(calculus.affine(2.0 * jnp.eye(2), jnp.ones(2)), jnp.asarray([1.0, 3.0])).tolist()
        [3.0, 7.0]
    """
    if W.ndim != 2 or b.shape != W.shape[:1]:
        raise ValueError(f"`W` must have shape (out, in) and `b` (out,); got {W.shape} and {b.shape}. Reshape them.")
    return (Dense(W, b),)


def compose(outer: tuple[Dense, ...], inner: tuple[Dense, ...]) -> tuple[Dense, ...]:
    r"""One network after another: x ↦ outer(inner(x)) (UAT6).

    Between the last layer (W, b) of `inner` and the first one (V, c) of `outer` is no activation; they become one:

    $$V(Wa + b) + c = (VW)\,a + (Vb + c), \qquad L = L_{\text{outer}} + L_{\text{inner}} - 1$$

    Args:
        outer: applied second.
        inner: applied first, with as many outputs as `outer` has inputs.

    Returns:
        Parameters whose sizes are those of `inner` without its output, then those of `outer` without its input.

    Raises:
        ValueError: if the sizes do not fit.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import calculus, relu
        >>> difference = calculus.affine(jnp.asarray([[1.0, -1.0]]), jnp.zeros(1))
        >>> mlp.apply(calculus.compose(relu.absolute(), difference), jnp.asarray([2.0, 5.0])).tolist()
        [3.0]
    """
    given, wanted = mlp.sizes(inner)[-1], mlp.sizes(outer)[0]
    if given != wanted:
        raise ValueError(
            f"`outer` must have as many inputs as `inner` has outputs; got {wanted} inputs and {given} outputs. "
            f"Put an `affine` map between them, or exchange the two: `outer` is applied second."
        )
    (V, c), (W, b) = outer[0], inner[-1]
    touching = Dense(jnp.matmul(V, W, precision="highest"), jnp.matmul(V, b, precision="highest") + c)
    return (*inner[:-1], touching, *outer[1:])


def parallel(*networks: tuple[Dense, ...]) -> tuple[Dense, ...]:
    r"""Networks side by side: (x₁, …, x_k) ↦ (N₁(x₁), …, N_k(x_k)) (UAT6).

    $$W^{(l)} = \begin{bmatrix} W_1^{(l)} & & \\ & \ddots & \\ & & W_k^{(l)} \end{bmatrix}, \qquad
      b^{(l)} = \begin{bmatrix} b_1^{(l)} \\ \vdots \\ b_k^{(l)} \end{bmatrix}, \qquad L = \max_i L_i$$

    Args:
        *networks: one or more; shorter ones are padded to the greatest depth first (for ReLU).

    Returns:
        Parameters whose sizes are the sums of those of the padded networks, layer by layer.

    Raises:
        ValueError: if there are none.

    Example:
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import calculus, relu
        >>> mlp.sizes(calculus.parallel(relu.maximum(), relu.absolute()))
        (3, 5, 2)
    """
    return tuple(map(_side_by_side, zip(*_equally_deep(networks), strict=True)))


def fork(*networks: tuple[Dense, ...]) -> tuple[Dense, ...]:
    r"""Networks on one input, their outputs side by side: x ↦ (N₁(x), …, N_k(x)) (UAT6).

    The first layers stand one below the other, the later ones as in `parallel`; $L = \max_i L_i$.

    Args:
        *networks: one or more with equally many inputs; shorter ones are padded (for ReLU).

    Returns:
        Parameters whose sizes are the sums of those of the padded networks, except for the input.

    Raises:
        ValueError: if there are none, or they differ in the number of inputs.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import calculus, relu
        >>> mlp.apply(calculus.fork(relu.maximum(), relu.minimum()), jnp.asarray([3.0, 8.0])).tolist()
        [8.0, 3.0]
    """
    _same("inputs", [mlp.sizes(network)[0] for network in networks])
    first, *later = zip(*_equally_deep(networks), strict=True)
    return (Dense(*map(jnp.concatenate, zip(*first, strict=True))), *map(_side_by_side, later))


def add(*networks: tuple[Dense, ...]) -> tuple[Dense, ...]:
    r"""The sum of networks: x ↦ N₁(x) + … + N_k(x), which is $[I \cdots I]$ after `fork`; $L = \max_i L_i$ (UAT6).

    Args:
        *networks: one or more with equal numbers of inputs, and of outputs; shorter ones are padded (for ReLU).

    Returns:
        Parameters whose sizes are the sums of those of the padded networks, except for input and output.

    Raises:
        ValueError: if there are none, or they differ in the number of inputs or outputs.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import calculus, relu
        >>> mlp.apply(calculus.add(relu.absolute(), relu.identity()), jnp.asarray([-3.0])).tolist()
        [0.0]
    """
    forked, outputs = fork(*networks), [mlp.sizes(network)[-1] for network in networks]
    _same("outputs", outputs)
    one = jnp.eye(outputs[0], dtype=forked[-1].W.dtype)
    return compose(affine(jnp.concatenate([one] * len(outputs), axis=1), jnp.zeros_like(one[0])), forked)


def scale(network: tuple[Dense, ...], factor: float | Scalar) -> tuple[Dense, ...]:
    r"""A multiple of a network: x ↦ c N(x) (UAT6).

    $$W^{(L)} \to c\,W^{(L)}, \qquad b^{(L)} \to c\,b^{(L)}$$

    Args:
        network: N.
        factor: c.

    Returns:
        The same sizes.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import calculus, relu
        >>> mlp.apply(calculus.scale(relu.hat(), -2.0), jnp.zeros(1)).tolist()
        [-2.0]
    """
    (W, b), c = network[-1], jnp.asarray(factor, network[-1].W.dtype)
    return (*network[:-1], Dense(c * W, c * b))


def pad(network: tuple[Dense, ...], layers: int) -> tuple[Dense, ...]:
    r"""The same function with more layers, for ReLU in the hidden ones (UAT6).

    The last layer is computed with both signs; both parts are rectified, passed on, and joined at the end:

    $$z = \begin{bmatrix} I & -I \end{bmatrix} \operatorname{ReLU}\bigl(I \operatorname{ReLU}\bigl(\cdots
        \operatorname{ReLU}\Bigl(\begin{bmatrix} I \\ -I \end{bmatrix} z\Bigr)\bigr)\bigr),
        \qquad z = W^{(L)} a^{(L-1)} + b^{(L)}$$

    In between, ReLU meets no negative number. Nothing is rounded: one part is the magnitude of z, the other is 0.

    Args:
        network: L layers.
        layers: how many there shall be, at least L.

    Returns:
        Parameters of sizes $(n_0, \dots, n_{L-1}, 2n_L, \dots, 2n_L, n_L)$, with $2n_L$ once for each new layer.

    Raises:
        ValueError: if there are more already.

    Example:
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import calculus, relu
        >>> mlp.sizes(calculus.pad(relu.maximum(), 4))
        (2, 3, 2, 2, 1)
    """
    _check.count("layers", layers, len(network), f"The network has {len(network)} layers; `pad` only adds to them.")
    if layers == len(network):
        return network
    W, b = network[-1]
    one, zero = jnp.eye(2 * len(b), dtype=W.dtype), jnp.zeros(2 * len(b), W.dtype)
    parts = Dense(jnp.concatenate([W, -W]), jnp.concatenate([b, -b]))
    join = Dense(one[: len(b)] - one[len(b) :], zero[: len(b)])
    return (*network[:-1], parts, *[Dense(one, zero)] * (layers - len(network) - 1), join)


def _equally_deep(networks: Sequence[tuple[Dense, ...]]) -> tuple[tuple[Dense, ...], ...]:
    if not networks:
        raise ValueError("`networks` must be one network or more; got none. Pass them as a sequence.")
    return tuple(pad(network, max(map(len, networks))) for network in networks)


def _same(what: str, counts: list[int]) -> None:
    if len(set(counts)) > 1:
        raise ValueError(f"`networks` must have equally many {what}; got {counts}. For different inputs: `parallel`.")


def _side_by_side(layers: Sequence[Dense]) -> Dense:
    dtype, at = jnp.result_type(*(W for W, _ in layers)), (0, 0)
    together = jnp.zeros(tuple(sum(n) for n in zip(*(W.shape for W, _ in layers), strict=True)), dtype)
    for W, _ in layers:
        together = jax.lax.dynamic_update_slice(together, W.astype(dtype), at)
        at = (at[0] + W.shape[0], at[1] + W.shape[1])
    return Dense(together, jnp.concatenate([b for _, b in layers]))
