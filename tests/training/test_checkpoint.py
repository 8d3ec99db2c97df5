"""Checkpoints: bit for bit, whole or refused, and safe from full disks, killed processes and hostile files."""

import errno
import hashlib
import io
import json
import os
import pathlib
import pickle
import threading
import tracemalloc
import zipfile
from typing import NamedTuple

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest

from mlpjax import _files
from mlpjax.training import checkpoint
from mlpjax.training.checkpoint import CheckpointError
from tests.helpers import assert_trees_equal

TMP = _files.SUFFIX
SMALL = ["float16", "float32", "int8", "int16", "int32", "uint8", "uint16", "uint32", "bool", "complex64"]
WIDE = [pytest.param(name, marks=pytest.mark.x64) for name in ("float64", "int64", "uint64", "complex128")]
EXOTIC = ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "float8_e8m0fnu", "int4", "uint4"]


class Layer(NamedTuple):
    W: jax.Array
    b: jax.Array | None


class Other(NamedTuple):
    W: jax.Array
    b: jax.Array | None


def state(key, width=3):
    """All that a training state may hold: parameters, an optimizer's state, keys, counts, and nothing."""
    params = (
        Layer(jax.random.normal(key, (width, 2)), jnp.zeros(width)),
        Layer(jax.random.normal(key, (1, width), jnp.bfloat16), None),
    )
    return {"params": params, "opt": optax.adam(1e-3).init(params), "key": key, "step": jnp.int32(7), "empty": ()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.npz"


@pytest.mark.parametrize("dtype", [*SMALL, *WIDE, *EXOTIC])
@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (0, 2)], ids=str)
def test_every_dtype_bit_for_bit(path, dtype, shape):
    dtype = jnp.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    content = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    if dtype.name in ("bool", "int4", "uint4"):  # one bit, or four, of a byte
        content &= 1 if dtype.name == "bool" else 7
    array = jnp.asarray(content.view(dtype).reshape(shape))
    checkpoint.save(path, {"a": array})
    assert_trees_equal(checkpoint.load(path, {"a": jax.ShapeDtypeStruct(shape, dtype)}), {"a": array})
    assert_trees_equal(checkpoint.read(path), {"a": array})


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg", "unsafe_rbg"])
def test_typed_keys_of_every_generator(path, impl):
    key = jax.random.key(3, impl=impl)
    tree = [key, jax.random.split(key, (2, 3)), jax.random.split(key, 1)[:0]]
    checkpoint.save(path, tree)
    loaded = checkpoint.load(path, jax.eval_shape(lambda: tree))
    assert_trees_equal(loaded, tree)
    assert_trees_equal(list(checkpoint.read(path).values()), tree)
    assert jax.random.bits(loaded[0]) == jax.random.bits(key)
    if impl != "threefry2x32":
        with pytest.raises(CheckpointError, match=r"0 is key<\w+>\[\], `like` has key<fry>\[\]"):
            checkpoint.load(path, [jax.random.key(0), *tree[1:]])


def test_a_whole_state(path, key):
    tree = state(key)
    checkpoint.save(str(path), tree)
    assert_trees_equal(checkpoint.load(path, tree), tree)
    assert_trees_equal(checkpoint.load(str(path), jax.eval_shape(lambda: tree)), tree)
    leaves = checkpoint.read(path)
    assert list(leaves)[:2] == ["key", "opt/0/count"] and list(leaves)[-1] == "step"
    assert_trees_equal(leaves["params/1/W"], tree["params"][1].W)


@pytest.mark.parametrize("tree", [(), {"a": None, "b": [{}]}, jnp.arange(3), [jnp.zeros((0,))]], ids=str)
def test_trees_of_no_leaf_and_of_one(path, tree):
    checkpoint.save(path, tree)
    assert_trees_equal(checkpoint.load(path, tree), tree)
    assert len(checkpoint.read(path)) == len(jax.tree.leaves(tree))


def test_numbers_come_back_as_jax_makes_them(path):
    tree = {"int": 3, "float": 0.1, "bool": True, "complex": 1j, "numpy": np.float64(0.1), "host": np.arange(3.0)}
    checkpoint.save(path, tree)
    loaded = checkpoint.load(path, tree)
    for name in ("int", "float", "bool", "complex"):
        assert_trees_equal(loaded[name], jnp.asarray(tree[name]))
    assert type(loaded["host"]) is np.ndarray and loaded["host"].dtype == np.float64 and loaded["host"].flags.writeable
    assert loaded["numpy"].dtype == np.float64 and loaded["numpy"] == 0.1


def test_a_weakly_typed_number_stays_so(path):
    """A strongly typed learning rate would turn bfloat16 updates into float32 after resuming."""
    tree = {"rate": jnp.asarray(0.1), "strong": jnp.float32(0.1), "count": jnp.asarray(3)}
    assert tree["rate"].weak_type
    checkpoint.save(path, tree)
    for like in (tree, jax.eval_shape(lambda: tree)):
        loaded = checkpoint.load(path, like)
        assert_trees_equal(loaded, tree)
        assert all(loaded[name].weak_type == tree[name].weak_type for name in tree)


def test_sharded_arrays_return_to_their_devices(path):
    mesh = jax.make_mesh((2,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    sharding = jax.NamedSharding(mesh, jax.P("data"))
    tree = {"a": jax.device_put(jnp.arange(8.0), sharding), "b": jnp.ones(2)}
    checkpoint.save(path, tree)
    loaded = checkpoint.load(path, tree)
    assert_trees_equal(loaded, tree)
    assert loaded["a"].sharding == sharding and loaded["b"].sharding == tree["b"].sharding


def test_training_continues_to_the_same_bits(path, key):
    optimizer = optax.adam(1e-2)

    @jax.jit
    def step(params, opt_state):
        grads = jax.grad(lambda p: jnp.sum((p["W"] - 1) ** 2))(params)
        with jax.numpy_dtype_promotion("standard"):
            updates, opt_state = optimizer.update(grads, opt_state, params)
            return optax.apply_updates(params, updates), opt_state

    def run(carry, steps):
        for _ in range(steps):
            carry = step(*carry)
        return carry

    params = {"W": jax.random.normal(key, (5, 4))}
    start = (params, optimizer.init(params))
    half = run(start, 3)
    checkpoint.save(path, half)
    compiled = step._cache_size()
    assert_trees_equal(run(checkpoint.load(path, half), 4), run(start, 7))
    assert step._cache_size() == compiled


def test_numpy_alone_reads_it(path, key):
    tree = state(key)
    checkpoint.save(path, tree)
    with np.load(path) as file:
        assert set(file.files) == {*checkpoint.read(path), "manifest.json"}
        assert file["params/0/W"].tobytes() == np.asarray(tree["params"][0].W).tobytes()
        assert (file["params/1/W"].view(ml_dtypes.bfloat16) == np.asarray(tree["params"][1].W)).all()
        assert (file["key"] == jax.random.key_data(key)).all()
        assert json.loads(file["manifest.json"])["leaves"]["key"]["impl"] == "threefry2x32"


def test_the_checksum_is_what_the_documentation_says(path, key):
    checkpoint.save(path, state(key))
    content = path.read_bytes()
    assert content[-71:] == b"sha256:" + hashlib.sha256(content[:-71]).hexdigest().encode()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and archive.comment == content[-71:]


def test_equal_trees_make_equal_bytes(tmp_path, key):
    a, b = tmp_path / "a", tmp_path / "b"
    tree = state(key)
    checkpoint.save(a, tree, meta={"x": 1})
    checkpoint.save(b, dict(reversed(tree.items())) | {"opt": jax.tree.map(jnp.copy, tree["opt"])}, meta={"x": 1})
    assert a.read_bytes() == b.read_bytes()
    assert {info.date_time for info in zipfile.ZipFile(a).infolist()} == {(1980, 1, 1, 0, 0, 0)}
    checkpoint.save(b, tree, meta={"x": 2})
    assert a.read_bytes() != b.read_bytes()


def test_meta(path):
    meta = {"sizes": [784, 10], "π": "σ", "nested": {"rate": 1e-3, "none": None, "no_limit": float("inf")}}
    checkpoint.save(path, (), meta=meta)
    assert checkpoint.read_meta(path) == meta
    checkpoint.save(path, ())
    assert checkpoint.read_meta(path) == {}
    with pytest.raises(TypeError, match=r"`meta` must be what JSON can hold.*not JSON serializable"):
        checkpoint.save(path, (), meta={"activation": jax.nn.relu})


def test_another_architecture(path, key):
    checkpoint.save(path, state(key, width=3))
    like = state(key, width=4) | {"extra": jnp.int8(0), "step": jnp.float32(0)}
    del like["key"]
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(path, like)
    message = str(caught.value)
    kind = jnp.zeros(()).dtype.name
    assert f"{path} does not hold the tree of `like`" in message
    assert "missing from the file: extra int8[]" in message and "in the file only: key key<fry>[]" in message
    assert f"params/0/W is {kind}[3, 2], `like` has {kind}[4, 2]" in message
    assert "opt/0/mu/1/W is bfloat16[1, 3], `like` has bfloat16[1, 4]" in message
    assert "step is int32[], `like` has float32[]" in message
    assert "checkpoint.read_meta" in message and "checkpoint.read`" in message


def test_paths_not_classes_decide(path, key):
    checkpoint.save(path, state(key)["params"])
    loaded = checkpoint.load(path, [Other(*layer) for layer in state(key)["params"]])
    assert isinstance(loaded[1], Other) and loaded[1].b is None
    assert_trees_equal(loaded[0].W, state(key)["params"][0].W)


def test_what_cannot_be_saved(path):
    wrong = {
        "collision": ({"a": {"b": jnp.ones(1)}, "a/b": jnp.ones(1)}, ValueError, "two leaves .* path 'a/b'"),
        "function": ({"f": jax.nn.relu}, TypeError, "`tree` must hold arrays of numbers .* at 'f'"),
        "text": ({"a": ["b"]}, TypeError, "got str at 'a/0'"),
        "object": ([np.array([{}])], TypeError, "got ndarray at '0'"),
        "text array": ([np.array(["b"])], TypeError, "got ndarray at '0'"),
        "structured": ([np.zeros(2, [("x", "f4")])], TypeError, "got ndarray at '0'"),
        "dates": ([np.zeros(2, "M8[s]")], TypeError, "got ndarray at '0'"),
        "zero byte": ({"a\0b": jnp.ones(1)}, TypeError, "zero byte"),
    }
    for tree, kind, message in wrong.values():
        with pytest.raises(kind, match=message):
            checkpoint.save(path, tree)
    with pytest.raises(TypeError, match="`tree` is traced: call `save` outside `jit`"):
        jax.jit(lambda a: checkpoint.save(path, {"a": a}))(jnp.ones(2))
    assert not list(path.parent.iterdir())


def test_float64_is_not_rounded_in_silence(path):
    checkpoint.save(path, {"a": np.ones(2)})
    with jax.enable_x64(False), pytest.raises(CheckpointError, match=r"'a' as float64.*jax_enable_x64"):
        checkpoint.read(path)


# ── damage ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_of_other_kinds(path, tmp_path):
    np.savez(path, a=np.ones(3))
    with pytest.raises(CheckpointError, match=r"is not a checkpoint, or its end is missing.*`numpy.load`"):
        checkpoint.read(path)
    with pytest.raises(
        CheckpointError, match=r"could not read the checkpoint .*No such file.*Is the path right"
    ) as caught:
        checkpoint.load(tmp_path / "nothing", ())
    assert caught.value.errno == errno.ENOENT and isinstance(caught.value, OSError | ValueError)
    with pytest.raises(CheckpointError, match="could not read"):
        checkpoint.read(tmp_path)


# ── hostile files, whose checksum is right ──────────────────────────────────────────────────────────────────────────


def npy(array, **_):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), (1, 0), allow_pickle=True)
    return file.getvalue()


def header(text):
    text = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def forge(path, members, leaves=None, compression=zipfile.ZIP_STORED, **manifest):
    """A checkpoint made by hand: `members` by name, and a manifest whose entries may be overridden."""
    leaves = {"a": {"kind": "array", "dtype": "float32", "shape": [3]}} if leaves is None else leaves
    manifest = {"format": "mlpjax checkpoint", "version": 1, "leaves": leaves, "meta": {}} | manifest
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in [("manifest.json", json.dumps(manifest)), *members]:
            archive.writestr(name, content)
        archive.comment = bytes(71)
    content = file.getvalue()[:-71]
    path.write_bytes(content + b"sha256:" + hashlib.sha256(content).hexdigest().encode())


def entry(**changes):
    return {"a": {"kind": "array", "dtype": "float32", "shape": [3]} | changes}


GOOD = [("a.npy", npy(np.ones(3, np.float32)))]
DATA = GOOD[0][1]
NPY = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"
HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }"
HOSTILE = {
    "no member": dict(members=[]),
    "one more member": dict(members=[*GOOD, ("b.npy", DATA)]),
    "object in the manifest": dict(members=[("a.npy", npy(np.array([{}] * 3)))], leaves=entry(dtype="object")),
    "object in the member": dict(members=[("a.npy", npy(np.array([{}] * 3)))]),
    "no such dtype": dict(members=GOOD, leaves=entry(dtype="float31")),
    "structured dtype": dict(members=GOOD, leaves=entry(dtype="f4,f4")),
    "void dtype": dict(members=GOOD, leaves=entry(dtype="V4")),
    "dtype of another size": dict(members=GOOD, leaves=entry(dtype="bfloat16")),
    "another shape": dict(members=GOOD, leaves=entry(shape=[1])),
    "fewer axes": dict(members=[("a.npy", npy(np.ones((3, 2), np.float32)))]),
    "negative shape": dict(members=GOOD, leaves=entry(shape=[-3])),
    "no shape": dict(members=GOOD, leaves={"a": {"kind": "array", "dtype": "float32"}}),
    "shape of text": dict(members=GOOD, leaves=entry(shape="3")),
    "2**40 numbers": dict(members=[("a.npy", header(HUGE))], leaves=entry(shape=[2**40])),
    "too few bytes": dict(members=[("a.npy", DATA[:-1])]),
    "too many bytes": dict(members=[("a.npy", DATA + b"\0")]),
    "Fortran order": dict(members=[("a.npy", header(NPY.replace("False", "True")) + bytes(12))]),
    "big-endian": dict(members=[("a.npy", header(NPY.replace("<", ">")) + bytes(12))]),
    "code in the header": dict(members=[("a.npy", header("__import__('os').abort()") + bytes(12))]),
    "no header": dict(members=[("a.npy", b"")]),
    "header of version 2": dict(members=[("a.npy", header(NPY).replace(b"\1\0", b"\2\0", 1) + bytes(12))]),
    "a parser's stack": dict(members=[("a.npy", header("-" * 9000 + "1") + bytes(12))]),
    "neither array nor key": dict(members=GOOD, leaves=entry(kind="pickle")),
    "key that is none": dict(
        members=[("a.npy", npy(np.ones((3, 2), np.uint32)))], leaves=entry(kind="key", dtype="uint32", shape=[3])
    ),
    "big-endian in the manifest": dict(members=GOOD, leaves=entry(dtype=">f4")),
    "another name of the dtype": dict(members=GOOD, leaves=entry(dtype="f4")),
    "metadata of nothing": dict(members=GOOD, meta=None),
    "header of 4 GB": dict(members=[("a.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + DATA)]),
    "no dictionary of leaves": dict(members=GOOD, leaves=[]),
    "another format": dict(members=GOOD, format="orbax"),
    "unknown generator": dict(
        members=[("a.npy", npy(np.ones(2, np.uint32)))],
        leaves=entry(kind="key", dtype="key<fry>", shape=[], impl="os.system"),
    ),
    "key of another generator": dict(
        members=[("a.npy", npy(np.ones(4, np.uint32)))],
        leaves=entry(kind="key", dtype="key<fry>", shape=[], impl="rbg"),
    ),
    "key without dtype": dict(
        members=[("a.npy", npy(np.ones(2, np.uint32)))],
        leaves={"a": {"kind": "key", "shape": [], "impl": "threefry2x32"}},
    ),
    "key of another length": dict(
        members=[("a.npy", npy(np.ones(3, np.uint32)))],
        leaves=entry(kind="key", dtype="key<fry>", shape=[], impl="threefry2x32"),
    ),
}


def test_what_is_forged_by_hand_is_read_if_it_is_right(path):
    forge(path, GOOD)
    assert checkpoint.read(path)["a"].tolist() == [1.0, 1.0, 1.0]
    header_by_hand = [("a.npy", header(NPY) + bytes(12))]
    forge(path, header_by_hand)
    assert checkpoint.read(path)["a"].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_content_is_refused(path, content):
    forge(path, **content)
    for reads in (checkpoint.read, lambda path: checkpoint.load(path, {"a": jax.random.key(0)})):
        with pytest.raises(CheckpointError):
            reads(path)
    with pytest.raises(CheckpointError, match=r"state\.npz is not a checkpoint of mlpjax, although its checksum is"):
        checkpoint.read(path)


def test_a_version_of_the_future(path):
    forge(path, GOOD, version=2)
    with pytest.raises(CheckpointError, match=r"state\.npz has format version 2, .* reads version 1: install"):
        checkpoint.read(path)


def lying_bomb(path):
    """64 MB that compress to little, and a directory that says they are a hundred bytes."""
    forge(path, [("a.npy", bytes(64_000_000))], compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes()[:-71])
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    path.write_bytes(content + b"sha256:" + hashlib.sha256(content).hexdigest().encode())


def test_hostile_zips_are_bounded_in_memory(path):
    deep = "[" * 100_000
    bombs = {
        "compressed": lambda: forge(path, [("a.npy", bytes(64_000_000))], compression=zipfile.ZIP_DEFLATED),
        "lying": lambda: lying_bomb(path),
        "promising": lambda: forge(path, [("a.npy", header(HUGE))], leaves=entry(shape=[2**40])),
        "nested": lambda: forge(path, GOOD, leaves=json.loads("[]"), meta=deep),
    }
    for make in bombs.values():
        make()
        tracemalloc.start()
        with pytest.raises(CheckpointError, match="checksum is right"):
            checkpoint.read(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4_000_000


def test_overlapping_members_are_refused(path):
    """A hundred directory entries that all point to one member would multiply what is read."""
    forge(path, GOOD)
    content = path.read_bytes()[:-71]
    end = content.rindex(b"PK\x05\x06")
    start = int.from_bytes(content[end + 16 : end + 20], "little")
    last = content[content.rindex(b"PK\x01\x02", start) : end]
    more = content[:end] + 99 * last
    record = bytearray(content[end:])
    record[8:12] = 2 * (101).to_bytes(2, "little")
    record[12:16] = (len(more) - start).to_bytes(4, "little")
    content = more + bytes(record)
    path.write_bytes(content + b"sha256:" + hashlib.sha256(content).hexdigest().encode())
    assert len(zipfile.ZipFile(path).infolist()) == 101
    with pytest.raises(CheckpointError, match="promise more than the file holds"):
        checkpoint.read(path)


class Bomb:
    """What unpickling this would do is make a file."""

    def __init__(self, victim):
        self.victim = victim

    def __reduce__(self):
        return pathlib.Path.touch, (self.victim,)


def test_a_planted_pickle_is_not_executed(path, tmp_path):
    victim = tmp_path / "executed"
    array = np.array([Bomb(victim)] * 3, dtype=object)
    for leaves in (entry(), entry(dtype="object")):
        forge(path, [("a.npy", npy(array))], leaves=leaves)
        with pytest.raises(CheckpointError):
            checkpoint.read(path)
    forge(path, [("a.npy", pickle.dumps(Bomb(victim)))])
    with pytest.raises(CheckpointError):
        checkpoint.read(path)
    assert not victim.exists()
    pickle.loads(pickle.dumps(Bomb(victim)))
    assert victim.exists()  # so it would have been seen


def test_names_that_climb_out_stay_inside(path, tmp_path):
    before = sorted(tmp_path.parent.iterdir())
    tree = {"../../evil": jnp.ones(1), "/abs/evil": jnp.ones(2), "..\\evil": jnp.ones(3), "C:evil": jnp.ones(4)}
    checkpoint.save(path, tree)
    assert_trees_equal(checkpoint.load(path, tree), tree)
    assert list(tmp_path.iterdir()) == [path] and sorted(tmp_path.parent.iterdir()) == before


# ── failing disks ───────────────────────────────────────────────────────────────────────────────────────────────────


def failing(number):
    def call(*_, **__):
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize(
    ("function", "number", "remedy"),
    [
        ("fsync", errno.ENOSPC, "No space left on device. Free some space"),
        ("fsync", errno.EDQUOT, "Free some of your quota"),
        ("fsync", errno.EIO, "Is the disk well"),
        ("replace", errno.EACCES, "Permission denied. Write to a directory that you may read and write"),
        ("replace", errno.EROFS, "Write to a disk that is not read-only"),
    ],
)
def test_a_failing_disk_keeps_the_old_checkpoint(path, key, monkeypatch, function, number, remedy):
    checkpoint.save(path, state(key))
    before = path.read_bytes()
    monkeypatch.setattr(os, function, failing(number))
    with pytest.raises(CheckpointError, match=f"could not write .*state.npz: .*{remedy}") as caught:
        checkpoint.save(path, state(key, width=5))
    assert caught.value.errno == number
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_an_interruption_keeps_the_old_checkpoint(path, key, monkeypatch):
    checkpoint.save(path, state(key))
    before = path.read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(path, ())
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_places_where_nothing_can_be_written(path, tmp_path):
    path.write_text("a file")
    for place, reason in {
        path / "state.npz": "A part of the path is a file",
        tmp_path / "nowhere" / "state.npz": "Create the directory first",
        tmp_path: "Give the name of a file",
    }.items():
        with pytest.raises(CheckpointError, match=f"could not write .*{reason}"):
            checkpoint.save(place, ())
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == "a file"


def test_what_is_no_file_is_not_replaced_by_one(tmp_path):
    """Or root, by saving to /dev/null, would take it from everybody."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(CheckpointError, match=r"pipe: It is a device or a pipe.*Give the name of a file"):
        checkpoint.save(pipe, ())
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize(("number", "fails"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)])
def test_directories_that_cannot_be_synced(path, monkeypatch, number, fails):
    """Some file systems have no such call; where it fails, the new file is there, and the error says so."""
    sync = os.fsync
    is_directory = lambda fd: os.path.isdir(f"/proc/self/fd/{fd}")
    monkeypatch.setattr(os, "fsync", lambda fd: failing(number)() if is_directory(fd) else sync(fd))
    if fails:
        with pytest.raises(CheckpointError, match=r"wrote .*state.npz, but a power failure could still undo it: Input"):
            checkpoint.save(path, {"a": jnp.ones(2)})
    else:
        checkpoint.save(path, {"a": jnp.ones(2)})
    assert checkpoint.read(path)["a"].tolist() == [1.0, 1.0] and list(path.parent.iterdir()) == [path]


def test_everything_is_on_the_disk_before_save_returns(path, monkeypatch):
    """The file before it is renamed, the directory after."""
    calls = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append(os.readlink(f"/proc/self/fd/{fd}")), sync(fd)))
    monkeypatch.setattr(os, "replace", lambda *names: (calls.append("replace"), replace(*names)))
    checkpoint.save(path, ())
    assert calls[0].endswith(TMP) and calls[1:] == ["replace", str(path.parent.resolve())]


def test_a_link_stays_a_link(path, tmp_path):
    link = tmp_path / "latest.npz"
    link.symlink_to(path.name)
    checkpoint.save(link, {"a": jnp.ones(2)})
    assert link.is_symlink() and checkpoint.read(path)["a"].tolist() == [1.0, 1.0]


def test_permissions_are_those_of_any_new_file(path, tmp_path):
    checkpoint.save(path, ())
    (tmp_path / "other").touch()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_orphans_of_the_dead_are_swept_and_files_of_the_living_are_not(path, tmp_path):
    orphan, visible, hidden = tmp_path / f".0123{TMP}", tmp_path / f"mine{TMP}", tmp_path / ".hidden"
    for file in (orphan, visible, hidden):
        file.write_text("torn")
    with _files.replacing(tmp_path / "other") as file:
        file.write(b"whole")
        living = pathlib.Path(file.name)
        checkpoint.save(path, ())
        assert living.exists() and not orphan.exists()
    assert sorted(tmp_path.iterdir()) == sorted([hidden, visible, tmp_path / "other", path])
    assert (tmp_path / "other").read_bytes() == b"whole"


def test_a_file_swept_before_it_was_locked_is_made_again(path, monkeypatch):
    """Between the making and the locking of a temporary file another process may take it for an orphan."""
    lock, swept = _files._lock, []

    def swept_first(file, *, wait):
        if wait and not swept:
            swept.append(os.unlink(file.name))
        return lock(file, wait=wait)

    monkeypatch.setattr(_files, "_lock", swept_first)
    checkpoint.save(path, {"a": jnp.ones(2)})
    assert swept and list(path.parent.iterdir()) == [path] and checkpoint.read(path)["a"].tolist() == [1.0, 1.0]


def test_many_threads_may_save_to_one_file(path):
    errors = []

    def saves(i):
        try:
            for j in range(10):
                checkpoint.save(path, {"a": np.full(1000, 10 * i + j)})
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=saves, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and list(path.parent.iterdir()) == [path]
    assert len(set(checkpoint.load(path, {"a": np.zeros(1000, int)})["a"].tolist())) == 1


def test_a_key_that_is_none_is_not_taken_for_an_array(path):
    """What the manifest calls a key has one axis more, which a template of NumPy's would not notice."""
    forge(path, [("a.npy", npy(np.ones((3, 2), np.uint32)))], leaves=entry(kind="key", dtype="uint32", shape=[3]))
    with pytest.raises(CheckpointError, match="there is no 'key' of 'uint32'"):
        checkpoint.load(path, {"a": np.zeros(3, np.uint32)})


def test_names_in_a_file_do_not_reach_the_terminal(path):
    checkpoint.save(path, {"\x1b[2J\n": jnp.ones(1), **{f"{i}": jnp.ones(1) for i in range(30)}})
    with pytest.raises(CheckpointError, match=r"in the file only: \\x1b\[2J\\n float.*; and 11 more") as caught:
        checkpoint.load(path, {})
    assert str(caught.value).replace("\n", "").isprintable()


def test_what_is_no_file_is_not_waited_for(path, monkeypatch):
    os.mkfifo(path)
    with pytest.raises(CheckpointError, match=r"could not read .*state\.npz: Is a pipe or a device, not a file"):
        checkpoint.read(path)

    def exhausted(path):
        raise MemoryError

    monkeypatch.setattr(_files, "reading", exhausted)
    with pytest.raises(CheckpointError, match=r"state\.npz is larger than the memory that there is") as caught:
        checkpoint.read(path)
    assert caught.value.errno == errno.ENOMEM
