"""All there is of a run at one moment."""

from typing import NamedTuple

import jax.numpy as jnp
import optax

from mlpjax import _check
from mlpjax._types import Any, Array, Params, PRNGKey
from mlpjax.training.stopping import NEVER, Stop, StopState


class TrainState(NamedTuple):
    """All there is of a run at one moment: save it, load it, and the run goes on to the same bits.

    Attributes:
        params: the parameters.
        model_state: what the network carries beside them (running statistics); `None` if nothing.
        opt_state: the optimizer's state.
        stop_state: the first non-finite step, and the state of early stopping.
        key: the randomness of the whole run; batch and noise of a step are functions of it and of `step`.
        step: how many steps were taken.
    """

    params: Params
    model_state: Any
    opt_state: Any
    stop_state: StopState
    key: PRNGKey
    step: Array


def start(
    key: PRNGKey,
    params: Params,
    *,
    optimizer: optax.GradientTransformation,
    model_state: Any = None,
    stop: Stop | None = None,
) -> TrainState:
    """The state of a run before its first step.

    Args:
        key: randomness of batches, augmentation and dropout.
        params: initial parameters: any pytree of floating-point arrays.
        optimizer: any optax transformation; give `run` the same.
        model_state: what the network carries beside its parameters, if anything.
        stop: a rule of `training.stopping`; give `run` the same.

    Returns:
        The state.

    Raises:
        TypeError: if `key` is no typed key, or a leaf of `params` holds no floating-point numbers.

    Example:
        >>> import jax, optax
        >>> from mlpjax import mlp, training
        >>> params = mlp.init(jax.random.key(0), (2, 4, 1))
        >>> state = training.start(jax.random.key(1), params, optimizer=optax.adam(1e-3))
        >>> int(state.step)
        0
    """
    _check.key("key", key)
    _check.trainable(params)
    rule = () if stop is None else stop.init(params)
    stop_state = StopState(jnp.uint32(NEVER), rule)
    return TrainState(params, model_state, optimizer.init(params), stop_state, key, jnp.uint32(0))


def revive(state: TrainState) -> TrainState:
    """The last good state of a run that met a non-finite step, ready to go on from before that step.

    Args:
        state: a state whose `stop_state.first_bad_step` is set; any other comes back as it is.

    Returns:
        The same parameters and optimizer state, at that step, with the mark taken off. Going on as before would
        repeat the step: give `run` a lower learning rate, or an optimizer that clips.

    Example:
        >>> import jax, optax
        >>> from mlpjax import mlp, training
        >>> state = training.start(jax.random.key(1), mlp.init(jax.random.key(0), (2, 1)), optimizer=optax.sgd(0.1))
        >>> int(training.revive(state).step)
        0
    """
    bad_step, never = state.stop_state.first_bad_step, jnp.uint32(NEVER)
    step = jnp.where(bad_step == never, state.step, bad_step)
    return state._replace(step=step, stop_state=state.stop_state._replace(first_bad_step=jnp.full_like(step, never)))


def best_params(state: TrainState, stop: Stop) -> Params:
    """The parameters of the best evaluation that early stopping has seen (REG6).

    Args:
        state: after a run with `stop`.
        stop: the rule of that run.

    Returns:
        Parameters; the initial ones if there was no evaluation.

    Example:
        >>> import jax, optax
        >>> from mlpjax import mlp, training
        >>> stop, params = training.stopping.patience(3), mlp.init(jax.random.key(0), (2, 1))
        >>> state = training.start(jax.random.key(1), params, optimizer=optax.sgd(0.1), stop=stop)
        >>> mlp.sizes(training.best_params(state, stop))
        (2, 1)
    """
    return stop.best(state.stop_state.rule)
