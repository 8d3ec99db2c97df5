"""Maxima of affine functions, their differences, and maxima of minima, as networks (UAT5)."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mlpjax._types import Array
from mlpjax.layers.dense import Dense
from mlpjax.theory import calculus, relu

Network = tuple[Dense, ...]
Sets = tuple[tuple[int, ...], ...]


def max_affine(A: Float[Array, "M d"], b: Float[Array, " M"]) -> Network:
    r"""The largest of M affine functions, by a tree of maxima of two (UAT5).

    $$g(x) = \max_{m=1,\dots,M} (a_m \cdot x + b_m), \qquad L = \lceil\log_2 M\rceil + 1$$

    Each round takes the k numbers that are left in pairs: ⌊k/2⌋ copies of `relu.maximum` side by side, and a
    `relu.identity` for the last one if k is odd. It is merged with the layer before. With $A = I$ and $b = 0$ this is
    the maximum of M numbers.

    Args:
        A: slopes $a_m$, the rows of a matrix of shape `(M, d)`; M ≥ 1.
        b: values at 0, shape `(M,)`.

    Returns:
        Parameters of sizes $(d, w(M), w(\lceil M/2\rceil), w(\lceil M/4\rceil), \dots, 1)$ with
        $w(k) = 3\lfloor k/2\rfloor + 2\,(k \bmod 2)$ hidden units for k ≥ 2 numbers.

    Raises:
        ValueError: if the shapes do not fit, or M is 0.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import cpwa
        >>> largest = cpwa.max_affine(jnp.eye(5), jnp.zeros(5))
        >>> mlp.sizes(largest), mlp.apply(largest, jnp.asarray([2.0, 7.0, 1.0, 8.0, 3.0])).tolist()
        ((5, 8, 5, 3, 1), [8.0])
    """
    check_pieces(A, b)
    return _tree(jnp.asarray(A), jnp.asarray(b))


@jax.jit
def _tree(A: Array, b: Array) -> Network:
    network = calculus.affine(A, b)
    while (left := len(network[-1].b)) > 1:
        pairs = [relu.maximum(dtype=A.dtype)] * (left // 2) + [relu.identity(dtype=A.dtype)] * (left % 2)
        network = calculus.compose(calculus.parallel(*pairs), network)
    return network


@jax.jit
def difference(
    g: tuple[Float[Array, "M d"], Float[Array, " M"]], h: tuple[Float[Array, "K d"], Float[Array, " K"]]
) -> Network:
    r"""The difference of two maxima of affine functions (UAT5).

    $$f(x) = \max_m (a_m \cdot x + b_m) - \max_k (c_k \cdot x + d_k)
           = \begin{bmatrix} 1 & -1 \end{bmatrix} \begin{bmatrix} g(x) \\ h(x) \end{bmatrix}$$

    Args:
        g: A and b of the first, shapes `(M, d)` and `(M,)`.
        h: those of the second, shapes `(K, d)` and `(K,)`.

    Returns:
        Parameters of $\lceil\log_2\max(M, K)\rceil + 1$ layers. Every continuous piecewise affine function with
        finitely many pieces is of this form.

    Raises:
        ValueError: if the shapes do not fit, or M or K is 0.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import cpwa
        >>> A = jnp.asarray([[1.0], [0.0]])     # max(x, 0) − max(x − 1, 0)
        >>> ramp = cpwa.difference((A, jnp.zeros(2)), (A, jnp.asarray([-1.0, 0.0])))
        >>> [mlp.apply(ramp, jnp.asarray([x])).item() for x in (-1.0, 0.5, 3.0)]
        [0.0, 0.5, 1.0]
    """
    return calculus.add(max_affine(*g), calculus.scale(max_affine(*h), -1.0))


def lattice(A: Float[Array, "M d"], b: Float[Array, " M"], sets: Sequence[Sequence[int]]) -> Network:
    r"""The maximum of minima of affine functions (UAT5).

    $$f(x) = \max_{i=1,\dots,K}\ \min_{j \in S_i} (a_j \cdot x + b_j), \qquad
      L = \lceil\log_2 K\rceil + \lceil\log_2 \max_i |S_i|\rceil + 1$$

    Every continuous piecewise affine function with finitely many pieces has this form, with its own pieces.

    Args:
        A: slopes of the pieces, shape `(M, d)`.
        b: their values at 0, shape `(M,)`.
        sets: $S_1, \dots, S_K$: indices of pieces, from 0 to M − 1.

    Returns:
        Parameters with d inputs and one output.

    Raises:
        ValueError: if the shapes do not fit, a set is empty or holds what is no index, or there is no set.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import cpwa
        >>> A, b = jnp.asarray([[0.0], [1.0], [-1.0]]), jnp.asarray([0.0, 1.0, 1.0])
        >>> hat = cpwa.lattice(A, b, [[0], [1, 2]])     # max(0, min(1 + x, 1 − x))
        >>> mlp.sizes(hat), mlp.apply(hat, jnp.asarray([0.25])).tolist()
        ((1, 5, 3, 1), [0.75])

    References:
        - J. M. Tarela, M. V. Martínez (1999). Region configurations for realizability of lattice piecewise-linear
          models. *Mathematical and Computer Modelling* 30(11–12), 17–27.
        - S. Ovchinnikov (2002). Max-min representations of piecewise linear functions. *Beiträge zur Algebra und
          Geometrie* 43(1), 297–302.
    """
    check_pieces(A, b)
    return _lattice(jnp.asarray(A), jnp.asarray(b), checked_sets(sets, len(b)))


@functools.partial(jax.jit, static_argnames="sets")  # compiled once for each shape: many small arrays
def _lattice(A: Array, b: Array, sets: Sets) -> Network:
    minima = [calculus.scale(part, -1.0) for part in _negated_minima(A, b, sets)]
    one = jnp.eye(len(minima), dtype=A.dtype)
    return calculus.compose(max_affine(one, jnp.zeros_like(one[0])), calculus.fork(*minima))


def convex_parts(
    A: Float[Array, "M d"], b: Float[Array, " M"], sets: Sequence[Sequence[int]]
) -> tuple[Network, Network]:
    r"""Two convex functions whose difference is a maximum of minima (UAT5).

    With the convex functions $h_i(x) = -\min_{j\in S_i}(a_j \cdot x + b_j) = \max_{j\in S_i}(-a_j \cdot x - b_j)$

    $$f = \max_i(-h_i) = \underbrace{\max_i \sum_{k\ne i} h_k}_{g} - \underbrace{\sum_k h_k}_{h}$$

    Args:
        A: slopes of the pieces, shape `(M, d)`.
        b: their values at 0, shape `(M,)`.
        sets: $S_1, \dots, S_K$: indices of pieces, from 0 to M − 1.

    Returns:
        Networks of g and of h: `calculus.add(g, calculus.scale(h, -1.0))` is f.

    Raises:
        ValueError: if the shapes do not fit, a set is empty or holds what is no index, or there is no set.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import cpwa
        >>> A, b = jnp.asarray([[0.0], [1.0], [-1.0]]), jnp.asarray([0.0, 1.0, 1.0])
        >>> [mlp.apply(part, jnp.asarray([3.0])).item() for part in cpwa.convex_parts(A, b, [[0], [1, 2]])]
        [2.0, 2.0]
    """
    check_pieces(A, b)
    return _convex_parts(jnp.asarray(A), jnp.asarray(b), checked_sets(sets, len(b)))


@functools.partial(jax.jit, static_argnames="sets")
def _convex_parts(A: Array, b: Array, sets: Sets) -> tuple[Network, Network]:
    parts = calculus.fork(*_negated_minima(A, b, sets))
    ones = jnp.ones((len(sets), len(sets)), A.dtype)
    others, zeros = ones - jnp.eye(len(sets), dtype=A.dtype), jnp.zeros_like(ones[0])
    total = calculus.affine(ones[:1], zeros[:1])
    return calculus.compose(max_affine(others, zeros), parts), calculus.compose(total, parts)


def _negated_minima(A: Array, b: Array, sets: Sets) -> list[Network]:
    """Each −min of a set, which is a max and convex."""
    rows = [np.asarray(s) for s in sets]
    return [max_affine(-A[row], -b[row]) for row in rows]


def check_pieces(A: Array | np.ndarray, b: Array | np.ndarray) -> None:
    """Affine functions, as many slopes as values; an index too many would else be clamped to the last one."""
    if np.ndim(A) != 2 or len(A) == 0 or np.shape(b) != np.shape(A)[:1]:
        raise ValueError(
            f"`A` must have shape (M, d) with M ≥ 1, one row for each function, and `b` (M,); "
            f"got {np.shape(A)} and {np.shape(b)}. For one function write `A[None]` and `b[None]`."
        )


def checked_sets(sets: Sequence[Sequence[int]], pieces: int, argument: str = "sets") -> Sets:
    """Tuples of whole numbers, which are hashable."""
    wrong = [s for s in sets if len(s) == 0 or not all(j in range(pieces) for j in s)]
    if wrong or len(sets) == 0:
        raise ValueError(
            f"`{argument}` must hold one set or more, each of one index or more from 0 to {pieces - 1}; "
            f"got {wrong[0] if wrong else 'no set'}. The indices count the rows of `A` and `b`."
        )
    return tuple(tuple(int(j) for j in s) for s in sets)
