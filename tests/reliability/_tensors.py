"""Hostile safetensors files, and a second reader of the format."""

import json
import struct

import numpy as np

from tests.reliability import _forge, _mutate

DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}


def good():
    """Two layers."""
    arrays = {"0.weight": np.ones((3, 2)), "0.bias": np.zeros(3), "2.weight": np.ones((1, 3)), "2.bias": np.zeros(1)}
    return {name: array.astype("<f4") for name, array in arrays.items()}


def made(arrays, metadata=None):
    """The header as a dictionary, and the numbers."""
    header, content = {"__metadata__": metadata} if metadata else {}, b""
    for name, array in arrays.items():
        about = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [len(content), len(content) + array.nbytes],
        }
        header[name] = about
        content += array.tobytes()
    return header, content


def packed(header, content):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def attack(draw):
    """One hostile file."""
    header, content = made(good(), draw.choice((None, {"activation": "\x1b[31m"})))
    kind = draw.randrange(4)
    if kind == 0:
        return _mutate.mutant(packed(header, content), draw)
    if kind == 1:
        return packed(_mutate.mutant(json.dumps(header).encode(), draw), content)
    about = header[draw.choice([name for name in header if name != "__metadata__"])]
    if kind == 2:
        field = draw.choice(("dtype", "shape", "data_offsets", "more"))
        odd = {"dtype": _forge.DTYPES, "shape": _forge.SHAPES, "more": ([0] * 99, 1e308)}
        odd["data_offsets"] = ([0, 0], [0, 2**63], [8, 0], [-1, 4], [0, 24, 48], [0])
        about[field] = draw.choice(odd[field])
    else:
        names = (*_forge.NASTY, "9" * 5000 + ".weight", "9" * 9 + ".weight", "\x1b[31m.0.weight", "a\n.0.bias")
        header = {draw.choice(names) if draw.random() < 0.3 else name: value for name, value in header.items()}
    return packed(header, content)


def bombs():
    """Headers that are long, deep, or promise much."""
    header, content = made(good())
    text = json.dumps(header).encode()[:-1]
    many = {f"{i}.weight": {"dtype": "F32", "shape": [0, 1], "data_offsets": [0, 0]} for i in range(20_000)}
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return {
        "header of 2^60 bytes": struct.pack("<Q", 1 << 60) + b"{}",
        "deep": packed(b'{"a":' * 50_000, content),
        "deep list": packed(b'{"a":' + b"[" * 50_000, content),
        "20,000 layers": packed(many, b""),
        "no numbers but 2^62 columns": packed({"0.weight": empty | {"shape": [0, 2**62]}, "0.bias": empty}, b""),
        "metadata that are null": packed({"__metadata__": None, **header}, content),
        "a long number": packed(text + b', "__metadata__": {"a": ' + b"9" * 5000 + b"}}", content),
        "two tensors in one place": packed({n: a | {"data_offsets": [0, 12]} for n, a in header.items()}, content),
    }  # fmt: skip


def read(data):
    """Names, shapes and numbers, by the specification."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    body, found = data[8 + size :], {}
    for name, about in header.items():
        first, last = about["data_offsets"]
        found[name] = np.frombuffer(body[first:last], DTYPES[about["dtype"]]).reshape(about["shape"])
    return found
