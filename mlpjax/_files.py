"""Files that are read only if they are files, and that are either the old one or the whole new one when written."""

import contextlib
import errno
import io
import os
import pathlib
import secrets
import stat
import sys
from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["make_directory", "reading", "replacing"]

SUFFIX = ".mlpjax-tmp"

REMEDY = {
    errno.ENOSPC: "Free some space on that disk, or write elsewhere.",
    errno.EDQUOT: "Free some of your quota, or write elsewhere.",
    errno.EFBIG: "Raise the limit on the size of files (`ulimit -f`), or write elsewhere.",
    errno.EACCES: "Write to a directory that you may read and write.",
    errno.EPERM: "Write to a directory that you may write to.",
    errno.EROFS: "Write to a disk that is not read-only.",
    errno.ENOENT: "Create the directory first.",
    errno.ENOTDIR: "A part of the path is a file: write elsewhere.",
    errno.EISDIR: "Give the name of a file, not of a directory.",
    errno.ENAMETOOLONG: "Give it a shorter name.",
    errno.EEXIST: "Give the name of a file.",
    errno.EMFILE: "Close some files, or raise the limit on open ones (`ulimit -n`).",
}

NO_SUCH_CALL = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.ENOTTY}
"""How file systems (of networks, mostly) answer that they have no such fsync: they have done what they can."""


@contextlib.contextmanager
def reading(path: str | os.PathLike) -> Iterator[io.BufferedReader]:
    """Open a file to read, if it is one: from a pipe one might wait for ever, and a device may never end.

    Args:
        path: the file.

    Yields:
        The binary file.

    Raises:
        OSError: there is no such file, it may not be read, or it is of another kind.
    """
    with open(path, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            #: The message ends with its name. Write what comes out of it to a file, and give the name of that.
            raise OSError(errno.EINVAL, "Is a pipe or a device, not a file", os.fspath(path))
        yield file


def _at_once(path: str, flags: int) -> int:
    """Open a file without waiting for somebody to write to it, as the open end of a pipe does."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


@contextlib.contextmanager
def replacing(path: str | os.PathLike, *, follow: bool = True) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` only once it is whole and on the disk.

    It is written beside `path`, fsynced, renamed over it, and the directory is fsynced: when the block has ended,
    the new content survives a power failure, and up to then the old one does. A symbolic link is followed, so that it
    still is one afterwards.

    Args:
        path: the file to make or to replace.
        follow: write to where a symbolic link points; otherwise the file takes the place of the link.

    Yields:
        A binary file, readable too.

    Raises:
        OSError: it cannot be written; the message has the remedy, and what `path` held before is untouched. If only
            the fsync of the directory failed, the message says so: the new content is there, but not yet for certain.
    """
    parent, name = os.path.split(path)
    target = pathlib.Path(os.path.realpath(path) if follow else os.path.join(os.path.realpath(parent), name))
    try:
        _refuse_other_than_files(target)
        _sweep(target.parent)
        with _temporary(target.parent) as file:
            yield file
            file.flush()
            _sync(file.fileno())
            if os.name == "nt":  # where an open file cannot be renamed
                file.close()
            os.replace(file.name, target)
    except OSError as error:
        raise _explained(f"could not write {os.fspath(path)}", error) from error
    try:
        _sync_directory(target.parent)
    except OSError as error:
        raise _explained(f"wrote {os.fspath(path)}, but a power failure could still undo it", error) from error


def make_directory(path: str | os.PathLike, *, exist_ok: bool = False) -> None:
    """Make a directory, and those above it that are missing, so that it survives a power failure.

    Without the fsync of the directory above, files in a new directory could be safe, and the directory not. Where one
    may write but not read, there is none.

    Args:
        path: the directory.
        exist_ok: whether it may exist already.

    Raises:
        OSError: it cannot be made, or exists.
    """
    directory = pathlib.Path(os.path.realpath(path))
    missing = [above for above in (directory, *directory.parents) if not above.exists()]
    pathlib.Path(path).mkdir(parents=True, exist_ok=exist_ok)
    for made in reversed(missing):
        with contextlib.suppress(PermissionError):
            _sync_directory(made.parent)


def _explained(what: str, error: OSError) -> OSError:
    return OSError(
        error.errno, f"{what}: {error.strerror or error}. {REMEDY.get(error.errno or 0, 'Is the disk well?')}"
    )


def _refuse_other_than_files(target: pathlib.Path) -> None:
    """Before anything is written: root could put a file in the place of `/dev/null`."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "Is a directory")
    if target.exists() and not target.is_file():
        raise OSError(errno.EEXIST, "It is a device or a pipe, which no file can replace")


@contextlib.contextmanager
def _temporary(directory: pathlib.Path) -> Iterator[BinaryIO]:
    """A new locked file, which is gone if anything goes wrong; what it was renamed to has nothing to do with it."""
    file = _create(directory)
    try:
        with file:
            yield file
    except BaseException:
        with contextlib.suppress(OSError):  # the next save sweeps it
            os.unlink(file.name)
        raise


def _create(directory: pathlib.Path) -> BinaryIO:
    while True:
        file = open(directory / f".{secrets.token_hex(8)}{SUFFIX}", "x+b")
        _lock(file, wait=True)
        if os.name == "nt" or os.fstat(file.fileno()).st_nlink:  # else swept before it was locked
            return file
        file.close()


def _sweep(directory: pathlib.Path) -> None:
    """Remove what killed processes left: the lock on a temporary file dies with the process that writes it."""
    for orphan in directory.glob(f".*{SUFFIX}"):
        with contextlib.suppress(OSError), open(orphan, "r+b") as file:
            if os.name == "nt":  # where an open file cannot be removed, neither by us nor from under its writer
                file.close()
            if _lock(file, wait=False):
                os.unlink(orphan)


def _lock(file: BinaryIO, *, wait: bool) -> bool:
    """Lock a file for this process; False where that is not possible, so that nothing there is ever swept."""
    try:
        import fcntl
    except ImportError:  # Windows: an open file is as good as locked
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _sync(descriptor: int) -> None:
    """Wait until all of a file is on the disk: on macOS an fsync ends when it is in the cache of the disk."""
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
        except OSError as error:
            if error.errno not in NO_SUCH_CALL:
                raise
    os.fsync(descriptor)


def _sync_directory(directory: pathlib.Path) -> None:
    if os.name == "nt":  # has no such call
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        _sync(descriptor)
    except OSError as error:
        if error.errno not in NO_SUCH_CALL:
            raise
    finally:
        os.close(descriptor)
