r"""When to stop: rules that live inside the compiled run.

A rule is a pair of pure functions, like an optimizer of optax: `init(params)` makes its state, `update` looks at each
evaluation. Nothing jumps out of the loop: once a rule says stop, the remaining steps change nothing, so a run with
early stopping can still be vmapped over seeds (each stops for itself) and differentiated.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from mlpjax import _check
from mlpjax._types import Any, Array, Callable, Params

__all__ = ["NEVER", "Patience", "Stop", "StopState", "patience"]

NEVER = 2**32 - 1
"""The step of what has not happened."""


class StopState(NamedTuple):
    """What a run keeps to know whether to go on.

    Attributes:
        first_bad_step: the step that was not taken because something was not finite, or the earlier one that the run
            went back to (`fit` finds which it was); `NEVER` if there was none.
        rule: the state of the stopping rule; empty without one.
    """

    first_bad_step: Array
    rule: Any = ()


class Stop(NamedTuple):
    """A stopping rule.

    Attributes:
        init: `params -> state`.
        update: `(state, params, step, metrics) -> state`, called at each evaluation with what was measured on the
            validation set.
        stopped: `state -> bool`.
        best: `state -> params`, those to go back to.
    """

    init: Callable[[Params], Any]
    update: Callable[[Any, Params, Array, dict[str, Array]], Any]
    stopped: Callable[[Any], Array]
    best: Callable[[Any], Params]


class Patience(NamedTuple):
    """State of `patience`: the best evaluation so far.

    Attributes:
        value: its metric.
        params: its parameters.
        step: its step.
        waited: evaluations since then.
    """

    value: Array
    params: Params
    step: Array
    waited: Array


def patience(evaluations: int, *, monitor: str = "loss", min_delta: float = 0.0, maximize: bool = False) -> Stop:
    """Early stopping (REG6): stop after so many evaluations without a better one, and keep the best parameters.

    Args:
        evaluations: how many evaluations in a row may pass without improvement.
        monitor: the validation metric to look at: `"loss"`, or a name in `metrics`.
        min_delta: how much better it must be to count.
        maximize: whether larger is better, as for accuracy.

    Returns:
        The rule, for the argument `stop` of `training.start`, `training.run` and `training.fit`. After the run,
        `training.best_params(state, stop)` holds the best parameters.

    Raises:
        ValueError: if `evaluations` is not positive or `min_delta` is negative.

    Example:
        >>> from mlpjax.training import stopping
        >>> stop = stopping.patience(5, monitor="accuracy", maximize=True)
    """
    if evaluations < 1:
        raise ValueError(f"`evaluations` must be at least 1; got {evaluations}. Leave `stop` out to never stop early.")
    _check.not_negative("min_delta", min_delta, "It is how much better an evaluation must be to count.")
    sign = -1.0 if maximize else 1.0

    def init(params):
        worst = jnp.asarray(sign * jnp.inf, float)  # a weak type would compile the run twice
        return Patience(worst, jax.tree.map(jnp.copy, params), jnp.uint32(NEVER), jnp.uint32(0))

    def update(state, params, step, metrics):
        if monitor not in metrics:
            raise ValueError(
                f"`monitor` must be one of the validation metrics {sorted(metrics)}; got {monitor!r}. Give the run "
                f"what it watches, in `metrics`."
            )
        value = metrics[monitor].astype(state.value.dtype)
        better = jnp.isfinite(value) & (sign * value < sign * state.value - min_delta)
        new = Patience(value, params, step, jnp.uint32(0))
        old = state._replace(waited=state.waited + jnp.uint32(1))
        return jax.tree.map(lambda a, b: jnp.where(better, a, b), new, old)

    return Stop(init, update, lambda state: state.waited >= evaluations, lambda state: state.params)
