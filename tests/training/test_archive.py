"""The file format of checkpoints to the letter, what is refused for which reason, and how often an array is copied."""

import hashlib
import io
import json
import re
import tracemalloc
import types
import zipfile

import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax.training import _archive, checkpoint
from mlpjax.training.checkpoint import CheckpointError
from tests.helpers import assert_trees_equal
from tests.training.test_checkpoint import DATA, GOOD, entry, forge, npy


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.npz"


def npy2(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, (2, 0))
    return file.getvalue()


REASONS = {
    "its members are compressed": dict(members=GOOD, compression=zipfile.ZIP_DEFLATED),
    "its format is 'orbax'": dict(members=GOOD, format="orbax"),
    "its members are not those of its manifest": dict(members=[*GOOD, ("b.npy", DATA)]),
    "its metadata are no dictionary": dict(members=GOOD, meta=[1]),
    "its arrays are of another version": dict(members=[("a.npy", npy2(np.ones(3, np.float32)))]),
    "there is no 'tensor' of 'float32'": dict(members=GOOD, leaves=entry(kind="tensor")),
    "there is no 'array' of 'key<fry>'": dict(members=GOOD, leaves=entry(dtype="key<fry>")),
    "there is no 'key' of 'float32'": dict(members=GOOD, leaves=entry(kind="key")),
    "an array of float32 (3,) is not the float64 [3] of": dict(members=GOOD, leaves=entry(dtype="float64")),
    "an array of float32 (3,) is not the float32 [4] of": dict(members=GOOD, leaves=entry(shape=[4])),
    "an array of object (3,) is not the object [3] of": dict(
        members=[("a.npy", npy(np.array([{}] * 3)))], leaves=entry(dtype="object")
    ),
}


@pytest.mark.parametrize(("reason", "content"), REASONS.items(), ids=REASONS)
def test_what_is_refused_is_refused_for_its_own_reason(path, reason, content):
    forge(path, **content)
    with pytest.raises(CheckpointError) as caught:
        checkpoint.read(path)
    assert re.search(rf"checksum is right: ValueError\(.{re.escape(reason)}", str(caught.value))


def test_the_format_to_the_letter(path):
    """What format 1 is, field by field, so that no later release writes another under its name."""
    checkpoint.save(path, {"a": np.ones(3, np.float32)}, meta={"x": 1})
    with zipfile.ZipFile(path) as archive:
        info, member = archive.infolist()
        assert (info.filename, member.filename) == ("manifest.json", "a.npy")
        for one in (info, member):
            assert one.compress_type == zipfile.ZIP_STORED and one.date_time == (1980, 1, 1, 0, 0, 0)
            assert (one.create_system, one.external_attr) == (3, 0o644 << 16)
        manifest = {"format": "mlpjax checkpoint", "version": 1, "leaves": entry(), "meta": {"x": 1}}
        assert archive.read("manifest.json").decode() == json.dumps(manifest, indent=1)
        assert archive.read("a.npy") == npy(np.ones(3, np.float32))


def test_a_member_may_have_more_than_four_gigabytes(path):
    """Its header has room for a size of 64 bits."""
    checkpoint.save(path, {"a": np.ones(3, np.float32)})
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("a.npy").header_offset
    assert path.read_bytes()[at + 28 : at + 30] == (20).to_bytes(2, "little")


def test_one_flipped_bit(path):
    """Of every bit of every byte: the experiment `bit_rot`."""
    checkpoint.save(path, {"a": np.ones(3, np.float32)})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    for reads in (checkpoint.read, checkpoint.read_meta):
        with pytest.raises(CheckpointError, match=r"state\.npz is damaged: its bytes do not have the checksum"):
            reads(path)


def test_a_file_of_nothing_but_a_seal(path):
    path.write_bytes(b"sha256:" + hashlib.sha256(b"").hexdigest().encode())
    with pytest.raises(CheckpointError, match="although its checksum is right"):
        checkpoint.read(path)
    path.write_bytes(b"a few bytes")
    with pytest.raises(CheckpointError, match="is not a checkpoint, or its end is missing"):
        checkpoint.read(path)


def test_what_the_system_says_is_said_once(path):
    with pytest.raises(CheckpointError) as caught:
        checkpoint.read(path)
    assert str(caught.value).endswith(
        f"could not read the checkpoint {path}: No such file or directory. Is the path right?"
    )


def test_metadata_that_contain_themselves(path):
    meta = {}
    meta["meta"] = meta
    with pytest.raises(TypeError, match=r"`meta` must be what JSON can hold.*Circular reference"):
        checkpoint.save(path, (), meta=meta)


def test_arrays_are_not_copied_more_often_than_they_must(path):
    """A save needs NumPy's buffer of 16 MiB, whatever the size of an array; reading needs the file, and each array."""
    array = np.ones(8_000_000)
    tracemalloc.start()
    try:
        _archive.write(path, {"a": {"kind": "array", "dtype": "float64", "shape": [array.size]}}, {"a": array}, {})
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        _archive.read(path)
        read = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert written < array.nbytes and read < 2.5 * array.nbytes


def test_a_template_needs_a_shape_and_a_dtype(path):
    tree = {"rate": jnp.asarray(0.1), "b": jnp.ones(2)}
    checkpoint.save(path, tree)
    loaded = checkpoint.load(path, {n: types.SimpleNamespace(shape=a.shape, dtype=a.dtype) for n, a in tree.items()})
    assert_trees_equal(loaded, tree)
    assert not loaded["rate"].weak_type


def test_arrays_on_one_device_stay_free_to_move(path):
    """As `jnp` makes them: an array that is bound to a device could not meet one that is spread over several."""
    tree = {"b": jnp.ones(2)}
    checkpoint.save(path, tree)
    assert not tree["b"].committed and not checkpoint.load(path, tree)["b"].committed
