"""Disks that fail under a run; a process of its own, in a mount namespace of its own if it may."""

import contextlib
import functools
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import losses, mlp, training
from mlpjax.cli import _report
from mlpjax.cli import main as command_line
from mlpjax.data import digits
from mlpjax.training import checkpoint
from tests.reliability._failing import Forbidden, Full, Limit, NoInodes, ReadOnly

OPTIMIZER = optax.adam(1e-2)
OBJECTIVE = training.supervised(mlp.apply, losses.softmax_cross_entropy)


@functools.cache
def begin():
    """The state before the first step."""
    return training.start(jax.random.key(1), mlp.init(jax.random.key(0), (64, 16, 10)), optimizer=OPTIMIZER)


def fit(data, file=None, actions=()):
    """Six chunks of ten steps, the state saved after each; something is done when a step is reached, between saves."""
    saves = []

    def save(state):
        try:
            checkpoint.save(file, state)
        finally:
            saves.append(state)

    def log(record):
        if record["step"] in actions:
            while len(saves) < record["step"] // 10:
                time.sleep(0.001)
            actions[record["step"]]()

    settings = dict(objective=OBJECTIVE, optimizer=OPTIMIZER, steps=60, chunk=10, save_every=0)
    return training.fit(begin(), data, checkpoint=file and save, log=log, **settings)[0]


def same(state, other):
    """Whether two states have the same bits."""
    bits = lambda leaf: np.asarray(jax.random.key_data(leaf) if leaf.dtype == begin().key.dtype else leaf).tobytes()
    return [bits(leaf) for leaf in jax.tree.leaves(state)] == [bits(leaf) for leaf in jax.tree.leaves(other)]


def saves(disk, folder):
    """The old checkpoint outlives a save that fails, the error says what to do, and afterwards one can save again."""
    file = folder / "state.npz"
    checkpoint.save(file, begin(), meta={"save": 1})
    before = file.read_bytes()
    disk.fail()
    try:
        checkpoint.save(file, begin(), meta={"save": 2})
        error = None
    except checkpoint.CheckpointError as raised:
        error = raised
    kept = file.read_bytes() == before and checkpoint.read_meta(file) == {"save": 1}
    clean = [name for name in os.listdir(folder) if not name.startswith("other")] == [file.name]
    disk.mend()
    checkpoint.save(file, begin(), meta={"save": 3})
    told = error is not None and f"could not write {file}: " in str(error) and len(str(error).split(". ")) == 2
    return {"kept": kept and clean, "told": told, "again": checkpoint.read_meta(file) == {"save": 3}}


def on_the_way(disk, folder, data, expected):
    """A disk that fails for a while costs a run nothing but warnings."""
    file = folder / "state.npz"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        state = fit(data, file, {20: disk.fail, 40: disk.mend})
    warned = any("training goes on" in str(warning.message) for warning in caught)
    return warned and same(state, expected) and same(checkpoint.load(file, begin()), expected)


def at_the_end(disk, folder, data, expected):
    """If the last state cannot be saved, the error has it, an earlier one is on the disk, and nothing is lost."""
    file = folder / "state.npz"
    try:
        with warnings.catch_warnings(action="ignore"):
            fit(data, file, {60: disk.fail})
    except checkpoint.CheckpointError as error:
        old, state = checkpoint.load(file, begin()), error.state
    disk.mend()
    checkpoint.save(file, state)
    return int(old.step) < 60 and same(state, expected) and same(checkpoint.load(file, begin()), expected)


def broken(disk, folder, data):
    """A run that breaks on a disk that fails: both are said, and what broke it is what is raised."""
    bad = data._replace(x=data.x.at[0].set(3e38))
    try:
        with warnings.catch_warnings(action="ignore"):
            fit(bad, folder / "state.npz", {1: disk.fail})  # the record of a call that breaks
    except training.NonFiniteError as error:
        said = "step 0 is not finite: the forward pass overflows" in str(error) and "could not write" in str(error)
        return said and isinstance(error.__cause__, checkpoint.CheckpointError) and int(error.state.step) == 0
    finally:
        disk.mend()


def command(*args):
    """The exit code of a command, and what it wrote to standard error."""
    with contextlib.redirect_stderr(io.StringIO()) as err, contextlib.redirect_stdout(io.StringIO()):
        code = command_line(args)
    return code, err.getvalue()


def trained(disk, folder):
    """`mlpjax train` on a disk that fails at once, and on one that fails on the way, and after it was mended."""
    run, steps = folder / "run", "300"
    train = ("train", "xor", "--epochs", steps, "--quiet", "--run-dir", str(run))
    run.mkdir()
    disk.fail()
    code, text = command(*train)
    disk.mend()
    at_once = (
        code == 1 and text.count("\n") == 1 and "could not write" in text and not (run / "checkpoint.npz").exists()
    )
    log = lambda path: lambda record: record["step"] < 200 or disk.fail()
    with mock.patch.object(training, "log_jsonl", log):
        code, text = command(*train)
    disk.mend()
    one_line = code == 1 and text.count("\n") == 1 and "could not write" in text
    with mock.patch.object(_report, "finish", lambda ending: (None, None)):  # no pictures
        code, text = command("train", "--resume", str(run), "--quiet")
    done = code == 0 and not text and int(checkpoint.read(run / "checkpoint.npz")["step"]) == int(steps)
    return {"at once": at_once, "on the way": one_line, "resumed": done}


def main():
    """Every kind of disk that there can be here; the command line on one of them, or, in `full`, on two."""
    kinds = [Limit, Forbidden, *([Full, NoInodes, ReadOnly] if "mounts" in sys.argv else [])]
    images = digits.load("train")
    data = images._replace(x=jnp.asarray(images.x[:256], jnp.float32) / 16, y=images.y[:256])
    report = {}
    expected = fit(data)
    for kind in kinds:
        with tempfile.TemporaryDirectory() as name:
            os.chmod(name, 0o755)
            folder = Path(name) / "tmpfs"
            folder.mkdir()
            disk = kind(folder)
            found = saves(disk, folder)
            found["on the way"] = on_the_way(disk, folder, data, expected)
            found["at the end"] = at_the_end(disk, folder, data, expected)
            found["broken"] = broken(disk, folder, data)
            if kind is Limit or (kind is Full and "full" in sys.argv):
                found["train"] = trained(disk, folder)
            report[kind.name] = found
            if issubclass(kind, Full):
                subprocess.run(["umount", folder], check=True)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
