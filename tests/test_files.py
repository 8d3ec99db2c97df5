"""Files that are replaced as a whole: what each system call is asked for, what each failure leaves and says.

The way of a whole save through them is in `tests/training/test_checkpoint.py`, crashes and power failures in
`tests/reliability`.
"""

import errno
import os
import sys

import pytest

from mlpjax import _files


@pytest.fixture
def target(tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"old")
    return target


def put(path, content=b"new", **how):
    with _files.replacing(path, **how) as file:
        file.write(content)


def raising(number):
    def call(*_):
        raise OSError(number, os.strerror(number))

    return call


def test_all_of_it_is_written_before_it_is_synced_and_synced_before_it_is_renamed(target, monkeypatch):
    calls, sync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append(os.fstat(fd).st_size), sync(fd)))
    monkeypatch.setattr(os, "replace", lambda *names: (calls.append("replace"), replace(*names)))
    put(target)
    assert calls[:2] == [3, "replace"] and len(calls) == 3 and target.read_bytes() == b"new"


def test_it_is_locked_until_it_has_its_name(target, monkeypatch):
    """Or another process could take it for what a killed one left."""
    replace, locked = os.replace, []

    def renamed(name, path):
        with open(name, "rb") as file:
            locked.append(not _files._lock(file, wait=False))
        replace(name, path)

    monkeypatch.setattr(os, "replace", renamed)
    put(target)
    assert locked == [True]


def test_nothing_stays_open(target, monkeypatch):
    lock, swept = _files._lock, []

    def swept_first(file, *, wait):
        if wait and not swept:
            swept.append(os.unlink(file.name))
        return lock(file, wait=wait)

    monkeypatch.setattr(_files, "_lock", swept_first)
    before = os.listdir("/proc/self/fd")
    put(target)
    assert swept and os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize(("follow", "kept"), [({}, True), ({"follow": True}, True), ({"follow": False}, False)])
def test_links(target, tmp_path, follow, kept):
    link = tmp_path / "link"
    link.symlink_to(target)
    put(link, **follow)
    assert link.is_symlink() == kept and link.read_bytes() == b"new"
    assert target.read_bytes() == (b"new" if kept else b"old")


def test_what_no_file_can_replace_stays(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"could not write .*pipe: It is a device or a pipe, which no file can replace\."):
        put(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"could not write .*folder: Is a directory\. Give the name of a file"):
        put(tmp_path / "folder")
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]


def test_a_failure_without_a_number(target):
    with pytest.raises(OSError, match=r"could not write .*target: the cable is out\. Is the disk well\?$") as caught:
        with _files.replacing(target):
            raise OSError("the cable is out")
    assert caught.value.errno is None and target.read_bytes() == b"old"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EBADF])
def test_file_systems_that_cannot_sync_a_directory(tmp_path, monkeypatch, number):
    monkeypatch.setattr(os, "fsync", raising(number))
    before = os.listdir("/proc/self/fd")
    _files._sync_directory(tmp_path)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("number", [None, errno.ENOTSUP, errno.EIO])
def test_on_macos_the_cache_of_the_disk_is_written_out_too(target, monkeypatch, number):
    """There an fsync leaves it; where a file system does not know the call that does not, an fsync must do."""
    import fcntl

    calls = []

    def control(descriptor, what):
        calls.append(what)
        if number:
            raising(number)()

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fsync", lambda descriptor: calls.append("fsync"))
    if number == errno.EIO:
        with pytest.raises(OSError, match=r"could not write .*: Input/output error"):
            put(target)
        assert target.read_bytes() == b"old"
    else:
        put(target)
        assert calls == ([51, "fsync"] * 2 if number else [51] * 2) and target.read_bytes() == b"new"


def test_a_directory_that_could_not_be_synced(target, monkeypatch):
    monkeypatch.setattr(_files, "_sync_directory", raising(errno.EIO))
    with pytest.raises(
        OSError, match=r"^\[Errno 5\] wrote .*target, but a power failure could still undo it: "
    ) as caught:
        put(target)
    assert caught.value.errno == errno.EIO and target.read_bytes() == b"new"
    monkeypatch.undo()
    monkeypatch.setattr(os, "fsync", raising(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        _files._sync_directory(target.parent)


def test_file_systems_without_locks(target, tmp_path, monkeypatch):
    """There nothing is ever swept: it could be what another process writes."""
    import fcntl

    orphan = tmp_path / f".0123{_files.SUFFIX}"
    orphan.touch()
    monkeypatch.setattr(fcntl, "flock", raising(errno.ENOLCK))
    put(target)
    assert target.read_bytes() == b"new" and orphan.exists()


def test_systems_without_the_module_of_locks(target, tmp_path, monkeypatch):
    """On Windows a file that can be removed is one that nobody has open."""
    orphan = tmp_path / f".0123{_files.SUFFIX}"
    orphan.touch()
    monkeypatch.setitem(sys.modules, "fcntl", None)
    put(target)
    assert target.read_bytes() == b"new" and not orphan.exists()


def test_new_directories_are_synced_into_those_above_them(tmp_path, monkeypatch):
    synced, sync = [], _files._sync_directory
    monkeypatch.setattr(_files, "_sync_directory", lambda directory: (synced.append(directory), sync(directory)))
    _files.make_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir() and synced == [tmp_path.resolve(), tmp_path.resolve() / "a"]
    with pytest.raises(FileExistsError):
        _files.make_directory(tmp_path / "a" / "b")
    _files.make_directory(tmp_path / "a" / "b", exist_ok=True)
    assert len(synced) == 2
    monkeypatch.setattr(_files, "_sync_directory", raising(errno.EACCES))
    _files.make_directory(tmp_path / "c")
    monkeypatch.setattr(_files, "_sync_directory", raising(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        _files.make_directory(tmp_path / "d")


def test_reading_takes_files_only(target, tmp_path):
    with _files.reading(target) as file:
        assert file.read() == b"old"
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/null"):
        with pytest.raises(OSError, match="Is a pipe or a device, not a file") as caught, _files.reading(path):
            pass
        assert caught.value.errno == errno.EINVAL
