"""`mlpjax evaluate`."""

from dataclasses import dataclass
from pathlib import Path

from mlpjax.cli import _assess, _model, _problem, _report, _run_dir
from mlpjax.cli._parser import naming_options, parse

ABOUT = """Test the network of a run: loss, accuracy, calibration, and every class by itself.

Example:
  mlpjax evaluate runs/digits-20270101-120000

Data and preprocessing are those that the run recorded. confusion-matrix.png in the run directory is drawn anew.
"""


@dataclass(frozen=True)
class Options:
    """What to test.

    Attributes:
        run_dir: a directory that mlpjax train wrote.
        data_dir: where MNIST's IDX files are, if no longer where they were.
    """

    run_dir: Path
    data_dir: Path | None = None


def run(args: list[str]) -> int:
    """Test as the arguments say."""
    (options,) = parse("evaluate", ABOUT, args, Options, positional={"run_dir": "RUN_DIR"})
    model = _model.load(options.run_dir)
    _problem.check_data_dir(model.problem.recipe, options.data_dir)
    with naming_options():
        examples = _problem.load(model.problem, "test", options.data_dir or model.data_dir)
    tested = _assess.assess(model.problem, model.params, examples)
    picture = _report.draw_decisions(model, tested)
    _report.table(_report.accuracy_rows(model.problem, tested) | {"picture": _run_dir.shown(picture)})
    if model.problem.recipe.data not in _problem.PICTURES:  # a class of two points has no precision to speak of
        return 0
    rows = [
        [str(k), f"{n:,}", *(_report.percent(v) for v in values)] for k, n, *values in _assess.per_class(tested.matrix)
    ]
    _report.columns("", ["class", "examples", "precision", "recall", "F1"], rows)
    return 0
