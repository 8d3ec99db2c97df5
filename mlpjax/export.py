r"""Parameters to and from other worlds.

A weight is (out, in), which is PyTorch's own layout, so nothing is transposed: what `to_safetensors` writes is the
state dict of `torch.nn.Sequential(Linear, activation, Linear, …)`, tensor for tensor and bit for bit.

```python
import torch
from safetensors.torch import load_file

net = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
net.load_state_dict(load_file("model.safetensors"))
```

In the other direction `from_safetensors` reads what `safetensors.torch.save_file(net.state_dict(), …)` wrote.
"""

import contextlib
import json
import os
import re
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import _files, _text
from mlpjax._types import Any
from mlpjax.layers.dense import Dense

__all__ = ["from_safetensors", "read_metadata", "to_safetensors"]

DTYPES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32", "F64": "float64"}


def to_safetensors(
    path: str | os.PathLike, params: tuple[Dense, ...], *, metadata: dict[str, str] | None = None
) -> None:
    """Write the parameters of an MLP as a safetensors file.

    Layer l goes to `2l.weight` and `2l.bias`: `0.weight`, `0.bias`, `2.weight`, …, the names in a
    `torch.nn.Sequential` where an activation stands between two `Linear`s. The file takes the place of an old one only
    when it is whole.

    Args:
        path: the file to write.
        params: one `Dense` per layer, of bfloat16, float16, float32 or float64.
        metadata: texts that travel with the weights, such as the name of the activation or what the inputs are divided
            by. Safetensors holds no code: who loads the file builds the network.

    Raises:
        ModuleNotFoundError: safetensors is not installed.
        OSError: the file cannot be written.
        TypeError: `metadata` holds something that is not text.
        ValueError: there is no layer, or the shapes or dtypes do not fit together.

    Example:
        >>> import os, tempfile
        >>> import jax
        >>> from mlpjax import export, mlp
        >>> params = mlp.init(jax.random.key(0), (4, 8, 3))
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     file = os.path.join(directory, "model.safetensors")
        ...     export.to_safetensors(file, params, metadata={"activation": "relu"})
        ...     activation = export.read_metadata(file)["activation"]
        ...     loaded = export.from_safetensors(file)
        >>> activation, mlp.sizes(loaded)
        ('relu', (4, 8, 3))
    """
    for name, text in (metadata or {}).items():
        if not (isinstance(name, str) and isinstance(text, str)):
            raise TypeError(f"`metadata` must map texts to texts; got {text!r} under {name!r}. Write str({text!r}).")
    _check_layers("`params`", {2 * i: layer for i, layer in enumerate(params)})
    arrays = {f"{2 * i}.weight": layer.W for i, layer in enumerate(params)}
    arrays |= {f"{2 * i}.bias": layer.b for i, layer in enumerate(params)}
    arrays = {name: np.ascontiguousarray(array) for name, array in jax.device_get(arrays).items()}
    content = _safetensors().numpy.save(arrays, metadata)
    with _files.replacing(path) as file:
        file.write(content)


def from_safetensors(path: str | os.PathLike) -> tuple[Dense, ...]:
    """Read the parameters of an MLP from a safetensors file.

    Args:
        path: a file of `PREFIX.N.weight` and `PREFIX.N.bias`: layers are taken in the order of the numbers N, which may
            have gaps (activations have no parameters), and the prefix, the same for all, may be empty.

    Returns:
        One `Dense` per layer, with the dtype of the file.

    Raises:
        ModuleNotFoundError: safetensors is not installed.
        OSError: the file cannot be read.
        ValueError: the file is torn or no safetensors file, or does not hold an MLP: a bias is missing, a name is not
            of the form above, the shapes do not chain, or a dtype is none of the four.
    """
    found = {_parse(path, name): _tensor(path, name, **tensor) for name, tensor in _open(path)[0]}
    if len({prefix for prefix, _, _ in found}) != 1:
        names = _text.listed(sorted(f"{p}{n}.{field}" for p, n, field in found))
        raise _unfit(path, f"its names ({names or 'there are none'}) have no common prefix")
    layers = {}
    for prefix, number in sorted({(prefix, number) for prefix, number, _ in found}):
        for field in ("weight", "bias"):
            if (prefix, number, field) not in found:
                raise _unfit(
                    path, f"`{prefix}{number}.{field}` is missing. If the layer has no bias, save one of zeros"
                )
        layers[number] = Dense(found[prefix, number, "weight"], found[prefix, number, "bias"])
    _check_layers(os.fspath(path), layers)
    return tuple(layers.values())


def read_metadata(path: str | os.PathLike) -> dict[str, str]:
    """Read the texts that travel with the weights of a safetensors file.

    Args:
        path: the file.

    Returns:
        `metadata` as it was given to `to_safetensors`; empty if there is none.

    Raises:
        ModuleNotFoundError: safetensors is not installed.
        OSError: the file cannot be read.
        ValueError: the file is torn or no safetensors file.
    """
    data = _open(path)[1]
    with _refusing(path):
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header.get("__metadata__") or {}


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "safetensors is not installed, and this file format needs it: `pip install 'mlpjax[export]'`."
        ) from error
    return safetensors


def _open(path: Any) -> tuple[list, bytes]:
    """The tensors of a file, as safetensors describes them, and its bytes."""
    safetensors = _safetensors()
    with _files.reading(path) as file:
        data = file.read()
    with _refusing(path, safetensors.SafetensorError):
        return sorted(safetensors.deserialize(data), key=lambda tensor: tensor[0]), data


@contextlib.contextmanager
def _refusing(path: Any, *errors: type[Exception]) -> Iterator[None]:
    """Turn what a torn or hostile file brings about into one clear error."""
    try:
        yield
    except (*errors, ValueError, OverflowError) as error:
        reason = _text.brief(str(error), 300)
        raise ValueError(
            f"{os.fspath(path)} is torn, or no safetensors file: {reason}. Export or download it again."
        ) from error


def _parse(path: Any, name: str) -> tuple[str, int, str]:
    """Prefix, number and field of a tensor's name."""
    match = re.fullmatch(r"((?:.*\.)?)(0|[1-9][0-9]{0,8})\.(weight|bias)", name)
    if match is None:
        raise _unfit(path, f"{name!r} is neither `N.weight` nor `N.bias`")
    return match[1], int(match[2]), match[3]


def _tensor(path: Any, name: str, *, dtype: str, shape: list[int], data: Any) -> Any:
    if dtype not in DTYPES:
        raise _unfit(path, f"{name!r} has the dtype {dtype}, none of {', '.join(DTYPES)}")
    with _refusing(path):
        array = jnp.array(np.frombuffer(data, jnp.dtype(DTYPES[dtype])).reshape(shape))
    if array.dtype != DTYPES[dtype]:
        raise ValueError(
            f"{os.fspath(path)} holds {name!r} as {DTYPES[dtype]}, which JAX would cut to {array.dtype.name}: call "
            f'`jax.config.update("jax_enable_x64", True)` before anything else.'
        )
    return array


def _unfit(path: Any, reason: str) -> ValueError:
    return ValueError(
        f"{os.fspath(path)} does not hold the layers of an MLP: {_text.brief(reason, 300)}. Wanted are `0.weight`, "
        f"`0.bias`, `2.weight`, … of one `torch.nn.Sequential` of `Linear`s and activations."
    )


def _check_layers(what: str, layers: dict[int, Dense]) -> None:
    """One dtype, and shapes that chain: the outputs of a layer are the inputs of the next."""
    if not layers:
        raise ValueError(f"{what} must hold at least one layer; got none. `mlp.init` makes layers.")
    width, dtype = None, next(iter(layers.values())).W.dtype
    for number, (W, b) in layers.items():
        if W.ndim != 2 or b.shape != W.shape[:1] or width not in (None, W.shape[1]):
            after = "" if width is None else f" after a layer of {width} outputs"
            raise ValueError(
                f"{what} must hold dense layers that chain, W of shape (out, in) and b of shape (out,); layer {number} "
                f"has shapes {W.shape} and {b.shape}{after}. Of an ensemble, export the members of `trees.unstack`."
            )
        if {W.dtype, b.dtype} != {dtype} or dtype.name not in DTYPES.values():
            raise ValueError(
                f"{what} must have one dtype of {', '.join(DTYPES.values())}; layer {number} has {W.dtype} and "
                f"{b.dtype}, the first {dtype}. Cast with `jax.tree.map(lambda leaf: leaf.astype(…), params)`."
            )
        width = W.shape[0]
