"""Regions in the plane: five lines in general position, and a network with two hidden layers."""

import jax
import numpy as np

from mlpjax import mlp
from mlpjax.theory import regions

ALT = (
    "Left: five straight lines, each two of which cross, no three in one point; they cut the square into 16 regions. "
    "Right: a square cut into about a hundred convex polygons, colored by its output. Eight of the lines "
    "are straight, those of the second layer bend where they cross one of the first."
)


def draw(plt, C):
    """Polygons, each in one color by the value at its middle."""
    from matplotlib.collections import LineCollection, PolyCollection

    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.3), layout="constrained")
    plane = [[1.0, 0.0], [0.0, 1.0]]
    frame = dict(low=(-1.5, -1.5), high=(1.5, 1.5))
    found = regions.polygons(regions.general_position(5, 2), [0.0, 0.0], plane, **frame)
    rings = [found.vertices[c] for c in np.split(found.corners, found.starts[1:-1])]
    number = found.pattern.sum(axis=1)
    left.add_collection(PolyCollection(rings, facecolors=[C[0]] * len(rings), alpha=list(0.06 + 0.09 * number)))
    left.add_collection(LineCollection([np.append(r, r[:1], 0) for r in rings], colors=C[0], lw=1.2))
    left.set(title=f"{len(rings)} regions of 5 lines")
    params = mlp.init(jax.random.key(8), (2, 8, 8, 1), bias_init=lambda *a: 0.5 * jax.random.normal(*a))
    found = regions.polygons(params, [0.0, 0.0], plane, **frame)
    rings = [found.vertices[c] for c in np.split(found.corners, found.starts[1:-1])]
    middle = np.add.reduceat(found.values[found.corners, 0], found.starts[:-1]) / np.diff(found.starts)
    size = middle - np.median(middle)
    size = np.clip(size / np.quantile(np.abs(size), 0.9), -1, 1)
    faces = [C[1] if s > 0 else C[0] for s in size]
    right.add_collection(PolyCollection(rings, facecolors=faces, alpha=list(0.04 + 0.7 * np.abs(size))))
    right.add_collection(LineCollection([np.append(r, r[:1], 0) for r in rings], colors=C.ink, lw=0.6))
    right.set(title=f"{len(rings)} regions of 8 + 8 units")
    for ax in (left, right):
        ax.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    return fig
