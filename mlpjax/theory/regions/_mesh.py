"""A rectangle that lines cut into convex polygons: vertices, edges and faces, each stored once."""

import numpy as np

OUTSIDE = -1


class Rows:
    """Rows that grow at the end, without a copy for each growth."""

    def __init__(self, rows: np.ndarray):
        self._store, self._count = rows, len(rows)

    @property
    def all(self) -> np.ndarray:
        """The rows so far; writing to them writes to the store."""
        return self._store[: self._count]

    def append(self, rows: np.ndarray) -> np.ndarray:
        """Add rows; their indices."""
        before, self._count = self._count, self._count + len(rows)
        if self._count > len(self._store):
            grown = np.empty((2 * self._count, *self._store.shape[1:]), self._store.dtype)
            grown[:before] = self._store[:before]
            self._store = grown
        self._store[before : self._count] = rows
        return np.arange(before, self._count)


class Mesh:
    """Convex polygons that fill a rectangle.

    An edge is a row (vertex, vertex, face, face); beyond the rectangle is the face −1. Faces have no list of corners:
    `outlines` finds them in the end.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray):
        (s0, t0), (s1, t1) = low, high
        self.place = np.array([[s0, t0], [s1, t0], [s1, t1], [s0, t1]])
        self._edges = Rows(np.array([[k, (k + 1) % 4, 0, OUTSIDE] for k in range(4)]))
        self.active = np.zeros((1, 0), bool)

    def cut(self, z: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cut along the zeros of functions that are affine on each face.

        Args:
            z: their values at the vertices, a column for each function.
            error: below which a value of each function counts as zero.

        Returns:
            The values at the vertices, old and new; the face that each face was before; and where z > 0.
        """
        z = np.where(np.abs(z) <= error, 0.0, z)
        units = z.shape[1]
        vertices, faces = Rows(np.concatenate([z, self.place], axis=1)), len(self.active)
        parent, active = Rows(np.arange(faces)), Rows(np.zeros((faces, units), bool))
        for i in np.flatnonzero(np.any(z < 0, axis=0) | np.any(z > 0, axis=0)):
            self._cut_by(i, vertices, parent, active, error)
        self.place, self.active = vertices.all[:, units:].copy(), active.all
        return vertices.all[:, :units], parent.all, active.all

    def _cut_by(self, i: int, vertices: Rows, parent: Rows, active: Rows, error: np.ndarray) -> None:
        """Cut along the zeros of function i."""
        z = vertices.all[:, i].copy()
        sign = np.sign(z).astype(np.int8)
        a, b, f, g = self._edges.all.T
        sa, sb = sign[a], sign[b]
        above, below = np.zeros((2, len(parent.all) + 1), bool)  # the last is the outside
        for side, here in ((above, (sa > 0) | (sb > 0)), (below, (sa < 0) | (sb < 0))):
            side[f[here]] = side[g[here]] = True
        active.all[:, i] = above[:-1]
        both = above & below
        both[OUTSIDE] = False
        if not both.any():
            return
        crossed = np.flatnonzero(sa * sb < 0)
        ca, cb = a[crossed], b[crossed]
        share = (z[ca] / (z[ca] - z[cb]))[:, None]
        rows = (1 - share) * vertices.all[ca] + share * vertices.all[cb]
        rows[:, : len(error)][np.abs(rows[:, : len(error)]) <= error] = 0.0
        rows[:, i] = 0.0
        new = vertices.append(rows)
        chords = self._chords(both, crossed, new, sa, sb)
        child = self._divide(chords[:, 0], i, parent, active)
        self._reassign(child, crossed, new, np.concatenate([sign, np.zeros(len(new), np.int8)]))
        self._edges.append(np.column_stack([chords[:, 1:], chords[:, 0], child[chords[:, 0]]]))

    def _chords(self, both, crossed, new, sa, sb) -> np.ndarray:
        """(face, vertex, vertex) for each face to divide: where the line of zeros enters and leaves."""
        a, b, f, g = self._edges.all.T
        za, zb = np.flatnonzero((sa == 0) & (both[f] | both[g])), np.flatnonzero((sb == 0) & (both[f] | both[g]))
        edge, vertex = np.concatenate([crossed, za, zb]), np.concatenate([new, a[za], b[zb]])
        face, vertex = np.concatenate([f[edge], g[edge]]), np.concatenate([vertex, vertex])
        inside = both[face]
        key = np.unique(face[inside] * np.int64(2**32) + vertex[inside])
        face, vertex = key >> 32, key & (2**32 - 1)
        whole = np.flatnonzero(np.bincount(face) == 2)
        first = np.searchsorted(face, whole)
        return np.column_stack([whole, vertex[first], vertex[first + 1]])

    def _divide(self, face, i, parent, active) -> np.ndarray:
        """Make a new face, above, of each face to divide: which one, or itself, or the outside."""
        active.all[face, i] = False
        upper = parent.append(parent.all[face])
        active.append(active.all[face])
        active.all[upper, i] = True
        child = np.append(np.arange(len(parent.all)), OUTSIDE)
        child[face] = upper
        return child

    def _reassign(self, child, crossed, new, sign) -> None:
        """Halve the edges that are crossed, and give what lies above to the new faces."""
        old = self._edges.all[crossed]
        self._edges.all[crossed, 1] = new
        self._edges.append(np.column_stack([new, old[:, 1:]]))
        edges = self._edges.all
        above = (sign[edges[:, 0]] > 0) | (sign[edges[:, 1]] > 0)
        edges[above, 2:] = child[edges[above, 2:]]

    def outlines(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of all faces, counterclockwise, face after face, and where each face's corners begin."""
        a, b, f, g = self._edges.all.T
        face, vertex = np.concatenate([f, f, g, g]), np.concatenate([a, b, a, b])
        key = np.unique(face[face >= 0] * np.int64(2**32) + vertex[face >= 0])
        face, vertex = key >> 32, key & (2**32 - 1)
        count = np.bincount(face)
        starts = np.concatenate([[0], np.cumsum(count)])
        center = np.add.reduceat(self.place[vertex], starts[:-1]) / count[:, None]
        s, t = (self.place[vertex] - center[face]).T
        return vertex[np.lexsort((np.arctan2(t, s), face))], starts
