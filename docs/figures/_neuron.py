"""What the figures of one neuron share."""


def word(ax, C, at, text, to=None, **style):
    """A label, with a thin line to what it names."""
    if to is not None:
        ax.plot(*zip(at, to, strict=True), color=C[5], lw=0.9, zorder=1)
    style = {"fontsize": 10, "zorder": 6, "bbox": dict(boxstyle="square,pad=0.15", fc=C.paper, ec="none"), **style}
    ax.text(*at, text, ha="center", va="center", **style)


def stage(plt):
    """Axes of the same size for the cell and its model."""
    fig, ax = plt.subplots(figsize=(4.6, 2.9))
    ax.set_axis_off()
    ax.set(xlim=(-3.6, 4.6), ylim=(-2.3, 2.45))
    return fig, ax
