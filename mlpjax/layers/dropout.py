r"""Dropout: units switched off at random during training."""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, PRNGKey

__all__ = ["apply", "mask"]


def mask(key: PRNGKey, shape: tuple[int, ...], *, rate: float, dtype) -> Float[Array, "..."]:
    r"""What dropout multiplies by (REG5): 0 with probability p, else 1/(1−p).

    $$m_i = \begin{cases} 0 & \text{with probability } p \\ 1/(1-p) & \text{otherwise} \end{cases}
      \qquad \mathbb{E}\,m_i = 1$$

    Args:
        key: randomness.
        shape: of the mask.
        rate: p, the probability to drop, in [0, 1).
        dtype: of the mask.

    Returns:
        The mask. Its mean is 1, so nothing needs rescaling at evaluation (inverted dropout).

    Raises:
        ValueError: if `rate` is not in [0, 1).

    Example:
        >>> import jax
        >>> from mlpjax.layers import dropout
        >>> sorted(set(dropout.mask(jax.random.key(0), (100,), rate=0.5, dtype="float32").tolist()))
        [0.0, 2.0]
    """
    _check.probability("rate", rate)
    kept = jax.random.bernoulli(key, 1 - rate, shape)
    return jnp.where(kept, jnp.asarray(1 / (1 - rate), dtype), jnp.zeros((), dtype))


def apply(x: Float[Array, "..."], *, rate: float, key: PRNGKey) -> Float[Array, "..."]:
    r"""Inverted dropout (REG5): $x \odot m$, with the mean of x preserved.

    Args:
        x: activations of any shape.
        rate: the probability to *drop* a unit, in [0, 1).
        key: randomness. At evaluation leave the layer out instead.

    Returns:
        x with some entries 0 and the others scaled by 1/(1 − rate).

    Raises:
        ValueError: if `rate` is not in [0, 1).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax.layers import dropout
        >>> float(dropout.apply(jnp.ones(10_000), rate=0.2, key=jax.random.key(0)).mean().round(1))
        1.0

    References:
        N. Srivastava et al.: Dropout, a simple way to prevent neural networks from overfitting, 2014.
    """
    return x * mask(key, x.shape, rate=rate, dtype=x.dtype)
