"""Descent along noisy gradients, and how noisy those of mini-batches are."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import _check
from mlpjax._types import Array, Callable, PRNGKey, PyTree, Scalar
from mlpjax.theory.convex._methods import floating, step

__all__ = ["batch_noise", "descent_bound", "horizon_rate", "running_mean", "stochastic_descend"]


def stochastic_descend(
    key: PRNGKey,
    gradient: Callable[[PyTree, PRNGKey], PyTree],
    start: PyTree,
    *,
    rate: float | Array,
    steps: int,
) -> PyTree:
    r"""Stochastic gradient descent (GD5).

    $$\theta_{k+1} = \theta_k - \tau_k\,g_k, \qquad \mathbb E[g_k \mid \theta_k] = \nabla F(\theta_k)$$

    Args:
        key: randomness; each step gets a key of its own.
        gradient: `(theta, key) -> g`, right on average: for example the gradient of a random mini-batch.
        start: θ₀, any pytree of arrays.
        rate: τ, one number, or one for each step, shape `(steps,)`.
        steps: K.

    Returns:
        The path $\theta_0, \dots, \theta_K$: the tree of `start` with a leading axis of length K + 1.

    Raises:
        ValueError: `start` holds integers, or `steps` is negative.

    Example:
        >>> import jax
        >>> from mlpjax.theory import convex
        >>> noisy = lambda theta, key: theta + jax.random.normal(key)
        >>> path = convex.stochastic_descend(jax.random.key(0), noisy, 1.0, rate=0.1, steps=100)
        >>> path.shape, abs(float(path[50:].mean())) < 0.5
        ((101,), True)
    """
    _check.key("key", key)
    _check.count("steps", steps, 0, "With 0 the path is the start alone.")
    start = floating(start)
    rates, keys = jnp.broadcast_to(rate, (steps,)), jax.random.split(key, steps)

    def update(theta, turn):
        rate, key = turn
        theta = step(theta, gradient(theta, key), rate)
        return theta, theta

    _, path = jax.lax.scan(update, start, (rates, keys))
    return jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), start, path)


def running_mean(path: PyTree) -> PyTree:
    r"""The mean of the states up to each one (GD5): $\bar\theta_k = \frac{1}{k+1}\sum_{j=0}^{k}\theta_j$.

    Args:
        path: any pytree of arrays whose first axis counts the steps.

    Returns:
        A tree of the same shapes.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import convex
        >>> convex.running_mean(jnp.asarray([4.0, 0.0, 2.0])).tolist()
        [4.0, 2.0, 2.0]
    """

    def mean(leaf):
        count = jnp.arange(1, len(leaf) + 1, dtype=leaf.dtype)
        return jnp.cumsum(leaf, 0) / count.reshape(-1, *[1] * (leaf.ndim - 1))

    return jax.tree.map(mean, path)


def check_horizon(steps, L, distance, noise):
    """Steps t ≥ 1, L ≥ 0, D > 0, σ ≥ 0."""
    _check.count("steps", steps, 1, "The bounds speak of a mean over steps.")
    for name, value in {"L": L, "noise": noise}.items():
        if _check.concrete(value) and not np.all(np.asarray(value) >= 0):
            raise ValueError(f"`{name}` must be at least 0; got {value}. It is a curvature or a standard deviation.")
    if _check.concrete(distance) and not np.all(np.asarray(distance) > 0):
        raise ValueError(f"`distance` must be positive; got {distance}. At 0 there is nothing left to do.")


def horizon_rate(steps: int, *, L: float | Array, distance: float | Array, noise: float | Array = 0.0) -> float | Array:
    r"""The learning rate that makes the bound for convex functions small after so many steps (GD5).

    $$\tau = \min\Bigl(\frac1L,\ \frac{D}{\sigma\sqrt t}\Bigr)$$

    Args:
        steps: t, how many steps there will be.
        L: F is L-smooth.
        distance: $D = \lVert\theta_0 - \theta^*\rVert$, or a bound for it.
        noise: σ with $\mathbb E\lVert g - \nabla F\rVert^2 \le \sigma^2$; 0 for the full gradient.

    Returns:
        τ.

    Raises:
        ValueError: if not t ≥ 1, L ≥ 0, D > 0 and σ ≥ 0.

    Example:
        >>> from mlpjax.theory import convex
        >>> float(convex.horizon_rate(64, L=1.0, distance=2.0, noise=0.5))
        0.5
    """
    check_horizon(steps, L, distance, noise)
    return 1 / jnp.maximum(L, noise * jnp.sqrt(float(steps)) / distance)


def descent_bound(
    steps: int, *, L: float | Array, distance: float | Array, noise: float | Array = 0.0
) -> float | Array:
    r"""What (stochastic) gradient descent with `horizon_rate` guarantees for every convex L-smooth F (GD5).

    $$\mathbb E\,F(\bar\theta) - F^* \le \frac{L D^2}{2t} + \frac{D\sigma}{\sqrt t}, \qquad
    \bar\theta = \frac1t\sum_{k=0}^{t-1}\theta_k$$

    Args:
        steps: t.
        L: F is L-smooth.
        distance: $D = \lVert\theta_0 - \theta^*\rVert$.
        noise: σ. With σ = 0 it bounds $F(\theta_t) - F^*$ itself.

    Returns:
        The bound.

    Raises:
        ValueError: if not t ≥ 1, L ≥ 0, D > 0 and σ ≥ 0.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.descent_bound(64, L=1.0, distance=2.0), convex.descent_bound(64, L=1.0, distance=2.0, noise=0.5)
        (0.03125, 0.15625)
    """
    check_horizon(steps, L, distance, noise)
    return L * distance**2 / (2 * steps) + distance * noise / steps**0.5


def examples(gradients, batch_size, replacement):
    """N, for which B must be possible."""
    n = _check.leading_axis(gradients)
    if batch_size < 1 or (batch_size > n and not replacement):
        raise ValueError(
            f"`batch_size` must lie between 1 and the number of examples, {n}; got {batch_size}. A larger batch needs "
            f"`replacement=True`."
        )
    return n


def batch_noise(gradients: PyTree, batch_size: int, *, replacement: bool = True) -> Scalar:
    r"""How far the gradient of a random mini-batch is from that of all examples, as a root mean square (GD5).

    $$\sigma_B = \sqrt{\frac{\operatorname{tr}\Sigma}{B}} \cdot
    \begin{cases} 1 & \text{drawn with replacement} \\ \sqrt{\frac{N-B}{N-1}} & \text{without} \end{cases},
    \qquad \operatorname{tr}\Sigma = \frac1N\sum_{i=1}^N \lVert g_i - \bar g\rVert^2$$

    Args:
        gradients: the gradient $g_i$ of each example, any pytree with a leading axis of length N.
        batch_size: B.
        replacement: whether an example may be drawn twice.

    Returns:
        $\sigma_B$, so that $\mathbb E\lVert g_B - \bar g\rVert^2 = \sigma_B^2$ exactly.

    Raises:
        ValueError: if B < 1, or B > N without replacement.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import convex
        >>> gradients = jnp.asarray([[-1.0], [1.0], [-1.0], [1.0]])
        >>> float(convex.batch_noise(gradients, 4)), float(convex.batch_noise(gradients, 4, replacement=False))
        (0.5, 0.0)
    """
    n = examples(gradients, batch_size, replacement)
    trace = sum(jnp.sum(jnp.var(leaf, 0)) for leaf in jax.tree.leaves(gradients))
    share = 1.0 if replacement else (n - batch_size) / max(n - 1, 1)
    return jnp.sqrt(jnp.asarray(trace) * (share / batch_size))
