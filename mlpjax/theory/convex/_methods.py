"""Iterations that return their path."""

import jax
import jax.numpy as jnp
from jaxtyping import Int

from mlpjax import _check
from mlpjax._types import Array, Callable, PyTree

__all__ = ["descend", "heavy_ball", "iterate", "iterate_until", "nesterov"]


def iterate(update: Callable[[PyTree], PyTree], state: PyTree, *, steps: int) -> PyTree:
    r"""The path of an iteration from its start (GD1).

    $$\theta_{k+1} = T(\theta_k), \qquad k = 0, \dots, K-1$$

    Every method of this module is such an iteration; T holds the gradient, and a state may hold more than θ.

    Args:
        update: T, a pure function from a state to a state of the same structure, shapes and dtypes.
        state: θ₀, any pytree of arrays.
        steps: K.

    Returns:
        $\theta_0, \dots, \theta_K$: the tree of `state` with a leading axis of length K + 1.

    Raises:
        ValueError: `steps` is negative.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.iterate(lambda theta: theta / 2, 8.0, steps=3).tolist()
        [8.0, 4.0, 2.0, 1.0]
    """
    _check.count("steps", steps, 0, "With 0 the path is the start alone.")
    state = jax.tree.map(jnp.asarray, state)
    return jax.lax.scan(lambda state, _: (update(state), state), state, length=steps + 1)[1]


def iterate_until(
    update: Callable[[PyTree], PyTree], state: PyTree, *, stop: Callable[[PyTree], Array], limit: int
) -> tuple[PyTree, Int[Array, ""]]:
    r"""The same iteration until a stopping criterion holds (GD1).

    Args:
        update: T.
        state: θ₀.
        stop: the criterion, `state -> bool`; for example that the gradient is shorter than some ε.
        limit: the largest number of steps.

    Returns:
        The first state at which the criterion holds, or the last, and its index k. If k is `limit`, ask `stop` which of
        the two it is.

    Example:
        >>> from mlpjax.theory import convex
        >>> halve = lambda theta: theta / 2
        >>> theta, k = convex.iterate_until(halve, 8.0, stop=lambda theta: theta < 1, limit=100)
        >>> float(theta), int(k)
        (0.5, 4)
    """
    state = jax.tree.map(jnp.asarray, state)
    more = lambda carry: (carry[1] < limit) & jnp.logical_not(stop(carry[0]))
    return jax.lax.while_loop(more, lambda carry: (update(carry[0]), carry[1] + 1), (state, jnp.zeros((), int)))


def floating(start):
    """θ₀ as arrays of floating-point numbers: in integers a rate of 0.1 would be 0."""
    start = jax.tree.map(jnp.asarray, start)
    wrong = [leaf.dtype for leaf in jax.tree.leaves(start) if not jnp.issubdtype(leaf.dtype, jnp.floating)]
    if wrong:
        raise ValueError(f"`start` must hold floating-point numbers; got {wrong[0]}. Write 1.0 for 1.")
    return start


def step(theta, slope, rate):
    """θ − τg."""
    return jax.tree.map(lambda t, g: t - jnp.asarray(rate, t.dtype) * g, theta, slope)


def beyond(theta, previous, momentum):
    """θ + β(θ − θ₋)."""
    return jax.tree.map(lambda t, p: t + jnp.asarray(momentum, t.dtype) * (t - p), theta, previous)


def descend(gradient: Callable[[PyTree], PyTree], start: PyTree, *, rate: float | Array, steps: int) -> PyTree:
    r"""Gradient descent (GD1).

    $$\theta_{k+1} = \theta_k - \tau\,\nabla F(\theta_k)$$

    Args:
        gradient: ∇F, from parameters to a tree like them.
        start: θ₀, any pytree of arrays.
        rate: the learning rate τ; may be traced, so that `jax.vmap` runs many at once.
        steps: K.

    Returns:
        The path $\theta_0, \dots, \theta_K$: the tree of `start` with a leading axis of length K + 1.

    Raises:
        ValueError: `start` holds integers, or `steps` is negative.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.descend(lambda theta: 2 * theta, 1.0, rate=0.25, steps=3).tolist()
        [1.0, 0.5, 0.25, 0.125]
    """
    return iterate(lambda theta: step(theta, gradient(theta), rate), floating(start), steps=steps)


def heavy_ball(
    gradient: Callable[[PyTree], PyTree], start: PyTree, *, rate: float | Array, momentum: float | Array, steps: int
) -> PyTree:
    r"""Gradient descent with momentum, the heavy ball of Polyak (OPT1), from rest: $\theta_{-1} = \theta_0$.

    $$\theta_{k+1} = \theta_k - \tau\,\nabla F(\theta_k) + \beta\,(\theta_k - \theta_{k-1})$$

    Args:
        gradient: ∇F.
        start: θ₀, any pytree of arrays.
        rate: τ.
        momentum: β. `heavy_ball_tuning` gives the best τ and β for a quadratic.
        steps: K.

    Returns:
        The path $\theta_0, \dots, \theta_K$, as `descend` does.

    Raises:
        ValueError: `start` holds integers, or `steps` is negative.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.heavy_ball(lambda theta: theta, 1.0, rate=0.5, momentum=0.5, steps=3).tolist()
        [1.0, 0.5, 0.0, -0.25]

    References:
        B. T. Polyak: Some methods of speeding up the convergence of iteration methods, 1964.
    """

    def update(state):
        theta, previous = state
        return step(beyond(theta, previous, momentum), gradient(theta), rate), theta

    start = floating(start)
    return iterate(update, (start, start), steps=steps)[0]


def nesterov(
    gradient: Callable[[PyTree], PyTree], start: PyTree, *, rate: float | Array, momentum: float | Array, steps: int
) -> PyTree:
    r"""Nesterov's accelerated gradient (OPT1), from rest: the gradient is taken where momentum leads.

    $$y_k = \theta_k + \beta\,(\theta_k - \theta_{k-1}), \qquad \theta_{k+1} = y_k - \tau\,\nabla F(y_k)$$

    Args:
        gradient: ∇F.
        start: θ₀, any pytree of arrays.
        rate: τ.
        momentum: β. `nesterov_tuning` gives τ and β for every smooth and strongly convex function.
        steps: K.

    Returns:
        The path $\theta_0, \dots, \theta_K$, as `descend` does.

    Raises:
        ValueError: `start` holds integers, or `steps` is negative.

    Example:
        >>> from mlpjax.theory import convex
        >>> convex.nesterov(lambda theta: theta, 1.0, rate=0.5, momentum=0.5, steps=3).tolist()
        [1.0, 0.5, 0.125, -0.03125]

    References:
        Y. Nesterov: Introductory Lectures on Convex Optimization, 2004, section 2.2.
    """

    def update(state):
        theta, previous = state
        y = beyond(theta, previous, momentum)
        return step(y, gradient(y), rate), theta

    start = floating(start)
    return iterate(update, (start, start), steps=steps)[0]
