"""Networks that are equal to a linear spline, or to linear interpolation on a triangulation (UAT5)."""

import functools
from collections.abc import Callable

import jax
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

    for points counted from 0, with the slopes $s_k = (y_{k+1} - y_k) / (x_{k+1} - x_k)$, and $s_1 = s_0$ if n = 2. Each
    unit bends the line at one point by the jump of the slope there. Beyond the first and the last point the outer
    segments go on.

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
    x, y = jnp.asarray(x), jnp.asarray(y)  # as they will be compared: places may become equal in float32
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(
            f"`x` and `y` must be vectors of one length, at least 2; got shapes {x.shape} and {y.shape}. Of a column "
            f"`c` take `c[:, 0]`."
        )
    if _check.concrete(x) and not np.all(np.diff(np.asarray(x)) > 0):
        raise ValueError(f"`x` must increase from each place to the next; got {x}. Sort it, and `y` with it.")
    return _spline(x, y)


@jax.jit
def _spline(x: Array, y: Array) -> tuple[Dense, Dense]:
    s = jnp.diff(y) / jnp.diff(x)
    x, y = x.astype(s.dtype), y.astype(s.dtype)
    knots = x[1:-1] if len(x) > 2 else x[1:]
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

    On each triangle f is the affine function with the given values at the corners. On a line, the triangles are
    segments.

    Args:
        points: the corners, shape `(n, d)` with d = 1 or 2.
        simplices: for each triangle the indices of its d + 1 corners, shape `(m, d + 1)`. Together they must fill a
            convex set; two of them may meet in a common side or corner only.
        values: f at the points, shape `(n,)`.

    Returns:
        Parameters with d inputs and one output: `lattice(*lattice_form(points, simplices, values))`. On the convex set
        the network is f; outside, it is some continuous piecewise affine function with the same pieces.

    Raises:
        ValueError: if the shapes do not fit, a number is not finite, the simplices do not triangulate a convex set,
            or something is traced.

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

    $$f = \max_Q \min_{j\in S_Q} \ell_j, \qquad S_Q = \{j : \ell_j \ge f \text{ on } Q\}$$

    Each triangle is cut along all lines on which another piece equals its own into convex parts Q, so that on each
    part every piece lies either above f or below. Of the sets, those are kept that contain no other: the minimum
    over a larger set is lower, and the maximum does not need it. Of equal pieces one is kept. The m − 1 other pieces
    can cut a triangle into about m²/2 parts, so the work grows fast: this is for tens of triangles, not for thousands.

    Args:
        points: the corners, shape `(n, d)` with d = 1 or 2.
        simplices: for each triangle the indices of its d + 1 corners, shape `(m, d + 1)`.
        values: f at the points, shape `(n,)`.

    Returns:
        A, b and the sets, as `lattice` and `convex_parts` take them.

    Raises:
        ValueError: if the shapes do not fit, a number is not finite, the simplices do not triangulate a convex set,
            or something is traced.

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
    at_points, slack = pieces @ homogeneous.T, _slack(pieces, v, homogeneous).T
    equal = (np.abs(at_points[:, None] - at_points) <= slack).all(axis=-1)
    unique = pieces[~np.tril(equal, -1).any(axis=1)]

    def heights(p, piece):
        gap = p @ (unique - piece).T
        return np.where(np.abs(gap) > _slack(unique, v, p), gap, 0.0)

    each = zip(pieces, homogeneous[T], strict=True)
    above = {s for piece, corners in each for s in _above(functools.partial(heights, piece=piece), corners)}
    sets = sorted(tuple(sorted(s)) for s in above if not any(other < s for other in above))
    dtype = values.dtype if isinstance(values, Array) and jnp.issubdtype(values.dtype, jnp.floating) else None
    return jnp.asarray(unique[:, :-1], dtype), jnp.asarray(unique[:, -1], dtype), tuple(sets)


def _slack(pieces: np.ndarray, v: np.ndarray, p: np.ndarray) -> np.ndarray:
    """What counts as rounding of each piece at each point."""
    return ROUNDING * (np.abs(p) @ np.abs(pieces).T + np.abs(v).max())


def _above(heights: Callable[[np.ndarray], np.ndarray], corners: np.ndarray) -> set[frozenset[int]]:
    """Cut a triangle until no height changes its sign on a part: for each part, those that are not negative there."""
    parts = [corners]
    for j in range(heights(corners).shape[1]):
        parts = [side for part in parts for side in _cut(part, heights(part)[:, j])]
    return {frozenset(np.flatnonzero((heights(part) >= 0).all(axis=0)).tolist()) for part in parts}


def _cut(polygon: np.ndarray, height: np.ndarray) -> list[np.ndarray]:
    """The two parts of a convex polygon where an affine function is positive and negative; one, if it has one sign."""
    if not (height.max() > 0 > height.min()):
        return [polygon]
    up, down = [], []
    for p, q, s, t in zip(np.roll(polygon, 1, axis=0), polygon, np.roll(height, 1), height, strict=True):
        crossing = [(t * p - s * q) / (t - s)] if s * t < 0 else []
        up += crossing + [q] * int(t >= 0)
        down += crossing + [q] * int(t <= 0)
    return [np.stack(up), np.stack(down)]


def _check_triangulation(P: np.ndarray, T: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The points with a 1 behind each, if the simplices fill a convex set, each place once."""
    if P.ndim != 2 or P.shape[1] > 2 or v.shape != P.shape[:1] or T.shape[1:] != (P.shape[1] + 1,) or not len(T):
        raise ValueError(
            f"`points`, `simplices`, `values` must have shapes (n, d), (m, d + 1), (n,) with d = 1 or 2 and m ≥ 1; "
            f"got {P.shape}, {T.shape}, {v.shape}. On a line each simplex is two indices, in the plane three."
        )
    if not (np.issubdtype(T.dtype, np.integer) and 0 <= T.min() and T.max() < len(P)):
        raise ValueError(
            f"`simplices` must hold indices of points, from 0 to {len(P) - 1}; got {T.tolist()}. Count from 0."
        )
    _check.finite("points", P)
    _check.finite("values", v)
    homogeneous = np.c_[P, np.ones(len(P))]
    flat = np.abs(np.linalg.det(homogeneous[T])) <= ROUNDING * np.ptp(P, axis=0).prod()
    if flat.any():
        raise ValueError(
            f"`simplices` must not be flat; the corners {T[flat][0].tolist()} lie in one hyperplane. Leave it out."
        )
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
    weights = np.sqrt(np.arange(1, T.shape[1] + 1))  # not the center, which may lie on a side of another one
    place = (weights / weights.sum()) @ homogeneous[T[0]]
    inside = np.linalg.solve(homogeneous[T].transpose(0, 2, 1), place[:, None]) > ROUNDING
    if inside.all(axis=(1, 2)).sum() != 1:
        raise ValueError(
            "`simplices` must not overlap; a point inside the first one lies in another one too. "
            "`scipy.spatial.Delaunay` triangulates the convex hull of points."
        )
