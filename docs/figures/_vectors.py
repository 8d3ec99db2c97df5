"""Arrows and planes, for the figures that draw vectors."""


def arrow(ax, end, color, start=(0, 0), **style):
    """An arrow between two points."""
    style = {"arrowstyle": "-|>", "lw": 2.2, "mutation_scale": 15, "shrinkA": 0, "shrinkB": 0, **style}
    ax.annotate("", end, start, arrowprops=dict(color=color, **style))


def plane(ax, C, x, y):
    """Axes through the origin, with a light grid."""
    ax.set(xlim=x, ylim=y, aspect="equal", xticks=range(int(x[0]) + 1, int(x[1]) + 1), yticks=range(0, int(y[1]) + 1))
    ax.grid(True, lw=0.5)
    ax.axhline(0, color=C.ink, lw=0.8)
    ax.axvline(0, color=C.ink, lw=0.8)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
