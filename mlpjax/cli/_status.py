"""How far a run came: to its end, to a signal, or to a number that is not finite."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mlpjax.cli import _run_dir


class Status(NamedTuple):
    """How far a run came.

    Attributes:
        kind: `"complete"`, `"interrupted"` (or still running) or `"diverged"`.
        step: the last step; of a diverged run the one that was not finite.
        steps: those of the whole run.
    """

    kind: str
    step: int
    steps: int

    def __str__(self) -> str:
        if self.kind == "complete":
            return "complete"
        return f"{self.kind} at step {self.step:,}" + (f" of {self.steps:,}" if self.kind == "interrupted" else "")


def of(config: Mapping[str, Any], leaves: Mapping[str, Any], where: Path) -> Status:
    """The status of a run, from its configuration and the leaves of its checkpoint, which is `where`."""
    from mlpjax.training import stopping

    def number(name, *otherwise):
        leaf = leaves.get(name)
        if leaf is None and otherwise:
            return otherwise[0]
        if leaf is None or leaf.shape or leaf.dtype.kind not in "iu":
            raise ValueError(f"{where} has no whole number {name!r}: it is not a checkpoint of `mlpjax train`.")
        return int(leaf)

    step, bad, steps = (
        number("step"),
        number("stop_state/first_bad_step", stopping.NEVER),
        config["run"].get("steps", 0),
    )
    if bad != stopping.NEVER:
        return Status("diverged", bad, steps)
    patience = config["recipe"].get("patience", 0)
    stopped = type(patience) is int and patience > 0 and number("stop_state/rule/waited", 0) >= patience
    return Status("complete" if stopped or step >= steps else "interrupted", step, steps)


def newest(kinds: tuple[str, ...]) -> Path:
    """The youngest complete run under `runs` on some data sets; an interrupted one only if there is no other."""
    from mlpjax.training import checkpoint

    interrupted, diverged = [], 0
    for run in _run_dir.on(kinds):
        file = run / _run_dir.CHECKPOINT
        status = of(_run_dir.read_config(run), checkpoint.read(file), file)
        if status.kind == "complete":
            return run
        interrupted += [run] * (status.kind == "interrupted")
        diverged += status.kind == "diverged"
    if interrupted:
        return interrupted[0]
    raise ValueError(
        f"there is no run on {' or '.join(kinds)} under {_run_dir.RUNS.resolve()}"
        f"{' that did not diverge' if diverged else ''}. Train one with `mlpjax train`, or name one with `--run-dir`."
    )


def note_unfinished(run: Path, status: Status) -> None:
    """What a run that was stopped, or still goes on, has learned so far is not what it will have learned."""
    if status.kind == "interrupted":
        print(
            f"mlpjax: note: {_run_dir.shown(run)} is not finished: {status}. This is its network so far; "
            f"`mlpjax train --resume {_run_dir.quoted(run)}` goes on, if it does not run still.",
            file=sys.stderr,
        )


def refuse_diverged(run: Path, status: Status) -> None:
    """What diverged has no network to speak of."""
    if status.kind == "diverged":
        raise ValueError(
            f"{_run_dir.shown(run)} {status}: its network is of no use. Train a new one with a lower `--learning-rate`."
        )
