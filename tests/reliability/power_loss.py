"""The power fails at any moment of a save: the disk's cache is lost, and what was asked of it arrived in no order."""

import io
import os
import random
import tempfile
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from mlpjax import _files
from mlpjax.cli import _run_dir
from mlpjax.training import checkpoint
from tests.reliability import _disk
from tests.reliability._power import Disk
from tests.reliability.experiments import Claim

TITLE = "Power lost while saving"
HOW = (
    "Every call that a save makes to the operating system is recorded. Then disks are made up as they may be when the "
    "power fails after each of these calls: what was not fsynced is there, lost, half there (in sectors of 512 bytes, "
    "in any order), zeros or old rubbish, and a name stands for anything it stood for since its directory was fsynced. "
    "Each is read. So are the disks that saves leave which forget one thing."
)
FULL, QUICK = 10_000, 240
SAID, RESTARTED = "said", 20


class File(NamedTuple):
    """A file that is written, how it is read, and what it held before and after."""

    path: str
    read: Any
    old: Any
    new: Any


def tree(seed, rows):
    """Some arrays of different sizes, one of them longer than a buffer."""
    draw = np.random.default_rng(seed)
    return {"W": draw.normal(size=(rows, 64)).astype("f"), "b": draw.normal(size=rows).astype("f"), "n": np.int32(seed)}


def load(path):
    """A checkpoint, by `checkpoint.load` with whichever of the two forms it has."""
    for like in (tree(1, 40), tree(2, 60)):
        try:
            found = checkpoint.load(path, like)
        except checkpoint.CheckpointError as error:
            last = error
        else:
            return [(name, leaf.dtype.name, leaf.shape, leaf.tobytes()) for name, leaf in found.items()]
    raise last


def over(folder):
    """A checkpoint in the place of an older one, beside what a killed process left."""
    file = folder / "state.npz"
    checkpoint.save(file, tree(1, 40))
    (folder / f".0{_files.SUFFIX}").write_bytes(b"torn")
    return [(file, load, lambda: checkpoint.save(file, tree(2, 60)))]


def new_run(folder):
    """What `mlpjax train` does first: a directory, two levels deep, its configuration, its first checkpoint."""
    run = folder / "runs" / "digits"
    file = run / _run_dir.CHECKPOINT
    config = {"recipe": {"data": "digits"}, "preprocessing": {}, "run": {"steps": 3}}

    def begin():
        _run_dir.write_config(run if file.exists() else _run_dir.create(run, "digits"), config)

    return [(run / _run_dir.CONFIG, Path.read_bytes, begin), (file, load, lambda: checkpoint.save(file, tree(1, 40)))]


def rewound(folder):
    """What `mlpjax train --resume` does to the log: records after the checkpoint's step are dropped."""
    lines = [f'{{"step": {step}, "loss": {1 / step}}}\n' for step in range(1, 400)]
    (folder / _run_dir.LOG).write_text("".join(lines))
    return [(folder / _run_dir.LOG, Path.read_bytes, lambda: _run_dir.rewind_log(folder, 300))]


def plain(folder):
    """`numpy.savez`, into the file itself."""
    file = folder / "plain.npz"
    np.savez(file, **tree(1, 40))

    def save(watch):
        with io.BufferedRandom(_disk.File(str(file), "r+", watch)) as opened:
            opened.truncate(0)
            np.savez(opened, **tree(2, 60))

    def read(path):
        with np.load(io.BytesIO(path.read_bytes())) as found:  # of a damaged file it would leave the path open
            return [found[name].tobytes() for name in ("W", "b", "n")]

    return [(file, read, save)]


def or_nothing(read, path):
    """What is read, or None where there is no file."""
    return read(path) if path.exists() else None


def recorded(scenario, folder):
    """The disk before, the log of calls, and the files: what they held, and hold."""
    steps, calls, files = scenario(folder), [], []
    disk, twin = Disk(folder), Disk(folder)
    for path, read, act in steps:
        old = or_nothing(read, path)
        if scenario is plain:
            act(calls.append)
        else:
            with (
                _disk.watched(calls.append),
                mock.patch.object(_files.secrets, "token_hex", lambda _: "0123456789abcdef"),
            ):
                act()
        calls.append(_disk.Call(SAID, str(path)))
        files.append(File(str(path), read, old, read(path)))
    for call in calls:
        twin.take(call)
    if twin.at_best() != {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}:
        raise RuntimeError("the log of calls, played back, does not give the files that are there")
    return disk, calls, files


def judge(file, content, said, scratch):
    """What is wrong with a file after the power failed, if anything."""
    if content is None:
        return "lost" if said or file.old is not None else None
    scratch.write_bytes(content)
    try:
        found = file.read(scratch)
    except Exception:
        return "broken"
    if found not in (file.old, file.new):
        return "broken"
    return "lost" if said and found != file.new else None


def attack(scenario, each, draw, change=lambda calls: calls, restart=False):
    """Let the power fail after every call, in `each` ways; what was found."""
    found = dict(states=0, said=0, broken=0, lost=0, restarts=0, left=0)
    with tempfile.TemporaryDirectory() as name:
        folder, scratch = Path(name).resolve() / "disk", Path(name) / "scratch"
        folder.mkdir()
        disk, calls, files = recorded(scenario, folder)
        calls, done = change(calls), set()
        for call in calls:
            disk.take(call)
            if call.what == SAID:
                done.add(call.path)
            for _ in range(each):
                found["states"] += 1
                again = restart and found["states"] % RESTARTED == 0
                after = disk.after(draw, None if again else [file.path for file in files])
                found["said"] += bool(done)
                wrong = [judge(file, after.get(file.path), file.path in done, scratch) for file in files]
                found["broken"] += "broken" in wrong
                found["lost"] += "lost" in wrong
                if again:
                    found["restarts"] += 1
                    found["left"] += restarted(scenario, folder, after)
    return found


def restarted(scenario, folder, after):
    """Whether a save on such a disk fails, or leaves a file that nobody asked for."""
    with tempfile.TemporaryDirectory() as name, mock.patch.object(os, "fsync"):
        again = Path(name).resolve()
        steps = scenario(again)
        for path, content in after.items():
            there = again / Path(path).relative_to(folder)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(content)
        for _, _, act in steps:
            act()
        return sorted(path for path in again.rglob("*") if path.is_file()) != sorted(path for path, _, _ in steps)


SCENARIOS = {"a checkpoint over an older one": over, "the first files of a run": new_run, "a log rewound": rewound}


def no_file_sync(calls):
    """A save that forgets to fsync the file."""
    return [call for call in calls if call.what != "sync" or not call.path.endswith(_files.SUFFIX)]


def no_directory_sync(calls):
    """A save that forgets to fsync the directory."""
    return [call for call in calls if call.what != "sync" or call.path.endswith(_files.SUFFIX)]


def renamed_first(calls):
    """A save that renames before the fsync."""
    at = next(i for i, call in enumerate(calls) if call.what == "sync")
    return [*calls[:at], calls[at + 1], calls[at]._replace(path=calls[at + 1].data), *calls[at + 2 :]]


def no_sync_above(calls):
    """A new run whose directory is not fsynced in the one above."""
    made = {os.path.dirname(call.path) for call in calls if call.what == "mkdir"}
    return [call for call in calls if call.what != "sync" or call.path not in made]


PLANTS = {
    "the fsync of the file left out": (over, no_file_sync),
    "the fsync of the directory left out": (over, no_directory_sync),
    "the renaming before the fsync": (over, renamed_first),
    "a new directory without the fsync of the one above": (new_run, no_sync_above),
    "`numpy.savez` into the file itself": (plain, lambda calls: calls),
}


def measure(count, seed):
    """So many states in all of a right save, and a tenth as many of each wrong one."""
    draw = random.Random(seed)
    each = -(-count // 40)  # a few more calls than that are made in all
    ours = {name: attack(scenario, each, draw, restart=True) for name, scenario in SCENARIOS.items()}
    plants = {name: attack(scenario, max(8, each // 4), draw, change) for name, (scenario, change) in PLANTS.items()}
    return {"ours": ours, "plants": plants}


def claims(found):
    """What a right save keeps, and that the attack would notice a wrong one."""
    total = {key: sum(one[key] for one in found["ours"].values()) for key in next(iter(found["ours"].values()))}
    broken = {name: one["broken"] + one["lost"] for name, one in found["plants"].items()}
    return [
        Claim(
            "each file is the old one or the new one, whole",
            f"{total['broken']:,} of {total['states']:,} disks otherwise",
            not total["broken"] and total["states"] > 0,
        ),
        Claim(
            "never neither of them, and the new one once the save has returned",
            f"{total['lost']:,} of {total['states']:,} disks otherwise; {total['said']:,} of these are after it",
            not total["lost"] and total["said"] > 0,
        ),
        Claim(
            "the next save works, and sweeps what was left",
            f"{total['left']:,} of {total['restarts']:,} disks otherwise",
            not total["left"] and total["restarts"] > 0,
        ),
        *(
            Claim(f"noticed: {name}", f"{wrong:,} of {found['plants'][name]['states']:,} disks wrong", wrong > 0)
            for name, wrong in broken.items()
        ),
    ]
