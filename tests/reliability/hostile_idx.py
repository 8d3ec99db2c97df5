"""Mutated IDX files: each is refused with a reason, or read as a second, independent reader reads it."""

import collections
import gzip
import os
import pathlib
import random
import struct
import tempfile

import numpy as np

from mlpjax.data import idx
from tests.reliability import _mutate, _read_idx, _watch
from tests.reliability.experiments import Claim

TITLE = "Mutated IDX files"
HOW = (
    "Valid files of every type, plain and gzipped, with one to eight faults: bits flipped, bytes set, cut, doubled or "
    "inserted, lengths of 0, 2³¹ and 2³² − 1, up to 255 axes, before compression and after, and in the gzip header. "
    "Then bombs, pipes, devices and endless headers, by path. What is read is compared with a second reader that "
    "shares no code with ours. Memory is measured for these files and for every hundredth mutant."
)
FULL, QUICK = 1_000_000, 10_000
LIMIT = 1 << 16


def sources():
    """A small file of every type the format has, of one to four axes, one of them empty."""
    shapes = ((7,), (3, 4), (2, 3, 2), (0, 5), (2, 1, 2, 2))
    kinds = ("uint8", "int8", "int16", "int32", "float32", "float64")
    return [idx.encode((np.arange(np.prod(s)) - 3).astype(k).reshape(s)) for k in kinds for s in shapes]


def header(data, draw):
    """A type, a number of axes or a length at the end of its range."""
    at = draw.randrange(3)
    if at < 2:
        data[2 + at : 3 + at] = bytes([draw.choice((0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 64, 65, 255))])
    else:
        place = 4 + 4 * draw.randrange(4)
        data[place : place + 4] = draw.choice(_mutate.EXTREMES)


def many_axes(draw):
    """A header of its own: up to 255 axes, whose product overflows 64 bits or is zero."""
    axes = draw.choice((1, 2, 8, 63, 64, 65, 255))
    lengths = [draw.choice((0, 1, 1, 1, 2, 2**16, 2**31 - 1, 2**32 - 1)) for _ in range(axes)]
    return struct.pack(f">HBB{axes}I", 0, draw.choice((8, 14, 0)), axes, *lengths) + bytes(draw.choice((0, 1, 8, 99)))


def one(sources, draw):
    """A mutant: of the content, of the content before it is compressed, or of what was compressed."""
    kind, source = draw.randrange(8), draw.choice(sources)
    if kind == 0:
        return many_axes(draw)
    if kind < 4:
        return _mutate.mutant(source, draw, (*_mutate.ANY, header, header))
    if kind < 6:
        return _mutate.zipped(_mutate.mutant(source, draw, (*_mutate.ANY, header)), draw)
    return _mutate.mutant(_mutate.zipped(source, draw), draw)


def verdict(content):
    """What became of a mutant: one word, and what was wrong if anything was."""
    try:
        right = _read_idx.read(content, LIMIT)
    except _read_idx.Wrong:
        right = None
    try:
        array = idx.read(content, max_bytes=LIMIT)
    except idx.IDXError as error:
        if right is not None:
            return "refused though right", str(error)
        return ("refused", "") if str(error).startswith("the content ") else ("unnamed", str(error))
    except Exception as error:
        return "another exception", _watch.short(error)
    except _watch.Hang:
        return "hang", content[:99].hex()
    if right is None or not array.dtype.isnative or not array.flags.writeable:
        return "read though wrong", content[:99].hex()
    numbers = array.astype(array.dtype.newbyteorder(">")).tobytes()
    same = (array.dtype, array.shape, numbers) == right
    return ("read", "") if same else ("read though wrong", content[:99].hex())


def measure(count, seed):
    """Verdicts on so many mutants, and on the files that are no mutants of anything."""
    draw, valid = random.Random(seed), sources()
    found, bad, most = collections.Counter(), [], 0
    with _watch.alarm() as bound:
        for i in range(count):
            content = one(valid, draw)
            if i % 100 == 0:
                most = max(most, _watch.peak(idx_or_error, content)[1])
            with bound():
                word, why = verdict(content)
            found[word] += 1
            if word not in ("read", "refused") and len(bad) < 10:
                bad.append(f"{word}: {why}")
        with tempfile.TemporaryDirectory() as directory, bound():
            special, unfit = specials(pathlib.Path(directory))
    return {"mutants": dict(found), "bad": bad, "peak": most, "limit": LIMIT, "special": special, "unfit": unfit}


def idx_or_error(content):
    """For its memory alone."""
    try:
        return idx.read(content, max_bytes=LIMIT)
    except idx.IDXError:
        return None


def specials(directory):
    """How much memory each file by path took, and those that were not refused by name."""
    peaks, unfit = {}, []
    for name, path in places(directory).items():
        result, peaks[name] = _watch.peak(lambda path=path: idx.read(path, max_bytes=LIMIT))
        if not isinstance(result, idx.IDXError | OSError) or path.name not in str(result):
            unfit.append(f"{name}: {result!r}"[:120])
    return peaks, unfit


def places(directory):
    """Files that are hostile as a whole."""
    long, one_byte = bytes(10_000_000), bytes([0, 0, 8, 1, 0, 0, 0, 1])
    contents = {
        "empty": b"",
        "bomb": gzip.compress(one_byte + long),
        "bomb in a bomb": gzip.compress(gzip.compress(gzip.compress(long))),
        "bomb in the padding": gzip.compress(one_byte + b"\1") + bytes(200_000) + b"\1",
        "10,000 empty members": gzip.compress(b"") * 10_000,
        "name of 1 MB": b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 1_000_000,
        "255 axes of 4 billion": bytes([0, 0, 8, 255]) + b"\xff" * 1020,
        "promises 64 KiB": bytes([0, 0, 8, 1]) + struct.pack(">I", LIMIT),
        "promises 4 GiB": bytes([0, 0, 8, 1]) + b"\xff" * 4,
        "a web page": b"<!DOCTYPE html><html>" * 99,
    }
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    with open(directory / "a terabyte of nothing", "wb") as file:
        file.truncate(1 << 40)
    os.mkfifo(directory / "pipe that nobody writes to")
    (directory / "directory").mkdir()
    (directory / "link to itself").symlink_to("link to itself")
    found = {path.name: path for path in sorted(directory.iterdir())}
    devices = [pathlib.Path(name) for name in ("/dev/zero", "/dev/urandom", "/dev/null") if os.path.exists(name)]
    return found | {"absent": directory / "absent"} | {str(path): path for path in devices}


def claims(found):
    """What is promised, beside what was found."""
    mutants, count = found["mutants"], sum(found["mutants"].values())
    other = mutants.get("another exception", 0) + mutants.get("unnamed", 0)
    wrong, refused = mutants.get("read though wrong", 0), mutants.get("refused though right", 0)
    special, hangs = found["special"], mutants.get("hang", 0)
    most = max(found["peak"], *special.values())
    return [
        Claim("a mutant raises no exception but `IDXError`, which names it", f"{other} of {count:,} do", not other),
        Claim("no mutant takes for ever", f"{hangs} do", not hangs),
        Claim(
            "what is read is what a second reader reads",
            f"{wrong} of {mutants.get('read', 0) + wrong:,} differ",
            not wrong and mutants.get("read", 0) > 0,
        ),
        Claim("what a second reader reads is not refused", f"{refused} are", not refused),
        Claim(
            "bombs, pipes, devices, endless headers are refused by name",
            f"{len(special) - len(found['unfit'])} of {len(special)}",
            not found["unfit"],
        ),
        Claim(
            "memory is bounded by the limit that is set",
            f"{most / found['limit']:.1f} times the limit of {found['limit'] >> 10} KiB at most",
            most <= 4 * found["limit"],
        ),
    ]
