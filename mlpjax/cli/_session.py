"""One sitting of training: from a state to the end, to Ctrl-C, or to a number that is not finite."""

import contextlib
import dataclasses
import functools
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mlpjax import _text
from mlpjax.cli import _clock, _problem, _progress, _report, _run_dir, _signals


class Plan(NamedTuple):
    """What a run needs besides its state.

    Attributes:
        problem: the recipe, translated.
        data: the training examples.
        seen: the examples that are watched while training.
        watched: `"validation"` if they were held out, else `"training"`.
        data_dir: where the data are.
        optimizer: an optax transformation.
        stop: early stopping, if any.
        start: a function that makes the state before the first step.
        steps: of the whole run.
        per_epoch: steps of an epoch.
    """

    problem: _problem.Problem
    data: Any
    seen: Any
    watched: str
    data_dir: Path | None
    optimizer: Any
    stop: Any
    start: Callable[[], Any]
    steps: int
    per_epoch: int


def plan(problem: _problem.Problem, data_dir: Path | None, *, quiet: bool) -> Plan:
    """Load the data, make the optimizer and the first state: all functions of the recipe alone."""
    import jax

    from mlpjax import training

    recipe = problem.recipe
    data = _problem.load(problem, "train", data_dir, progress=not quiet and sys.stderr.isatty())
    if recipe.validation:
        data, seen = _problem.hold_out(data, recipe.validation, seed=recipe.seed, classes=problem.classes)
    else:
        seen = _problem.watched_part(data, seed=recipe.seed)
    if recipe.batch_size > len(data.x):
        raise ValueError(
            f"`batch_size` must not exceed the number of training examples, {len(data.x)}; got {recipe.batch_size}. "
            f"0 takes all of them at every step."
        )
    per_epoch = math.ceil(len(data.x) / (recipe.batch_size or len(data.x)))
    steps = recipe.epochs * per_epoch
    if steps >= 2**31:
        raise ValueError(f"`epochs` × steps per epoch must stay below 2^31; got {steps:,}. Take fewer epochs.")
    optimizer = recipe.make_optimizer(steps)
    stop = training.stopping.patience(recipe.patience) if recipe.patience else None

    @jax.jit  # one compilation instead of one for each operation
    def start(key):
        init_key, run_key = jax.random.split(key)
        return training.start(run_key, recipe.make_params(init_key, problem.sizes), optimizer=optimizer, stop=stop)

    watched = "validation" if recipe.validation else "training"
    first = functools.partial(start, jax.random.key(recipe.seed))
    return Plan(problem, data, seen, watched, data_dir, optimizer, stop, first, steps, per_epoch)


def go(run: Path, plan: Plan, state: Any, clock: _clock.Clock, *, quiet: bool, tensorboard: bool) -> int:
    """Train from a state to the end, test, draw and report; the exit code."""
    from mlpjax import training

    began, compiled = time.monotonic(), clock.compiled()
    with _plain_warnings():
        try:
            # what `fit` raises after a first signal has its own words
            with _signals.saying(_go_on(run, "before the last state was saved")):
                state = _fit(run, plan, state, quiet=quiet, tensorboard=tensorboard)
            trained = time.monotonic() - began - (clock.compiled() - compiled)
        except training.Interrupted as stopped:
            step = int(stopped.state.step)
            stopped.words = _go_on(run, f"after step {step:,} of {plan.steps:,}; the state is saved")  # pyright: ignore
            raise
        except training.NonFiniteError as error:
            return _not_finite(run, plan, error)
        return end(run, plan, state, clock, trained, quiet=quiet)


def end(run: Path, plan: Plan, state: Any, clock: _clock.Clock, trained: float, *, quiet: bool) -> int:
    """Test, draw and report; the exit code."""
    from mlpjax import training

    last = training.recipes.eval_params(state)
    params = last if plan.stop is None else training.best_params(state, plan.stop)
    ending = _report.Ending(run, plan.problem, params, plan.data_dir, int(state.step), plan.per_epoch)
    with _signals.saying(_go_on(run, "after the last step; the network is saved, but not tested yet")):
        tested, pictures = _report.finish(ending)
    spent = _report.Times(clock.imported, clock.compiled(), trained, _clock.since_start())
    if quiet:
        print(_run_dir.shown(run))
    else:
        _report.training(ending, tested, pictures, spent)
    return 0


def _fit(run: Path, plan: Plan, state: Any, *, quiet: bool, tensorboard: bool) -> Any:
    from mlpjax import training

    problem, done = plan.problem, int(state.step)
    logs = [_renamed(training.log_jsonl(run / _run_dir.LOG), plan)]
    if not (quiet or sys.stderr.isatty()):
        logs.append(_progress.lines(plan.steps, done, per_epoch=plan.per_epoch, watched=plan.watched))
    state, _ = training.fit(
        state,
        plan.data,
        objective=problem.objective,
        value_and_grad=problem.value_and_grad,
        optimizer=plan.optimizer,
        steps=plan.steps - done,
        batch_size=problem.recipe.batch_size or None,
        transform=problem.transform,
        validation=plan.seen,
        metrics=problem.metrics,
        # a hundred looks at most: those at four points would take longer than the steps between them
        evaluate_every=plan.per_epoch * (1 if plan.stop else math.ceil(problem.recipe.epochs / 100)),
        stop=plan.stop,
        eval_params=training.recipes.eval_params,
        progress=not quiet and functools.partial(_progress.words, watched=plan.watched),
        checkpoint=_saver(run, plan),
        log=[*logs, training.log_tensorboard(run / "tensorboard")] if tensorboard else logs,
    )
    return state


def _saver(run: Path, plan: Plan) -> Callable[[Any], None]:
    from mlpjax.training import checkpoint

    meta = {
        "recipe": dataclasses.asdict(plan.problem.recipe),
        "preprocessing": plan.problem.preprocessing,
        "sizes": plan.problem.sizes,
        "steps": plan.steps,
    }
    return functools.partial(checkpoint.save, run / _run_dir.CHECKPOINT, meta=meta)


def _renamed(sink: Callable, plan: Plan) -> Callable[[dict[str, Any]], None]:
    """A log that calls what was watched by its name, and counts epochs."""

    def log(record):
        found = record["validation"]
        rest = {name: record[name] for name in ("step", "loss", "seconds")}
        sink({"epoch": round(record["step"] / plan.per_epoch, 3), **rest, **({plan.watched: found} if found else {})})

    return log


@contextlib.contextmanager
def _plain_warnings() -> Iterator[None]:
    """Warnings as one line for people, without the place in the source."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: print(
            f"mlpjax: warning: {_text.printable(str(message))}", file=sys.stderr
        )
        yield


def _go_on(run: Path, where: str) -> str:
    return f" {where}. Go on with:\n\n    mlpjax train --resume {_run_dir.quoted(run)}"


def _not_finite(run: Path, plan: Plan, error: Any) -> int:
    warmed = plan.problem.recipe.schedule == "one-cycle"
    file = _run_dir.shown(run / _run_dir.CHECKPOINT)
    lost = f" {file} is of an earlier state, for the last good one could not be saved: {error.unsaved}"
    print(
        f"mlpjax: error: step {error.step:,} is not finite: {error.where}. "
        f"{'' if error.unsaved else f'The last good state is kept in {file}. '}Start a new run with a lower "
        f"`--learning-rate`{'' if warmed else ', or with `--schedule one-cycle`, which warms up'}."
        f"{lost if error.unsaved else ''}",
        file=sys.stderr,
    )
    return 1
