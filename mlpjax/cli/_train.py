"""`mlpjax train`."""

import dataclasses
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpjax.cli import _clock, _model, _problem, _run_dir, _session
from mlpjax.cli._parser import naming_options, parse

NAMES = ("digits", "mnist", "xor")

ABOUT = """Train a network, and keep everything about the run in a directory.

Examples:
  mlpjax train                                 the digits that ship with the package
  mlpjax train mnist --data-dir DIR            MNIST from IDX files (without --data-dir: downloaded once)
  mlpjax train xor --gradients autodiff        four points, with jax.grad in place of backpropagation by hand
  mlpjax train --hidden 64 32 --validation 0.1 --patience 10
  mlpjax train --resume runs/digits-...        go on where a run was stopped, to the same bits

The defaults below are the recipe for {name}; name another data set to see its own.

While training, the accuracy is watched on {watched} training images, or on what --validation holds out. The test set is
looked at once, at the end.

  activations  {activations}
  losses       {losses}
  optimizers   adam, adamw, momentum, muon, nesterov, rmsprop, schedule_free, sgd
"""


@dataclass(frozen=True)
class Run:
    """Where a run reads and writes.

    Attributes:
        data_dir: the directory with MNIST's IDX files, gzipped or not; without it they are downloaded once.
        run_dir: where the run is kept; by default runs/DATA-TIME.
        resume: a run to go on with; its own recipe holds, and takes no other options.
        tensorboard: write scalars for TensorBoard into the run directory too; needs tensorboardX.
        quiet: print nothing but the run directory.
    """

    data_dir: Path | None = None
    run_dir: Path | None = None
    resume: Path | None = None
    tensorboard: bool = False
    quiet: bool = False


def run(args: list[str]) -> int:
    """Train as the arguments say."""
    recipe, options = _options(args)
    with _clock.watch() as clock:
        if options.resume is None:
            return _start(recipe, options, clock)
        return _resume(args, options, clock)


def _options(args: list[str]) -> tuple[Any, Run]:
    """The recipe and where to; the defaults are those of the data set, wherever it stands."""
    from mlpjax import _check
    from mlpjax.training import recipes

    name = args[0] if args and args[0] in NAMES else "digits"
    while True:
        recipe, options = _parse(args, name, getattr(recipes, name))
        _check.known("data set", recipe.data, NAMES)
        if recipe.data == name:
            return recipe, options
        name = recipe.data


def _parse(args: list[str], name: str, default: Any) -> list[Any]:
    from mlpjax import activations, losses

    names = {"activations": ", ".join(map(str, activations.ALL)), "losses": ", ".join(map(str, losses.ALL))}
    about = ABOUT.format(name=name, watched=f"{_problem.WATCHED:,}", **names)
    return parse("train", about, args, default, Run, positional={"data": "{digits,mnist,xor}"})


def _start(recipe: Any, options: Run, clock: _clock.Clock) -> int:
    _check_run(recipe, options)
    with naming_options():
        problem = _problem.make(recipe)
        plan = _session.plan(problem, options.data_dir, quiet=options.quiet)
        first = plan.start()
    run = _run_dir.create(options.run_dir, recipe.data)
    about = {
        "mlpjax": _run_dir.version("mlpjax"),
        "jax": _run_dir.version("jax"),
        "sizes": problem.sizes,
        "steps": plan.steps,
        "steps_per_epoch": plan.per_epoch,
        "watched": plan.watched,
        "data_dir": None if options.data_dir is None else str(options.data_dir.resolve()),
    }
    config = {"recipe": dataclasses.asdict(recipe), "preprocessing": problem.preprocessing, "run": about}
    _run_dir.write_config(run, config)
    return _session.go(run, plan, first, clock, quiet=options.quiet, tensorboard=options.tensorboard)


def _check_run(recipe: Any, options: Run) -> None:
    """What would be found out too late, with the run directory made already."""
    _problem.check_data_dir(recipe, options.data_dir)
    if options.tensorboard and importlib.util.find_spec("tensorboardX") is None:
        raise ImportError("`--tensorboard` needs tensorboardX: `pip install tensorboardX`.")


def _resume(args: list[str], options: Run, clock: _clock.Clock) -> int:
    import jax

    from mlpjax.training import checkpoint, stopping

    assert options.resume is not None
    run = _run_dir.named(options.resume)
    config, recipe = _model.recipe_of(run)
    _refuse_changes(recipe, *_parse(args, recipe.data, recipe))
    _check_run(recipe, options)
    data_dir = options.data_dir or (Path(config["run"]["data_dir"]) if "data_dir" in config["run"] else None)
    with naming_options():
        plan = _session.plan(_problem.make(recipe), data_dir, quiet=options.quiet)
    if (run / _run_dir.CHECKPOINT).is_symlink():
        raise ValueError(
            f"{run / _run_dir.CHECKPOINT} is a link, and the next one would be written to where it points. Put a copy "
            f"of the file in its place."
        )
    # nothing of the size that the configuration names is made before the checkpoint is seen to have it
    state = checkpoint.load(run / _run_dir.CHECKPOINT, like=jax.eval_shape(plan.start))
    if int(state.stop_state.first_bad_step) != stopping.NEVER:
        raise ValueError(
            f"{_run_dir.shown(run)} ended at step {int(state.stop_state.first_bad_step)}, which was not finite: going "
            f"on would repeat it. Start a new run with a lower `--learning-rate`."
        )
    complete = int(state.step) >= plan.steps or (plan.stop and bool(plan.stop.stopped(state.stop_state.rule)))
    if complete and any("test" in record for record in _run_dir.read_log(run)):
        print(
            f"{_run_dir.shown(run)} is complete: {int(state.step):,} steps. See `mlpjax evaluate "
            f"{_run_dir.quoted(run)}`."
        )
        return 0
    _run_dir.rewind_log(run, int(state.step))
    if complete:
        return _session.end(run, plan, state, clock, 0.0, quiet=options.quiet)
    return _session.go(run, plan, state, clock, quiet=options.quiet, tensorboard=options.tensorboard)


def _refuse_changes(recipe: Any, given: Any, options: Run) -> None:
    """A run goes on with its own recipe; what was typed beside `--resume` was read with that as its defaults."""
    changed = [name for name, value in vars(recipe).items() if getattr(given, name) != value]
    names = [given.data if name == "data" else "--" + name.replace("_", "-") for name in changed]
    names += ["--run-dir"] * (options.run_dir is not None)
    if names:
        raise ValueError(
            f"`--resume` goes on with the run's own recipe: leave out {', '.join(names)}, or start a new run."
        )
