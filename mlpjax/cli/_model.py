"""A trained network, from its run directory."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from mlpjax.cli import _problem, _run_dir, _status


class Model(NamedTuple):
    """What a run left: its directory, configuration, problem, parameters, status, and where its data are."""

    path: Path
    config: dict[str, Any]
    problem: _problem.Problem
    params: Any
    status: _status.Status

    @property
    def data_dir(self) -> Path | None:
        """Where the data were read from, if not from the package or the cache."""
        directory = self.config["run"].get("data_dir")
        return None if directory is None else Path(directory)


def recipe_of(path: Path) -> tuple[dict[str, Any], Any]:
    """Configuration and recipe of a run, which its checkpoint must agree with."""
    from mlpjax.training import checkpoint

    config = _run_dir.read_config(path)
    recipe = _checked(_run_dir.recipe(config["recipe"], path / _run_dir.CONFIG), config, path / _run_dir.CONFIG)
    if not (path / _run_dir.CHECKPOINT).exists():
        raise ValueError(
            f"{_run_dir.shown(path)} never took a step: start it anew with `mlpjax train {_arguments(recipe)}--run-dir "
            f"{_run_dir.quoted(path)}`."
        )
    meta = checkpoint.read_meta(path / _run_dir.CHECKPOINT)
    if not isinstance(meta.get("recipe"), dict):
        raise ValueError(f"{path / _run_dir.CHECKPOINT} has no recipe: it is not a checkpoint of `mlpjax train`.")
    saved = dataclasses.asdict(_run_dir.recipe(meta["recipe"], path / _run_dir.CHECKPOINT))
    mine = dataclasses.asdict(recipe) | {"preprocessing": config["preprocessing"]}
    theirs = saved | {"preprocessing": meta.get("preprocessing", {})}
    if wrong := [name for name, value in mine.items() if theirs[name] != value]:
        raise ValueError(
            f"{path / _run_dir.CONFIG} and {_run_dir.CHECKPOINT} disagree in {', '.join(wrong)}: "
            f"{[mine[n] for n in wrong]} and {[theirs[n] for n in wrong]}. Undo the change, or start a new run with "
            f"those options."
        )
    return config, recipe


def _checked(recipe: Any, config: dict[str, Any], where: Path) -> Any:
    """A recipe that can be meant, with the preprocessing that belongs to it."""
    try:
        sizes = _problem.make(recipe).sizes
        _check_preprocessing(config["preprocessing"], sizes[0])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return recipe


def _check_preprocessing(preprocessing: dict[str, Any], inputs: int) -> None:
    """What a run recorded of its pictures, which need not be what this version does to them; points have none."""
    if not preprocessing and inputs == 2:
        return
    ranges = {"height": (1, inputs), "width": (1, inputs), "maximum": (1, 255), "box": (1, inputs), "mass": (0, 1)}
    ranges |= {"middle": (0, inputs), "shift": (0, inputs)}
    kinds = {name: (int, float) if name in ("mass", "middle") else (int,) for name in ranges}
    values = {name: preprocessing.get(name, "none") for name in ranges}
    wrong = [n for n, v in values.items() if type(v) not in kinds[n] or not ranges[n][0] <= v <= ranges[n][1]]
    if wrong or preprocessing["height"] * preprocessing["width"] != inputs:
        raise ValueError(
            f"its [preprocessing] must say how pictures become {inputs} numbers; wrong are "
            f"{', '.join(wrong or ['height', 'width'])}. Was it edited?"
        )


def _arguments(recipe: Any) -> str:
    """What `mlpjax train` is to be given for a recipe: the data set, and what differs from its defaults."""
    from mlpjax.training import recipes

    default, words = getattr(recipes, recipe.data), [recipe.data]
    for name, value in vars(recipe).items():
        if value != getattr(default, name):
            values = value if isinstance(value, tuple) else (value,)
            words += ["--" + name.replace("_", "-"), *(shlex.quote(str(v)) for v in values)]
    return " ".join(words) + " "


def load(path: Path, *, even_diverged: bool = False) -> Model:
    """The network of a run: the best of early stopping, where there was such, else the last, or the mean it kept."""
    from mlpjax import mlp
    from mlpjax.training import checkpoint

    path = _run_dir.named(path)
    config, recipe = recipe_of(path)
    problem = _recorded(_problem.make(recipe), config["preprocessing"])
    leaves = checkpoint.read(path / _run_dir.CHECKPOINT)
    status = _status.of(config, leaves, path / _run_dir.CHECKPOINT)
    if not even_diverged:
        _status.refuse_diverged(path, status)
        _status.note_unfinished(path, status)
    try:
        params = _params(recipe, leaves)
    except ValueError as error:
        #: Behind the name of the checkpoint stands what in it does not fit: a message of the functions that read it.
        raise ValueError(f"{path / _run_dir.CHECKPOINT}: {error}") from None
    if mlp.sizes(params) != problem.sizes:
        raise ValueError(
            f"{path / _run_dir.CHECKPOINT} holds a network of sizes {mlp.sizes(params)}, but its recipe means "
            f"{problem.sizes}. Is it the checkpoint of another run?"
        )
    return Model(path, config, problem, params, status)


def _params(recipe: Any, leaves: dict[str, Any]) -> Any:
    from mlpjax import mlp

    params = mlp.from_paths(leaves, "stop_state/rule/params/" if recipe.patience else "params/")
    if recipe.optimizer == "schedule_free" and not recipe.patience:
        params = _mean(params, leaves)
    if any(leaf.dtype.kind != "f" for layer in params for leaf in layer):
        raise ValueError("its weights must be real numbers. Was it edited?")
    return params


def _mean(params: Any, leaves: dict[str, Any]) -> Any:
    """What schedule-free training is evaluated at, which its checkpoint holds in two parts."""
    from optax import contrib

    from mlpjax import mlp

    z = mlp.from_paths(leaves, "opt_state/z/")
    if mlp.sizes(z) != mlp.sizes(params) or getattr(leaves.get("opt_state/b1"), "shape", None) != ():
        raise ValueError("the checkpoint of schedule-free training lacks a part of the mean it kept. Was it edited?")
    kept = contrib.ScheduleFreeState(leaves["opt_state/b1"], 0, 0, 0, (), z)
    return contrib.schedule_free_eval_params(kept, params)


def _recorded(problem: _problem.Problem, preprocessing: dict[str, Any]) -> _problem.Problem:
    """What was done to the pictures when the network was trained, whatever this version would do."""
    transform = _problem.transform_of(preprocessing) if preprocessing else None
    return problem._replace(preprocessing=preprocessing, transform=transform)
