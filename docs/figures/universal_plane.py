"""A function on the square, and two networks with one hidden layer that were made from its values on grids."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import mlp
from mlpjax.theory import density

ALT = (
    "Three maps of the square. Left: contour lines of the distance to the nearest of three points. Middle and right: "
    "the same of two networks, the first with the ridges between the wells worn down, the second closer."
)
WELLS = np.array([[0.2, 0.3], [0.8, 0.2], [0.55, 0.85]])


def target(x):
    """The distance to the nearest of three points."""
    return np.linalg.norm(x[..., None, :] - WELLS, axis=-1).min(-1)


def square(points):
    """The points of a grid, (n, n, 2)."""
    return np.stack(np.meshgrid(points, points, indexing="ij"), -1)


def draw(plt, C):
    """Contour lines of the target and of the networks."""
    fig, axes = plt.subplots(1, 3, figsize=(7, 2.7), sharey=True)
    points = np.linspace(0, 1, 49)
    grid, levels = square(points), np.linspace(0.05, 0.65, 7)
    shown = [("target", target(grid))]
    for m, q in ((8, 4), (16, 3)):
        coefficients = density.cosine_series(jnp.asarray(target(square((np.arange(m) + 0.5) / m))))
        network = density.cosine_network(coefficients, pieces=q)
        # one point after the other, in batches: 27,000 units at 2,401 points would need 250 MB
        values = jax.lax.map(
            lambda x, net=network: mlp.apply(net, x)[0], jnp.asarray(grid.reshape(-1, 2)), batch_size=49
        )
        shown.append((f"{len(network[0].b):,} units", np.asarray(values).reshape(grid.shape[:2])))
    for ax, (name, values) in zip(axes, shown, strict=True):
        ax.contour(points, points, values.T, levels=levels, colors=[C[0]], linewidths=1.1)
        ax.plot(*WELLS.T, "o", color=C[1], ms=4)
        ax.set(aspect="equal", xticks=(0, 1), yticks=(0, 1))
        ax.set_title(name, fontsize=10)
    return fig
