"""The file format of checkpoints: named arrays and a manifest in a zip archive that ends with its own checksum."""

import contextlib
import errno
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from mlpjax import _files, _text
from mlpjax._types import Any

__all__ = ["CheckpointError", "read", "read_meta", "refusing", "storable", "write"]

FORMAT, VERSION = "mlpjax checkpoint", 1
MANIFEST = "manifest.json"
MARK = b"sha256:"
TAIL = len(MARK) + 64


class CheckpointError(OSError, ValueError):
    """A checkpoint that cannot be written, is damaged, or does not hold the tree that was asked for.

    Both an `OSError`, with `errno` where the operating system gave one, and a `ValueError`, as
    `io.UnsupportedOperation` is.
    """


def storable(dtype: Any) -> bool:
    """Whether a dtype is one of numbers: NumPy's own, or, like those of ml_dtypes, registered with NumPy."""
    return dtype.kind in "biufc" or dtype.isbuiltin == 2


def write(path: Any, entries: dict[str, dict], arrays: dict[str, Any], meta: dict[str, Any]) -> None:
    """Write arrays, what the manifest says of each, and the metadata of the user."""
    manifest = {"format": FORMAT, "version": VERSION, "leaves": entries, "meta": meta}
    try:
        header = json.dumps(manifest, indent=1).encode()
    except (TypeError, ValueError) as error:
        raise TypeError(f"`meta` must be what JSON can hold: dicts, lists, texts, numbers; {error}.") from error
    try:
        with _files.replacing(path) as file:
            _write(file, header, arrays)
            _seal(file)
    except OSError as error:
        raise CheckpointError(error.errno, error.strerror) from error


def read(path: Any) -> tuple[dict[str, dict], dict[str, np.ndarray]]:
    """What the manifest says of each array, and the arrays, which are views of read-only bytes."""
    data = _checked(path)
    with refusing(path):
        archive, manifest = _parse(path, data)
        entries = manifest["leaves"]
        return entries, {name: _member(archive.read(f"{name}.npy"), entry) for name, entry in entries.items()}


def read_meta(path: Any) -> dict[str, Any]:
    """The metadata of the user."""
    data = _checked(path)
    with refusing(path):
        return _parse(path, data)[1]["meta"]


def _write(file: BinaryIO, header: bytes, arrays: dict[str, Any]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = bytes(TAIL)
        archive.writestr(_info(MANIFEST), header)
        for name, array in arrays.items():
            array = np.asarray(array, order="C")
            array = array.view(_unsigned(array.dtype)).astype(_stored(array.dtype), copy=False)
            with archive.open(_info(f"{name}.npy"), "w", force_zip64=True) as member:  # as NumPy does, for any size
                np.lib.format.write_array(member, array, (1, 0), allow_pickle=False)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # equal trees make equal bytes, whenever and wherever
    info.create_system, info.external_attr = 3, 0o644 << 16
    return info


def _unsigned(dtype: np.dtype) -> np.dtype:
    """Where NumPy has no such dtype of its own, unsigned integers of the same size."""
    return np.dtype(f"u{dtype.itemsize}") if dtype.isbuiltin == 2 else dtype


def _stored(dtype: np.dtype) -> np.dtype:
    return _unsigned(dtype).newbyteorder("<")


def _seal(file: BinaryIO) -> None:
    """Put the checksum of all that is before it where the archive's comment was left empty."""
    file.seek(-TAIL, os.SEEK_END)
    file.truncate()
    file.seek(0)
    checksum = hashlib.file_digest(file, "sha256")  # pyright: ignore[reportArgumentType]
    file.seek(0, os.SEEK_END)
    file.write(MARK + checksum.hexdigest().encode())


def _checked(path: Any) -> bytes:
    """The bytes of a file, but only if they are the ones that were written."""
    data = _bytes(path)
    if MARK + hashlib.sha256(memoryview(data)[:-TAIL]).hexdigest().encode() != data[-TAIL:]:
        raise CheckpointError(
            f"{os.fspath(path)} is damaged: its bytes do not have the checksum that it was saved with. Take the "
            f"checkpoint before it, or a copy; no part of this one was read."
        )
    return data


def _bytes(path: Any) -> bytes:
    try:
        with _files.reading(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - TAIL, 0))  # the end first: nobody should wait for gigabytes of another format
            sealed = file.read().startswith(MARK)
            file.seek(0)
            data = file.read() if sealed else b""
    except OSError as error:
        reason = f"could not read the checkpoint {os.fspath(path)}: {error.strerror or error}. Is the path right?"
        raise CheckpointError(error.errno, reason) from error
    except MemoryError as error:
        raise CheckpointError(
            errno.ENOMEM, f"{os.fspath(path)} is larger than the memory that there is. Is it a checkpoint?"
        ) from error
    if not sealed:
        raise CheckpointError(
            f"{os.fspath(path)} is not a checkpoint, or its end is missing. Take the checkpoint before it; a plain "
            f".npz is for `numpy.load`."
        )
    return data


@contextlib.contextmanager
def refusing(path: Any) -> Iterator[None]:
    """Turn whatever a file with a good checksum but hostile content brings about into the one clear error."""
    try:
        yield
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"{os.fspath(path)} is not a checkpoint of mlpjax, although its checksum is right: "
            f"{_text.brief(repr(error), 300)}. It was made by another program; do not trust it."
        ) from error


def _parse(path: Any, data: bytes) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("its members are compressed")
    if sum(member.file_size for member in members) > len(data):
        raise ValueError("its members promise more than the file holds")
    manifest = json.loads(archive.read(MANIFEST).decode())
    if manifest["format"] != FORMAT:
        raise ValueError(f"its format is {manifest['format']!r}")
    if manifest["version"] != VERSION:
        raise CheckpointError(
            f"{os.fspath(path)} has format version {manifest['version']!r}, and this mlpjax reads version {VERSION}: "
            f"install the mlpjax that wrote it, or a newer one."
        )
    if sorted(m.filename for m in members) != sorted([MANIFEST, *(f"{name}.npy" for name in manifest["leaves"])]):
        raise ValueError("its members are not those of its manifest")
    if not isinstance(manifest["meta"], dict):
        raise ValueError("its metadata are no dictionary")
    return archive, manifest


def _member(data: bytes, entry: dict[str, Any]) -> np.ndarray:
    """An array, if its header says what the manifest says and all of it is there; never an object."""
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("its arrays are of another version of NumPy's format")
    shape, fortran, stored = np.lib.format.read_array_header_1_0(file)
    name, key = entry["dtype"], entry["kind"] == "key"  # whose data have one axis more
    if entry["kind"] not in ("array", "key") or key != name.startswith("key<"):
        raise ValueError(f"there is no {entry['kind']!r} of {name!r}")
    dtype = np.dtype("uint32" if key else name)
    found = stored, list(shape[:-1] if key else shape), fortran
    if not storable(dtype) or not (key or name == dtype.name) or found != (_stored(dtype), entry["shape"], False):
        raise ValueError(f"an array of {stored} {shape} is not the {name} {entry['shape']} of its manifest")
    numbers = np.frombuffer(data, stored, offset=file.tell()).reshape(shape)
    return numbers.astype(_unsigned(dtype), copy=False).view(dtype)
