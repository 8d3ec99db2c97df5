"""The loop of a run: one turn of it, and as many turns as the caller says when it runs."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Any, Array, Callable, Params, PRNGKey
from mlpjax.data import batching
from mlpjax.training._evaluate import evaluate
from mlpjax.training._state import TrainState
from mlpjax.training._step import active, keep, select, settle, step
from mlpjax.training.stopping import Stop

SETTLED = 32
"""After so many steps a run looks at the parameters themselves."""

APART = 2**31
"""Keys of steps begin at this number: `jax.random.split(key, L)`, as in `mlp.init`, takes those from 0 to L - 1."""


class History(NamedTuple):
    """What was measured, step by step.

    Attributes:
        loss: the objective on each step's batch, shape `(steps,)`; NaN after the run has stopped.
        validation: `"loss"` and every metric on the validation set, each of shape `(steps,)`: NaN but at the steps
            where it was evaluated. Empty without a validation set.
    """

    loss: Float[Array, " steps"]
    validation: dict[str, Array]

    def evaluations(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The evaluations alone, of a run that was not vmapped.

        Returns:
            How many steps of this run had been taken at each, and every metric there.
        """
        measured = {name: np.asarray(values) for name, values in self.validation.items()}
        (at,) = np.nonzero(~np.isnan(measured["loss"])) if measured else (np.zeros(0, int),)
        return at + 1, {name: values[at] for name, values in measured.items()}


def current_params(state: TrainState) -> Params:
    """The parameters as they are: what is evaluated unless `eval_params` says otherwise."""
    return state.params


def turn(
    data: Any,
    last: Array,
    *,
    objective: Callable,
    optimizer: optax.GradientTransformation,
    batch_size: int | None,
    value_and_grad: Callable | None,
    transform: Callable | None,
    validation: Any,
    metrics: Mapping[str, Callable],
    evaluate_every: int,
    stop: Stop | None,
    eval_params: Callable[[TrainState], Params],
) -> Callable:
    """The body of the loop of a run that ends at step `last`: `((state, kept), _) -> ((state, kept), History)`."""
    n = _check.leading_axis(data)

    def body(carry, _):
        state, kept = carry
        batch, step_key = batch_of_step(state.key, state.step, data, n, batch_size, transform)
        state, loss = step(
            state,
            batch,
            step_key,
            objective=objective,
            value_and_grad=value_and_grad,
            optimizer=optimizer,
            stop=stop,
        )
        due = (state.step == last) | (state.step % jnp.uint32(SETTLED) == 0)
        if validation is not None:  # no rule may keep broken parameters as its best
            due = due | (state.step % jnp.uint32(evaluate_every) == 0)
        state, kept = jax.lax.cond(due, settle, lambda *both: both, state, kept)
        measured = {}
        if validation is not None:
            state, measured = look(state, active(state, stop))
        return (state, kept), History(loss, measured)

    def look(state, going):
        params = eval_params(state)
        measure = lambda: evaluate(
            params,
            validation,
            objective=objective,
            metrics=metrics,
            model_state=state.model_state,
            transform=transform,
        )
        nothing = jax.tree.map(lambda s: jnp.full(s.shape, jnp.nan, s.dtype), jax.eval_shape(measure))
        due = state.step % jnp.uint32(evaluate_every) == 0
        measured = jax.lax.cond(due, measure, lambda: nothing)
        if stop is not None:
            rule = stop.update(state.stop_state.rule, params, state.step, measured)
            rule = select(due & going, rule, state.stop_state.rule)
            state = state._replace(stop_state=state.stop_state._replace(rule=rule))
        return state, select(going, measured, nothing)

    return body


def some(state: TrainState, data: Any, count: Array, *, most: int, **settings: Any) -> tuple[TrainState, History]:
    """As many steps as `count` says, at most `most`: one program for every count, with the bits of `run`.

    Args:
        state: as for `run`.
        data: as for `run`.
        count: how many steps, known only when the program runs; 0 takes none.
        most: the length of the history; what it holds beyond `count` means nothing.
        settings: as for `turn`.

    Returns:
        The state after the last step, and what was measured.
    """
    # traced once for its shapes, and inlined into the loop
    body = jax.jit(turn(data, state.step + count.astype(jnp.uint32), **settings), inline=True)
    shapes = jax.eval_shape(body, (state, keep(state)), None)[1]
    history = jax.tree.map(lambda seen: jnp.zeros((most, *seen.shape), seen.dtype), shapes)

    def one(i, carry):
        carry, history = carry
        carry, seen = body(carry, None)
        write = lambda whole, entry: jax.lax.dynamic_update_index_in_dim(whole, entry, i, 0)
        return carry, jax.tree.map(write, history, seen)

    (state, _), history = jax.lax.fori_loop(0, count, one, ((state, keep(state)), history))
    return state, history


def batch_of_step(
    key: PRNGKey, step: Array, data: Any, n: int, batch_size: int | None, transform: Callable | None
) -> tuple[Any, PRNGKey]:
    """Batch and noise of a step: functions of the run's key and the step's number, and of nothing else."""
    transform_key, step_key = jax.random.split(jax.random.fold_in(key, step + jnp.uint32(APART)))
    batch = data
    if batch_size is not None:
        picked = batching.indices(key, step, n=n, batch_size=batch_size)
        batch = jax.tree.map(lambda array: array[picked], data)
    return (batch if transform is None else transform(batch, transform_key)), step_key
