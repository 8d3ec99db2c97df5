"""The attacks of `hostile_files`, in a process of their own whose memory is limited: `… DIRECTORY COUNT SEED`."""

import collections
import contextlib
import io
import json
import os
import pathlib
import random
import re
import resource
import shutil
import sys
import traceback

import numpy as np

from mlpjax import export
from mlpjax.cli import _pictures as reader
from mlpjax.cli import main
from mlpjax.training import checkpoint
from tests.reliability import _forge, _pictures, _runs, _tensors, _watch

MORE = 1536 << 20
"""How many bytes of addresses the process may ask for, beyond those it has when it begins."""


class Tally:
    """What became of each file: by kind how many were read and refused, and whatever should not have been."""

    def __init__(self):
        self.kinds, self.bad = collections.defaultdict(collections.Counter), collections.Counter()
        self.examples = []

    def note(self, kind, word, why="", name=""):
        self.kinds[kind][word if word in ("read", "refused") else "bad"] += 1
        if word not in ("read", "refused"):
            self.bad[word] += 1
            self.examples += [f"{kind}, {name}: {word}: {why}"[:200]] * (len(self.examples) < 20)


def limited():
    """Forbid the process to grow by more than `MORE`."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) if os.path.exists("/proc/self/statm") else 0
    if pages:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MORE, hard))


def starved(error):
    """Whether memory ran out on the way; Python's own parser says so, too, of what is nested too deeply."""
    while error is not None and not isinstance(error, MemoryError):
        error = error.__cause__ or error.__context__
    return error is not None and traceback.extract_tb(error.__traceback__)[-1].name != "parse"


def library(tally, kind, name, path, content, read, welcome, second):
    """One file through a function of the library: read as by a second reader, or refused by name with a known error."""
    path.write_bytes(content)
    try:
        found = read(path)
    except welcome as error:
        if starved(error):
            return tally.note(kind, "another exception", "out of memory", name)
        if path.name not in str(error) or not str(error).replace("\n", "").isprintable() or len(str(error)) > 5000:
            return tally.note(kind, "unclear", repr(str(error))[:150], name)
        return tally.note(kind, "refused")
    except _watch.Hang:
        return tally.note(kind, "hang", "", name)
    except Exception as error:
        return tally.note(kind, "another exception", _watch.short(error) + traceback.format_exc()[-150:], name)
    try:
        same = second is None or second(content, found)
    except Exception as error:
        return tally.note(kind, "read though wrong", _watch.short(error), name)
    return tally.note(kind, "read" if same else "read though wrong", "", name)


def picture(path):
    """What `predict` makes of a picture."""
    amount = reader.read(path)
    return reader.normalize(amount, height=8, width=8, box=8, mass=0.5, middle=3.64)


def same_picture(content, found):
    return found.shape == (8, 8) and np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1


def same_leaves(content, found):
    second = _forge.read(content)
    wanted = {n: (shape, numbers) for n, (dtype, shape, numbers) in second.items() if not str(dtype).startswith("key")}
    mine = {n: (a.shape, np.asarray(a).tobytes()) for n, a in found.items() if n in wanted}
    return mine == wanted and set(found) == set(second)


def same_tensors(content, found):
    second = _tensors.read(content)
    mine = [np.asarray(array) for layer in found for array in layer]
    wanted = [second[n] for n in sorted(second, key=lambda n: (int(n.split(".")[-2]), n.endswith("bias")))]
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(mine, wanted, strict=True))


def command(tally, kind, name, bound, *args):
    """One command over hostile files: a code of 0, 1 or 2, one message, nothing that a terminal obeys."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with bound(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(arg) for arg in args])
    except _watch.Hang:
        return tally.note(kind, "hang", "", name)
    except BaseException as error:
        return tally.note(kind, "another exception", _watch.short(error), name)
    said, told = out.getvalue() + err.getvalue(), err.getvalue()
    if "Traceback" in said or "please report" in said or code not in (0, 1, 2):
        return tally.note(kind, "another exception", f"exit code {code}: {told[-150:]!r}", name)
    if not said.replace("\n", "").isprintable() or len(said) > 20_000:
        return tally.note(kind, "unclear", repr(told[:150]), name)
    if "Unrecognized options" in said and code == 2:
        return tally.note(kind, "refused")
    if code and not (told.startswith("mlpjax: error: ") and told.count("\n") < 10 and name.split("\x1b")[0] in told):
        return tally.note(kind, "unclear", repr(told[:150]), name)
    return tally.note(kind, "refused" if code else "read")


def attack(directory, count, seed):
    """Every kind of file, every hostile one that there is, and so many at random."""
    tally, draw = Tally(), random.Random(seed)
    with _watch.alarm() as bound:
        library_attacks(tally, directory, count, draw, bound)
        command_attacks(tally, directory, count, draw, bound)
    return tally


def library_attacks(tally, directory, count, draw, bound):
    ours = (checkpoint.CheckpointError,), same_leaves
    safe = (ValueError, OSError), same_tensors
    seen = (reader.PictureError,), same_picture
    plans = {
        "pictures": (picture, _pictures.bombs() | dict(_pictures.mutants(count, draw)), *seen),
        "checkpoints": (
            both, _forge.bombs() | {f"forged {i}": _forge.forged(draw) for i in range(count)}, *ours,
        ),
        "safetensors": (
            tensors, _tensors.bombs() | {f"forged {i}": _tensors.attack(draw) for i in range(count)}, *safe,
        ),
    }  # fmt: skip
    for kind, (read, contents, welcome, second) in plans.items():
        for name, content in contents.items():
            with bound():
                library(tally, kind, name, directory / f"{kind}.bin", content, read, welcome, second)
    for content in _pictures.good().values():
        (directory / "good").write_bytes(content)
        tally.note("pictures", "read" if same_picture(content, picture(directory / "good")) else "refused though right")


def both(path):
    checkpoint.read_meta(path)
    return checkpoint.read(path)


def tensors(path):
    export.read_metadata(path)
    return export.from_safetensors(path)


def command_attacks(tally, directory, count, draw, bound):
    run, picture = directory / "good run", directory / "seven.png"
    _runs.write(run, *_runs.good())
    picture.write_bytes(_pictures.saved(_pictures.digit(), "PNG"))
    command(tally, "run directories", run.name, bound, "info", run)
    for i in range(count):
        hostile = directory / f"run {i}"
        _runs.attack(hostile, draw)
        args = [("info", hostile)] * 8 + [("export", hostile, directory / "x.safetensors")]
        args += [("predict", picture, "--run-dir", hostile)] * (draw.random() < 0.1)
        command(tally, "run directories", hostile.name, bound, *draw.choice(args))
        shutil.rmtree(hostile)
    for hostile in _runs.places(directory, run):
        command(tally, "pipes, devices, loops", hostile.name, bound, "info", hostile)
    names = _runs.named(directory, picture)
    for kind, name in names.items():
        command(tally, "pipes, devices, loops", kind, bound, "predict", name, "--run-dir", run)
    command(tally, "pipes, devices, loops", "x", bound, "info", run, "x\x1b[31m")


def most_held():
    """The most physical memory that this process has held, in bytes; `ru_maxrss` counts its parent, too."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]) << 10


if __name__ == "__main__":
    limited()
    before = most_held()
    tally = attack(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    grown = most_held() - before
    found = {"kinds": tally.kinds, "bad": tally.bad, "examples": tally.examples, "grown": grown}
    print(json.dumps(found))
