"""Faults for bytes: what a bad disk, a bad program or a bad person does to a file."""

import gzip
import struct
import zlib

EXTREMES = tuple(n.to_bytes(4, "big") for n in (0, 1, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1))


def flip(data, draw):
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def put(data, draw):
    data[draw.randrange(len(data))] = draw.choice((0, 1, 8, 127, 128, 255, draw.randrange(256)))


def cut(data, draw):
    del data[draw.randrange(len(data)) :]


def drop(data, draw):
    at = draw.randrange(len(data))
    del data[at : at + draw.randrange(1, 9)]


def double(data, draw):
    at = draw.randrange(len(data))
    data[at:at] = data[at : at + draw.randrange(1, 33)]


def insert(data, draw):
    at = draw.randrange(len(data) + 1)
    data[at:at] = draw.randbytes(draw.randrange(1, 9))


def append(data, draw):
    data += draw.choice((b"\0", bytes(8), draw.randbytes(draw.randrange(1, 30)), bytes(data)))


def word(data, draw):
    at = draw.randrange(len(data))
    data[at : at + 4] = draw.choice(EXTREMES)


ANY = (flip, put, cut, drop, double, insert, append, word)


def mutant(source, draw, kinds=ANY):
    """One to eight faults."""
    data = bytearray(source)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        if data:
            draw.choice(kinds)(data, draw)
    return bytes(data)


def member(content, draw):
    """A gzip member whose header may have any of its optional parts, right or nearly right."""
    flags = draw.choice((0, 0, draw.randrange(32), draw.randrange(256)))
    head = b"\x1f\x8b\x08" + bytes([flags]) + draw.randbytes(6)
    if flags & 4:
        extra = draw.randbytes(draw.choice((0, 3, 300)))
        head += struct.pack("<H", len(extra)) + extra
    head += b"".join(draw.choice((b"name\0", b"\0", b"n" * 300 + b"\0")) for bit in (8, 16) if flags & bit)
    head += draw.randbytes(2) if flags & 2 else b""
    squeeze = zlib.compressobj(draw.choice((0, 1, 9)), zlib.DEFLATED, -15)
    body = squeeze.compress(content) + squeeze.flush()
    crc, size = zlib.crc32(content), len(content)
    if draw.random() < 0.1:
        crc, size = draw.choice(((0, size), (crc ^ 1, size), (crc, size + 1), (crc, 0), (crc, 2**32 - 1)))
    return head + body + struct.pack("<II", crc, size)


def zipped(content, draw):
    """The same content in one gzip member or in several, and perhaps something behind."""
    kind = draw.randrange(4)
    if kind == 0:
        return gzip.compress(content, 1, mtime=0)
    if kind == 1:
        return member(content, draw)
    at = draw.randrange(len(content) + 1)
    parts = [content[:at], b"", content[at:]] if kind == 2 else [content[:at], content[at:]]
    return b"".join(member(part, draw) for part in parts) + draw.choice((b"", b"", b"\0" * 5, b"x", b"\x1f\x8b"))
