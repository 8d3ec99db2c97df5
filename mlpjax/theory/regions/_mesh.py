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
            grown = np.empty((4 * self._count, *self._store.shape[1:]), self._store.dtype)
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
        for i in range(units):
            self._cut_by(i, vertices, parent, active, error)
        self.place, self.active = vertices.all[:, units:].copy(), active.all
        return vertices.all[:, :units], parent.all, active.all

    def _cut_by(self, i: int, vertices: Rows, parent: Rows, active: Rows, error: np.ndarray) -> None:
        """Cut along the zeros of function i."""
        sign = np.sign(vertices.all[:, i]).astype(np.int8)
        above, below = self._sides(sign, len(parent.all))
        active.all[:, i] = above[:-1]
        both = above & below
        both[OUTSIDE] = False
        a, b, f, g = self._edges.all.T
        near = np.flatnonzero(both[f] | both[g])
        crossed = near[sign[a[near]] * sign[b[near]] < 0]
        new = self._halve(i, crossed, vertices, error)
        sign = np.append(sign, np.zeros(len(new), np.int8))
        near = np.append(near, np.arange(len(a), len(a) + len(crossed)))
        chords = self._chords(both, near, sign)
        child = self._divide(chords[:, 0], i, parent, active)
        edges = self._edges.all[near]
        upper = near[(sign[edges[:, 0]] > 0) | (sign[edges[:, 1]] > 0)]
        self._edges.all[upper, 2:] = child[self._edges.all[upper, 2:]]
        self._edges.append(np.column_stack([chords[:, 1:], chords[:, 0], child[chords[:, 0]]]))

    def _sides(self, sign: np.ndarray, faces: int) -> np.ndarray:
        """Which faces have a corner above, and which one below; the last is the outside."""
        a, b, f, g = self._edges.all.T
        sides = np.zeros((2, faces + 1), bool)
        for side, s in zip(sides, (1, -1), strict=True):
            here = (sign == s)[a] | (sign == s)[b]
            side[f[here]] = side[g[here]] = True
        return sides

    def _halve(self, i: int, crossed: np.ndarray, vertices: Rows, error: np.ndarray) -> np.ndarray:
        """Put a vertex on each edge that the zeros of function i cross: their indices."""
        edges, units = self._edges.all[crossed], len(error)
        left, right = vertices.all[edges[:, 0]], vertices.all[edges[:, 1]]
        share = (left[:, i] / (left[:, i] - right[:, i]))[:, None]
        rows = (1 - share) * left + share * right
        rows[:, :units][np.abs(rows[:, :units]) <= error] = 0.0
        rows[:, i] = 0.0
        new = vertices.append(rows)
        self._edges.all[crossed, 1] = new
        self._edges.append(np.column_stack([new, edges[:, 1:]]))
        return new

    def _chords(self, both: np.ndarray, near: np.ndarray, sign: np.ndarray) -> np.ndarray:
        """(face, vertex, vertex) for each face to divide: where the line of zeros enters and leaves."""
        a, b, f, g = self._edges.all[near].T
        vertex, face = np.concatenate([a, b, a, b]), np.concatenate([f, f, g, g])
        here = both[face] & (sign[vertex] == 0)
        face, vertex = _unique(face[here], vertex[here])
        whole = np.flatnonzero(np.bincount(face) == 2)
        first = np.searchsorted(face, whole)
        return np.column_stack([whole, vertex[first], vertex[first + 1]])

    def _divide(self, face: np.ndarray, i: int, parent: Rows, active: Rows) -> np.ndarray:
        """Make a new face, above, of each face to divide: which one, or itself, or the outside."""
        active.all[face, i] = False
        upper = parent.append(parent.all[face])
        active.append(active.all[face])
        active.all[upper, i] = True
        child = np.append(np.arange(len(parent.all)), OUTSIDE)
        child[face] = upper
        return child

    def outlines(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of all faces, counterclockwise, face after face, and where each face's corners begin."""
        a, b, f, g = self._edges.all.T
        face, vertex = np.concatenate([f, f, g, g]), np.concatenate([a, b, a, b])
        face, vertex = _unique(face[face >= 0], vertex[face >= 0])
        count = np.bincount(face)
        starts = np.concatenate([[0], np.cumsum(count)])
        center = np.add.reduceat(self.place[vertex], starts[:-1]) / count[:, None]
        s, t = (self.place[vertex] - center[face]).T
        return vertex[np.lexsort((np.arctan2(t, s), face))], starts


def _unique(face: np.ndarray, vertex: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each pair once, sorted by face."""
    pairs = np.sort(face << 32 | vertex)
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
    return pairs >> 32, pairs & (2**32 - 1)
