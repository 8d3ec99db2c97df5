"""A whole run as one pure function."""

import functools
import math
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

from mlpjax._types import Any, Array, Callable, Params, PRNGKey
from mlpjax.data import batching
from mlpjax.training._before import check
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


def run(
    state: TrainState,
    data: Any,
    *,
    objective: Callable,
    optimizer: optax.GradientTransformation,
    steps: int,
    batch_size: int | None = None,
    value_and_grad: Callable | None = None,
    transform: Callable | None = None,
    validation: Any = None,
    metrics: Mapping[str, Callable] | None = None,
    evaluate_every: int | None = None,
    stop: Stop | None = None,
    eval_params: Callable[[TrainState], Params] = current_params,
) -> tuple[TrainState, History]:
    r"""Train: a pure function of state and data (OPT5).

    Bind the keywords and it can be jitted, vmapped over keys, learning rates and data, and differentiated:
    `jax.vmap(lambda key, rate: run(start(key, ...), ...))`. A run of m steps and one of n more equal a run of m + n,
    bit for bit, as long as no step breaks.

    Batches are a function of key and step: every example once per epoch, in an order of its own each epoch; batches
    run on across the border of two epochs, so none is ragged.

    A step whose loss, gradient or model state are not finite changes nothing and ends the run: see
    `state.stop_state.first_bad_step` and `training.revive`. A gradient of over 131,072 numbers is not looked at itself
    (an optimizer that clips it or drops it goes on), nor is an update: if they break the parameters or the
    optimizer's state, that is noticed within 32 steps, at the end, and before an evaluation. The run then goes back to
    its last state that was looked at.

    Args:
        state: from `training.start`, an earlier run, or a checkpoint.
        data: any pytree of arrays whose first axis counts the N examples, such as `Dataset(x, y, weight)`.
        objective: any pure `(params, batch, key) -> scalar`; with a model state
            `(params, model_state, batch, key) -> (scalar, model_state)`. See `training.supervised`.
        optimizer: any optax transformation, the one that `start` was given.
        steps: how many.
        batch_size: B ≤ N examples per step; `None` takes all of them at every step, in their order.
        value_and_grad: what takes the place of `jax.value_and_grad(objective)`, such as `backprop.supervised(...)`.
        transform: `(batch, key) -> batch` inside the step: scaling, augmentation. Evaluation calls it with `None`.
        validation: data to evaluate on, of the same form as `data`.
        metrics: by name, `(params, batch) -> scalar` means (with a model state `(params, model_state, batch)`).
        evaluate_every: steps between evaluations; by default an epoch.
        stop: a rule of `training.stopping`, the one that `start` was given.
        eval_params: which parameters of a state to evaluate, where an optimizer keeps averages.

    Returns:
        The state after the last step, and what was measured.

    Raises:
        ValueError: for empty, unequal or non-finite data, labels out of range, a batch larger than the data, and
            other facts that are known before the first step.

    Example:
        >>> import jax, optax
        >>> from mlpjax import activations, data, losses, mlp, training
        >>> optimizer = optax.adam(0.1)
        >>> objective = training.supervised(mlp.apply, losses.sigmoid_squared_error)
        >>> def train(key):
        ...     state = training.start(key, mlp.init(key, (2, 8, 1)), optimizer=optimizer)
        ...     return training.run(state, data.toy.xor(), objective=objective, optimizer=optimizer, steps=200)
        >>> state, history = jax.jit(jax.vmap(train))(jax.random.split(jax.random.key(0), 16))
        >>> history.loss.shape
        (16, 200)
    """
    n = check(state, data, objective, optimizer, steps, batch_size, transform, validation, evaluate_every, stop)
    every = evaluate_every or math.ceil(n / (batch_size or n))
    whole = functools.partial(
        _whole,
        n=n,
        objective=objective,
        optimizer=optimizer,
        steps=steps,
        batch_size=batch_size,
        value_and_grad=value_and_grad,
        transform=transform,
        metrics=metrics or {},
        every=every,
        stop=stop,
        eval_params=eval_params,
    )
    # one program, that goes when the call is over: a scan outside `jit` leaves its own behind for good
    return jax.jit(whole, inline=True)(state, *jax.tree.map(jnp.asarray, (data, validation)))


def _whole(
    state,
    data,
    validation,
    *,
    n,
    objective,
    optimizer,
    steps,
    batch_size,
    value_and_grad,
    transform,
    metrics,
    every,
    stop,
    eval_params,
):
    """The steps of `run`, checked."""
    last = state.step + jnp.uint32(steps)

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
            due = due | (state.step % jnp.uint32(every) == 0)
        state, kept = jax.lax.cond(due, settle, lambda *both: both, state, kept)
        measured = {}
        if validation is not None:
            state, measured = look(state, active(state, stop))
        return (state, kept), (loss, measured)

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
        due = state.step % jnp.uint32(every) == 0
        measured = jax.lax.cond(due, measure, lambda: nothing)
        if stop is not None:
            rule = stop.update(state.stop_state.rule, params, state.step, measured)
            rule = select(due & going, rule, state.stop_state.rule)
            state = state._replace(stop_state=state.stop_state._replace(rule=rule))
        return state, select(going, measured, nothing)

    if steps > 1:
        (state, _), (loss, measured) = jax.lax.scan(body, (state, keep(state)), length=steps)
        return state, History(loss, measured)

    # XLA unrolls a loop of one turn and fuses its steps otherwise, which rounds otherwise: take two, keep the first
    def both(carry, _):
        carry, seen = body(carry, _)
        return carry, (carry[0], History(*seen))

    _, two = jax.lax.scan(both, (state, keep(state)), length=2)
    return jax.tree.map(lambda a: a[0], two[0]), jax.tree.map(lambda a: a[:1], two[1])


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
