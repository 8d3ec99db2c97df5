"""The IDX reader: what it reads, and that nothing else passes."""

import gzip
import os
import struct
import tracemalloc

import numpy as np
import pytest

from mlpjax.data import idx

ARRAY = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)
RAW = bytes([0, 0, 8, 3]) + struct.pack(">3I", 5, 4, 3) + ARRAY.tobytes()
GZIPPED = gzip.compress(RAW, mtime=0)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (0,), (7,), (2, 3), (0, 28, 28), (2, 1, 3, 2)])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_write_then_read(tmp_path, dtype, shape, suffix):
    array = (np.arange(np.prod(shape)) - 3).astype(dtype).reshape(shape)
    path = tmp_path / f"array{suffix}"
    idx.write(path, array)
    for source in (path, str(path), path.read_bytes()):
        read = idx.read(source)
        assert read.dtype == array.dtype and read.dtype.isnative and read.flags.writeable
        np.testing.assert_array_equal(read, array, strict=True)


def test_bytes_of_the_format_are_as_documented():
    np.testing.assert_array_equal(idx.read(RAW), ARRAY, strict=True)
    assert idx.encode(ARRAY) == RAW
    assert idx.encode(np.array([1, -2], ">i2")) == bytes([0, 0, 11, 1, 0, 0, 0, 2, 0, 1, 255, 254])
    assert idx.encode(np.array([1, -2], "<i2")) == idx.encode(np.array([1, -2], ">i2"))


def test_gzip_in_several_members_is_one_file(tmp_path):
    content = gzip.compress(RAW[:10]) + gzip.compress(b"") + gzip.compress(RAW[10:])
    np.testing.assert_array_equal(idx.read(content), ARRAY)


def test_written_gzip_has_no_clock_in_it(tmp_path):
    idx.write(tmp_path / "a.gz", ARRAY)
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not an IDX file"),
        (RAW[:3], "not an IDX file"),
        (b"\1" + RAW[1:], "not an IDX file"),
        (b"<!DOCTYPE html><html>", "not an IDX file: it begins with b.<!DO"),
        (RAW[:2] + b"\7" + RAW[3:], "not an IDX file"),
        (RAW[:3] + b"\0" + RAW[4:], "not an IDX file"),
        (RAW[:3] + b"\xff" + RAW[4:] + bytes(2000), "not an IDX file"),
        (RAW[:9], "truncated within its header"),
        (RAW[:-1], r"truncated: .*\(5, 4, 3\), 60 bytes, but 59"),
        (RAW + b"\0", "trailing bytes"),
        (RAW + RAW, "trailing bytes"),
        (bytes([0, 0, 8, 2]) + struct.pack(">2I", 2**20, 2**20), "max_bytes"),
        (bytes([0, 0, 8, 2]) + struct.pack(">2I", 0, 2**32 - 1), "max_bytes"),
        (bytes([0, 0, 14, 1]) + struct.pack(">I", 2**31), "17179869184 bytes"),
        (bytes([0, 0, 8, 8]) + struct.pack(">8I", *[2**32 - 1] * 8), "max_bytes"),
    ],
)
def test_wrong_content_is_named(content, says, zipped):
    with pytest.raises(idx.IDXError, match=says):
        idx.read(gzip.compress(content) if zipped else content)


@pytest.mark.parametrize(
    "content",
    [
        GZIPPED[:-1],
        GZIPPED[:-8],
        GZIPPED[:20],
        GZIPPED[:2],
        GZIPPED + b"x",
        GZIPPED + RAW,
        GZIPPED[:-5] + b"x" + GZIPPED[-4:],
    ],
    ids=["last byte", "no checksum", "torn", "magic only", "trailing byte", "trailing file", "wrong checksum"],
)
def test_damaged_gzip_is_named(content):
    with pytest.raises(idx.IDXError, match="damaged gzip"):
        idx.read(content)


def test_a_header_that_ends_within_its_last_length_is_named():
    with pytest.raises(idx.IDXError, match="truncated within its header of 3 axes"):
        idx.read(RAW[:15])


def test_what_only_begins_like_gzip_is_named():
    """Behind a good header, bytes that zlib refuses."""
    with pytest.raises(idx.IDXError, match=r"damaged gzip .*invalid block type"):
        idx.read(GZIPPED[:10] + b"\xff" * 20)


def test_message_names_the_file(tmp_path):
    (tmp_path / "labels").write_bytes(RAW[:-1])
    with pytest.raises(idx.IDXError, match="labels` is truncated"):
        idx.read(tmp_path / "labels")
    with pytest.raises(FileNotFoundError):
        idx.read(tmp_path / "absent")


@pytest.mark.parametrize(
    "content",
    [
        bytes([0, 0, 8, 1]) + struct.pack(">I", 2**27),  # promises 128 MiB, holds none
        bytes([0, 0, 8, 1]) + struct.pack(">I", 2**40 % 2**32 - 1 & 0xFFFFFFFF),  # promises 4 GiB
        gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 1]) + bytes(1 << 26)),  # decompresses to 64 MiB more than it promises
    ],
    ids=["false header", "huge header", "gzip bomb"],
)
def test_memory_is_bounded_by_what_is_there(content):
    tracemalloc.start()
    try:
        with pytest.raises(idx.IDXError):
            idx.read(content)
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()


def test_limit_is_inclusive_and_adjustable():
    assert idx.read(RAW, max_bytes=60).shape == (5, 4, 3)
    with pytest.raises(idx.IDXError, match=r"max_bytes` \(=59\).*pass `max_bytes=60`"):
        idx.read(RAW, max_bytes=59)


@pytest.mark.parametrize("array", [np.zeros(3, np.int64), np.zeros(3, bool), np.array(["a"]), np.array(1, np.uint8)])
def test_unwritable_arrays_are_refused(array):
    with pytest.raises(idx.IDXError, match="`array` must"):
        idx.encode(array)


@pytest.mark.parametrize(
    ("code", "dtype"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")], ids=lambda v: str(v)
)
def test_codes_are_those_of_the_format(code, dtype):
    assert idx.encode(np.zeros(1, dtype))[:4] == bytes([0, 0, code, 1])


def test_as_many_axes_as_numpy_has():
    array = np.ones((1,) * 64, np.uint8)
    assert idx.read(idx.encode(array), max_bytes=1).shape == array.shape
    with pytest.raises(idx.IDXError, match="not an IDX file"):
        idx.read(bytes([0, 0, 8, 65]) + 65 * struct.pack(">I", 1) + b"\1")


def test_longest_axis_that_fits_its_32_bits():
    assert idx.encode(np.zeros((2**32 - 1, 0), np.uint8)) == bytes([0, 0, 8, 2, 255, 255, 255, 255, 0, 0, 0, 0])
    with pytest.raises(idx.IDXError, match=r"none of 2\^32 or more; got shape \(4294967296, 0\)"):
        idx.encode(np.zeros((2**32, 0), np.uint8))


def test_limit_unless_more_is_allowed_is_256_mib():
    with pytest.raises(idx.IDXError, match="truncated"):
        idx.read(bytes([0, 0, 8, 1]) + struct.pack(">I", 256 * 2**20))
    with pytest.raises(idx.IDXError, match=r"`max_bytes` \(=268435456\)"):
        idx.read(bytes([0, 0, 8, 1]) + struct.pack(">I", 256 * 2**20 + 1))


def test_header_that_is_cut_off_says_how_many_axes_it_has():
    with pytest.raises(idx.IDXError, match="within its header of 3 axes"):
        idx.read(RAW[:9])


def test_an_array_is_held_in_memory_once_and_nothing_after_it_is_read():
    """Of several megabytes, so that it is read in several pieces."""
    array = np.arange(6 << 20, dtype=np.uint32).astype(np.uint8)
    content = idx.encode(array)
    tracemalloc.start()
    try:
        read = idx.read(content)
        assert tracemalloc.get_traced_memory()[1] < 1.5 * array.nbytes
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(read, array, strict=True)
    with pytest.raises(idx.IDXError, match="trailing bytes"):
        idx.read(content + bytes(3 << 20))


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match=rf"Is a pipe or a device, not a file: '{path}'"):
            idx.read(path)
    with pytest.raises(IsADirectoryError):
        idx.read(tmp_path)
