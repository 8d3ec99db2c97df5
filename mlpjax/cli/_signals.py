"""Ctrl-C and SIGTERM end a command alike: by an exception that closes what is open, and tells which it was."""

import contextlib
import signal
import threading
from collections.abc import Iterator


def number(stopped: BaseException) -> int:
    """The signal behind a `KeyboardInterrupt`."""
    return getattr(stopped, "signal", signal.SIGINT)


def name(stopped: BaseException) -> str:
    """Its name."""
    return signal.Signals(number(stopped)).name


def code(stopped: BaseException) -> int:
    """The exit code that says so."""
    return 128 + number(stopped)


@contextlib.contextmanager
def alike() -> Iterator[None]:
    """Let SIGTERM raise what Ctrl-C raises; not where it is ignored, or is somebody else's business."""
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _stop(number, frame):
    stopped = KeyboardInterrupt()
    stopped.signal = number  # pyright: ignore
    raise stopped
