"""Networks that are equal to a linear spline, or to linear interpolation on a triangulation (UAT5)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from mlpjax import _check
from mlpjax._types import Array
from mlpjax.layers.dense import Dense
from mlpjax.theory.cpwa._lattice import lattice

ROUNDING = 1e-11  # relative; what is nearer counts as equal


def from_samples(x: Float[Array, " n"], y: Float[Array, " n"]) -> tuple[Dense, Dense]:
    r"""The linear spline through n points, with one hidden layer (UAT5).

    $$f(t) = y_1 - s_0 \operatorname{ReLU}(x_1 - t) + s_1 \operatorname{ReLU}(t - x_1)
      + \sum_{k=2}^{n-2} (s_k - s_{k-1}) \operatorname{ReLU}(t - x_k)$$

    for points counted from 0, with the slopes $s_k = (y_{k+1} - y_k) / (x_{k+1} - x_k)$. Each unit bends the line at
    one point by the jump of the slope there. Beyond the first and the last point the outer segments go on.

    Args:
        x: n ≥ 2 places, increasing.
        y: the values there.

    Returns:
        Parameters of sizes (1, n − 1, 1), or (1, 2, 1) for n = 2. If the slopes are such that each of the n − 2
        inner points is a bend and no sum of some of the jumps is $-s_0$, no network with one hidden layer has fewer.

    Raises:
        ValueError: if the shapes differ, there are fewer than two points, or the places do not increase.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import cpwa
        >>> spline = cpwa.from_samples(jnp.asarray([0.0, 1.0, 2.0, 4.0]), jnp.asarray([1.0, 3.0, 2.0, 2.0]))
        >>> mlp.sizes(spline), [mlp.apply(spline, jnp.asarray([t])).item() for t in (-1.0, 0.5, 1.5, 9.0)]
        ((1, 3, 1), [-1.0, 2.0, 2.5, 2.0])
    """
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(f"`x` and `y` must be vectors of one length, at least 2; got shapes {x.shape} and {y.shape}.")
    if _check.concrete(x) and not bool(jnp.all(jnp.diff(x) > 0)):
        raise ValueError(f"`x` must increase from each place to the next; got {x}. Sort it, and `y` with it.")
    s, knots = jnp.diff(y) / jnp.diff(x), x[1:-1] if len(x) > 2 else x[1:]
    directions = jnp.concatenate([-jnp.ones_like(x[:1]), jnp.ones_like(knots)])
    hidden = Dense(directions[:, None], -directions * jnp.concatenate([knots[:1], knots]))
    jumps = jnp.concatenate([-s[:1], s[1:2] if len(x) > 2 else s, jnp.diff(s[1:])])
    return hidden, Dense(jumps[None, :], y[1:2])


def from_triangulation(
    points: Float[Array | np.ndarray, "n d"],
    simplices: Int[Array | np.ndarray, "m corners"],
    values: Float[Array | np.ndarray, " n"],
) -> tuple[Dense, ...]:
    r"""Linear interpolation on a triangulation, as a maximum of minima of its pieces (UAT5).

    On each triangle f is the affine function with the given values at the corners. The triangles may be simplices of
    any dimension: segments, triangles, tetrahedra, …

    Args:
        points: the corners, shape `(n, d)`.
        simplices: for each simplex the indices of its d + 1 corners, shape `(m, d + 1)`. Together they must fill a
            convex set; two of them may meet in a common face only.
        values: f at the points, shape `(n,)`.

    Returns:
        Parameters with d inputs and one output: `lattice(*lattice_form(points, simplices, values))`. On the convex set
        the network is f; outside, it is some continuous piecewise affine function with the same pieces.

    Raises:
        ValueError: if the shapes do not fit, the simplices do not triangulate a convex set, or something is traced.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import cpwa
        >>> square = jnp.asarray([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
        >>> triangles, values = jnp.asarray([[0, 1, 2], [0, 2, 3]]), jnp.asarray([1.0, 0.0, 1.0, 0.0])
        >>> ridge = cpwa.from_triangulation(square, triangles, values)
        >>> [mlp.apply(ridge, jnp.asarray(x)).item() for x in ([0.5, 0.5], [1.0, 0.5], [0.25, 0.75])]
        [1.0, 0.5, 0.5]
    """
    return lattice(*lattice_form(points, simplices, values))


def lattice_form(
    points: Float[Array | np.ndarray, "n d"],
    simplices: Int[Array | np.ndarray, "m corners"],
    values: Float[Array | np.ndarray, " n"],
) -> tuple[Array, Array, tuple[tuple[int, ...], ...]]:
    r"""Pieces and sets of linear interpolation on a triangulation (UAT5).

    $$f = \max_i \min_{j\in S_i} \ell_j, \qquad S_i = \{j : \ell_j \ge \ell_i \text{ at the corners of simplex } i\}$$

    Affine functions that are ordered at the corners of a simplex are ordered on all of it. Of sets that contain one
    another only the smallest are kept: the minimum over a larger set is lower, and the maximum does not need it. Of
    pieces that are equal one is kept.

    Args:
        points: the corners, shape `(n, d)`.
        simplices: for each simplex the indices of its d + 1 corners, shape `(m, d + 1)`.
        values: f at the points, shape `(n,)`.

    Returns:
        A, b and the sets, as `lattice` and `convex_parts` take them.

    Raises:
        ValueError: if the shapes do not fit, the simplices do not triangulate a convex set, or something is traced.

    Example:
        >>> import numpy as np
        >>> from mlpjax.theory import cpwa
        >>> x = np.asarray([[-1.0], [0.0], [1.0]])
        >>> A, b, sets = cpwa.lattice_form(x, np.asarray([[0, 1], [1, 2]]), np.asarray([0.0, 1.0, 0.0]))
        >>> A.tolist(), b.tolist(), sets     # min(1 + x, 1 − x)
        ([[1.0], [-1.0]], [1.0, 1.0], ((0, 1),))
    """
    if not _check.concrete((points, simplices, values)):
        raise ValueError("`points`, `simplices`, `values` must be known, not traced: they decide the network's shape.")
    P, T, v = np.asarray(points, float), np.asarray(simplices), np.asarray(values, float)
    homogeneous = _check_triangulation(P, T, v)
    pieces = np.linalg.solve(homogeneous[T], v[T][..., None])[..., 0]
    at_points, slack = pieces @ homogeneous.T, ROUNDING * np.abs(pieces) @ np.abs(homogeneous).T
    equal = (np.abs(at_points[:, None] - at_points) <= slack).all(axis=-1)
    pieces, upper = (each[~np.tril(equal, -1).any(axis=1)] for each in (pieces, at_points + slack))
    above = {frozenset(np.flatnonzero((upper[:, s] >= v[s]).all(axis=1)).tolist()) for s in T}
    sets = sorted(tuple(sorted(s)) for s in above if not any(other < s for other in above))
    dtype = values.dtype if isinstance(values, Array) else None
    return jnp.asarray(pieces[:, :-1], dtype), jnp.asarray(pieces[:, -1], dtype), tuple(sets)


def _check_triangulation(P: np.ndarray, T: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The points with a 1 behind each, if the simplices fill a convex set, each place once."""
    if P.ndim != 2 or v.shape != P.shape[:1] or T.shape[1:] != (P.shape[1] + 1,) or not len(T):
        raise ValueError(
            f"`points`, `simplices`, `values` must have shapes (n, d), (m, d + 1), (n,) with m ≥ 1; "
            f"got {P.shape}, {T.shape}, {v.shape}."
        )
    if not (np.issubdtype(T.dtype, np.integer) and 0 <= T.min() and T.max() < len(P)):
        raise ValueError(f"`simplices` must hold indices of points, from 0 to {len(P) - 1}; got {T.tolist()}.")
    homogeneous = np.c_[P, np.ones(len(P))]
    flat = np.abs(np.linalg.det(homogeneous[T])) <= ROUNDING * np.ptp(P, axis=0).prod()
    if flat.any():
        raise ValueError(f"`simplices` must not be flat; the corners {T[flat][0].tolist()} lie in one hyperplane.")
    _check_cover(homogeneous, T)
    return homogeneous


def _check_cover(homogeneous: np.ndarray, T: np.ndarray) -> None:
    """Beyond a face lies one neighbor, on the other side, or no point at all; and one place is covered once."""
    barycentric = np.linalg.solve(homogeneous[T].transpose(0, 2, 1), homogeneous.T)
    faces: dict[frozenset[int], list[tuple[int, int]]] = {}
    for i, k in np.ndindex(*T.shape):
        faces.setdefault(frozenset(np.delete(T[i], k).tolist()), []).append((i, k))
    for face, ((i, k), *others) in faces.items():
        beyond = barycentric[i, k] < -ROUNDING
        if (len(others) == 1 and not beyond[T[others[0]]].any()) or len(others) > 1 or (not others and beyond.any()):
            raise ValueError(
                f"`simplices` must fill a convex set and meet in common faces only; the face {sorted(face)} breaks "
                f"this. `scipy.spatial.Delaunay` triangulates the convex hull of points."
            )
    inside = np.linalg.solve(homogeneous[T].transpose(0, 2, 1), homogeneous[T[0]].mean(axis=0)[:, None]) > ROUNDING
    if inside.all(axis=(1, 2)).sum() != 1:
        raise ValueError("`simplices` must not overlap; the center of the first one lies in another one too.")
