"""What a host loop does besides training: logs and signals."""

import contextlib
import json
import math
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from mlpjax._types import Any, Callable


def as_json(value: Any) -> str:
    """JSON proper: `null` for a number that is not finite, where Python would write NaN."""

    def proper(value):
        if isinstance(value, dict):
            return {name: proper(v) for name, v in value.items()}
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(proper(value), allow_nan=False)


def log_jsonl(path: str | os.PathLike) -> Callable[[dict[str, Any]], None]:
    r"""A log that appends one JSON object per record to a file.

    A last line that was cut off, by a full disk or a killed process, is ended first: it must not take the next along.

    Args:
        path: the file; its directory must exist.

    Returns:
        A function for the argument `log` of `training.fit`.

    Example:
        >>> import tempfile, pathlib
        >>> from mlpjax import training
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "log.jsonl"
        >>> training.log_jsonl(path)({"step": 1, "loss": 0.5})
        >>> path.read_text()
        '{"step": 1, "loss": 0.5}\n'
    """

    def log(record):
        with open(path, "ab") as file:
            file.write(b"\n" * _is_torn(path) + as_json(record).encode() + b"\n")

    return log


def _is_torn(path: str | os.PathLike) -> bool:
    """Whether the last line of a file lacks its end; not of a pipe or a device, which cannot be looked into."""
    if not os.path.isfile(path) or os.path.getsize(path) == 0:
        return False
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def log_tensorboard(directory: str | os.PathLike) -> Callable[[dict[str, Any]], None]:
    """A log that writes scalars for TensorBoard.

    Args:
        directory: where its event files go.

    Returns:
        A function for the argument `log` of `training.fit`.

    Raises:
        ImportError: without tensorboardX; the message names the command that installs it.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise ImportError("TensorBoard logs need tensorboardX: `pip install tensorboardX`.") from error
    writer = SummaryWriter(os.fspath(directory))

    def log(record):
        scalars = {
            "loss": record.get("loss"),
            **{f"validation/{k}": v for k, v in record.get("validation", {}).items()},
        }
        for name, value in scalars.items():
            if value is not None:
                writer.add_scalar(name, value, record["step"])
        writer.flush()

    return log


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop, by Ctrl-C or SIGTERM, and did so after a whole chunk of steps.

    Attributes:
        state: the state it stopped at; saved already where there is a checkpoint.
        history: what was measured until then.
        signal: the number of the signal.
    """

    def __init__(self, state: Any, history: Any, number: int):
        super().__init__(f"stopped by {signal.Signals(number).name} at step {int(state.step)}")
        self.state, self.history, self.signal = state, history, number


@contextlib.contextmanager
def deferred_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of dying at once; a second one is obeyed at once.

    Signals belong to the main thread: in any other this does nothing.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def remember(number, frame):
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def as_sinks(log: Any) -> list[Callable]:
    """One log, several or none, as a list."""
    if log is None:
        return []
    if isinstance(log, str | Path):
        return [log_jsonl(log)]
    return [log] if callable(log) else list(log)
