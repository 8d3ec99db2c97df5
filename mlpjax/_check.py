"""Checks of static facts (shapes, dtypes, names) and, where values are concrete, of the values themselves.

Every message names the argument in backticks, what it must be, what it was, and the remedy. Nothing here looks at a
traced value: under `jit` only shapes and dtypes are known, and only they are checked.
"""

import difflib
import math
from collections.abc import Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from mlpjax import _text
from mlpjax._types import Any


def concrete(tree: Any) -> bool:
    """Whether no leaf of `tree` is traced, so that its values may be looked at."""
    return not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree))


def sizes(value: Sequence[int]) -> tuple[int, ...]:
    """Layer sizes: at least two positive integers."""
    wrong = [s for s in value if isinstance(s, bool) or not isinstance(s, int | np.integer) or s < 1]
    if wrong or len(value) < 2:
        hint = "" if concrete(wrong) else " Under `jit` name them static: `static_argnames='sizes'`."
        raise ValueError(
            f"`sizes` must hold at least two positive integers, inputs first, outputs last, for example "
            f"784,128,10; got {','.join(map(str, value)) or 'none'}.{hint}"
        )
    return tuple(int(s) for s in value)


def chain(argument: str, layers: Any) -> Any:
    """Dense layers that fit together; what stands before (out, in) in a shape counts the members of an ensemble."""
    shapes = [(np.shape(W), np.shape(b)) for W, b in layers]
    for i, (W, b) in enumerate(shapes):
        members, ends = W[:-2], W[-2:]
        given = shapes[i - 1][1] if i else (*members, *ends[1:])
        if len(ends) < 2 or b != (*members, ends[0]) or given != (*members, ends[1]):
            after = f", after {given[-1:]} outputs" if i else ""
            raise ValueError(
                f"`{argument}` must hold W of shape (out, in) and b of shape (out,), and each layer take what the one "
                f"before it returns; layer {i} has shapes {W} and {b}{after}. Are they those of one MLP?"
            )
    return layers


def known(kind: str, name: str, names: Iterable[str]) -> None:
    """A name that must be one of a given set; the message offers the nearest."""
    names = sorted(names)
    if name not in names:
        near = difflib.get_close_matches(name[:100], names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"Unknown {kind} {_text.brief(name)!r}.{hint} Known: {', '.join(names)}.")


def key(argument: str, value: Any) -> None:
    """A typed key, as `jax.random.key` makes it; a seed or an old-style key is shown the way."""
    if not (hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jax.dtypes.prng_key)):
        found = f"{type(value).__name__}{f' of dtype {value.dtype}' if hasattr(value, 'dtype') else ''}"
        raise TypeError(
            f"`{argument}` must be a typed key such as `jax.random.key(0)`; got {found}. An old key becomes one by "
            f"`jax.random.wrap_key_data`."
        )


def trainable(params: Any) -> None:
    """Arrays of floating-point numbers throughout: whole numbers have no gradient, and would stay as they are."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        dtype = getattr(leaf, "dtype", type(leaf).__name__)
        if not hasattr(leaf, "dtype") or not jnp.issubdtype(dtype, jnp.inexact):
            raise TypeError(
                f"`params` must hold arrays of floating-point numbers; got {dtype} at "
                f"{jax.tree_util.keystr(path, simple=True, separator='/')!r}. Cast it, or keep it out of "
                f"training by `trees.split`."
            )


def probability(argument: str, value: float) -> None:
    """A rate in [0, 1); a traced one passes unseen."""
    if concrete(value) and not 0.0 <= float(value) < 1.0:
        raise ValueError(f"`{argument}` must lie in [0, 1); got {value}. It is the probability to drop, not to keep.")


def not_negative(argument: str, value: Any, remedy: str) -> None:
    """A finite number that is not negative; a traced one passes unseen."""
    if concrete(value) and not (math.isfinite(float(value)) and float(value) >= 0):
        raise ValueError(f"`{argument}` must be a finite number ≥ 0; got {value}. {remedy}")


def count(argument: str, value: Any, least: int, remedy: str) -> None:
    """A whole number that is large enough."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"`{argument}` must be an integer ≥ {least}; got {value}. {remedy}")


def leading_axis(data: Any) -> int:
    """The number N of examples, equal for every array in `data` and not zero."""
    leaves = jax.tree_util.tree_leaves_with_path(data)
    lengths = {jax.tree_util.keystr(path).lstrip("."): np.shape(leaf)[:1] for path, leaf in leaves}
    if not leaves or () in lengths.values():
        raise ValueError(
            f"`data` must be arrays whose first axis counts the examples; got shapes {str(_shapes(data))[:80]}. Make "
            f"lists arrays by `np.asarray`, and one example a batch by `x[None]`."
        )
    for path, leaf in leaves:
        if not jnp.issubdtype(leaf.dtype, np.number) and not jnp.issubdtype(leaf.dtype, np.bool_):
            raise ValueError(
                f"`data{jax.tree_util.keystr(path)}` must hold numbers; got dtype {leaf.dtype}. Convert it, or number "
                f"its values by `np.unique(..., return_inverse=True)`."
            )
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {n}" for name, (n,) in lengths.items())
        raise ValueError(
            f"all arrays of `data` must have the same number of examples, but {found}. Were they cut alike?"
        )
    (n,) = next(iter(lengths.values()))
    if n == 0:
        raise ValueError("`data` is empty: every array has 0 examples. Was the file or the filter right?")
    return n


def finite(argument: str, data: Any) -> None:
    """No NaN and no infinity in any concrete floating-point array of `data`."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(data):
        if isinstance(leaf, Tracer) or not jnp.issubdtype(leaf.dtype, jnp.inexact):
            continue
        bad = ~np.isfinite(np.asarray(leaf))
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"`{argument}{jax.tree_util.keystr(path)}` holds {int(bad.sum())} values that are NaN or infinite, "
                f"the first at index {where}. Drop or fill them before training."
            )


def not_bytes(argument: str, value: Any) -> None:
    """Pictures come as bytes from 0 to 255, a scale on which no network starts well."""
    if value.dtype == np.uint8:
        raise TypeError(
            f"`{argument}` must hold floating-point numbers; got uint8, as of pictures. Scale it, by "
            f"`x.astype(jnp.float32) / 255` or, in training, `transform=data.augment.scale(255)`."
        )


def labels(y: Any, classes: int) -> None:
    """Concrete class indices in 0 … classes−1, one per example."""
    if isinstance(y, Tracer):
        return
    y = np.asarray(y)
    if y.size and (y.min() < 0 or y.max() >= classes):
        wrong = int(np.argmax((y < 0) | (y >= classes)))
        raise ValueError(
            f"`y` must hold class indices from 0 to {classes - 1} for a network of {classes} outputs; got "
            f"{y.flat[wrong]} at index {wrong}. Give the network one output per class, or renumber the labels from 0."
        )


def _shapes(tree: Any) -> Any:
    return jax.tree.map(np.shape, tree)
