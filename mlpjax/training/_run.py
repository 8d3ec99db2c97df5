"""A whole run as one pure function."""

import functools
import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import optax

from mlpjax._types import Any, Callable, Params
from mlpjax.training._before import check
from mlpjax.training._loop import History, current_params, turn
from mlpjax.training._state import TrainState
from mlpjax.training._step import keep
from mlpjax.training.stopping import Stop


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
        steps=steps,
        objective=objective,
        optimizer=optimizer,
        batch_size=batch_size,
        value_and_grad=value_and_grad,
        transform=transform,
        metrics=metrics or {},
        evaluate_every=every,
        stop=stop,
        eval_params=eval_params,
    )
    # one program, that goes when the call is over: a scan outside `jit` leaves its own behind for good
    return jax.jit(whole, inline=True)(state, *jax.tree.map(jnp.asarray, (data, validation)))


def _whole(state, data, validation, *, steps, **settings):
    """The steps of `run`, checked."""
    body = turn(data, state.step + jnp.uint32(steps), validation=validation, **settings)
    if steps > 1:
        (state, _), history = jax.lax.scan(body, (state, keep(state)), length=steps)
        return state, history

    # XLA unrolls a loop of one turn and fuses its steps otherwise, which rounds otherwise: take two, keep the first
    def both(carry, _):
        carry, seen = body(carry, _)
        return carry, (carry[0], seen)

    _, two = jax.lax.scan(both, (state, keep(state)), length=2)
    return jax.tree.map(lambda a: a[0], two[0]), jax.tree.map(lambda a: a[:1], two[1])
