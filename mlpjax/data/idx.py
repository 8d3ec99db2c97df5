r"""The IDX format, in which MNIST and its relatives come.

A file is two zero bytes, a byte for the type, a byte for the number of axes, the length of each axis as a big-endian
32-bit number, and the array in C order. Usually the whole is gzipped.

A file from elsewhere may be torn, wrong or hostile. Every byte is accounted for before an array is returned, and memory
is bounded whatever the header promises and however well the content is compressed.
"""

import gzip
import io
import math
import os
import struct
import zlib

import numpy as np

from mlpjax import _files

__all__ = ["MAX_BYTES", "IDXError", "encode", "read", "write"]

MAX_BYTES = 1 << 28
"""The largest array that is read unless more is allowed: 256 MiB, five times the images of MNIST."""

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES = {np.dtype(name).newbyteorder("="): code for code, name in _TYPES.items()}
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


class IDXError(ValueError):
    """The bytes are not one whole IDX array; the message says where they depart from it and what to do."""


def read(source: str | os.PathLike[str] | bytes, *, max_bytes: int = MAX_BYTES) -> np.ndarray:
    """Read an array from an IDX file, gzipped or not.

    Args:
        source: a path, or the content itself. A pipe is not read by its path: read it, and pass what it gave.
        max_bytes: refuse an array larger than this, in bytes. Memory stays within a small multiple of it, and of what
            the file really holds, so that neither a false header nor a gzip bomb can exhaust it.

    Returns:
        The array, in the machine's byte order and writable.

    Raises:
        IDXError: if the content is truncated, has bytes after the array, a wrong magic number, a type or a number of
            axes that the format does not know, a length beyond `max_bytes`, or is damaged gzip.
        OSError: if the file is not there, cannot be read, or is none: a directory, a pipe, a device.

    Example:
        >>> from mlpjax.data import idx
        >>> idx.read(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 6, 7]))
        array([5, 6, 7], dtype=uint8)

    References:
        Y. LeCun, C. Cortes, C. J. C. Burges. The MNIST database of handwritten digits, "File formats".
    """
    if isinstance(source, bytes):
        return _read(io.BufferedReader(io.BytesIO(source)), "the content", max_bytes)
    with _files.reading(source) as file:
        return _read(file, f"`{os.fspath(source)}`", max_bytes)


def write(path: str | os.PathLike[str], array: np.ndarray) -> None:
    """Write an array as an IDX file, gzipped if the name ends in `.gz`.

    Args:
        path: where to; an existing file is replaced.
        array: at least one axis, of uint8, int8, int16, int32, float32 or float64.

    Raises:
        IDXError: if the format has no such type or shape.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from mlpjax.data import idx
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = pathlib.Path(directory) / "labels-idx1-ubyte.gz"
        ...     idx.write(path, np.array([3, 1, 4], np.uint8))
        ...     idx.read(path)
        array([3, 1, 4], dtype=uint8)
    """
    content = encode(array)
    with open(path, "wb") as file:
        file.write(gzip.compress(content, mtime=0) if os.fspath(path).endswith(".gz") else content)


def encode(array: np.ndarray) -> bytes:
    """The bytes of an uncompressed IDX file that holds `array`; `read` of them gives it back.

    Args:
        array: at least one axis, of uint8, int8, int16, int32, float32 or float64.

    Returns:
        Header and array.

    Raises:
        IDXError: if the format has no such type or shape.

    Example:
        >>> import numpy as np
        >>> from mlpjax.data import idx
        >>> idx.encode(np.array([[1, 2]], np.uint8)).hex(" ", -4)
        '00000802 00000001 00000002 0102'
    """
    array = np.asarray(array)
    code = _CODES.get(array.dtype.newbyteorder("="))
    if code is None:
        known = ", ".join(str(dtype) for dtype in _CODES)
        raise IDXError(f"`array` must be one of {known}; got {array.dtype}. Cast it with `array.astype(...)`.")
    if array.ndim < 1 or max(array.shape) >= 2**32:
        raise IDXError(
            f"`array` must have at least one axis, none of 2^32 or more; got shape {array.shape}. Reshape it."
        )
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(_TYPES[code]).tobytes()


def _read(file: io.BufferedReader, name: str, max_bytes: int) -> np.ndarray:
    stream = _decompressed(file)
    shape, dtype = _header(stream, name)
    # Zero-length axes count as 1, since NumPy limits the product of the others too.
    size = math.prod(max(length, 1) for length in shape) * dtype.itemsize
    if size > max_bytes:
        raise IDXError(
            f"{name} promises an array of shape {shape}, {size} bytes: more than `max_bytes` (={max_bytes}). If it is "
            f"meant to be so large, pass `max_bytes={size}`; if not, it is damaged: get it anew."
        )
    expected = math.prod(shape) * dtype.itemsize
    content = _take(stream, expected, name)
    if len(content) < expected:
        raise IDXError(
            f"{name} is truncated: its header promises shape {shape}, {expected} bytes, but {len(content)} follow. "
            "Get it anew."
        )
    if _take(stream, 1, name):
        raise IDXError(
            f"{name} has trailing bytes after the {expected} of its array of shape {shape}. It is damaged or holds "
            "something else: get it anew."
        )
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _header(stream: io.BufferedIOBase, name: str) -> tuple[tuple[int, ...], np.dtype]:
    magic = bytes(_take(stream, 4, name))
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not 1 <= magic[3] <= 64:
        raise IDXError(
            f"{name} is not an IDX file: it begins with {magic!r}, not with two zero bytes, a type ("
            f"{', '.join(f'0x{code:02x}' for code in _TYPES)}) and a number of axes from 1 to 64. Is it the right file?"
        )
    lengths = _take(stream, 4 * magic[3], name)
    if len(lengths) < 4 * magic[3]:
        raise IDXError(f"{name} is truncated within its header of {magic[3]} axes. Get it anew.")
    return struct.unpack(f">{magic[3]}I", lengths), np.dtype(_TYPES[magic[2]])


def _decompressed(file: io.BufferedReader) -> io.BufferedIOBase:
    """The stream itself, or what it decompresses to; several gzip members after another are one stream."""
    return gzip.GzipFile(fileobj=file) if file.peek()[:2] == _GZIP else file


def _take(stream: io.BufferedIOBase, count: int, name: str) -> bytearray:
    """Up to `count` bytes, chunk by chunk: what is not there is not allocated."""
    content = bytearray()
    try:
        while chunk := stream.read(min(_CHUNK, count - len(content))):
            content += chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise IDXError(f"{name} is damaged gzip ({error}). Get it anew.") from error
    return content
