r"""Functions of any pytree: parameters, gradients, optimizer states, whole training states.

Parameters are values, so what other libraries do with methods of a module is done here with plain functions: freeze
a part (`split`, `merge`), make an ensemble (`stack`, `unstack`), look at the whole (`count`, `nbytes`, `summary`,
`paths`). A leaf is named by its path, its keys joined with slashes: `0/W` is the weight of the first layer.
"""

import math
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax._types import Any, Callable, PyTree

__all__ = ["count", "merge", "nbytes", "paths", "split", "stack", "summary", "unstack"]


def paths(tree: PyTree) -> dict[str, Any]:
    """Every leaf under the name that its path spells.

    Args:
        tree: any pytree; leaves may be arrays, `jax.ShapeDtypeStruct`s or anything else.

    Returns:
        Path to leaf, in the order of `jax.tree.leaves`; the path of a tree that is a single leaf is `""`.

    Raises:
        ValueError: two leaves spell the same path, which only keys that contain a slash can bring about.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import trees
        >>> list(trees.paths({"encoder": [jnp.zeros(2), jnp.zeros(3)], "scale": jnp.ones(())}))
        ['encoder/0', 'encoder/1', 'scale']
    """
    named: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if _name(path) in named:
            raise ValueError(
                f"two leaves of `tree` have the path {_name(path)!r}, one of them at {jax.tree_util.keystr(path)}. "
                f"Paths join keys with '/': rename the key that contains one."
            )
        named[_name(path)] = leaf
    return named


def split(tree: PyTree, mask: PyTree | Callable[[str], bool]) -> tuple[PyTree, PyTree]:
    """Part a tree in two of the same form: what the mask selects, and the rest.

    The way to freeze parameters: only the selected part is given to `jax.grad` and to the optimizer, so nothing is
    computed or stored for the rest. `merge` is the inverse.

    Args:
        tree: any pytree.
        mask: booleans in the form of `tree`, where one may stand for a whole subtree; or a function from the path
            of a leaf, such as `"0/W"`, to a boolean.

    Returns:
        `(selected, rest)`: `tree` twice, with `None` in place of the leaves that are in the other.

    Raises:
        ValueError: `mask` does not have the form of `tree`.
        TypeError: `mask` holds something that is not a boolean.

    Example:
        Differentiate, and train, the last layer only:

        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import trees
        >>> params = {"features": jnp.ones(2), "head": jnp.ones(2)}
        >>> selected, rest = trees.split(params, lambda path: path.startswith("head"))
        >>> def loss(selected, rest, x):
        ...     params = trees.merge(selected, rest)
        ...     return jnp.sum(params["head"] * jnp.tanh(params["features"] * x))
        >>> jax.tree.map(jnp.shape, jax.grad(loss)(selected, rest, 2.0))
        {'features': None, 'head': (2,)}
    """
    if callable(mask):
        mask = jax.tree_util.tree_map_with_path(lambda path, _: bool(mask(_name(path))), tree)
    for path, flag in jax.tree_util.tree_leaves_with_path(mask):
        if not isinstance(flag, bool | np.bool_):
            raise TypeError(f"`mask` must hold booleans, True if selected; got {flag!r} at {_name(path)!r}. Cast it.")
    try:
        flags = jax.tree.broadcast(mask, tree)
    except ValueError as error:
        raise ValueError(
            f"`mask` must have the form of `tree`, or of its upper part, or be a function of the path of a leaf; got\n"
            f"  {jax.tree.structure(mask)}\nfor {jax.tree.structure(tree)}. Make one by `jax.tree.map`."
        ) from error
    selected = jax.tree.map(lambda flag, leaf: leaf if flag else None, flags, tree)
    return selected, jax.tree.map(lambda flag, leaf: None if flag else leaf, flags, tree)


def merge(selected: PyTree, rest: PyTree) -> PyTree:
    """Put together again what `split` parted; `None` stays where both parts have it.

    Args:
        selected: one part, with `None` for the leaves that are in the other.
        rest: the other part.

    Raises:
        ValueError: the parts have different forms, or both hold a leaf in the same place.

    Example:
        >>> from mlpjax import trees
        >>> trees.merge({"a": None, "b": 2.0}, {"a": 1.0, "b": None})
        {'a': 1.0, 'b': 2.0}
    """
    absent = lambda leaf: leaf is None
    left, right = (jax.tree.structure(part, is_leaf=absent) for part in (selected, rest))
    if left != right:
        raise ValueError(f"`selected` and `rest` must have one form:\n  {left}\n  {right}\nAre both of one `split`?")
    return jax.tree_util.tree_map_with_path(_either, selected, rest, is_leaf=absent)


def stack(trees: Iterable[PyTree]) -> PyTree:
    """Make one tree of many alike: an ensemble, with a new leading axis that `jax.vmap` maps over.

    Args:
        trees: at least one tree; all of the same structure, shapes and dtypes.

    Returns:
        A tree of the same structure whose leaves have the shape `(len(trees), ...)`.

    Raises:
        ValueError: there is no tree, or two differ in structure, shape or dtype.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import trees
        >>> members = [{"W": jnp.zeros((3, 2))}, {"W": jnp.ones((3, 2))}]
        >>> trees.stack(members)["W"].shape
        (2, 3, 2)
    """
    trees = list(trees)
    if not trees:
        raise ValueError("`trees` must hold at least one tree to stack; got none. Is the generator used up?")
    for i, tree in enumerate(trees):
        if difference := _difference(trees[0], tree):
            #: Networks of different sizes or dtypes make no ensemble: initialize all of them alike.
            raise ValueError(f"`trees` must be alike in structure, shape and dtype; 0 and {i} differ: {difference}.")
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def unstack(tree: PyTree) -> list[PyTree]:
    """Take an ensemble apart into the list of its members: the inverse of `stack`.

    Args:
        tree: leaves of shape `(members, ...)`.

    Raises:
        ValueError: there is no leaf, or the leaves do not share a leading axis.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import trees
        >>> [float(member["b"]) for member in trees.unstack({"b": jnp.array([1.0, 2.0])})]
        [1.0, 2.0]
    """
    members = {path: jnp.shape(leaf)[:1] for path, leaf in paths(tree).items()}
    if len(set(members.values())) != 1 or () in members.values():
        found = ", ".join(f"{path} has {n[0] if n else 'none'}" for path, n in members.items())
        #: Only an ensemble comes apart: what `stack` makes, or a function under `jax.vmap` returns.
        raise ValueError(f"all leaves of `tree` must have the same leading axis of members; {found or 'no leaf'}.")
    ((n,),) = set(members.values())
    return [jax.tree.map(lambda leaf: leaf[i], tree) for i in range(n)]  # noqa: B023 (used at once)


def count(tree: PyTree) -> int:
    """Count the numbers in a tree: of a network, its parameters.

    Args:
        tree: leaves with shapes, `jax.ShapeDtypeStruct`s included.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import trees
        >>> trees.count({"W": jnp.zeros((128, 784)), "b": jnp.zeros(128)})
        100480
    """
    return sum(math.prod(jnp.shape(leaf)) for leaf in jax.tree.leaves(tree))


def nbytes(tree: PyTree) -> int:
    """Count the bytes that the arrays of a tree take: over all leaves, size times bytes per entry.

    Args:
        tree: leaves with shapes and dtypes, `jax.ShapeDtypeStruct`s included.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import trees
        >>> trees.nbytes({"W": jnp.zeros((128, 784), jnp.bfloat16)})
        200704
    """
    return sum(math.prod(jnp.shape(leaf)) * _dtype(leaf).itemsize for leaf in jax.tree.leaves(tree))


def summary(tree: PyTree) -> str:
    """Write a tree as a table: path, shape, dtype and count of every leaf, and the total.

    Args:
        tree: leaves with shapes and dtypes, those of `jax.eval_shape` included: see a network before it is made.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import trees
        >>> shape = lambda *s: jax.ShapeDtypeStruct(s, jnp.float32)
        >>> print(trees.summary({"W": shape(128, 784), "b": shape(128)}))
        path   shape       dtype       count
        W      (128, 784)  float32   100,352
        b      (128,)      float32       128
        total              401.9 kB  100,480
    """
    rows = [("path", "shape", "dtype", "count")]
    for path, leaf in paths(tree).items():
        rows += [(path, str(tuple(jnp.shape(leaf))), _dtype(leaf).name, f"{count(leaf):,}")]
    rows += [("total", "", _readable(nbytes(tree)), f"{count(tree):,}")]
    path, shape, dtype, number = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join(f"{p:{path}}  {s:{shape}}  {d:{dtype}}  {n:>{number}}" for p, s, d, n in rows)


def _name(path: tuple) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")


def _either(path: tuple, a: Any, b: Any) -> Any:
    if a is not None and b is not None:
        raise ValueError(f"`selected` and `rest` both hold a leaf at {_name(path)!r}. One must have None there.")
    return b if a is None else a


def _dtype(leaf: Any) -> Any:
    return leaf.dtype if hasattr(leaf, "dtype") else jnp.result_type(leaf)


def _difference(a: PyTree, b: PyTree) -> str:
    """The leaves in which two trees differ, or else their structures; empty if they are alike."""
    left, right = ({p: f"{_dtype(x).name}{list(jnp.shape(x))}" for p, x in paths(t).items()} for t in (a, b))
    unlike = [p for p in left | right if left.get(p) != right.get(p)]
    leaves = [f"{path!r} is {left.get(path, 'missing')} and {right.get(path, 'missing')}" for path in unlike]
    same = jax.tree.structure(a) == jax.tree.structure(b)
    return "; ".join(leaves) or ("" if same else f"{jax.tree.structure(a)} and {jax.tree.structure(b)}")


def _readable(n: int) -> str:
    power = min(4, (len(str(n)) - 1) // 3)
    return f"{n / 1000**power:.{1 if power else 0}f} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"
