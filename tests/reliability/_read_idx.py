"""A second reader of IDX files, written from the two specifications alone: what it says is what a file holds."""

import math
import struct
import zlib

SIZES = {8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8}
KINDS = {8: "uint8", 9: "int8", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}


class Wrong(Exception):
    """The bytes are not one whole file of at most so many bytes."""


def read(data, limit):
    """The dtype's name, the shape, and the content in the order of the file."""
    if data[:2] == b"\x1f\x8b":
        data = unzipped(data, 4 + 4 * 64 + limit)
    if len(data) < 4 or data[0] or data[1] or data[2] not in SIZES or not 1 <= data[3] <= 64:
        raise Wrong("magic number")
    end = 4 + 4 * data[3]
    shape = tuple(int.from_bytes(data[i : i + 4], "big") for i in range(4, end, 4))
    if len(data) < end or math.prod(max(n, 1) for n in shape) * SIZES[data[2]] > limit:
        raise Wrong("header")
    if len(data) - end != math.prod(shape) * SIZES[data[2]]:
        raise Wrong("length")
    return KINDS[data[2]], shape, data[end:]


def unzipped(data, limit):
    """All members of a gzip file after another; zeros after the last are padding."""
    out = b""
    while data:
        content, data = one_member(data, limit + 1 - len(out))
        out += content
        if len(out) > limit:
            raise Wrong("too long")
        data = data.lstrip(b"\0")
    return out


def one_member(data, limit):
    if len(data) < 10 or data[:3] != b"\x1f\x8b\x08":
        raise Wrong("gzip magic")
    flags, at = data[3], 10
    if flags & 4:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for bit in (8, 16):
        if flags & bit:
            at = data.find(b"\0", at) + 1
            if not at:
                raise Wrong("gzip name")
    at += 2 * bool(flags & 2)
    inflate = zlib.decompressobj(-15)
    try:
        content = inflate.decompress(data[at:], limit)
        while not inflate.eof and len(content) < limit and inflate.unconsumed_tail:
            content += inflate.decompress(inflate.unconsumed_tail, limit - len(content))
    except zlib.error as error:
        raise Wrong("deflate") from error
    if len(content) >= limit:
        raise Wrong("too long")
    rest = inflate.unused_data
    if not inflate.eof or rest[:8] != struct.pack("<II", zlib.crc32(content), len(content) % 2**32):
        raise Wrong("gzip end")
    return content, rest[8:]
