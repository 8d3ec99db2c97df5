"""The host loop: the same steps as `run`, with progress, logs, checkpoints and signals between chunks of them."""

import functools
import math
import os
import time
import warnings
from collections.abc import Mapping, Sequence

import jax
import numpy as np
import optax

from mlpjax._types import Any, Callable, Params
from mlpjax.training import checkpoint as checkpoints
from mlpjax.training._before import check
from mlpjax.training._chunks import Pace, chunk_size, program
from mlpjax.training._diagnose import NonFiniteError, diagnose
from mlpjax.training._effects import Interrupted, as_sinks, deferred_signals
from mlpjax.training._loop import SETTLED, History, batch_of_step, current_params
from mlpjax.training._progress import showing
from mlpjax.training._saving import Saver
from mlpjax.training._state import TrainState, revive
from mlpjax.training.stopping import NEVER, Stop


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
    progress: bool | Callable[[dict[str, Any]], Sequence[str]] = True,
    checkpoint: str | os.PathLike | Callable[[TrainState], Any] | None = None,
    save_every: float = 60.0,
    log: str | os.PathLike | Callable | Sequence[Callable] | None = None,
    chunk: int | None = None,
) -> tuple[TrainState, History]:
    """Train with effects: the steps and, if none breaks, the bits of `run`, with a look at the world between chunks.

    The arguments up to `eval_params` are those of `run`. What is given is never donated: `state` stays usable.
    Ctrl-C and SIGTERM end the run within about a second, or one step if that takes longer; it saves, and raises
    `Interrupted`. A second signal, a second later or more, gives up the save too. While the program is compiled both
    wait for that, and no step is taken. Whatever else is raised carries the last state and history as attributes.

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
        progress: whether to show how far the run and its epoch are, if standard error is a terminal; or a function
            that says what to show of a record beside that, in a few short texts.
        checkpoint: a file to save the state to, or a function that saves a state its own way. It is called with a
            copy of the state that it may keep (NumPy arrays, and the key), always in one thread beside training: it
            must not rely on what belongs to the thread that called `fit`. It saves the first state while the program
            is compiled, so that a place that cannot be written to is found before time is spent.
        save_every: seconds from one save to the next, at least: a save that takes more than 3 % of them from training
            makes them more. 0 saves after every chunk, whatever it takes. The last state is saved in any case, and
            `fit` returns when it is on the disk.
        log: a JSONL file to append to, or functions of a record (a dict with step, loss, validation and seconds). When
            a run starts above step 0, what the file says of later steps is dropped: they are taken again.
        chunk: steps from one record to the next, counted from step 0. By default about a hundredth of the run in whole
            evaluations (a twentieth without), at most 1,000; a whole number of chunks where that can be. One program
            takes them in calls of about a second, whatever the length of the run; no signal waits for a whole chunk.

    Returns:
        The state after the last step, and what was measured.

    Raises:
        ValueError: as for `run`.
        NonFiniteError: at a step that `run` ends at because a number is not finite; it carries the last good state.
        Interrupted: after a signal; it carries state and history.
        CheckpointError: if the first or the last state cannot be saved; one between them is a warning.

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
    per_epoch = math.ceil(n / (batch_size or n))
    every = evaluate_every or per_epoch
    first = int(state.step)
    last = first + steps
    chunk = chunk or chunk_size(last, every if validation is not None else None)
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
    run_chunk = program(**settings)
    # neither of the two compiles anything, as `jnp.copy` and `jnp.asarray` would for each shape
    state = jax.device_put(state, may_alias=False)
    data, validation = jax.device_put((data, validation))
    sinks, began, pace = as_sinks(log, first), time.monotonic(), Pace()
    histories, step, recorded, stopped, bad_step = [], first, 1, False, NEVER
    bars = showing(progress, last, first, per_epoch=per_epoch, chunk=chunk, examples=batch_size or n)
    with deferred_signals() as signals, Saver(_saving(checkpoint), save_every) as saver, bars as bar:
        try:
            saver.begin(state)
            saver.wait(0.005)  # a wrong path shows at once, before anything is compiled; the rest is written meanwhile
            state, history, _ = run_chunk(state, data, validation, np.int32(0))  # compiles, takes no step
            histories.append(_cut(history, 0))
            bar.compiled()
            saver.wait()
            while step < last and bad_step == NEVER and not (signals or stopped):
                end = min((step // chunk + 1) * chunk, last)
                count = min(end - step, pace.steps)
                with pace.of(count):
                    state, history, seen = run_chunk(state, data, validation, np.int32(count))
                    histories.append(_cut(history, count))
                    step, bad_step, stopped = map(int, jax.device_get(seen))
                going = step < last and bad_step == NEVER and not (signals or stopped)
                if step == end or not going:
                    record = _record(step, _join(histories[recorded:]), time.monotonic() - began)
                    recorded = len(histories)
                    _emit(sinks, record)
                    bar.show(record)
                if going and (step == end or save_every):
                    saver.offer(state)
            bar.end()
            if bad_step != NEVER:
                state = _at_the_bad_step(state, data, validation, settings)
            unsaved = None
            if step > first or bad_step != NEVER:
                unsaved = saver.finish(state, forgive=bad_step != NEVER)
            if bad_step != NEVER:
                raise _nonfinite(state, data, n, settings, _join(histories), unsaved) from unsaved
        except NonFiniteError:
            raise
        except BaseException as error:
            # a full disk or a failing log must not cost what was learned
            _leave(error, state, histories)
            raise
    if signals:
        #: Ctrl-C or SIGTERM. Take the steps that are left from the exception's `state`, or from the checkpoint.
        raise Interrupted(state, _join(histories), signals[0])
    return state, _join(histories)


def _cut(history: History, count: int) -> History:
    """The steps that were taken, on the host; a copy, lest the rest be kept with them."""
    return jax.tree.map(lambda whole: whole[:count].copy(), jax.device_get(history))


def _saving(checkpoint: Any) -> Callable[[TrainState], Any] | None:
    return checkpoint if checkpoint is None or callable(checkpoint) else functools.partial(checkpoints.save, checkpoint)


def _emit(sinks: list[Callable], record: dict[str, Any]) -> None:
    for sink in sinks:
        try:
            sink(record)
        except OSError as error:
            #: Records are lost until the log can be written again; the run and its checkpoints are not touched by it.
            warnings.warn(f"the log could not be written, training goes on: {error}", stacklevel=3)


def _record(step: int, history: History, seconds: float) -> dict[str, Any]:
    """What a log is told of one chunk: the mean loss over it, and its last evaluation."""
    seen = {name: values[~np.isnan(values)] for name, values in history.validation.items()}
    losses = history.loss[~np.isnan(history.loss)]
    return {
        "step": step,
        "loss": float(losses.mean()) if losses.size else None,
        "validation": {name: float(values[-1]) for name, values in seen.items() if values.size},
        "seconds": round(seconds, 3),
    }


def _join(histories: list[History]) -> History:
    return jax.tree.map(lambda *parts: np.concatenate(parts), *histories)


def _leave(error: BaseException, state: TrainState, histories: list[History]) -> None:
    """Put state and history on an exception; what struck within a call has taken the state with it."""
    lost = any(leaf.is_deleted() for leaf in jax.tree.leaves(state))
    error.state, error.history = None if lost else state, _join(histories) if histories else None  # pyright: ignore
    if not lost:
        #: Python prints it below the error that ended the run.
        error.add_note("`training.fit` left the last state and history on this exception: `.state`, `.history`.")


def _at_the_bad_step(state: TrainState, data: Any, validation: Any, settings: dict[str, Any]) -> TrainState:
    """The end of a run that went back further than one step: from there step by step, at most `SETTLED` times."""
    good = revive(state)
    for _ in range(SETTLED):
        tried = jax.device_put(good, may_alias=False)  # the call donates it
        after, _, seen = program(**settings)(tried, data, validation, np.int32(1))
        if int(seen[1]) != NEVER:
            return after
        good = after
    return state


def _nonfinite(
    state: TrainState, data: Any, n: int, settings: dict[str, Any], history: History, unsaved: Exception | None
) -> NonFiniteError:
    """Run the bad step once more, slowly, to say what was wrong."""
    state = revive(state)
    batch, key = batch_of_step(state.key, state.step, data, n, settings["batch_size"], settings["transform"])
    try:
        where = diagnose(state, batch, key, **{n: settings[n] for n in ("objective", "value_and_grad", "optimizer")})
    except Exception as error:  # an objective that cannot be taken apart must not hide what happened
        where = f"the place could not be found ({type(error).__name__})"
    return NonFiniteError(int(state.step), where, state, history, unsaved)
