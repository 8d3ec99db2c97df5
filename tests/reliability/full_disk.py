"""Disks that are full, read-only or broken: is the old checkpoint untouched, the error clear, and what of the run?"""

import errno
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

from mlpjax import _files
from mlpjax.training import checkpoint
from tests.reliability import _disk
from tests.reliability.experiments import Claim

TITLE = "Disks that are full or read-only"
HOW = (
    "Each call that a save makes to the operating system fails in turn: once, or it and all after it, with the errors "
    "of a full disk, a used-up quota, a read-only and a broken disk. The size of files is limited to less than the "
    "checkpoint, at random. And on real disks that fail, `checkpoint.save`, `fit` and `mlpjax train` are run."
)
FULL, QUICK = 200, 10
ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
OLD, NEW = ({"W": np.full((80, 40), value, "f"), "b": np.full(40, value, "f")} for value in (1, 2))
ROOT = Path(__file__).parents[2]


class Failing:
    """Lets some calls pass, and fails the next, or all from then on; from a full disk files can still be removed."""

    def __init__(self, calls, number, *, stays):
        self.left, self.number, self.stays, self.failed = calls, number, stays, None

    def __call__(self, call):
        self.left -= 1
        full = self.number in (errno.ENOSPC, errno.EDQUOT) and call.what == "unlink"
        if self.left == -1 or (self.left < -1 and self.stays and not full):
            self.failed = self.failed or call
            raise OSError(self.number, os.strerror(self.number))


def injected(folder, calls, number, *, stays):
    """Whether a save keeps its promises with a failing call; None if it makes fewer calls."""
    file, failing = folder / "state.npz", Failing(calls, number, stays=stays)
    checkpoint.save(file, OLD)
    (folder / f".0{_files.SUFFIX}").touch()
    error = None
    with _disk.watched(failing):
        try:
            checkpoint.save(file, NEW)
        except checkpoint.CheckpointError as raised:
            error = raised
    if failing.failed is None:
        return None
    renamed = failing.failed.what == "sync" and Path(failing.failed.path) == folder
    clearing = failing.failed.what == "unlink" and error is None  # what cannot be swept does not matter
    value = checkpoint.load(file, OLD)["W"][0, 0]
    said = f"wrote {file}, but" if renamed else f"could not write {file}: "
    told = clearing or (error is not None and error.errno == number and said in str(error) and told_what_to_do(error))
    checkpoint.save(file, OLD)
    return told and value == (2 if renamed or clearing else 1) and os.listdir(folder) == [file.name]


def told_what_to_do(error):
    """Whether a sentence about the remedy follows what was wrong."""
    return str(error).endswith((*_files.REMEDY.values(), "Is the disk well?"))


def limited(folder, limit):
    """Whether a save that may write only so many bytes leaves the old file and says so."""
    file, before = folder / "state.npz", resource.getrlimit(resource.RLIMIT_FSIZE)
    checkpoint.save(file, OLD)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        checkpoint.save(file, NEW)
        return False
    except checkpoint.CheckpointError as error:
        told = error.errno == errno.EFBIG and told_what_to_do(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    return told and checkpoint.load(file, OLD)["W"][0, 0] == 1 and os.listdir(folder) == [file.name]


def in_place():
    """Failing calls and limits, in this process, where an fsync is quick."""
    with tempfile.TemporaryDirectory() as name, mock.patch.object(os, "fsync"):
        folder = Path(name).resolve()
        for number in ERRORS:
            for stays in (False, True):
                calls = 0
                while (kept := injected(folder, calls, number, stays=stays)) is not None:
                    yield kept
                    calls += 1


def limits(count, seed):
    """Saves with the size of files limited, by chance."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as name, mock.patch.object(os, "fsync"):
        folder = Path(name)
        checkpoint.save(folder / "state.npz", OLD)
        size = (folder / "state.npz").stat().st_size
        return [limited(folder, draw.randrange(size)) for _ in range(count)]


def on_disks(*how):
    """What happened on real disks; in a mount namespace of its own where that is allowed."""
    command, missing = [sys.executable, "-m", "tests.reliability._full_disks", *how], "only root may mount a tmpfs"
    private = [shutil.which("unshare") or "unshare", "--mount"]
    if os.geteuid() == 0:
        missing = "mount namespaces are not allowed here"
        if shutil.which("unshare") and subprocess.run([*private, "true"], capture_output=True).returncode == 0:
            command, missing = [*private, *command, "mounts"], None
    environment = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": str(ROOT),
        "JAX_ENABLE_COMPILATION_CACHE": "false",
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return {"disks": json.loads(done.stdout), "left out": missing}


def measure(count, seed):
    """Every call of a save, so many limits, and every disk."""
    calls, sizes = list(in_place()), limits(count, seed)
    return {
        "calls": len(calls),
        "calls kept": sum(calls),
        "limits": len(sizes),
        "limits kept": sum(sizes),
        **on_disks(*["full"] * (count >= FULL)),
    }


def claims(found):
    """The same of every disk."""
    disks = found["disks"]
    left_out = f"; without a tmpfs, for {found['left out']}" if found["left out"] else ""

    def every(expected, *path):
        kept = [name for name, disk in disks.items() if all(disk.get(key) for key in path)]
        return Claim(expected, f"{len(kept)} of {len(disks)} kinds of disk{left_out}", len(kept) == len(disks) > 0)

    trained = {name: disk["train"] for name, disk in disks.items() if "train" in disk}
    good = [name for name, steps in trained.items() if all(steps.values())]
    return [
        Claim(
            "a call that fails: the old file is intact, or the whole new one and said so; the remedy is named",
            f"{found['calls kept']:,} of {found['calls']:,} saves",
            found["calls kept"] == found["calls"] > 0,
        ),
        Claim(
            "a limit on the size of files: the old file is intact, the remedy is named",
            f"{found['limits kept']:,} of {found['limits']:,} saves",
            found["limits kept"] == found["limits"] > 0,
        ),
        every("a real disk that fails: the same, and the next save works", "kept", "told", "again"),
        every("a disk that fails on the way costs `fit` nothing but a warning", "on the way"),
        every("one that fails at the end: `CheckpointError` with the last state, and nothing is lost", "at the end"),
        every("a run that breaks with NaN on such a disk: `NonFiniteError`, which says both", "broken"),
        Claim(
            "`mlpjax train`: one line, exit code 1; it goes on once there is space",
            f"{len(good)} of {len(trained)} kinds of disk",
            len(good) == len(trained) > 0,
        ),
    ]
