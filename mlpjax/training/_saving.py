"""Saving while training goes on: one thread writes, and the one that trains waits for a copy of the state."""

import time
import warnings
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax._types import Any, Callable

if TYPE_CHECKING:
    from concurrent.futures import Future

SHARE = 0.03
"""How much of the time from one periodic save to the next a save may take from training."""


def on_host(state: Any) -> Any:
    """A copy that the next chunk cannot donate: NumPy arrays, and keys, which stay keys."""
    for leaf in jax.tree.leaves(state):
        if hasattr(leaf, "copy_to_host_async"):
            leaf.copy_to_host_async()  # all of them at once, instead of one after another
    return jax.tree.map(_copy, state)


def _copy(leaf: Any) -> Any:
    is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return jax.device_put(leaf, may_alias=False) if is_key else np.array(leaf)


class Saver:
    """Saves states in a thread of its own, one at a time.

    While one is being written no other begins: the next look, at a newer state, tries again. From the beginning of one
    periodic save to that of the next at least `every` seconds pass, and so many that what the last one took from
    training is at most `SHARE` of them: the time of the copy, and the processor's time of the writer, which training
    could have used. `every=0` saves at every look instead, and waits for the one before.

    Args:
        save: a function of a state on the host; `None` saves nothing.
        every: seconds.
        clock: the time in seconds.
        busy: the processor's time of the thread that asks, in seconds.
    """

    def __init__(self, save: Callable | None, every: float, *, clock=time.monotonic, busy=time.thread_time):
        self._save, self._every, self._clock, self._busy = save, every, clock, busy
        from concurrent.futures import ThreadPoolExecutor

        self._pool = ThreadPoolExecutor(1, "mlpjax-save")
        self._writing: Future | None = None
        self._began, self._copied, self._cost = clock(), 0.0, 0.0

    def __enter__(self) -> "Saver":
        return self

    def __exit__(self, *_: Any) -> None:
        """Never leave a writer behind: a later run could be overtaken by it."""
        try:
            self._pool.shutdown()
            self.wait()
        except Exception as error:  # whatever ends the run matters more
            #: The run had ended with an error before; the checkpoint before the last one is as it was.
            warnings.warn(f"the last checkpoint could not be saved: {error}", stacklevel=3)

    def begin(self, state: Any) -> None:
        """Copy a state and have it written."""
        if self._save is None:
            return
        self._began = self._clock()
        copy = on_host(state)
        self._copied = self._clock() - self._began
        self._writing = self._pool.submit(self._write, copy)

    def wait(self, timeout: float | None = None) -> None:
        """Wait for what is being written, and raise its error."""
        from concurrent.futures import wait

        writing = self._writing
        if writing is not None and wait([writing], timeout).done:
            self._writing = None
            self._cost = self._copied + writing.result()

    def offer(self, state: Any) -> None:
        """Save if it is time to. A disk that is full for a moment must not cost the run: it is a warning."""
        if self._writing is not None and (self._every == 0 or self._writing.done()):
            self._settle()
        if self._writing is None and self._due():
            self.begin(state)

    def finish(self, state: Any, *, forgive: bool = False) -> Exception | None:
        """Save the last state, and raise what goes wrong; return it instead if there is worse to be raised."""
        self._settle()
        try:
            self.begin(state)
            self.wait()
        except Exception as error:
            if not forgive:
                raise
            return error

    def _due(self) -> bool:
        return self._every == 0 or self._clock() - self._began > max(self._every, self._cost / SHARE)

    def _settle(self) -> None:
        try:
            self.wait()
        except OSError as error:  # to the line that called `fit`
            #: The checkpoint before is as it was, and the next save tries again. The message ends with what to do.
            warnings.warn(f"the checkpoint could not be saved, training goes on: {error}", stacklevel=4)

    def _write(self, state: Any) -> float:
        began = self._busy()
        assert self._save is not None
        self._save(state)
        return self._busy() - began
