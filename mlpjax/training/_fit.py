"""The host loop: the same steps as `run`, with progress, logs, checkpoints and signals between chunks of them."""

import functools
import math
import os
import time
import warnings
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax._types import Any, Callable, Params
from mlpjax.training import checkpoint as checkpoints
from mlpjax.training._diagnose import NonFiniteError, diagnose
from mlpjax.training._effects import Interrupted, as_sinks, deferred_signals, describe, progress_bar
from mlpjax.training._run import History, batch_of_step, check, current_params, run
from mlpjax.training._state import TrainState, revive
from mlpjax.training.stopping import NEVER, Stop

_STATIC = (
    "steps",
    "batch_size",
    "objective",
    "optimizer",
    "value_and_grad",
    "transform",
    "metrics",
    "evaluate_every",
    "stop",
    "eval_params",
)


@functools.partial(jax.jit, static_argnames=_STATIC, donate_argnames="state")
def _chunk(state, data, validation, *, metrics, **settings):
    return run(state, data, validation=validation, metrics=dict(metrics), **settings)


def fit(
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
    progress: bool = True,
    checkpoint: str | os.PathLike | Callable[[TrainState], Any] | None = None,
    save_every: float = 60.0,
    log: str | os.PathLike | Callable | Sequence[Callable] | None = None,
    chunk: int | None = None,
) -> tuple[TrainState, History]:
    """Train with effects: the same steps and the same bits as `run`, and between chunks of them a look at the world.

    The arguments up to `eval_params` are those of `run`. What is given is never donated: `state` stays usable.
    Ctrl-C and SIGTERM finish the chunk, save, and raise `Interrupted`; a second one stops as soon as Python is in
    control, which it is not within a chunk. Whatever else is raised carries the last state and history as attributes.

    Args:
        state: from `training.start`, an earlier run, or a checkpoint.
        data: as for `run`.
        objective: as for `run`.
        optimizer: as for `run`.
        steps: how many steps to take from here.
        batch_size: as for `run`.
        value_and_grad: as for `run`.
        transform: as for `run`.
        validation: as for `run`.
        metrics: as for `run`.
        evaluate_every: as for `run`.
        stop: as for `run`. The loop ends as soon as the rule says so.
        eval_params: as for `run`.
        progress: whether to show a progress bar, if standard error is a terminal.
        checkpoint: a file to save the state to, or a function that saves a state its own way. It is called once
            before the first step, so that a place that cannot be written to is found before time is spent.
        save_every: seconds between saves; the state is always saved at the end.
        log: a JSONL file to append to, or functions of a record (a dict with step, loss, validation and seconds).
        chunk: steps per call of the compiled program, about; by default a hundredth of the run in whole evaluations
            (a twentieth without), at most 1,000. A signal waits for the end of one.

    Returns:
        The state after the last step, and what was measured.

    Raises:
        ValueError: as for `run`.
        NonFiniteError: at a loss or gradient that is not finite; it carries the last good state.
        Interrupted: after a signal; it carries state and history.
        CheckpointError: if the state cannot be saved.

    Example:
        >>> import jax, optax
        >>> from mlpjax import data, losses, mlp, training
        >>> optimizer = optax.adam(0.1)
        >>> objective = training.supervised(mlp.apply, losses.sigmoid_squared_error)
        >>> state = training.start(jax.random.key(1), mlp.init(jax.random.key(0), (2, 8, 1)), optimizer=optimizer)
        >>> state, history = training.fit(state, data.toy.xor(), objective=objective, optimizer=optimizer, steps=100)
        >>> int(state.step), history.loss.shape
        (100, (100,))
    """
    n = check(state, data, objective, optimizer, steps, batch_size, transform, validation, evaluate_every, stop)
    every = evaluate_every or math.ceil(n / (batch_size or n))
    usual = every * math.ceil(steps / 100 / every) if validation is not None else math.ceil(steps / 20)
    chunk = min(chunk or max(usual, 2), 1000, steps)
    parts = [chunk] * (steps // chunk) + [steps % chunk] * (steps % chunk > 0)
    settings: dict[str, Any] = dict(
        objective=objective,
        optimizer=optimizer,
        batch_size=batch_size,
        value_and_grad=value_and_grad,
        transform=transform,
        metrics=tuple((metrics or {}).items()),
        evaluate_every=every,
        stop=stop,
        eval_params=eval_params,
    )
    state = jax.tree.map(jnp.copy, state)
    data, validation = jax.tree.map(jnp.asarray, (data, validation))
    first = int(state.step)
    save, sinks = _saver(checkpoint), as_sinks(log)
    save(state)

    histories: list[History] = []
    began = saved = time.monotonic()
    with deferred_signals() as signals, progress_bar(first + steps, first, show=progress) as advance:
        try:
            for part in parts:
                state, history = _chunk(state, data, validation, steps=part, **settings)
                histories.append(jax.tree.map(np.asarray, history))
                record = _record(state, histories[-1], time.monotonic() - began)
                _emit(sinks, record)
                advance(record["step"], describe(record))
                if int(state.stop_state.first_bad_step) != NEVER:
                    save(state)
                    raise _nonfinite(state, data, n, settings, _join(histories))
                if signals or (stop is not None and bool(stop.stopped(state.stop_state.rule))):
                    break
                if time.monotonic() - saved > save_every:
                    _try_to_save(save, state)
                    saved = time.monotonic()
            save(state)
        except NonFiniteError:
            raise
        except BaseException as error:
            # a full disk or a failing log must not cost what was learned
            error.state, error.history = state, _join(histories) if histories else None  # pyright: ignore
            error.add_note("`training.fit` left the last state and history on this exception: `.state`, `.history`.")
            raise
    if signals:
        raise Interrupted(state, _join(histories), signals[0])
    return state, _join(histories)


def _saver(checkpoint: Any) -> Callable[[TrainState], Any]:
    if checkpoint is None:
        return lambda state: None
    if callable(checkpoint):
        return lambda state: checkpoint(jax.tree.map(jnp.copy, state))  # the state itself is donated to the next chunk
    return functools.partial(checkpoints.save, checkpoint)


def _try_to_save(save: Callable, state: TrainState) -> None:
    """A disk that is full for a moment must not cost the run; at the end the error is raised."""
    try:
        save(state)
    except OSError as error:
        warnings.warn(f"the checkpoint could not be saved, training goes on: {error}", stacklevel=3)


def _emit(sinks: list[Callable], record: dict[str, Any]) -> None:
    for sink in sinks:
        try:
            sink(record)
        except OSError as error:
            warnings.warn(f"the log could not be written, training goes on: {error}", stacklevel=3)


def _record(state: TrainState, history: History, seconds: float) -> dict[str, Any]:
    """What a log is told of one chunk: the mean loss over it, and its last evaluation."""
    seen = {name: values[~np.isnan(values)] for name, values in history.validation.items()}
    losses = history.loss[~np.isnan(history.loss)]
    return {
        "step": int(state.step),
        "loss": float(losses.mean()) if losses.size else None,
        "validation": {name: float(values[-1]) for name, values in seen.items() if values.size},
        "seconds": round(seconds, 3),
    }


def _join(histories: list[History]) -> History:
    return jax.tree.map(lambda *parts: np.concatenate(parts), *histories)


def _nonfinite(state: TrainState, data: Any, n: int, settings: dict[str, Any], history: History) -> NonFiniteError:
    """Run the bad step once more, slowly, to say what was wrong."""
    state = revive(state)
    batch, key = batch_of_step(state.key, state.step, data, n, settings["batch_size"], settings["transform"])
    try:
        where = diagnose(state, batch, key, objective=settings["objective"], value_and_grad=settings["value_and_grad"])
    except Exception as error:  # an objective that cannot be taken apart must not hide what happened
        where = f"the place could not be found ({type(error).__name__})"
    return NonFiniteError(int(state.step), where, state, history)
