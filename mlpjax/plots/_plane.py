"""Decision boundaries of networks of two inputs."""

import numpy as np
from jaxtyping import Num

from mlpjax._types import Any, Array, Callable
from mlpjax.plots._figure import BLUE, GREEN, INK, ORANGE, PINK, SKY, YELLOW, clean, figure

CLASSES = (BLUE, ORANGE, GREEN, PINK, YELLOW, SKY)


def decision_boundary(
    predict: Callable[[Any], Any],
    x: Num[Array | np.ndarray, "n d"],
    y: Num[Array | np.ndarray, "n ..."],
    *,
    margin: float = 0.5,
    resolution: int = 200,
) -> Any:
    """Where a network of two inputs draws the line.

    Args:
        predict: from points, shape `(m, 2)`, to probabilities: of class 1, shape `(m,)` or `(m, 1)`, or of every
            class, shape `(m, K)`.
        x: points of the data, shape `(n, 2)`.
        y: their classes, shape `(n,)` or `(n, 1)`.
        margin: how far the picture reaches beyond the data.
        resolution: points along each side.

    Returns:
        A figure: the plane in the color of the class, the paler the less sure, its borders, and the points.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: the points are not two-dimensional.

    Example:
        >>> from mlpjax import data, plots
        >>> figure = plots.decision_boundary(lambda x: x[:, 0], *data.toy.xor()[:2])
    """
    x, y = np.asarray(x), np.asarray(y).reshape(-1).round().astype(int)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(
            f"`x` must hold points of the plane, shape (n, 2); got shape {x.shape}. Pick two features: `x[:, :2]`."
        )
    low, high = x.min(axis=0) - margin, x.max(axis=0) + margin
    u, v = (np.linspace(low[i], high[i], resolution, dtype=x.dtype) for i in (0, 1))
    plane = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
    p = np.asarray(predict(plane)).reshape(len(plane), -1)
    p = np.clip(np.hstack([1 - p, p]) if p.shape[1] == 1 else p, 0, 1).reshape(resolution, resolution, -1)
    canvas = figure(4.6, 4.4)
    ax = canvas.subplots()
    ax.imshow(_blend(p), origin="lower", extent=(low[0], high[0], low[1], high[1]), interpolation="bilinear")
    for k in range(p.shape[-1] if p.shape[-1] > 2 else 1):
        others = np.delete(p, k, axis=-1).max(axis=-1)
        ax.contour(u, v, p[..., k] - others, levels=[0.0], colors=INK, linewidths=1.0)
    for k in np.unique(y):
        color = CLASSES[k % len(CLASSES)]
        ax.scatter(*x[y == k].T, s=70, color=color, edgecolor="white", linewidth=1.5, label=f"class {k}", zorder=3)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=6, frameon=False, fontsize=10, handletextpad=0.2)
    clean(ax, "", "$x_1$", "$x_2$")
    ax.locator_params(nbins=5)
    return canvas


def _blend(p: np.ndarray) -> np.ndarray:
    """The color of the likeliest class, the nearer to white the less it leads the next."""
    colors = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in CLASSES])
    color = colors[p.argmax(axis=-1) % len(CLASSES)]
    strength = 0.5 * _lead(p)[..., None]
    return 1 - strength * (1 - color)


def _lead(p: np.ndarray) -> np.ndarray:
    """How far the likeliest class is ahead of the next."""
    first, second = np.moveaxis(np.sort(p, axis=-1)[..., -2:], -1, 0)[::-1]
    return first - second
