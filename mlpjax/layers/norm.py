r"""Normalization: batch normalization, the one layer that sees a whole batch, and layer normalization.

Both subtract a mean, divide by a standard deviation, and then scale and shift by what they learn,

$$y = \gamma \odot \frac{x - \mu}{\sqrt{s^2 + \varepsilon}} + \beta .$$

They differ in what the mean is taken over: batch normalization over the batch, for each feature alone; layer
normalization over the features, for each example alone. So only the first has a state: the running means that take the
place of the batch's when there is no batch to speak of.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, DTypeLike

__all__ = ["Norm", "Running", "batch_apply", "batch_init", "layer_apply", "layer_init"]


class Norm(NamedTuple):
    """Parameters of a normalization.

    Attributes:
        gamma: the scale γ, shape `(size,)`.
        beta: the shift β, shape `(size,)`.
    """

    gamma: Float[Array, " size"]
    beta: Float[Array, " size"]


class Running(NamedTuple):
    """What batch normalization remembers of the batches that it was trained on. A state: no gradient moves it.

    Attributes:
        mean: running mean of each feature, shape `(size,)`.
        variance: running variance of each feature, shape `(size,)`.
    """

    mean: Float[Array, " size"]
    variance: Float[Array, " size"]


def layer_init(size: int, *, dtype: DTypeLike | None = None) -> Norm:
    """Parameters with which a normalization only normalizes: γ = 1, β = 0.

    Args:
        size: number of features.
        dtype: of the parameters; JAX's default float if left out.

    Returns:
        The parameters.

    Example:
        >>> from mlpjax.layers import norm
        >>> norm.layer_init(3).gamma.tolist()
        [1.0, 1.0, 1.0]
    """
    _check.count("size", size, 1, "It is the number of features.")
    return Norm(jnp.ones(size, dtype), jnp.zeros(size, dtype))


def batch_init(size: int, *, dtype: DTypeLike | None = None) -> tuple[Norm, Running]:
    """Parameters γ = 1, β = 0 and a state of mean 0 and variance 1.

    Args:
        size: number of features.
        dtype: of the parameters; JAX's default float if left out. The state is float32 where that is a half precision.

    Returns:
        The parameters, and the state for `model_state` of `training.start`.

    Example:
        >>> from mlpjax.layers import norm
        >>> params, running = norm.batch_init(3, dtype="bfloat16")
        >>> params.gamma.dtype.name, running.mean.dtype.name
        ('bfloat16', 'float32')
    """
    params = layer_init(size, dtype=dtype)
    wide = _wide(params.gamma)
    return params, Running(jnp.zeros_like(wide), jnp.ones_like(wide))


def batch_apply(
    params: Norm,
    running: Running,
    x: Float[Array, "n *middle size"],
    *,
    train: bool,
    decay: float = 0.9,
    epsilon: float = 1e-5,
) -> tuple[Float[Array, "n *middle size"], Running]:
    r"""Batch normalization of n examples, feature by feature.

    In training μ and s² are those of the batch (and of the middle axes, such as the pixels of a feature map),

    $$\mu = \frac1n\sum_i x_i, \qquad s^2 = \frac1n\sum_i (x_i - \mu)^2, \qquad
      y_i = \gamma\,\frac{x_i - \mu}{\sqrt{s^2 + \varepsilon}} + \beta ,$$

    and the state follows them: running mean ← d · running mean + (1 − d) · μ, and the running variance likewise with
    the unbiased $\tfrac{n}{n-1}s^2$, as the paper has it. At evaluation the state takes the place of μ and s² and stays
    as it is, so what an example gives does not depend on the others.

    Args:
        params: γ and β.
        running: the state, from `batch_init` or the last call.
        x: the batch, shape `(n, size)` or `(n, ..., size)`. Statistics of a half precision are taken in float32.
        train: whether the batch's own statistics are used. Static.
        decay: d, how much of the state stays; PyTorch's `momentum` is 1 − d.
        epsilon: ε ≥ 0, which keeps a feature that does not vary from being divided by 0.

    Returns:
        y, of shape and dtype of x, and the new state.

    Raises:
        ValueError: in training, if the batch holds one value per feature: it is its own mean, so y would be β; if
            `decay` is not in [0, 1] or `epsilon` is negative.

    Example:
        An objective with a state. `training.run` passes a key in training, and `None` when it evaluates.

        >>> import jax, optax
        >>> from mlpjax import data, losses, training
        >>> from mlpjax.activations import relu
        >>> from mlpjax.layers import dense, norm
        >>> def objective(params, running, batch, key):
        ...     hidden, scaling, last = params
        ...     z = jax.vmap(dense.apply, (None, 0))(hidden, batch.x)
        ...     z, running = norm.batch_apply(scaling, running, z, train=key is not None)
        ...     z = jax.vmap(dense.apply, (None, 0))(last, relu(z))
        ...     return jax.vmap(losses.binary_cross_entropy.value)(z, batch.y).mean(), running
        >>> key, optimizer = jax.random.key(0), optax.adam(0.1)
        >>> scaling, running = norm.batch_init(8)
        >>> params = dense.init(key, 2, 8), scaling, dense.init(key, 8, 1)
        >>> state = training.start(key, params, optimizer=optimizer, model_state=running)
        >>> how = dict(objective=objective, optimizer=optimizer)
        >>> state, history = training.run(state, data.toy.xor(), steps=100, **how)
        >>> bool(history.loss[-1] < 0.1), state.model_state.mean.shape
        (True, (8,))

    References:
        S. Ioffe, C. Szegedy: Batch normalization: accelerating deep network training, 2015.
    """
    _check_call(params, x, epsilon)
    if _check.concrete(decay) and not 0 <= float(decay) <= 1:
        raise ValueError(
            f"`decay` must lie in [0, 1]; got {decay}. It is how much of the state stays, 0.9 for example."
        )
    wide, axes, n = _wide(x), tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    if not train:
        mean, variance = (_rows(value, wide) for value in running)
        return _normalize(params, wide, mean, variance, epsilon).astype(x.dtype), running
    if n < 2:
        raise ValueError(
            f"`x` must hold at least two examples in training, or every feature is its own mean; got shape {x.shape}. "
            f"Take larger batches, or `train=False`."
        )
    mean, variance = jnp.mean(wide, axes, keepdims=True), jnp.var(wide, axes, keepdims=True)
    follow = lambda old, new: decay * old + (1 - decay) * new.reshape(old.shape).astype(old.dtype)
    state = Running(follow(running.mean, mean), follow(running.variance, variance * (n / (n - 1))))
    return _normalize(params, wide, mean, variance, epsilon).astype(x.dtype), state


def layer_apply(params: Norm, x: Float[Array, "... size"], *, epsilon: float = 1e-5) -> Float[Array, "... size"]:
    r"""Layer normalization of one example: the mean is taken over its features.

    $$\mu = \frac1m\sum_j x_j, \qquad s^2 = \frac1m\sum_j (x_j - \mu)^2, \qquad
      y = \gamma\odot\frac{x - \mu}{\sqrt{s^2 + \varepsilon}} + \beta$$

    Args:
        params: γ and β.
        x: shape `(size,)`; of an array with more axes each row is normalized by itself. Statistics of a half precision
            are taken in float32.
        epsilon: ε ≥ 0.

    Returns:
        y, of shape and dtype of x.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.layers import norm
        >>> norm.layer_apply(norm.layer_init(2), jnp.array([1.0, 3.0]), epsilon=0.0).tolist()
        [-1.0, 1.0]

    References:
        J. L. Ba, J. R. Kiros, G. E. Hinton: Layer normalization, 2016.
    """
    _check_call(params, x, epsilon)
    wide = _wide(x)
    mean, variance = jnp.mean(wide, -1, keepdims=True), jnp.var(wide, -1, keepdims=True)
    return _normalize(params, wide, mean, variance, epsilon).astype(x.dtype)


def _wide(x):
    """In float32 at least: a mean of many numbers, summed in half precision, would have hardly a digit right."""
    return x.astype(jnp.float32) if x.dtype.itemsize < 4 else x


def _rows(value, x):
    """One number per feature, as an array that broadcasts against x."""
    return jnp.expand_dims(value.astype(x.dtype), tuple(range(x.ndim - 1)))


def _normalize(params, x, mean, variance, epsilon):
    gamma, beta = (_rows(value, x) for value in params)
    return gamma * (x - mean) / jnp.sqrt(variance + epsilon) + beta


def _check_call(params, x, epsilon):
    _check.not_negative("epsilon", epsilon, "It is added to a variance.")
    if x.shape[-1:] != params.gamma.shape:
        raise ValueError(
            f"`x` must have its features on the last axis, {params.gamma.size} of them as `params` has; got shape "
            f"{x.shape}. `batch_init` and `layer_init` take the number of features."
        )
