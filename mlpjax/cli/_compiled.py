"""Compiled programs, kept from one command to the next, by JAX's persistent cache."""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlpjax.cli import _store

DIRECTORY, ENABLED = "jax_compilation_cache_dir", "jax_enable_compilation_cache"

SETTINGS = {
    # small programs too: each is loaded in a fraction of the time that it takes to compile, and there are dozens
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
    # those inside XLA are for GPUs, and of no use beside whole programs; their paths would become part of the key
    "jax_persistent_cache_enable_xla_caches": "none",
}


def describe() -> str:
    """Where they are, and how much of the disk they take."""
    if not _setting(ENABLED):
        return f"none ({ENABLED.upper()})"
    if (theirs := _setting(DIRECTORY)) is not None:
        return f"{theirs} ({DIRECTORY.upper()})"
    try:
        root = _store.directory()
        count, size = _store.contents(root)
        return f"{root} ({count} programs, {size / 1e6:.1f} MB)"
    except OSError as error:
        return _reason(error)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Compile nothing that an earlier command has compiled; where that cannot be, say so and go on without.

    Who has told JAX where to keep compiled programs, or not to, is obeyed.
    """
    place, well = _place(), False
    if place is None:
        yield
        return
    try:
        with _used_by_jax(place.path):
            yield
        well = True
    finally:
        try:
            _store.note(place)
        except OSError as error:
            if well:  # else there is something worse to tell
                _warn(error)


def _place() -> _store.Place | None:
    """The directory for this machine, ready for use; none if there is to be none, or can be none."""
    if not {DIRECTORY.upper(), ENABLED.upper()} & set(os.environ):
        # XLA would remark on the processor at each program it loads; what it logs is settled when it is imported
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if _setting(DIRECTORY) is not None or not _setting(ENABLED):
        return None
    try:
        return _store.opened(_store.directory())
    except OSError as error:
        _warn(error)
        return None


def _warn(error: OSError) -> None:
    #: The command itself works: only what it compiles is compiled anew the next time.
    print(
        f"mlpjax: warning: compiled programs are not kept, so that the next command starts no faster. {_reason(error)} "
        f"MLPJAX_CACHE=DIR names another place.",
        file=sys.stderr,
    )


def _reason(error: OSError) -> str:
    return str(error.strerror) if error.filename is None else f"{error.filename}: {error.strerror}."


@contextlib.contextmanager
def _used_by_jax(place: Path) -> Iterator[None]:
    """Let JAX read and write there, and leave its configuration as it was."""
    from jax.experimental.compilation_cache import compilation_cache

    settings = {DIRECTORY: str(place), **SETTINGS}
    before = {name: _setting(name) for name in settings}
    with warnings.catch_warnings():
        # what cannot be read is compiled; what could not be written is told of at the end
        warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache", UserWarning)
        try:
            _configure(settings)
            compilation_cache.reset_cache()  # JAX looks for its directory once
            yield
        finally:
            _configure(before)
            compilation_cache.reset_cache()


def _setting(name: str) -> Any:
    import jax

    return getattr(jax.config, name)


def _configure(settings: dict[str, Any]) -> None:
    import jax

    for name, value in settings.items():
        jax.config.update(name, value)
