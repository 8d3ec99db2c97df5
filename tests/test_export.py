"""Parameters to and from safetensors, against a reader and a writer of the format written here by hand."""

import errno
import inspect
import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from mlpjax import export
from mlpjax.layers.dense import Dense
from tests.helpers import assert_trees_equal, eps

DTYPES = {"F32": "float32", "F16": "float16", "BF16": ml_dtypes.bfloat16, "F64": "float64"}


def net(key, sizes=(5, 4, 4, 2), dtype=jnp.float32):
    keys = jax.random.split(key, len(sizes))
    shapes = zip(keys, sizes[1:], sizes, strict=False)
    return tuple(Dense(*(jax.random.normal(k, s).astype(dtype) for s in ((m, n), (m,)))) for k, m, n in shapes)


def write_by_hand(path, tensors, metadata=None):
    """The format as its specification says: length of the header, header in JSON, bytes."""
    names = {np.dtype(dtype): name for name, dtype in (DTYPES | {"I32": "int32"}).items()}
    header, content = ({"__metadata__": metadata} if metadata else {}), b""
    for name, array in tensors.items():
        offsets = [len(content), len(content) + array.nbytes]
        header[name] = {"dtype": names[array.dtype], "shape": array.shape, "data_offsets": offsets}
        content += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def read_by_hand(path):
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        array = np.frombuffer(data[start + first : start + last], DTYPES[entry["dtype"]])
        arrays[name] = array.reshape(entry["shape"])
    return arrays


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", pytest.param("float64", marks=pytest.mark.x64)])
def test_round_trip_is_exact(key, tmp_path, dtype):
    params = net(key, dtype=dtype)
    export.to_safetensors(tmp_path / "net.safetensors", params)
    assert_trees_equal(export.from_safetensors(tmp_path / "net.safetensors"), params)


def test_the_file_is_the_state_dict_of_a_torch_sequential(key, tmp_path, measured):
    params, x = net(key), jax.random.normal(key, (5,), jnp.float32)
    export.to_safetensors(tmp_path / "net", params)
    arrays = read_by_hand(tmp_path / "net")
    assert list(sorted(arrays)) == ["0.bias", "0.weight", "2.bias", "2.weight", "4.bias", "4.weight"]
    a = np.asarray(x)
    for i in (0, 2, 4):  # x Wᵀ + b is PyTorch's Linear
        a = np.einsum("i,oi->o", a, arrays[f"{i}.weight"]) + arrays[f"{i}.bias"]
        a = np.tanh(a) if i < 4 else a
    ours = x
    for i, (W, b) in enumerate(params):
        ours = W @ ours + b if i == 2 else jnp.tanh(W @ ours + b)
    measured(np.abs(a - ours).max(), 16 * eps("float32"), oracle="NumPy on a file read by hand")


def test_torch_itself_loads_it(key, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    params = net(key)
    export.to_safetensors(tmp_path / "net", params)
    linear = torch.nn.Linear
    model = torch.nn.Sequential(linear(5, 4), torch.nn.Tanh(), linear(4, 4), torch.nn.Tanh(), linear(4, 2))
    model.load_state_dict(load_file(tmp_path / "net"))
    assert (model[2].weight.detach().numpy() == np.asarray(params[1].W)).all()
    save_file(model.state_dict(), tmp_path / "back")
    assert_trees_equal(export.from_safetensors(tmp_path / "back"), params)


@pytest.mark.parametrize("prefix", ["", "net.", "model.layers."])
def test_numbers_order_the_layers_whatever_prefix_and_gaps(key, tmp_path, prefix):
    params = net(key, sizes=(3,) * 5)
    tensors = {}
    for number, layer in zip((0, 3, 9, 10), params, strict=True):  # as text, 10 comes before 9
        tensors |= {f"{prefix}{number}.weight": np.asarray(layer.W), f"{prefix}{number}.bias": np.asarray(layer.b)}
    write_by_hand(tmp_path / "net", tensors)
    assert_trees_equal(export.from_safetensors(tmp_path / "net"), params)


def test_metadata(key, tmp_path):
    export.to_safetensors(tmp_path / "a", net(key), metadata={"activation": "tanh", "divisor": "255", "π": "σ"})
    assert export.read_metadata(tmp_path / "a") == {"activation": "tanh", "divisor": "255", "π": "σ"}
    export.to_safetensors(tmp_path / "b", net(key))
    assert export.read_metadata(tmp_path / "b") == {}
    with pytest.raises(TypeError, match=r"got 255 under 'divisor'\. Write str\(255\)"):
        inspect.unwrap(export.to_safetensors)(tmp_path / "c", net(key), metadata={"divisor": 255})
    assert not (tmp_path / "c").exists()


def test_a_transposed_view_is_written_as_what_it_shows(tmp_path):
    W = np.arange(6, dtype=np.float32).reshape(2, 3).T
    export.to_safetensors(tmp_path / "net", (Dense(W, np.zeros(3, np.float32)),))  # type: ignore
    assert (np.asarray(export.from_safetensors(tmp_path / "net")[0].W) == W).all()


def f32(*shape):
    return np.ones(shape, np.float32)


UNFIT = {
    "bias missing": ({"0.weight": f32(2, 3)}, r"`0\.bias` is missing\. If the layer has no bias, save one of zeros"),
    "weight missing": ({"a.1.bias": f32(2)}, r"`a\.1\.weight` is missing"),
    "another name": ({"0.weight": f32(2, 3), "0.bias": f32(2), "0.scale": f32(2)}, r"'0\.scale' is neither"),
    "no number": ({"head.weight": f32(2, 3), "head.bias": f32(2)}, r"'head\.bias' is neither"),
    "zero before a number": ({"01.weight": f32(2, 3), "1.bias": f32(2)}, r"'01\.weight' is neither"),
    "two prefixes": ({"a.0.weight": f32(2, 3), "b.0.bias": f32(2)}, "no common prefix"),
    "empty": ({}, "no common prefix"),
    "not chaining": (
        {"0.weight": f32(4, 3), "0.bias": f32(4), "2.weight": f32(1, 5), "2.bias": f32(1)},
        r"layer 2 has shapes \(1, 5\) and \(1,\) after a layer of 4 outputs",
    ),
    "bias of another size": ({"0.weight": f32(4, 3), "0.bias": f32(3)}, r"layer 0 has shapes \(4, 3\) and \(3,\)"),
    "normalization": ({"0.weight": f32(4), "0.bias": f32(4)}, r"layer 0 has shapes \(4,\) and \(4,\)"),
    "integers": ({"0.weight": np.ones((2, 3), np.int32), "0.bias": f32(2)}, "has the dtype I32, none of BF16, F16"),
    "mixed": ({"0.weight": f32(2, 3), "0.bias": f32(2).astype(np.float16)}, "layer 0 has float32 and float16"),
}


@pytest.mark.parametrize(("tensors", "message"), UNFIT.values(), ids=UNFIT)
def test_other_files_are_refused(tmp_path, tensors, message):
    write_by_hand(tmp_path / "other.safetensors", tensors)
    with pytest.raises(ValueError, match=rf"other\.safetensors .*{message}"):
        export.from_safetensors(tmp_path / "other.safetensors")


def test_what_is_no_mlp_is_not_written(key, tmp_path):
    params = net(key)
    ensemble = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), params)
    wrong = {
        "at least one layer": (),
        "`params` must hold dense layers that chain.*layer 2 has": (params[0], params[0]),
        "trees.unstack": ensemble,
        "one dtype of bfloat16, float16, float32, float64; layer 0": jax.tree.map(lambda a: a.astype(int), params),
    }
    for message, params in wrong.items():
        with pytest.raises(ValueError, match=message):
            export.to_safetensors(tmp_path / "net", params)
    assert not list(tmp_path.iterdir())


def test_float64_is_not_rounded_in_silence(tmp_path):
    write_by_hand(tmp_path / "net", {"0.weight": np.ones((2, 3)), "0.bias": np.ones(2)})
    with jax.enable_x64(False), pytest.raises(ValueError, match=r"'0\.bias' as float64.*jax_enable_x64"):
        export.from_safetensors(tmp_path / "net")


def test_torn_files(key, tmp_path):
    path = tmp_path / "net.safetensors"
    export.to_safetensors(path, net(key))
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"net\.safetensors is torn, or no safetensors file"):
            export.from_safetensors(path)
    with pytest.raises(ValueError, match="is torn"):
        export.read_metadata(path)
    path.write_bytes((2**40).to_bytes(8, "little") + whole[8:])
    with pytest.raises(ValueError, match="is torn"):
        export.from_safetensors(path)
    with pytest.raises(FileNotFoundError):
        export.from_safetensors(tmp_path / "nothing")


def test_a_failing_write_keeps_the_old_file(key, tmp_path, monkeypatch):
    path = tmp_path / "net.safetensors"
    export.to_safetensors(path, net(key))
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"could not write .*net\.safetensors: No space left on device\. Free some"):
        export.to_safetensors(path, net(key, sizes=(2, 2)))
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["net.safetensors"]


def test_without_safetensors_the_message_names_the_extra(tmp_path):
    code = (
        "import sys; sys.modules['safetensors'] = None; from mlpjax import export\n"
        f"try: export.from_safetensors({str(tmp_path / 'net')!r})\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'mlpjax[export]'" in done.stdout


def test_hostile_names_and_places(tmp_path):
    path = tmp_path / "net.safetensors"
    for name in ("\x1b[31m.0.weight", "9" * 5000 + ".weight", "a" * 100_000):
        write_by_hand(path, {name: f32(2, 3), "0.bias": f32(2)})
        with pytest.raises(ValueError, match=r"net\.safetensors does not hold") as caught:
            export.from_safetensors(path)
        assert str(caught.value).isprintable() and len(str(caught.value)) < 1000
    text = b'{"__metadata__":null,"0.weight":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}'
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    assert export.read_metadata(path) == {}
    with pytest.raises(ValueError, match=r"net\.safetensors is torn"):
        export.from_safetensors(path)
    path.unlink()
    os.mkfifo(path)
    for place in (path, "/dev/zero"):
        with pytest.raises(OSError, match="Is a pipe or a device"):
            export.from_safetensors(place)
