"""What is said at the end of a run, and of a network."""

import functools
import math
from pathlib import Path
from typing import Any, NamedTuple

from mlpjax import _text
from mlpjax.cli import _assess, _problem, _run_dir


class Ending(NamedTuple):
    """A trained network and where it is kept."""

    run: Path
    problem: _problem.Problem
    params: Any
    data_dir: Path | None
    step: int
    per_epoch: int


class Times(NamedTuple):
    """Seconds: until everything was imported, in the compiler, in the training steps, and of the whole process."""

    imported: float
    compiled: float
    trained: float
    total: float


def finish(ending: Ending) -> tuple[_assess.Assessment, list[Path]]:
    """Look at the test set, draw, and write it into the log, which says that all of it is done."""
    from mlpjax import training

    examples = _problem.load(ending.problem, "test", ending.data_dir)
    tested = _assess.assess(ending.problem, ending.params, examples)
    pictures = draw(ending, tested)
    training.log_jsonl(ending.run / _run_dir.LOG)({"step": ending.step, "test": tested.record()})
    return tested, pictures


def draw(ending: Ending, tested: _assess.Assessment) -> list[Path]:
    """The pictures of a finished run."""
    from mlpjax import plots

    records = _run_dir.read_log(ending.run)
    curve = plots.learning_curve(records, steps_per_epoch=ending.per_epoch)
    return [_run_dir.save_figure(ending.run / "learning-curve.png", curve), draw_decisions(ending, tested)]


def draw_decisions(ending: Any, tested: _assess.Assessment) -> Path:
    """What is confused with what; for points in the plane, where the border lies."""
    import jax

    from mlpjax import plots

    problem = ending.problem
    if problem.recipe.data in _problem.PICTURES:
        return _run_dir.save_figure(_directory(ending) / "confusion-matrix.png", plots.confusion_matrix(tested.matrix))
    x, y, _ = _problem.load(problem, "train", None)
    figure = plots.decision_boundary(jax.jit(functools.partial(problem.probabilities, ending.params)), x, y)
    return _run_dir.save_figure(_directory(ending) / "decision-boundary.png", figure)


def training(ending: Ending, tested: _assess.Assessment, pictures: list[Path], times: Times) -> None:
    """The report at the end of training."""
    from mlpjax import trees

    sizes = "-".join(str(size) for size in ending.problem.sizes)
    rest = max(0.0, times.total - times.imported - times.compiled - times.trained)
    parts = f"import {times.imported:.1f} · compile {times.compiled:.1f} · run {times.trained:.1f} · rest {rest:.1f}"
    run = _run_dir.quoted(ending.run)
    rows = accuracy_rows(ending.problem, tested) | {
        "parameters": f"{trees.count(ending.params):,} ({sizes})",
        "time": f"{times.total:.1f} s: {parts}",
        "model": _run_dir.shown(ending.run / _run_dir.CHECKPOINT),
        "pictures": "\n".join(_run_dir.shown(path) for path in pictures),
        "next": f"mlpjax evaluate {run}"
        + (f"\nmlpjax predict PICTURE.png --run-dir {run}" if ending.problem.preprocessing else ""),
    }
    table(rows)


def accuracy_rows(problem: _problem.Problem, tested: _assess.Assessment) -> dict[str, str]:
    """What was measured on the test set; the four points of xor are all there is."""
    pictures, least = problem.recipe.data in _problem.PICTURES, _problem.least_loss(problem)
    rows = {
        "test accuracy" if pictures else "accuracy on the four points": (
            f"{100 * tested.accuracy:.2f} % ({tested.right:,} of {tested.n:,})"
        ),
        "test loss" if pictures else "loss": f"{tested.loss:.4g}"
        + (f" (smoothed labels: at least {least:.2f})" if least >= 0.005 else ""),
    }
    return rows | {"calibration error": f"{100 * tested.calibration:.2f} %"} if pictures else rows


def table(rows: dict[str, str]) -> None:
    """Names and values in two columns; a value is never broken, so that a command can be copied."""
    from rich.console import Console
    from rich.text import Text

    console, width = Console(highlight=False), max(map(len, rows)) + 2
    for name, value in rows.items():
        for i, line in enumerate(value.splitlines() or [""]):
            head = f"{name if i == 0 else '':<{width}}"
            console.print(Text.assemble((head if line else name, "bold cyan"), _text.printable(line)), soft_wrap=True)


def columns(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """A table of numbers."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for i, head in enumerate(heads):
        made.add_column(head, justify="left" if i == 0 else "right")
    for row in rows:
        made.add_row(*row)
    Console(highlight=False, markup=False).print(made)


def percent(share: float) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if math.isnan(share) else f"{100 * share:.1f} %"


def _directory(ending: Any) -> Path:
    return ending.run if isinstance(ending, Ending) else ending.path
