"""Grids of small pictures: digits, and the weights of a first layer."""

import math

import numpy as np
from jaxtyping import Float, Num

from mlpjax._types import Any, Array
from mlpjax.plots._figure import INK, ORANGE, figure


def digits(
    x: Num[Array | np.ndarray, "n ..."],
    labels: Num[Array | np.ndarray, " n"] | None = None,
    predictions: Num[Array | np.ndarray, " n"] | None = None,
    *,
    shape: tuple[int, int] | None = None,
    columns: int = 10,
) -> Any:
    """A grid of pictures, with their labels and what a network took them for.

    Args:
        x: pictures, shape `(n, height, width)`, or flat, shape `(n, height * width)`.
        labels: the truth, shape `(n,)`.
        predictions: shape `(n,)`; a wrong one is written in orange behind the truth.
        shape: height and width of flat pictures; square if left out.
        columns: pictures in a row.

    Returns:
        A figure.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: there is no picture, or flat ones do not have that shape.

    Example:
        >>> from mlpjax import data, plots
        >>> test = data.digits.load("test")
        >>> figure = plots.digits(test.x[:20], test.y[:20])
    """
    pictures = _pictures(x, shape)
    columns = min(columns, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    canvas = figure(0.85 * columns, (0.85 if labels is None and predictions is None else 1.08) * rows)
    for i, ax in enumerate(canvas.subplots(rows, columns, squeeze=False).flat):
        ax.set_axis_off()
        if i < len(pictures):
            ax.imshow(pictures[i], cmap="gray_r", interpolation="nearest")
            text, wrong = _caption(labels, predictions, i)
            ax.set_title(text, fontsize=10, pad=3, color=ORANGE if wrong else INK)
    return canvas


def weights(
    W: Float[Array | np.ndarray, "out in"], shape: tuple[int, int] | None = None, *, most: int = 64, columns: int = 8
) -> Any:
    """What the units of a first layer look for: each row of W as a picture.

    Args:
        W: weights, shape `(out, in)`.
        shape: height and width of a picture; square if left out.
        most: how many units to show: those with the largest norms.
        columns: pictures in a row.

    Returns:
        A figure: purple is negative, orange positive, white is 0, on one scale for all.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: a row does not have that shape.

    Example:
        >>> import jax
        >>> from mlpjax import mlp, plots
        >>> figure = plots.weights(mlp.init(jax.random.key(0), (64, 16, 10))[0].W)
    """
    W = np.asarray(W, float)
    pictures = _pictures(W[np.argsort(-np.linalg.norm(W, axis=1), kind="stable")[:most]], shape)
    columns = min(columns, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    limit = float(np.quantile(np.abs(pictures), 0.995)) or 1.0
    canvas = figure(0.8 * columns + 0.9, 0.8 * rows + 0.1)
    axes = canvas.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    images = [ax.imshow(p, cmap="PuOr_r", vmin=-limit, vmax=limit) for ax, p in zip(axes.flat, pictures, strict=False)]
    bar = canvas.colorbar(images[0], ax=axes, fraction=0.04, pad=0.02, ticks=[-limit, 0, limit], format="%.2g")
    bar.ax.tick_params(labelsize=9, length=0, colors=INK)
    bar.outline.set_visible(False)
    return canvas


def _pictures(x: Any, shape: tuple[int, int] | None) -> np.ndarray:
    """Of shape (n, height, width), from flat ones too."""
    x = np.asarray(x)
    side = math.isqrt(x[0].size) if len(x) else 0
    height, width = shape or (x.shape[1:] if x.ndim == 3 else (side, side))
    if not len(x) or x.ndim not in (2, 3) or x[0].size != height * width:
        raise ValueError(
            f"the pictures must be a batch of {height} × {width} pixels or flat, at least one; got shape {x.shape}. "
            f"Give `shape=(height, width)` if they are not square."
        )
    return x.reshape(len(x), height, width)


def _caption(labels: Any, predictions: Any, i: int) -> tuple[str, bool]:
    """What stands above a picture, and whether its prediction is wrong."""
    truth = None if labels is None else int(np.asarray(labels)[i])
    guess = None if predictions is None else int(np.asarray(predictions)[i])
    if truth is None or guess is None or truth == guess:
        return str(next((v for v in (truth, guess) if v is not None), "")), False
    return f"{truth} → {guess}", True
