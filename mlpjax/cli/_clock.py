"""Where the time went: before `main` ran, in the compiler, and in the compiled program."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple


def since_start() -> float:
    """Seconds since the process began; where the system does not tell, the processor's seconds."""
    try:
        with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
            began = int(stat.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
            return max(0.0, float(uptime.read().split()[0]) - began)
    except (OSError, ValueError, IndexError):
        return time.process_time()


class Clock(NamedTuple):
    """What is known of the time so far.

    Attributes:
        imported: seconds from the start of the process until the libraries were there.
        compiled: a function that tells the seconds spent in tracing, lowering and compiling since then.
    """

    imported: float
    compiled: Callable[[], float]


@contextlib.contextmanager
def watch() -> Iterator[Clock]:
    """Begin when everything is imported.

    JAX reports every trace and compilation with its duration, and traces within traces: the union of the intervals
    counts none twice.
    """
    import jax

    spans: list[tuple[float, float]] = []

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        if event.startswith("/jax/core/compile/"):
            spans.append((time.monotonic() - duration_secs, time.monotonic()))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield Clock(since_start(), lambda: _union(spans))
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def _union(spans: list[tuple[float, float]]) -> float:
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
