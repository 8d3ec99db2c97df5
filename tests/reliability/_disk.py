"""What a save asks of the operating system: every call is watched, and may be made to fail."""

import builtins
import contextlib
import io
import os
from typing import Any, NamedTuple
from unittest import mock

from mlpjax import _files


class Call(NamedTuple):
    """One call: what it does, to which path, and with what.

    `make` and `mkdir` a name; `write` bytes at an offset; `truncate` to a size; `sync` a file or a directory;
    `rename` to a path; `unlink`.
    """

    what: str
    path: str
    offset: int = 0
    data: Any = b""


class File(io.FileIO):
    """An unbuffered file, below Python's buffer: what arrives here is what the system is asked."""

    def __init__(self, path, mode, watch):
        if "x" in mode:
            watch(Call("make", os.fspath(path)))
        super().__init__(os.fspath(path), mode)
        self.watch = watch

    def write(self, data, /):
        watched = Call("write", self.name, self.tell(), bytes(data))
        try:
            self.watch(watched)
        except OSError:  # as a disk does that becomes full: what fits is written
            super().write(bytes(data)[: len(bytes(data)) // 2])
            raise
        return super().write(data)

    def truncate(self, size=None, /):
        size = self.tell() if size is None else size
        self.watch(Call("truncate", self.name, size))
        return super().truncate(size)


@contextlib.contextmanager
def watched(watch):
    """Tell of each call before it is made by `_files`; what is raised then is what the call raises."""

    def told(what, real):
        def call(path, *more, **options):
            name = os.readlink(f"/proc/self/fd/{path}") if what == "sync" else os.fspath(path)
            watch(Call(what, name, data=os.fspath(more[0]) if what == "rename" else b""))
            return real(path, *more, **options)

        return call

    def opened(path, mode="r", *more, **options):
        if "b" in mode and ("x" in mode or "+" in mode or "w" in mode):
            return io.BufferedRandom(File(path, mode.replace("b", ""), watch))
        return builtins.open(path, mode, *more, **options)

    names = {"fsync": "sync", "replace": "rename", "unlink": "unlink", "mkdir": "mkdir"}
    with contextlib.ExitStack() as stack:
        for name, what in names.items():
            stack.enter_context(mock.patch.object(os, name, told(what, getattr(os, name))))
        stack.enter_context(mock.patch.object(_files, "open", opened, create=True))
        yield
