"""How many steps are taken before the host looks around: for a record, and for a signal."""

import contextlib
import functools
import math
import time
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp

from mlpjax.training._loop import some

PROGRAMS = 16
"""Of so many different settings the compiled programs are kept, of those used last."""

LONGEST = 1000
"""The steps of a chunk at most, unless it is told otherwise, and of a call of the compiled program in any case."""

LISTENING = 1.0
"""Seconds that such a call may take, if more than one step does not fit in: signals wait for its end."""


def chunk_size(steps: int, every: int | None) -> int:
    """Steps of a chunk: whole evaluations where there are any, and equal parts of the run where there are such."""
    if every is None:
        return _part(steps, max(math.ceil(steps / 20), 2), LONGEST)
    if every > LONGEST:
        return _part(every, LONGEST, LONGEST)
    looks = max(math.ceil(steps / 100 / every), math.ceil(2 / every))
    most = LONGEST // every
    return every * (min(looks, most) if steps % every else _part(steps // every, looks, most))


def _part(whole: int, wished: int, most: int) -> int:
    """The divisor of a number that is nearest to a wish, if one is between half and double of it; else the wish."""
    wished = min(wished, most)
    parts = [d for d in range(wished // 2 + 1, min(2 * wished - 1, most) + 1) if whole % d == 0]
    return min(parts, key=lambda d: max(d / wished, wished / d), default=wished)


class Pace:
    """How many steps to take at once, so that they take about as long as signals may wait; the first time one."""

    def __init__(self):
        # where several processes take the steps, all must take as many, whatever their clocks say
        self._fixed = jax.process_count() > 1
        self.steps = LONGEST if self._fixed else 1

    @contextlib.contextmanager
    def of(self, count: int) -> Iterator[None]:
        """Some steps are taken."""
        began = time.monotonic()
        yield
        if not self._fixed:
            fitting = count * LISTENING / max(time.monotonic() - began, 1e-9)
            self.steps = max(1, min(int(fitting), LONGEST))


@functools.lru_cache(PROGRAMS)
def program(metrics, stop, **settings) -> Callable:
    """A function of its own for some settings: its programs go together with it."""

    def chunk(state, data, validation, count):
        """Some steps; and how many were taken, the first that was bad, and whether to stop, in one array to look at."""
        more = dict(validation=validation, metrics=dict(metrics), stop=stop, most=LONGEST)
        state, history = some(state, data, count, **more, **settings)
        stopped = jnp.asarray(stop is not None and stop.stopped(state.stop_state.rule))
        return state, history, jnp.stack([state.step, state.stop_state.first_bad_step, stopped.astype(jnp.uint32)])

    return jax.jit(chunk, donate_argnames="state")
