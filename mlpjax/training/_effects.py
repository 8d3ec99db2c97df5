"""What a host loop does besides training: logs and signals."""

import contextlib
import io
import json
import math
import os
import signal
import threading
import time
from collections.abc import Iterator

from mlpjax import _files
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


def rewind(path: str | os.PathLike, step: int) -> None:
    """Drop what a log says of steps after this one, and a last line that was cut off: they are going to be taken again.

    A file that there is no reason to change is not touched, and neither is a pipe or a device.
    """
    if not os.path.isfile(path):
        return
    with _files.reading(path) as file:
        content = file.read()
    kept = until(content, step)
    if kept != content:
        with _files.replacing(path) as file:
            file.write(kept)


def until(content: bytes, step: int) -> bytes:
    """The whole lines of a log, without the records of later steps; a line that is no record is not ours to drop."""
    lines = io.BytesIO(content).readlines()
    return b"".join(line for line in lines if line.endswith(b"\n") and not _step_of(line) > step)


def _step_of(line: bytes) -> float:
    try:
        found = json.loads(line)["step"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return -1
    return found if isinstance(found, int | float) else -1


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop, by Ctrl-C or SIGTERM, and did so after a whole step.

    Attributes:
        state: the state it stopped at; saved already where there is a checkpoint.
        history: what was measured until then.
        signal: the number of the signal.
    """

    def __init__(self, state: Any, history: Any, number: int):
        super().__init__(f"stopped by {signal.Signals(number).name} at step {int(state.step)}")
        self.state, self.history, self.signal = state, history, number

    def __reduce__(self):  # or no process could tell another of it
        return type(self), (self.state, self.history, self.signal)


AGAIN = 1.0
"""Seconds after a signal from which on another is a second wish, not the first one twice.

Ctrl-C reaches every process of a terminal, and a launcher that passes it on makes two of it; schedulers send several.
"""


@contextlib.contextmanager
def deferred_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of dying at once; a second one, not right after the first, is obeyed at once.

    Signals belong to the main thread: in any other this does nothing. One that is ignored stays ignored.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def remember(number, frame):
        nonlocal first
        if received and time.monotonic() - first >= AGAIN:
            again = KeyboardInterrupt(f"stopped by {signal.Signals(number).name}")
            again.signal = number  # pyright: ignore
            #: A second Ctrl-C or SIGTERM, which gives up the save too. Go on from the checkpoint, an earlier one.
            raise again
        first = time.monotonic() if not received else first
        received.append(number)

    first, before = 0.0, {}
    for number in (signal.SIGINT, signal.SIGTERM):
        # None is a handler from outside Python, which could not be put back
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, remember)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def as_sinks(log: Any, first: int) -> list[Callable]:
    """One log, several or none, as a list; the file of a run that goes on from step `first` is cut to there."""
    if log is None:
        return []
    if isinstance(log, str | os.PathLike):
        if first:
            rewind(log, first)
        return [log_jsonl(log)]
    return [log] if callable(log) else list(log)
