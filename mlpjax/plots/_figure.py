"""What all pictures share: a figure without pyplot, quiet axes, colors."""

from mlpjax._types import Any

BLUE, ORANGE, GREEN, PINK, YELLOW, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
INK, GRID = "#333333", "#E3E3E3"


def figure(width: float, height: float) -> Any:
    """An empty figure of so many inches, or how to install what draws it."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("Pictures need matplotlib: `pip install 'mlpjax[plots]'`.") from error
    return Figure(figsize=(width, height), dpi=150, layout="constrained", facecolor="white")


def clean(ax: Any, title: str, xlabel: str, ylabel: str = "") -> None:
    """No frame, small gray ticks, the title at the left."""
    ax.set_title(title, loc="left", fontsize=11, color=INK)
    ax.set_xlabel(xlabel, fontsize=10, color=INK)
    ax.set_ylabel(ylabel, fontsize=10, color=INK)
    ax.tick_params(labelsize=9, colors=INK, length=3)
    ax.spines[:].set_visible(False)
