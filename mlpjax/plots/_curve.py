"""Learning curves."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mlpjax._types import Any
from mlpjax.plots._figure import BLUE, GRID, ORANGE, SKY, clean, figure

COLORS = {"batches": SKY, "training": BLUE, "validation": ORANGE}


def learning_curve(history: Any, *, steps_per_epoch: int | None = None) -> Any:
    """How loss and accuracy went while training.

    Args:
        history: what `training.run` and `training.fit` return, or the records of a log: mappings with `"step"`,
            `"loss"` and, under `"validation"` or `"training"`, measurements by name.
        steps_per_epoch: given, the horizontal axis counts epochs.

    Returns:
        A figure with the losses on a logarithmic axis and, where one was measured, the accuracy beside them.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: there is nothing to draw, or the history is that of several runs at once.

    Example:
        >>> from mlpjax import plots
        >>> records = [{"step": 1, "loss": 0.7}, {"step": 2, "loss": 0.4}]
        >>> len(plots.learning_curve(records).axes)
        1
    """
    curves = [curve for curve in _curves(history) if len(curve.x)]
    if not curves:
        raise ValueError("`history` holds no finite loss: there is nothing to draw. Were any steps taken?")
    panels = [[c for c in curves if (c.what == "accuracy") == flag] for flag in (False, True)]
    panels = [panel for panel in panels if panel]
    canvas = figure(5.4 * len(panels), 3.6)
    for ax, panel in zip(canvas.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(ax, panel, steps_per_epoch)
    return canvas


class Curve(NamedTuple):
    """One line: of which data, what was measured, at which steps."""

    where: str
    what: str
    x: np.ndarray
    y: np.ndarray


def _draw(ax: Any, panel: list[Curve], steps_per_epoch: int | None) -> None:
    for curve in panel:
        style = {"color": COLORS[curve.where], "linestyle": "-" if curve.what in ("loss", "accuracy") else "--"}
        style["marker"] = "o" if len(curve.x) < 3 else ""  # a line through one point cannot be seen
        ax.plot(curve.x / (steps_per_epoch or 1), curve.y, linewidth=1.8, solid_capstyle="round", **style)
    clean(ax, panel[0].what, "epoch" if steps_per_epoch else "step")
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    _scale(ax, panel)
    _label_ends(ax, panel)


def _scale(ax: Any, panel: list[Curve]) -> None:
    """Percent for accuracy; decades for a loss that falls through some."""
    if panel[0].what == "accuracy":
        ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.4g} %")
        return
    values = np.concatenate([curve.y for curve in panel])
    if values.min() > 0 and values.max() > 5 * values.min():
        ax.set_yscale("log", subs=range(2, 10))
        ax.yaxis.get_major_locator().set_params(subs=(1,) if values.max() > 200 * values.min() else (1, 2, 5))
        ax.yaxis.set_major_formatter(lambda v, _: f"{v:g}")
        ax.yaxis.set_minor_formatter(lambda v, _: "")


def _label_ends(ax: Any, panel: list[Curve]) -> None:
    """Each line's name and last value behind its end, in its color, none over another."""
    ax.margins(x=0.02)
    ax.autoscale_view()
    heights = [ax.transAxes.inverted().transform(ax.transData.transform((0, curve.y[-1])))[1] for curve in panel]
    gap, last = 0.16, -1.0
    for i in np.argsort(heights):
        curve, line = panel[i], ax.lines[i]
        last = max(heights[i], last + gap)
        value = f"{curve.y[-1]:.2%}".replace("%", " %") if curve.what == "accuracy" else f"{curve.y[-1]:.3g}"
        where = {"xy": (1.01, last), "xycoords": "axes fraction", "annotation_clip": False}
        name = curve.where if curve.what in ("loss", "accuracy") else f"{curve.where} {curve.what}"
        ax.annotate(f"{name}\n{value}", **where, color=line.get_color(), fontsize=9, va="center", linespacing=1.1)


def _curves(history: Any) -> list[Curve]:
    return _of_history(history) if hasattr(history, "validation") else _of_records(history)


def _of_history(history: Any) -> list[Curve]:
    """Step by step; the loss of single batches is noisy, so it is averaged over a fiftieth of the run."""
    loss = np.asarray(history.loss, float)
    if loss.ndim != 1:
        raise ValueError(
            f"`history` must be that of one run; its loss has shape {loss.shape}, of several that were vmapped. Draw "
            f"run i by itself: `jax.tree.map(lambda a: a[i], history)`."
        )
    width = max(1, len(loss) // 50)
    means = loss[: len(loss) // width * width].reshape(-1, width).mean(axis=1)
    curves = [_curve("training", "loss", (np.arange(len(means)) + 1) * width, means)]
    for name, values in history.validation.items():
        curves.append(_curve("validation", name, np.arange(len(loss)) + 1, np.asarray(values, float)))
    return curves


def _of_records(records: Sequence[Mapping[str, Any]]) -> list[Curve]:
    """The loss of the batches beside what was measured without dropout and shifts, under the name of its data."""
    points: dict[tuple[str, str], list] = {}
    for record in records:
        if record.get("loss") is not None:
            points.setdefault(("batches" if "training" in record else "training", "loss"), []).append(
                (record["step"], record["loss"])
            )
        for where in ("training", "validation"):
            for what, value in record.get(where, {}).items():
                points.setdefault((where, what), []).append((record["step"], value))
    return [_curve(*key, *np.array(values, float).T) for key, values in points.items()]


def _curve(where: str, what: str, x: np.ndarray, y: np.ndarray) -> Curve:
    seen = np.isfinite(y)
    return Curve(where, what, x[seen], y[seen])
