"""Hostile pictures: bombs, torn files, kinds nobody asked for, and mutants of good ones."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.reliability import _mutate

KINDS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")


def saved(image, kind, **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def digit(side=12):
    """Something like a 7."""
    pixels = np.full((side, side), 255, np.uint8)
    pixels[2, 2:-2] = 0
    pixels[2:-2, -4] = 0
    return Image.fromarray(pixels)


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png(width, height, *chunks, depth=8, color=0, interlaced=0, end=True):
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))
    return head + b"".join(chunks) + (chunk(b"IEND", b"") if end else b"")


def idat(content):
    return chunk(b"IDAT", zlib.compress(content))


def floats(values, **options):
    return saved(Image.fromarray(np.asarray(values, np.float32)), "TIFF", **options)


def bombs():
    """What is small on the disk and large, endless or senseless behind the decoder."""
    zeros, strip = zlib.compress(bytes(1 << 24)), bytes(1 << 16)
    nan = np.zeros((12, 12))
    nan[3, 3] = np.nan
    webp = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\x12\0\0\0"
    gif = b"GIF89a\xff\xff\xff\xff\x80\0\0"
    return {
        "10 gigapixels": png(100_000, 100_000, idat(b"")),
        "2^31 wide": png(2**31 - 1, 1, idat(b"")),
        "2^32 − 1 wide": png(2**32 - 1, 2**32 - 1, idat(b"")),
        "64 megapixels": png(8000, 8000, idat(b"")),
        "49 megapixels of nothing": png(7000, 7000, idat(b"")),
        "0 × 0": png(0, 0, idat(b"")),
        "1 × 0": png(1, 0, idat(b"")),
        "more pixels than promised": png(12, 12, chunk(b"IDAT", zeros)),
        "text that explodes": png(12, 12, chunk(b"zTXt", b"k\0\0" + zeros), idat(bytes(156))),
        "text in many parts": png(12, 12, *[chunk(b"zTXt", b"k\0\0" + zeros)] * 99, idat(bytes(156))),
        "international text that explodes": png(12, 12, chunk(b"iTXt", b"k\0\1\0\0\0" + zeros), idat(bytes(156))),
        "profile that explodes": png(12, 12, chunk(b"iCCP", b"k\0\0" + zeros), idat(bytes(156))),
        "profile of EXIF": png(12, 12, chunk(b"eXIf", b"MM\0*\0\0\0\x08" + b"\xff" * 99), idat(bytes(156))),
        "no data": png(12, 12),
        "no end": png(12, 12, idat(bytes(20)), end=False),
        "palette without a palette": png(12, 12, idat(bytes(156)), color=3),
        "color 7": png(12, 12, idat(bytes(156)), color=7),
        "depth 255": png(12, 12, idat(bytes(156)), depth=255),
        "interlaced, torn": png(12, 12, idat(bytes(9)), interlaced=1),
        "a million frames": png(
            12, 12, chunk(b"acTL", struct.pack(">II", 10**6, 0)), chunk(b"fcTL", bytes(26)), idat(bytes(156))
        ),
        "a line of 49,000,000": saved(Image.fromarray(np.arange(49_000_000, dtype=np.uint8)[None] & 1), "PPM"),
        "a line of 40,000": saved(Image.fromarray((np.arange(40_000)[None] % 251).astype(np.uint8)), "PNG"),
        "a column of 40,000": saved(Image.fromarray((np.arange(40_000)[:, None] % 251).astype(np.uint8)), "PNG"),
        "NaN": floats(nan),
        "infinity": floats(np.where(np.isnan(nan), np.inf, nan)),
        "both infinities": floats(np.where(np.isnan(nan), np.inf, -np.inf)),
        "LAB": saved(Image.merge("LAB", [digit()] * 3), "TIFF"),
        "canvas of 16,384 × 16,384": webp + b"\xff\x3f\0" * 2 + b"ANIM\6\0\0\0" + bytes(6),
        "GIF of 65,535 × 65,535": gif + bytes(6) + b",\0\0\0\0\xff\xff\xff\xff\0\2\1\x44\0;",
        "BMP of −2^31 lines": b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 9, -(2**31), 1, 24, 0) + bytes(20),
        "PPM of 10^40 pixels": b"P5 " + b"9" * 20 + b" " + b"9" * 20 + b" 255\n",
        "PPM without an end": b"P5 " + b"9" * 1_000_000,
        "TIFF that points to itself": b"II*\0\x08\0\0\0" + b"\1\0" + bytes(12) + b"\x08\0\0\0",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) run\n",
        "PDF": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/Launch/F(x)>>>>endobj\n",
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "text": b"seven" * 99,
        "nothing": b"",
        "64 MiB and one": strip * 1024 + b"\0",
    }  # fmt: skip


def good():
    """One valid picture of every kind and mode; each must be read."""
    modes = {
        "1-bit": digit().convert("1"),
        "palette": digit().convert("P"),
        "16-bit": Image.fromarray(np.asarray(digit(), np.uint16) * 257),
        "RGBA": digit().convert("RGBA"),
        "gray with alpha": digit().convert("LA"),
        "RGB": digit().convert("RGB"),
    }
    pictures = {f"PNG, {name}": saved(image, "PNG") for name, image in modes.items()}
    pictures |= {f"{kind}, gray": saved(digit(24), kind) for kind in KINDS if kind != "WEBP"}
    pictures["WEBP, RGB"] = saved(digit(24).convert("RGB"), "WEBP", lossless=True)
    pictures["JPEG, CMYK"] = saved(digit(24).convert("CMYK"), "JPEG")
    pictures["TIFF, floats"] = floats(np.asarray(digit(), np.float32))
    frames = [digit(), digit().transpose(Image.Transpose.ROTATE_90)]
    for kind in ("PNG", "GIF", "WEBP", "TIFF"):
        pictures[f"{kind}, animated"] = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    return pictures


def mutants(count, draw):
    """Good ones with faults, and where it is a PNG, with the checksums of its chunks made right again."""
    valid = list(good().values())
    for i in range(count):
        content = _mutate.mutant(draw.choice(valid), draw)
        yield f"mutant {i}", mended(content) if draw.random() < 0.5 else content


def mended(content):
    """A PNG whose chunks have right checksums, as far as there are chunks."""
    out, at = content[:8], 8
    if not content.startswith(b"\x89PNG"):
        return content
    while at + 12 <= len(content):
        size = min(int.from_bytes(content[at : at + 4], "big"), len(content) - at - 12)
        out += chunk(content[at + 4 : at + 8], content[at + 8 : at + 8 + size])
        at += 12 + size
    return out
