"""Checkpoints that a disk, a cable or a copy has damaged: is any of them read as if nothing had happened?"""

import importlib.metadata
import importlib.util
import io
import itertools
import random
import tempfile
from pathlib import Path

import jax
import numpy as np

from mlpjax import trees
from mlpjax.training import checkpoint
from tests.reliability import _states
from tests.reliability.experiments import Claim

TITLE = "Damaged checkpoints"
HOW = (
    "The checkpoint of a run (64-32-10, Adam, 35 kB) is damaged at random, in each way equally often, and read with "
    "`checkpoint.load`, `checkpoint.read` and `checkpoint.read_meta`. The same flips of one bit are done to what other "
    "packages write of the same arrays."
)
FULL, QUICK = 1000, 60
SIZES, SECTOR = (64, 32, 10), 512
WHY = ("is damaged: its bytes do not have the checksum", "is not a checkpoint, or its end is missing")


def flipped(whole, bit):
    """One bit the other way."""
    content = bytearray(whole)
    content[bit // 8] ^= 1 << bit % 8
    return bytes(content)


def flip(whole, older, draw):
    """One bit of any byte."""
    return flipped(whole, draw.randrange(8 * len(whole)))


def flip_at_an_end(whole, older, draw):
    """One bit of the first or the last hundred bytes, where the first header and the checksum are."""
    return flipped(
        whole, 8 * draw.choice([draw.randrange(100), len(whole) - 1 - draw.randrange(100)]) + draw.randrange(8)
    )


def cut(whole, older, draw):
    """The end missing; sometimes at the border of a sector, or just the checksum."""
    return whole[: draw.choice([draw.randrange(len(whole)), draw.randrange(len(whole)) // SECTOR * SECTOR, -71, -1])]


def append(whole, older, draw):
    """Something more at the end."""
    return whole + draw.choice([draw.randbytes(draw.randint(1, 100)), bytes(SECTOR), whole, older[-71:]])


def swap(whole, older, draw):
    """Two sectors in each other's place."""
    i, j = sorted(draw.sample(range(len(whole) // SECTOR), 2))
    cuts = [0, i * SECTOR, (i + 1) * SECTOR, j * SECTOR, (j + 1) * SECTOR, len(whole)]
    a, b, c, d, e = (whole[x:y] for x, y in itertools.pairwise(cuts))
    return a + d + c + b + e


def blank(whole, older, draw):
    """Zeros where a sector, or a page of eight, was."""
    begin, size = draw.randrange(len(whole)) // SECTOR * SECTOR, draw.choice([SECTOR, 8 * SECTOR])
    end = min(begin + size, len(whole))
    return whole[:begin] + bytes(end - begin) + whole[end:]


def splice(whole, older, draw):
    """The rest of an older checkpoint of the same run."""
    at = draw.randrange(len(whole) - 71)
    return draw.choice([whole[:at] + older[at:], older[:at] + whole[at:]])


KINDS = {
    "one bit flipped": flip,
    "one bit of the first or last hundred bytes flipped": flip_at_an_end,
    "the end missing": cut,
    "something appended": append,
    "two sectors swapped": swap,
    "a block of zeros": blank,
    "the end, or the beginning, of an older checkpoint": splice,
}


def state(step):
    """The state of a step, with its key."""
    return _states.at(step, _states.form(SIZES))._replace(key=jax.random.key(step))


def refused(path, reads):
    """How many of the readers refuse a file, and how many of them say which file it is and what is wrong with it."""
    refusals, reasons = 0, 0
    for read in reads:
        try:
            read(path)
        except checkpoint.CheckpointError as error:
            refusals += 1
            reasons += any(f"{path} {why}" in str(error) for why in WHY)
    return refusals, reasons


def measure(count, seed):
    """So many files damaged in each way; and, if there are enough of them, the flips for other packages too."""
    draw, like = random.Random(seed), state(0)
    reads = (lambda path: checkpoint.load(path, like), checkpoint.read, checkpoint.read_meta)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.npz"
        older, whole = (saved(path, step) for step in (1, 2))
        good = len(reads) - refused(path, reads)[0]
        kinds = {}
        for name, damage in KINDS.items():
            files = itertools.filterfalse(whole.__eq__, (damage(whole, older, draw) for _ in itertools.count()))
            kinds[name] = attack(itertools.islice(files, count), path, reads)
    others = compared(count, draw) if count >= FULL else {}
    return {"bytes": len(whole), "readers": len(reads), "whole": good, "kinds": kinds, "others": others}


def attack(files, path, reads):
    """How many of some damaged files every reader refuses, and explains."""
    found = {"files": 0, "refused": 0, "explained": 0}
    for content in files:
        path.write_bytes(content)
        refusals, reasons = refused(path, reads)
        found["files"] += 1
        found["refused"] += refusals == len(reads)
        found["explained"] += reasons == len(reads)
    return found


def compared(count, draw):
    """What the other packages that are installed make of flipped bits."""
    arrays = {name: np.asarray(leaf) for name, leaf in trees.paths(_states.at(2, _states.form(SIZES))).items()}
    found = {}
    for name, make in OTHERS.items():
        package = name.split(".")[0]
        if importlib.util.find_spec(package) is not None:
            version = importlib.metadata.version(package)
            found[name] = {"version": version, **flips(*make(arrays), arrays, count, draw)}
    return found


def saved(path, step):
    """The bytes of a checkpoint."""
    checkpoint.save(path, state(step), meta={"step": step, "sizes": SIZES})
    return path.read_bytes()


def flips(content, read, arrays, count, draw):
    """What another package makes of flipped bits: an error, the right numbers all the same, or wrong ones."""
    found = {"files": count, "refused": 0, "right": 0, "wrong": 0}
    for _ in range(count):
        try:
            numbers = read(flipped(content, draw.randrange(8 * len(content))))
            same = all(numbers[n].tobytes() == a.tobytes() and numbers[n].dtype == a.dtype for n, a in arrays.items())
            found["right" if same and len(numbers) == len(arrays) else "wrong"] += 1
        except Exception:
            found["refused"] += 1
    return found


def equinox(arrays):
    """What `equinox` writes, and how it is read."""
    import equinox as eqx

    file = io.BytesIO()
    eqx.tree_serialise_leaves(file, arrays)
    return file.getvalue(), lambda content: eqx.tree_deserialise_leaves(io.BytesIO(content), arrays)


def flax(arrays):
    """The msgpack of Flax."""
    from flax import serialization

    return serialization.to_bytes(arrays), lambda content: serialization.from_bytes(arrays, content)


def safetensors(arrays):
    """What `safetensors` writes."""
    from safetensors import numpy

    return numpy.save(arrays), numpy.load


def npz(arrays):
    """`numpy.savez`, which has a CRC of 32 bits for each array."""
    file = io.BytesIO()
    np.savez(file, **arrays)

    def read(content):
        with np.load(io.BytesIO(content)) as found:
            return dict(found)

    return file.getvalue(), read


OTHERS = {"equinox": equinox, "flax.serialization": flax, "safetensors": safetensors, "numpy.savez": npz}


def claims(found):
    """All refused, by every reader, each with its reason."""
    kept = lambda kind, what: kind[what] == kind["files"] > 0
    every = [
        Claim(f"refused: {name}", f"{kind['refused']:,} of {kind['files']:,}", kept(kind, "refused"))
        for name, kind in found["kinds"].items()
    ]
    files, explained = (sum(kind[what] for kind in found["kinds"].values()) for what in ("files", "explained"))
    every.append(
        Claim("the error names the file and says what is wrong", f"{explained:,} of {files:,}", explained == files > 0)
    )
    every.append(
        Claim(
            "the file without damage is read",
            f"{found['whole']} of {found['readers']} ways",
            found["whole"] == found["readers"],
        )
    )
    ours = found["kinds"]["one bit flipped"]
    for name, other in found["others"].items():
        words = f"{other['wrong']:,} of {other['files']:,}, {other['refused']:,} refused"
        fewer = ours["files"] - ours["refused"] <= other["wrong"]
        every.append(Claim(f"no more wrong numbers after a flip than from `{name}` {other['version']}", words, fewer))
    return every
