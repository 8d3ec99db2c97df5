"""The progress bar of a training run; a few plain lines where there is no terminal."""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def bar(total: int, done: int, *, per_epoch: int, quiet: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that is given each record of the log."""
    if quiet:
        yield lambda record: None
    elif not sys.stderr.isatty():
        yield _lines(total, done, per_epoch)
    else:
        yield from _bar(total, done, per_epoch)


def describe(record: dict[str, Any]) -> str:
    """Losses and accuracy in a line."""
    words = [] if record.get("loss") is None else [f"loss {_number(record['loss'])}"]
    for where in ("training", "validation"):
        found = record.get(where, {})
        if where == "validation" and "loss" in found:
            words.append(f"validation loss {_number(found['loss'])}")
        if "accuracy" in found:
            words.append(f"{where} accuracy {100 * found['accuracy']:.2f} %")
    return " · ".join(words)


def _number(loss: float) -> str:
    return f"{loss:.3g}"


def _lines(total: int, done: int, per_epoch: int) -> Callable[[dict[str, Any]], None]:
    """About ten lines in all."""
    printed = math.floor(10 * done / total)

    def show(record):
        nonlocal printed
        tenth = math.floor(10 * record["step"] / total)
        if tenth > printed:
            printed = tenth
            epochs = f"{record['step'] // per_epoch}/{total // per_epoch}"
            print(f"epoch {epochs:>9}  {describe(record)}", file=sys.stderr, flush=True)

    return show


def _bar(total: int, done: int, per_epoch: int) -> Iterator[Callable[[dict[str, Any]], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(bar_width=24),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[text]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        epoch = lambda step: f"{step // per_epoch}/{total // per_epoch}"
        task = progress.add_task("", total=total, completed=done, epoch=epoch(done), text="compiling")

        def show(record):
            step = record["step"]
            progress.update(task, completed=step, epoch=epoch(step), text=describe(record))

        yield show
