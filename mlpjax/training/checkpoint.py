r"""Checkpoints: any pytree of arrays in one file that is either whole or refused.

A checkpoint is a zip archive without compression, valid as an `.npz`: `numpy.load` opens it wherever there is NumPy.
It holds one `PATH.npy` per leaf (`params/0/W.npy`; see `mlpjax.trees.paths`), and `manifest.json` with the format
version, the dtype and shape of every leaf and the metadata of the user. The archive's comment, the last 71 bytes of
the file, is the SHA-256 of all bytes before it: `head -c -71 FILE | sha256sum` agrees with `tail -c 64 FILE`, and a
flipped bit or a missing tail is refused before anything is parsed. What NumPy has no dtype for (bfloat16 and its
relatives, typed keys) is stored as unsigned integers and named in the manifest. Nothing is ever unpickled, no class is
imported by name, nothing is written by reading; equal trees make equal bytes.

```python
>>> import os, tempfile
>>> import jax, jax.numpy as jnp
>>> from mlpjax.training import checkpoint
>>> state = {"params": [jnp.ones((3, 2), jnp.bfloat16)], "key": jax.random.key(0)}
>>> with tempfile.TemporaryDirectory() as directory:
...     file = os.path.join(directory, "state.npz")
...     checkpoint.save(file, state, meta={"sizes": [2, 3]})
...     sizes = checkpoint.read_meta(file)["sizes"]
...     leaves = checkpoint.read(file)
...     state = checkpoint.load(file, like=state)
>>> sizes, list(leaves)
([2, 3], ['key', 'params/0'])
>>> state["params"][0].dtype
dtype(bfloat16)

```
"""

import os

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import _check, _text, trees
from mlpjax._types import Any, Array, PyTree
from mlpjax.training import _archive
from mlpjax.training._archive import CheckpointError

__all__ = ["CheckpointError", "load", "read", "read_meta", "save"]


def save(path: str | os.PathLike, tree: PyTree, *, meta: dict[str, Any] | None = None) -> None:
    """Save a tree, so that after a crash at any moment the file is either the old one or the new one.

    The leaves are copied to the host first, so they may be donated as soon as this returns; by then the file is on the
    disk (written beside `path`, fsynced, renamed, the directory fsynced). What an interrupted save left behind in that
    directory is removed by the next.

    Args:
        path: the file to write, by convention `*.npz`; its directory must exist.
        tree: any pytree of arrays, typed keys and numbers; `None` and empty containers are form, not content.
        meta: what belongs to it, as far as JSON goes: the configuration it was made with.

    Raises:
        CheckpointError: the disk is full, the directory is missing or may not be written to; the old file, if there
            was one, is untouched.
        TypeError: a leaf is not an array of numbers, is traced, or `meta` is not JSON.
        ValueError: two leaves have the same path.

    Example:
        >>> import os, tempfile
        >>> import jax.numpy as jnp
        >>> from mlpjax.training import checkpoint
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     file = os.path.join(directory, "state.npz")
        ...     checkpoint.save(file, {"W": jnp.ones((3, 2))})
        ...     os.listdir(directory)
        ['state.npz']
    """
    if not _check.concrete(tree):
        raise TypeError("`tree` is traced: call `save` outside `jit`, `vmap` and `grad`, on the arrays they return.")
    leaves = {name: _array(name, leaf) for name, leaf in trees.paths(tree).items()}
    numbers = jax.device_get({name: _numbers(leaf) for name, leaf in leaves.items()})
    _archive.write(path, {name: _entry(leaf) for name, leaf in leaves.items()}, numbers, meta or {})


def load(path: str | os.PathLike, like: PyTree) -> PyTree:
    """Load a tree of a known form.

    Args:
        path: the file.
        like: a tree of the same paths, shapes and dtypes: arrays, or `jax.ShapeDtypeStruct`s as `jax.eval_shape`
            returns them. Its classes may differ from those of the tree that was saved.

    Returns:
        A tree with the structure of `like`: NumPy arrays where it has such, JAX arrays elsewhere, placed as those of
        `like` where they are spread over several devices.

    Raises:
        CheckpointError: the file is missing or damaged, or something in it is missing, left over, or of another
            shape or dtype; the message lists it, of each the first twenty.

    Example:
        >>> import os, tempfile
        >>> import jax.numpy as jnp
        >>> from mlpjax.training import checkpoint
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     file = os.path.join(directory, "state.npz")
        ...     checkpoint.save(file, {"W": jnp.ones((3, 2)), "b": None})
        ...     tree = checkpoint.load(file, like={"W": jnp.zeros((3, 2)), "b": None})
        >>> tree["W"].tolist(), tree["b"]
        ([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]], None)
    """
    entries, arrays = _archive.read(path)
    wanted = {name: _array(name, leaf) for name, leaf in trees.paths(like).items()}
    _compare(
        path, {n: _spec(**entry) for n, entry in entries.items()}, {n: _spec(**_entry(w)) for n, w in wanted.items()}
    )
    leaves = [_as(leaf, path, name, entries[name], arrays[name]) for name, leaf in wanted.items()]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def read(path: str | os.PathLike) -> dict[str, Array]:
    """Read every array of a checkpoint, without knowing its form.

    Args:
        path: the file.

    Returns:
        The leaves by path, such as `{"params/0/W": …}`: `mlpjax.mlp.from_paths` makes parameters of them.

    Raises:
        CheckpointError: the file is missing or damaged.

    Example:
        >>> import os, tempfile
        >>> import jax.numpy as jnp
        >>> from mlpjax.training import checkpoint
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     file = os.path.join(directory, "state.npz")
        ...     checkpoint.save(file, {"params": [jnp.ones((3, 2))], "step": 7})
        ...     leaves = checkpoint.read(file)
        >>> {path: leaf.shape for path, leaf in leaves.items()}
        {'params/0': (3, 2), 'step': ()}
    """
    entries, arrays = _archive.read(path)
    return {name: _restore(path, name, entry, arrays[name]) for name, entry in entries.items()}


def read_meta(path: str | os.PathLike) -> dict[str, Any]:
    """Read the metadata that a checkpoint was saved with.

    Args:
        path: the file.

    Returns:
        `meta`, as JSON gives it back: tuples are lists, keys are strings.

    Raises:
        CheckpointError: the file is missing or damaged.

    Example:
        >>> import os, tempfile
        >>> from mlpjax.training import checkpoint
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     file = os.path.join(directory, "state.npz")
        ...     checkpoint.save(file, (), meta={"activation": "relu"})
        ...     checkpoint.read_meta(file)
        {'activation': 'relu'}
    """
    return _archive.read_meta(path)


def _array(name: str, leaf: Any) -> Any:
    """A leaf as it is, or as an array if it is a number; nothing else can be saved."""
    number = isinstance(leaf, bool | int | float | complex) and not isinstance(leaf, np.generic)
    array: Any = jnp.asarray(leaf) if number else leaf
    if not hasattr(array, "dtype") or not (_is_key(array) or _archive.storable(array.dtype)):
        raise TypeError(
            f"`tree` must hold arrays of numbers and nothing else; got {type(leaf).__name__} at {name!r}. What is "
            f"no array belongs into `meta`, functions by their names."
        )
    if "\0" in name:
        raise TypeError(f"`tree` has a key with a zero byte, {name!r}, which a zip archive cannot hold. Rename it.")
    return array


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _numbers(leaf: Any) -> Any:
    return jax.random.key_data(leaf) if _is_key(leaf) else leaf


def _entry(leaf: Any) -> dict[str, Any]:
    """What the manifest says of a leaf: the dtype of a key names its generator briefly, `impl` in full."""
    entry = {"kind": "array", "dtype": leaf.dtype.name, "shape": list(leaf.shape)}
    if not _is_key(leaf):
        return entry
    impl = str(jax.random.key_impl(leaf)) if isinstance(leaf, Array) else None
    return entry | {"kind": "key", "impl": impl}


def _spec(*, dtype: str, shape: list[int], **_: Any) -> str:
    return f"{dtype}{shape}"


def _restore(path: Any, name: str, entry: dict[str, Any], array: np.ndarray) -> Any:
    """A JAX array of what is in the file; the file's array is never changed or kept."""
    if entry["kind"] == "key":
        with _archive.refusing(path):
            key = jax.random.wrap_key_data(jnp.array(array), impl=entry["impl"])
            if _entry(key) != entry:
                raise ValueError(f"{name!r} is {_entry(key)}, not {entry}")
            return key
    leaf = jnp.array(array)
    if leaf.dtype != array.dtype:
        raise CheckpointError(
            f"{os.fspath(path)} holds {name!r} as {array.dtype.name}, which JAX would cut to {leaf.dtype.name}: call "
            f'`jax.config.update("jax_enable_x64", True)` before anything else, or read it with `numpy.load`.'
        )
    return leaf


def _as(like: Any, path: Any, name: str, entry: dict[str, Any], array: np.ndarray) -> Any:
    """A leaf as the template's is: on the host, weakly typed, or spread over devices."""
    if isinstance(like, np.ndarray | np.generic):
        return np.array(array)
    leaf = _restore(path, name, entry, array)
    if getattr(like, "weak_type", False) and leaf.shape == ():
        number = jnp.asarray(leaf.item())
        return number if number.dtype == leaf.dtype else leaf
    sharding = getattr(like, "sharding", None)
    return leaf if sharding is None or len(sharding.device_set) == 1 else jax.device_put(leaf, sharding)


def _compare(path: Any, found: dict[str, str], wanted: dict[str, str]) -> None:
    """Raise one error with every difference between what the file holds and what `like` asks for."""
    kinds = {
        "missing from the file": [f"{name} {wanted[name]}" for name in wanted if name not in found],
        "in the file only": [f"{name} {found[name]}" for name in found if name not in wanted],
        "of another shape or dtype": [
            f"{name} is {found[name]}, `like` has {wanted[name]}"
            for name in wanted
            if name in found and found[name] != wanted[name]
        ],
    }
    if any(kinds.values()):
        lines = [f"  {kind}: {_text.listed(names)}" for kind, names in kinds.items() if names]
        raise CheckpointError(
            f"{os.fspath(path)} does not hold the tree of `like`:\n" + "\n".join(lines) + "\nBuild `like` from the "
            "configuration that was saved (`checkpoint.read_meta`), or use `checkpoint.read`, which needs none."
        )
