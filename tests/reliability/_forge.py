"""Forged checkpoints: their checksum is right, and all the rest may be wrong."""

import hashlib
import io
import json
import struct
import warnings
import zipfile

import numpy as np

from tests.reliability import _mutate

NASTY = (
    "../../evil", "/abs", "a\0b", "\ud800", "\x1b[2J\x1b[31m", "a" * 5000, "\u202egnp.exe", "manifest.json", "", "0/W",
    "params/99999999999999999999/W", "C:evil", "..\\evil", "\n\nmlpjax: all is well", "__class__", "٣/W",
)  # fmt: skip
DTYPES = (
    "float32", "float64", "bfloat16", "int64", "bool", "complex64", "object", "O", "V8", "S4", "U4", "f4,f4", "(3,)f4",
    "(1000000000,)f4", "datetime64[ns]", "key<fry>", "float31", ">f4", "", "os.system", "a1000000000",
    {"names": ["a"], "formats": ["f4"]}, ["f4"], None, 7,
)  # fmt: skip
SHAPES = ([3], [], [0], [-3], [2**63], [2**40], [3.0], [True], "3", None, [[3]], [0, 2**62], [1] * 65, [3, 1], ["3"])
KINDS = ("array", "key", "object", "", None, ["array"], 7)
HEADERS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f4', 'fortran_order': True, 'shape': (3,), }",
    "{'descr': '>f4', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 9223372036854775807), }",
    "{'descr': [('a', '<f4', (1000, 1000, 1000))], 'fortran_order': False, 'shape': (3,), }",
    "{'descr': ('<f4', (3,)), 'fortran_order': False, 'shape': (1,), }",
    "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (3,), }",
    "__import__('os').abort()", "(" * 9000, "-" * 9000 + "1", "[" * 4000 + "]" * 4000, "1+" * 4000 + "1", "{'a\\d': 1}",
)  # fmt: skip


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), (1, 0), allow_pickle=True)
    return file.getvalue()


def header(text, body=bytes(12), version=b"\1\0"):
    text = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text) % 65536) + text + body


def archive(members, manifest):
    """The bytes before the checksum."""
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(file, "w") as made:  # names may repeat
        made.comment = bytes(71)
        for name, content in [("manifest.json", manifest), *members]:
            info = zipfile.ZipInfo(name.encode("utf-8", "replace").decode())
            made.writestr(info, content)
    return file.getvalue()[:-71]


def sealed(content):
    """With the checksum that belongs to it."""
    return content + b"sha256:" + hashlib.sha256(content).hexdigest().encode()


def manifest(leaves, **changes):
    return json.dumps({"format": "mlpjax checkpoint", "version": 1, "leaves": leaves, "meta": {}} | changes)


def entry(**changes):
    return {"kind": "array", "dtype": "float32", "shape": [3]} | changes


GOOD = npy(np.ones(3, np.float32))
OTHERS = (npy(np.arange(3)), npy(np.ones((3, 2), np.uint32)), GOOD[:-1], b"")


def bombs():
    """Forgeries that cost memory, time or the stack, if anything does."""
    many = {f"a/{i}": entry() for i in range(20_000)}
    texts = {
        "deep list": '{"format": ' + "[" * 200_000,
        "deep dictionary": '{"a":' * 200_000,
        "deep metadata": manifest({"a": entry()})[:-3] + "[" * 100_000 + "]" * 100_000 + "}",
        "numbers": manifest({"a": entry()})[:-3] + "[" + "1," * 500_000 + "1]}",
        "empty lists": manifest({"a": entry()})[:-3] + "[" + "[]," * 300_000 + "[]]}",
        "a long number": manifest({"a": entry()}, version=1)[:-3] + "9" * 100_000 + "}",
        "a long text": manifest({"a": entry(dtype="f" * 1_000_000)}),
        "NaN": manifest({"a": entry(shape=[float("nan")])}),
        "the same key twice": manifest({"a": entry()}).replace('"a":', '"a": {"dtype": "object"}, "a":'),
        "20,000 leaves that are not there": manifest(many),
        "not JSON": "pickle",
        "not UTF-8": b"\xff\xfe{}",
        "metadata that are a list": manifest({"a": entry()}, meta=[1]),
        "metadata that are nothing": manifest({"a": entry()}, meta=None),
        "a version of text": manifest({"a": entry()}, version="\x1b[31m"),
        "format of control codes": manifest({"a": entry()}, format="\x1b]0;title\x07"),
    }
    made = {name: archive([("a.npy", GOOD)], text) for name, text in texts.items()}
    for i, text in enumerate(HEADERS):
        made[f"header {i}"] = archive([("a.npy", header(text))], manifest({"a": entry()}))
        made[f"header {i}, as version 2"] = archive(
            [("a.npy", header(text, version=b"\2\0"))], manifest({"a": entry()})
        )
    made["300 copies of one member"] = copies(archive([("a.npy", GOOD)], manifest({"a": entry()})), 300)
    return {name: sealed(content) for name, content in made.items()}


def copies(content, count):
    """A directory whose entries all point to one member."""
    end = content.rindex(b"PK\5\6")
    start = int.from_bytes(content[end + 16 : end + 20], "little")
    last = content[content.rindex(b"PK\1\2", start) : end]
    more = content[:end] + count * last
    record = bytearray(content[end:])
    record[8:12] = 2 * (count + 2).to_bytes(2, "little")
    record[12:16] = (len(more) - start).to_bytes(4, "little")
    return more + bytes(record)


def forged(draw):
    """A checkpoint of one to three leaves, with something odd in the manifest, a header, a name or the directory."""
    leaves, members = {}, []
    for i in range(draw.randrange(1, 4)):
        name = draw.choice(NASTY) if draw.random() < 0.2 else f"params/{i}/W"
        odd = {"kind": KINDS, "dtype": DTYPES, "shape": SHAPES, "impl": ("threefry2x32", "os.system", None)}
        changes = {field: draw.choice(odd[field]) for field in odd if draw.random() < 0.15}
        leaves[name] = entry(**changes)
        contents = (GOOD, GOOD, GOOD, header(draw.choice(HEADERS)), *OTHERS)
        members.append((f"{name}.npy", draw.choice(contents)))
    text = manifest(leaves, **({"version": draw.choice((2, "1", None, True, 1.0, -1))} if draw.random() < 0.05 else {}))
    content = archive(members, _mutate.mutant(text.encode(), draw) if draw.random() < 0.2 else text)
    return sealed(directory_fault(content, draw) if draw.random() < 0.4 else content)


def directory_fault(content, draw):
    """A field of a local header, of the directory or of its end: sizes, offsets, flags, methods, names."""
    data = bytearray(content)
    at = data.find(draw.choice((b"PK\1\2", b"PK\3\4", b"PK\5\6")), draw.choice((0, len(data) // 2)))
    for _ in range(draw.choice((1, 2))):
        place = max(at, 0) + draw.randrange(4, 46)
        data[place : place + 2] = draw.choice((b"\xff\xff", b"\0\0", b"\1\0", b"\x08\0", draw.randbytes(2)))
    return bytes(data[: len(content)])


def read(data):
    """A second reader: names, dtypes, shapes and bytes of a forgery, by what `zipfile` and its manifest say."""
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        leaves = json.loads(made.read("manifest.json"))["leaves"]
        found = {}
        for name, about in leaves.items():
            content = made.read(f"{name}.npy")
            array = np.load(io.BytesIO(content), allow_pickle=False)
            found[name] = (about["dtype"], array.shape, array.tobytes())
    return found
