"""Ctrl-C and SIGTERM end a command alike, at once, and with a word on how to go on."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_words = "."


def number(stopped: BaseException) -> int:
    """The signal behind a `KeyboardInterrupt`."""
    return getattr(stopped, "signal", signal.SIGINT)


def last_words(number: int, words: str) -> str:
    """What a command that was stopped says."""
    return f"stopped by {signal.Signals(number).name}{words}"


def words_of(stopped: BaseException) -> str:
    """The same, of a `KeyboardInterrupt`."""
    return last_words(number(stopped), getattr(stopped, "words", "."))


@contextlib.contextmanager
def saying(words: str) -> Iterator[None]:
    """What is to be said if a signal ends the command in this block."""
    global _words
    before, _words = _words, words
    try:
        yield
    except KeyboardInterrupt as stopped:
        stopped.words = getattr(stopped, "words", words)  # pyright: ignore
        raise
    finally:
        _words = before


@contextlib.contextmanager
def alike(*, own_process: bool) -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does; not where it is ignored, or is somebody else's business.

    In a process of its own a command leaves on the spot. An exception would strike anywhere, and while libraries are
    imported it gets lost in a callback that swallows it, is taken for an error of theirs, or crashes the process. What
    is written is written elsewhere and renamed, so there is nothing to clean up; `training.fit` has its own handlers.
    """
    defaults: dict[int, Any] = {signal.SIGTERM: signal.SIG_DFL}
    if own_process:
        defaults[signal.SIGINT] = signal.default_int_handler
    mine = threading.current_thread() is threading.main_thread()
    before = {s: handler for s, handler in defaults.items() if mine and signal.getsignal(s) is handler}
    for s in before:
        signal.signal(s, _leave if own_process else _stop)
    try:
        yield
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"\nmlpjax: {last_words(number, _words)}\n".encode())
    os._exit(128 + number)


def _stop(number: int, frame: FrameType | None) -> None:
    stopped = KeyboardInterrupt()
    stopped.signal = number  # pyright: ignore
    raise stopped
