"""A network on a rectangle of a plane: every region as a polygon, and pictures by pixels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from mlpjax import _check
from mlpjax._types import Any, ArrayLike
from mlpjax.activations import Activation, relu
from mlpjax.layers import Dense
from mlpjax.theory.regions import _host
from mlpjax.theory.regions._mesh import Mesh


class Polygons(NamedTuple):
    r"""A network on a rectangle of the plane $x(s, t) = x_0 + s\,u + t\,v$: one convex polygon for each region.

    The regions are those of the *activation pattern*. The corners of polygon i, counterclockwise, are
    `vertices[corners[starts[i]:starts[i + 1]]]`, and there the outputs are the same rows of `values`.

    Attributes:
        vertices: points (s, t).
        values: the outputs at the vertices.
        corners: indices of vertices, polygon after polygon.
        starts: where each polygon's corners begin, and the end of the last.
        pattern: which hidden units are active, all layers side by side: whether z > 0 inside of the polygon.
        slopes: derivatives of the outputs in s and in t.
    """

    vertices: Float[np.ndarray, "vertices 2"]
    values: Float[np.ndarray, "vertices out"]
    corners: Int[np.ndarray, " corners"]
    starts: Int[np.ndarray, " regions+1"]
    pattern: Bool[np.ndarray, "regions units"]
    slopes: Float[np.ndarray, "regions 2 out"]


class Raster(NamedTuple):
    """Activation patterns by pixel.

    Attributes:
        ids: the number of the pattern at each pixel's center; rows go up with t, columns to the right with s.
        pattern: the patterns that were met, in the order of their numbers.
    """

    ids: Int[np.ndarray, "rows columns"]
    pattern: Bool[np.ndarray, "patterns units"]


def polygons(
    params: tuple[Dense, ...],
    origin: ArrayLike | Sequence[Any],
    directions: ArrayLike | Sequence[Any],
    *,
    low: tuple[float, float] = (0.0, 0.0),
    high: tuple[float, float] = (1.0, 1.0),
    activation: Activation | Sequence[Activation] = relu,
) -> Polygons:
    r"""Every region of a network on a rectangle of a plane (DEP2).

    The rectangle is one polygon to begin with. Unit after unit, layer after layer, each polygon on which the unit's
    pre-activation takes both signs is cut in two along its zeros, a straight line there. Polygons that share an edge
    share its ends, so what one of them sees of a cut, the other sees too, and there are neither gaps nor overlaps.

    On the host, in NumPy and float64, not under `jit`. A pre-activation counts as zero if it is within 64 eps times the
    sum of the absolute values of its terms, each at its largest on the rectangle; polygons thinner than that are not
    told apart.

    Args:
        params: a network with rectified units, of any width and depth.
        origin: $x_0$, shape `(in,)`.
        directions: $u$ and $v$, shape `(2, in)`.
        low: where s and t begin.
        high: where they end.
        activation: of the hidden layers, or one for each: `relu`, or another that is linear on both sides of 0.

    Returns:
        The polygons.

    Raises:
        ValueError: if the parameters are traced, not finite or do not fit, or an activation has other kinks.

    Example:
        Three lines in general position make seven regions; a rectangle around their crossings meets all of them.

        >>> import jax.numpy as jnp
        >>> from mlpjax.layers import Dense
        >>> from mlpjax.theory import regions
        >>> lines = Dense(jnp.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), jnp.array([0.0, 0.0, -1.0]))
        >>> params = lines, Dense(jnp.ones((1, 3)), jnp.zeros(1))
        >>> found = regions.polygons(params, [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], low=(-1.0, -1.0), high=(2.0, 2.0))
        >>> len(found.pattern)
        7
    """
    layers, slopes, plane = _prepare(params, origin, directions, activation)
    mesh, patterns = Mesh(*_rectangle(low, high)), []
    a = mesh.place @ plane[:2] + plane[2]
    for (W, b), slope in zip(layers[:-1], slopes, strict=True):
        z, parent, active = mesh.cut(a @ W.T + b, _host.ROUNDING * (np.abs(a).max(0) @ np.abs(W.T) + np.abs(b)))
        patterns = [pattern[parent] for pattern in patterns] + [active]
        a = _host.bends(z, slope)
    pattern = np.concatenate([np.zeros((len(mesh.active), 0), bool), *patterns], axis=1)
    chunks = np.array_split(pattern, 1 + len(pattern) // 4096)
    D = np.concatenate([_host.linear(layers, slopes, chunk, plane[:2]) for chunk in chunks])
    W, b = layers[-1]
    return Polygons(mesh.place, a @ W.T + b, *mesh.outlines(), pattern, D)


def areas(polygons: Polygons) -> Float[np.ndarray, " regions"]:
    r"""The area of each polygon in the coordinates (s, t), by $\frac12\sum_k (s_k t_{k+1} - s_{k+1} t_k)$.

    Args:
        polygons: from the function of that name.

    Returns:
        One area for each; they sum to the rectangle's.

    Example:
        >>> import jax
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import regions
        >>> params = mlp.init(jax.random.key(0), (2, 8, 8, 1))
        >>> found = regions.polygons(params, [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], low=(-1.0, -1.0))
        >>> round(float(regions.areas(found).sum()), 12)
        4.0
    """
    first, last = polygons.starts[:-1], polygons.starts[1:] - 1
    place = polygons.vertices[polygons.corners]
    place = place - np.repeat(place[first], np.diff(polygons.starts), axis=0)
    following = np.arange(1, len(place) + 1)
    following[last] = first
    s, t = place.T
    return np.add.reduceat(s * t[following] - s[following] * t, first) / 2


def raster(
    params: tuple[Dense, ...],
    origin: ArrayLike | Sequence[Any],
    directions: ArrayLike | Sequence[Any],
    *,
    low: tuple[float, float] = (0.0, 0.0),
    high: tuple[float, float] = (1.0, 1.0),
    shape: tuple[int, int] = (512, 512),
    activation: Activation | Sequence[Activation] = relu,
) -> Raster:
    r"""The activation pattern at the center of each pixel of a rectangle in a plane (DEP2).

    A picture of the regions, without those that fall between the centers: its patterns are some of those of `polygons`,
    unless a unit is 0 at a center, or within rounding of it. A center on the borders of regions may be in none of them.

    Args:
        params: a network with rectified units, of any width and depth.
        origin: $x_0$, shape `(in,)`.
        directions: $u$ and $v$, shape `(2, in)`: the picture goes right along u and up along v.
        low: where s and t begin.
        high: where they end.
        shape: rows and columns of pixels.
        activation: of the hidden layers, or one for each.

    Returns:
        Numbers of patterns, and the patterns.

    Raises:
        ValueError: as in `polygons`, or if a side has no pixels.

    Example:
        >>> import jax
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import regions
        >>> params = mlp.init(jax.random.key(0), (2, 8, 1))
        >>> found = regions.raster(params, [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], low=(-1.0, -1.0), shape=(64, 48))
        >>> found.ids.shape
        (64, 48)
    """
    layers, slopes, plane = _prepare(params, origin, directions, activation)
    _rectangle(low, high)
    for side in shape:
        _check.count("shape", side, 1, "It is a number of pixels.")
    s, t = (lo + (hi - lo) * (np.arange(n) + 0.5) / n for lo, hi, n in zip(low, high, shape[::-1], strict=True))
    rows = np.array_split(t, 1 + len(s) * len(t) // 8192)
    packed = np.concatenate([_patterns(layers, slopes, plane, s, some) for some in rows if len(some)])
    found, ids = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_inverse=True)
    bits = np.unpackbits(found.view(np.uint8).reshape(len(found), -1), axis=1)
    return Raster(ids.reshape(shape), bits[:, 1 : 1 + sum(len(b) for _, b in layers[:-1])].astype(bool))


def _prepare(params, origin, directions, activation):
    """Layers, slopes, and the plane's directions and origin as three rows."""
    layers = _host.network(params)
    inputs = layers[0][0].shape[1]
    origin, directions = _host.vector("origin", origin, (inputs,)), _host.vector("directions", directions, (2, inputs))
    return layers, _host.slopes(activation, len(layers) - 1), np.concatenate([directions, origin[None]])


def _rectangle(low, high):
    low, high = _host.vector("low", low, (2,)), _host.vector("high", high, (2,))
    if not (low < high).all():
        raise ValueError(
            f"`low` must be less than `high` in both coordinates; got {low} and {high}. Is their order right?"
        )
    return low, high


def _patterns(layers, slopes, plane, s, t) -> np.ndarray:
    """Patterns at the points of some rows, eight units a byte, behind a bit that is 0 even if there are no units."""
    (W, b), active = layers[0], [np.zeros((len(t) * len(s), 1), bool)]
    u, v, origin = plane @ W.T
    z = ((s[:, None] * u)[None] + (t[:, None] * v + origin + b)[:, None]).reshape(-1, len(b))
    for (W, b), slope in zip(layers[1:], slopes, strict=True):
        active.append(z > 0)
        z = _host.bends(z, slope) @ W.T + b
    return np.packbits(np.concatenate(active, axis=1), axis=1)
