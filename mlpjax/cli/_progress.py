"""What is said of a training run while it goes on: a few plain lines where there is no terminal to draw on."""

import math
import sys
from collections.abc import Callable
from typing import Any


def words(record: dict[str, Any], watched: str) -> list[str]:
    """Losses and metrics in short texts; of training examples not the loss, which that of the steps is already."""
    from mlpjax.training import _progress

    seen = {name: value for name, value in record["validation"].items() if (watched, name) != ("training", "loss")}
    return _progress.words({**record, "validation": seen}, watched)


def lines(total: int, done: int, *, per_epoch: int, watched: str) -> Callable[[dict[str, Any]], None]:
    """A log that prints about ten lines in all."""
    printed = math.floor(10 * done / total)

    def show(record):
        nonlocal printed
        tenth = math.floor(10 * record["step"] / total)
        if tenth > printed:
            printed = tenth
            epochs = f"{record['step'] // per_epoch}/{total // per_epoch}"
            print(f"epoch {epochs:>9}  {' · '.join(words(record, watched))}", file=sys.stderr, flush=True)

    return show
