"""How much a layer can pass on: Jacobians, their singular values, and the bounds that they give."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float, Num

from mlpjax import mlp
from mlpjax._types import Array, Scalar
from mlpjax.activations import Activation, relu, sigmoid
from mlpjax.backprop import bp1
from mlpjax.gradflow._flow import norm, steep
from mlpjax.layers import Dense
from mlpjax.losses import Loss


class Spectra(NamedTuple):
    """Singular values, the largest first.

    Attributes:
        layers: of the Jacobian of each layer.
        whole: of the Jacobian of the network, from its input to its logits.
    """

    layers: tuple[Array, ...]
    whole: Array


def best_case(
    layers: int | Array, *, activation: Activation = sigmoid, weight_norm: float | Array = 1.0
) -> Float[Array, "..."]:
    r"""The most that is left of an error after it went back through some layers (VAN1).

    $$\frac{\|\delta^{(l)}\|}{\|\delta^{(l+k)}\|} \le \bigl(\sup|\sigma'| \cdot \omega\bigr)^k,
      \qquad \|W\|_2 \le \omega$$

    With sigmoids and ω = 1 this is $(1/4)^k$.

    Args:
        layers: k ≥ 0, how many, or an array of such numbers.
        activation: σ.
        weight_norm: ω, at least the spectral norm of every weight on the way.

    Returns:
        The factor, of the shape that the arguments have together.

    Raises:
        ValueError: if the activation does not say how steep it is at most.

    Example:
        >>> from mlpjax import gradflow
        >>> float(gradflow.best_case(3))
        0.015625
    """
    (sigma,) = steep(activation, hidden=1)
    factor = sigma.lipschitz * jnp.asarray(weight_norm)
    return factor ** jnp.asarray(layers, factor.dtype)


def jacobians(
    params: tuple[Dense, ...], x: Float[Array, " in"], *, activation: Activation | Sequence[Activation] = relu
) -> tuple[Array, ...]:
    r"""The Jacobian of each layer at what it is given, for one example (VAN2).

    $$J_l = \frac{\partial a^{(l)}}{\partial a^{(l-1)}} = \operatorname{diag}\bigl(\sigma'(z^{(l)})\bigr)\, W^{(l)},
      \qquad J_L = W^{(L)}$$

    Their product $J_L \cdots J_1$ is the Jacobian of the network.

    Args:
        params: one `Dense` per layer.
        x: one example, shape `(in,)`.
        activation: σ of the hidden layers, or one for each of them.

    Returns:
        One matrix of the shape of W for each layer; of the last one, which has no activation, W itself.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import gradflow, mlp
        >>> params = mlp.init(jax.random.key(0), (2, 8, 1))
        >>> [J.shape for J in gradflow.jacobians(params, jnp.ones(2))]
        [(8, 2), (1, 8)]
    """
    sigma = mlp.per_layer(activation, hidden=len(params) - 1)
    z = mlp.trace(params, x, activation=sigma).z
    hidden = [s.prime(z)[:, None] * layer.W for s, z, layer in zip(sigma, z, params, strict=False)]
    return (*hidden, params[-1].W)


def spectra(
    params: tuple[Dense, ...], x: Float[Array, " in"], *, activation: Activation | Sequence[Activation] = relu
) -> Spectra:
    """The singular values of the Jacobian of each layer and of the whole network, for one example (VAN3).

    The largest is what a direction is stretched by at most, on the way forward as on the way back. Where those of the
    network spread over many powers of ten, few directions of the input have any effect.

    Args:
        params: one `Dense` per layer.
        x: one example, shape `(in,)`.
        activation: σ of the hidden layers, or one for each of them.

    Returns:
        See `Spectra`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import gradflow, initializers, mlp
        >>> from mlpjax.activations import identity
        >>> params = mlp.init(jax.random.key(0), (4, 4, 4), weight_init=initializers.orthogonal)
        >>> s = gradflow.spectra(params, jnp.ones(4), activation=identity).whole
        >>> bool(jnp.allclose(s, jnp.ones(4), atol=1e-5))
        True
    """
    layers = jacobians(params, x, activation=activation)
    whole = layers[0]
    for J in layers[1:]:
        whole = J @ whole
    values = lambda J: jnp.linalg.svd(J, compute_uv=False)
    return Spectra(tuple(values(J) for J in layers), values(whole))


def bound(
    params: tuple[Dense, ...],
    x: Float[Array, " in"],
    y: Num[Array, "..."],
    *,
    activation: Activation | Sequence[Activation] = relu,
    loss: Loss,
) -> Float[Array, " layers"]:
    r"""What the gradient of each layer cannot exceed, for one example (VAN2).

    $$\|\nabla_{\theta_j} C\| \le \|J_{\theta_j}F_{\theta_j}\|_2 \prod_{l>j} \|J_l\|_2 \cdot \|\delta^{(L)}\|,
      \qquad \|J_{\theta_j}F_{\theta_j}\|_2 = \max_i |\sigma'(z^{(j)}_i)| \cdot \sqrt{\|a^{(j-1)}\|^2 + 1}$$

    with $\theta_j = (W^{(j)}, b^{(j)})$ and norms over all of their entries.

    Args:
        params: one `Dense` per layer.
        x: one example, shape `(in,)`.
        y: its target: a class index or a vector.
        activation: σ of the hidden layers, or one for each of them.
        loss: the loss.

    Returns:
        One bound for each layer.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import gradflow, losses, mlp
        >>> params = mlp.init(jax.random.key(0), (2, 8, 8, 1))
        >>> x, y = jnp.ones(2), jnp.zeros(1)
        >>> gradflow.bound(params, x, y, loss=losses.half_squared_error).shape
        (3,)
    """
    sigma = mlp.per_layer(activation, hidden=len(params) - 1)
    a, z, _ = mlp.trace(params, x, activation=sigma)
    slopes = [jnp.max(jnp.abs(s.prime(z))) for s, z in zip(sigma, z, strict=False)]
    own = [slope * _with_bias(a) for slope, a in zip((*slopes, jnp.ones_like(x[0])), a, strict=True)]
    behind = norm(bp1(z[-1], y, loss=loss))
    bounds = []
    for J, factor in zip(reversed(jacobians(params, x, activation=sigma)), reversed(own), strict=True):
        bounds.append(factor * behind)
        behind = jnp.linalg.norm(J, 2) * behind
    return jnp.stack(bounds[::-1])


def _with_bias(a: Array) -> Scalar:
    """‖(a, 1)‖: a bias is a weight on a constant input 1 (BP12)."""
    return norm(jnp.append(a, jnp.ones_like(a[0])))
