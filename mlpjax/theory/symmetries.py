r"""Changes of the parameters that do not change the network (GD4).

A hidden layer does not know the order of its units, and an odd or homogeneous activation lets signs or positive factors
wander from the weights into a unit to the weights out of it. Each function here is such an identity: the parameters
differ, the map is the same, and with it every loss.
"""

import jax.numpy as jnp
from jaxtyping import Float, Int

from mlpjax import _check
from mlpjax._types import Array
from mlpjax.layers.dense import Dense

__all__ = ["flip_signs", "permute", "rescale"]


def permute(params: tuple[Dense, ...], layer: int, permutation: Int[Array, " units"]) -> tuple[Dense, ...]:
    r"""Reorder the units of a hidden layer; any activation (GD4).

    $$W^{(l)} \to P W^{(l)}, \qquad b^{(l)} \to P b^{(l)}, \qquad W^{(l+1)} \to W^{(l+1)} P^\top$$

    Since $\sigma$ acts entry by entry, $\sigma(Pz) = P\sigma(z)$, and $P^\top P = I$.

    Args:
        params: one `Dense` per layer.
        layer: the hidden layer l, from 1 to L − 1.
        permutation: which unit comes to each place; every index from 0 to units − 1 once.

    Returns:
        Parameters of the same network.

    Raises:
        ValueError: there is no such hidden layer, or `permutation` is none of its units.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import symmetries
        >>> params = mlp.init(jax.random.key(0), (2, 3, 1))
        >>> twin = symmetries.permute(params, 1, jnp.asarray([2, 0, 1]))
        >>> bool(jnp.allclose(mlp.apply(twin, jnp.ones(2)), mlp.apply(params, jnp.ones(2))))
        True
    """
    _check_units(params, layer, "permutation", permutation)
    if _check.concrete(permutation) and sorted(permutation.tolist()) != list(range(permutation.size)):
        raise ValueError(
            f"`permutation` must hold every index from 0 to {permutation.size - 1} once; got {permutation.tolist()}. "
            f"For instance `jax.random.permutation(key, {permutation.size})`."
        )
    into, out = params[layer - 1], params[layer]
    into, out = Dense(into.W[permutation], into.b[permutation]), Dense(out.W[:, permutation], out.b)
    return (*params[: layer - 1], into, out, *params[layer + 1 :])


def flip_signs(params: tuple[Dense, ...], layer: int, signs: Float[Array, " units"]) -> tuple[Dense, ...]:
    r"""Change the sign of units of a hidden layer whose activation is odd, such as tanh (GD4).

    $$W^{(l)} \to S W^{(l)}, \qquad b^{(l)} \to S b^{(l)}, \qquad W^{(l+1)} \to W^{(l+1)} S, \qquad S_{ii} = \pm 1$$

    Since $\sigma(-z) = -\sigma(z)$, $\sigma(Sz) = S\sigma(z)$, and $S^2 = I$. In floating-point arithmetic too, bit for
    bit.

    Args:
        params: one `Dense` per layer.
        layer: the hidden layer l, from 1 to L − 1.
        signs: 1 or −1 for each unit.

    Returns:
        Parameters of the same network, if σ of this layer is odd.

    Raises:
        ValueError: there is no such hidden layer, or `signs` are not ±1 for each of its units.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import activations, mlp
        >>> from mlpjax.theory import symmetries
        >>> params = mlp.init(jax.random.key(0), (2, 3, 1))
        >>> twin = symmetries.flip_signs(params, 1, jnp.asarray([1.0, -1.0, -1.0]))
        >>> z = [mlp.apply(p, jnp.ones(2), activation=activations.tanh) for p in (params, twin)]
        >>> bool(z[0] == z[1])
        True
    """
    _check_units(params, layer, "signs", signs)
    if _check.concrete(signs) and not bool(jnp.all(jnp.abs(signs) == 1)):
        raise ValueError(f"`signs` must be 1 or −1 for each unit; got {signs.tolist()}. For other factors: `rescale`.")
    return _scale(params, layer, signs, signs)


def rescale(params: tuple[Dense, ...], layer: int, factors: Float[Array, " units"]) -> tuple[Dense, ...]:
    r"""Scale units of a hidden layer whose activation is positively homogeneous, such as ReLU (GD4).

    $$W^{(l)} \to D W^{(l)}, \qquad b^{(l)} \to D b^{(l)}, \qquad W^{(l+1)} \to W^{(l+1)} D^{-1}, \qquad D_{ii} > 0$$

    Since $\sigma(cz) = c\,\sigma(z)$ for $c > 0$, $\sigma(Dz) = D\sigma(z)$: a continuum of parameters for one map.

    Args:
        params: one `Dense` per layer.
        layer: the hidden layer l, from 1 to L − 1.
        factors: a positive factor for each unit. Powers of 2 change no bit of the output.

    Returns:
        Parameters of the same network, if σ of this layer is positively homogeneous.

    Raises:
        ValueError: there is no such hidden layer, or `factors` are not positive and finite, one for each of its units.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import symmetries
        >>> params = mlp.init(jax.random.key(0), (2, 3, 1))
        >>> twin = symmetries.rescale(params, 1, jnp.asarray([2.0, 0.5, 8.0]))
        >>> bool(mlp.apply(twin, jnp.ones(2)) == mlp.apply(params, jnp.ones(2)))
        True
    """
    _check_units(params, layer, "factors", factors)
    if _check.concrete(factors) and not bool(jnp.all((factors > 0) & jnp.isfinite(factors))):
        raise ValueError(
            f"`factors` must be positive and finite; got {factors.tolist()}. For signs, where σ is odd: `flip_signs`."
        )
    factors = factors.astype(params[layer - 1].W.dtype)
    return _scale(params, layer, factors, 1 / factors)


def _scale(params, layer, before, after):
    into, out = params[layer - 1], params[layer]
    before, after = before.astype(into.W.dtype), after.astype(into.W.dtype)
    into, out = Dense(before[:, None] * into.W, before * into.b), Dense(out.W * after[None, :], out.b)
    return (*params[: layer - 1], into, out, *params[layer + 1 :])


def _check_units(params, layer, name, value):
    if len(params) < 2:
        raise ValueError(
            f"`params` must have a hidden layer, so at least two layers; got {len(params)}. One layer has no units to "
            f"exchange."
        )
    if not 1 <= layer < len(params):
        raise ValueError(
            f"`layer` must be a hidden layer, from 1 to {len(params) - 1} for these parameters; got {layer}. Layer 0 "
            f"is the input."
        )
    units = params[layer - 1].b.size
    if value.shape != (units,):
        raise ValueError(
            f"`{name}` must have shape ({units},), an entry for each unit of layer {layer}; got {value.shape}. Is "
            f"`layer` the one you mean?"
        )
