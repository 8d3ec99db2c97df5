"""Softmax: not elementwise, so a function with a Jacobian instead of an `Activation`."""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from mlpjax._types import Array


def softmax(z: Float[Array, " classes"]) -> Float[Array, " classes"]:
    r"""Probabilities from logits (ACT7).

    $$p_j = \frac{e^{z_j}}{\sum_k e^{z_k}}$$

    Not elementwise, hence no `Activation`. Unchanged when a constant is added to all logits, which is how it is
    evaluated without overflow: the largest logit is subtracted first.

    Args:
        z: logits, shape `(K,)`.

    Returns:
        Probabilities that sum to 1, shape `(K,)`.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.activations import softmax
        >>> softmax(jnp.zeros(4)).tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    return jax.nn.softmax(z)


def softmax_jacobian(z: Float[Array, " classes"]) -> Float[Array, " classes classes"]:
    r"""The Jacobian of softmax at z (ACT7).

    $$\frac{\partial p_i}{\partial z_j} = p_i\,(\delta_{ij} - p_j), \qquad J = \operatorname{diag}(p) - p\,p^\top$$

    Args:
        z: logits, shape `(K,)`.

    Returns:
        The symmetric matrix J, shape `(K, K)`; its rows sum to 0.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.activations import softmax_jacobian
        >>> softmax_jacobian(jnp.zeros(2)).tolist()
        [[0.25, -0.25], [-0.25, 0.25]]
    """
    p = softmax(z)
    return jnp.diag(p) - jnp.outer(p, p)
