"""Cross-entropies, evaluated from logits."""

import jax
import jax.numpy as jnp

from mlpjax._values import With
from mlpjax.activations import sigmoid, softmax, softplus
from mlpjax.losses._targets import same_shape, target
from mlpjax.losses._type import Loss


def _times(y, cost):
    # what has probability 0 in the target costs nothing, however unlikely it is: 0·∞ is 0 here
    return jnp.where(y == 0, jnp.zeros_like(cost), y * cost)


def _binary_cross_entropy(z, y):
    y = same_shape(z, y)
    return jnp.sum(_times(y, softplus(-z)) + _times(1 - y, softplus(z)))


def _binary_cross_entropy_delta(z, y):
    return sigmoid(z) - same_shape(z, y)


binary_cross_entropy = Loss("binary_cross_entropy", _binary_cross_entropy, _binary_cross_entropy_delta, sigmoid)
r"""Binary cross-entropy with sigmoid outputs (LOS4), for targets in [0, 1], summed over outputs.

$$C = -\sum_j y_j\log a_j + (1-y_j)\log(1-a_j), \quad a = \sigma(z), \qquad \delta = a - y$$

Evaluated by $-\log\sigma(z) = \operatorname{softplus}(-z)$, which neither overflows nor cancels.
"""


def _softmax_cross_entropy(z, y):
    return jnp.sum(_times(target(z, y), -jax.nn.log_softmax(z)))


def _softmax_cross_entropy_delta(z, y):
    t = target(z, y)
    # Σt is 1 for any distribution; with it δ is the derivative for any other t, too
    return softmax(z) * jnp.sum(t) - t


softmax_cross_entropy = Loss(
    "softmax_cross_entropy", _softmax_cross_entropy, _softmax_cross_entropy_delta, softmax, classifies=True
)
r"""Cross-entropy with softmax outputs (LOS3); y is a class index or a probability vector.

$$C = -\sum_j y_j \log p_j, \quad p = \operatorname{softmax}(z), \qquad \delta = p - y$$

Evaluated from the logits by log-sum-exp.
"""


def _smooth(z, y, smoothing):
    return (1 - smoothing) * target(z, y) + smoothing / z.shape[0]


def _smoothed_cross_entropy(z, y, smoothing):
    return _softmax_cross_entropy(z, _smooth(z, y, smoothing))


def _smoothed_cross_entropy_delta(z, y, smoothing):
    return _softmax_cross_entropy_delta(z, _smooth(z, y, smoothing))


def smoothed_cross_entropy(smoothing: float) -> Loss:
    r"""Cross-entropy against smoothed labels (LOS6).

    $$\tilde y = (1-\varepsilon)\,y + \varepsilon/K, \quad C = -\sum_j\tilde y_j\log p_j, \quad \delta = p - \tilde y$$

    Args:
        smoothing: ε in [0, 1): the probability mass spread evenly over the K classes.

    Returns:
        The loss; equal for equal ε.

    Raises:
        ValueError: if ε is not in [0, 1).

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.losses import smoothed_cross_entropy
        >>> smoothed_cross_entropy(0.5).delta(jnp.zeros(2), jnp.asarray(0)).tolist()
        [-0.25, 0.25]
    """
    smoothing = float(smoothing)
    if not 0 <= smoothing < 1:
        raise ValueError(f"`smoothing` must lie in [0, 1); got {smoothing}. Usual values are 0.05 to 0.2.")
    value, delta = With(_smoothed_cross_entropy, (smoothing,)), With(_smoothed_cross_entropy_delta, (smoothing,))
    return Loss(f"smoothed_cross_entropy({smoothing})", value, delta, softmax, classifies=True)
