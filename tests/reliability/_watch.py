"""What an attack may not do: take for ever, or take all memory."""

import contextlib
import signal
import threading
import tracemalloc

PATIENCE = 60
"""Seconds after which a file that should take milliseconds is said to hang."""


class Hang(BaseException):
    """It took too long."""


@contextlib.contextmanager
def alarm():
    """Give `bound` that raises `Hang` in its block after `PATIENCE` seconds; only a main thread can be interrupted."""
    main = threading.current_thread() is threading.main_thread()

    def ring(number, frame):
        raise Hang

    @contextlib.contextmanager
    def bound():
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    before = signal.signal(signal.SIGALRM, ring) if main else None
    try:
        yield bound if main else contextlib.nullcontext
    finally:
        if main:
            signal.signal(signal.SIGALRM, before)


def peak(function, *arguments):
    """What it returned or raised, and the largest number of bytes that Python and NumPy held meanwhile."""
    tracemalloc.start()
    try:
        try:
            result = function(*arguments)
        except Exception as error:
            result = error
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def short(error):
    """An unwelcome exception, in a line for the record, without the places of a machine."""
    return f"{type(error).__name__}: {str(error)[:80]!r}"
