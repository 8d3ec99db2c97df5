"""The confusion matrix."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Num

from mlpjax._types import Any, Array
from mlpjax.plots._figure import GRID, INK, clean, figure


def confusion_matrix(matrix: Num[Array | np.ndarray, "K L"], labels: Sequence[Any] | None = None) -> Any:
    """What was taken for what: rows are the truth, columns the prediction, each row in percent.

    Args:
        matrix: counts, shape `(K, K)`, as `metrics.confusion_matrix` returns them.
        labels: names of the classes; their numbers if left out.

    Returns:
        A figure. The diagonal is blue; mistakes are orange. Both are the darker the more frequent, as the square
        root of the share, so that a single mistake is seen but does not shout.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: the matrix is not square, or there is not one label for each class.

    Example:
        >>> import numpy as np
        >>> from mlpjax import plots
        >>> figure = plots.confusion_matrix(np.array([[9, 1], [0, 10]]), ["cat", "dog"])
    """
    counts = np.asarray(matrix, float)
    names = [str(name) for name in (range(len(counts)) if labels is None else labels)]
    if counts.ndim != 2 or counts.shape != (len(names), len(names)):
        raise ValueError(
            f"`matrix` must be square with one of {len(names)} `labels` per row; got shape {counts.shape}. "
            f"`metrics.confusion_matrix` makes it."
        )
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = np.eye(len(names), dtype=bool)
    shade = np.sqrt(share)
    size = max(3.2, 0.62 * len(names) + 1.2)
    canvas = figure(size, size)
    ax = canvas.subplots()
    nowhere = np.full_like(share, np.nan)
    ax.imshow(np.where(right, shade, nowhere), cmap="Blues", vmin=0, vmax=1.35)
    ax.imshow(np.where(~right & (share > 0), shade, nowhere), cmap="Oranges", vmin=0, vmax=1.35)
    for i, j in np.argwhere(counts > 0):
        dark = share[i, j] > 0.8
        ax.text(j, i, _percent(share[i, j]), ha="center", va="center", fontsize=9, color="white" if dark else INK)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    ax.grid(which="minor", color=GRID, linewidth=0.8)
    accuracy = f"accuracy {100 * np.trace(counts) / max(counts.sum(), 1):.2f} %"
    clean(ax, f"{accuracy}\nrows in percent, color: square root", "predicted", "true")
    ax.tick_params(which="both", length=0)
    return canvas


def _percent(share: float) -> str:
    """One digit behind the point, but never 100 for less than all, nor 0 for more than nothing."""
    return "100" if share == 1 else "<0.1" if share < 0.0005 else f"{min(100 * share, 99.9):.1f}"
