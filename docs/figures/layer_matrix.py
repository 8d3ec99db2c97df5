"""Three neurons on two inputs, and the same numbers as one product of a matrix and a vector (LAY3)."""

ALT = (
    "Left: two inputs joined to three neurons by six weights, in one color for each neuron. Right: a matrix of three "
    "rows and two columns times the input plus the biases gives three pre-activations; each row has the color of its "
    "neuron, the columns are labeled with the inputs."
)
INPUTS = ((0.0, 0.75), (0.0, -0.75))
NEURONS = ((1.9, 1.3), (1.9, 0.0), (1.9, -1.3))
ROWS = (0.8, 0.0, -0.8)


def cells(ax, plt, C, x, names, colors):
    """A column of boxes with a name in each."""
    rows = ROWS if len(names) == 3 else (0.4, -0.4)
    for y, name, color in zip(rows, names, colors, strict=True):
        box = plt.Rectangle((x - 0.36, y - 0.36), 0.72, 0.72, facecolor=C.paper, edgecolor=color, lw=1.8)
        ax.add_patch(box)
        ax.text(x, y, f"${name}$", ha="center", va="center", fontsize=12, color=color)


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(7.4, 3.1))
    ax.set_axis_off()
    ax.set_aspect("equal")
    colors = (C[0], C[1], C[2])
    for i, (end, color) in enumerate(zip(NEURONS, colors, strict=True)):
        for j, start in enumerate(INPUTS):
            ax.plot(*zip(start, end, strict=True), color=color, lw=1.8, zorder=1)
            t = 0.66 if (i, j) in ((0, 1), (2, 0)) else 0.52
            at = [s + t * (e - s) for s, e in zip(start, end, strict=True)]
            box = dict(boxstyle="square,pad=0.08", facecolor=C.paper, edgecolor="none")
            ax.text(
                *at, f"$w_{{{i + 1}{j + 1}}}$", ha="center", va="center", fontsize=10, color=color, bbox=box, zorder=2
            )
        ax.add_patch(plt.Circle(end, 0.36, facecolor=C.paper, edgecolor=color, lw=1.8, zorder=3))
        ax.text(*end, f"$z_{i + 1}$", ha="center", va="center", fontsize=12, color=color, zorder=4)
    for j, at in enumerate(INPUTS):
        ax.add_patch(plt.Circle(at, 0.36, facecolor=C.paper, edgecolor=C.ink, lw=1.8, zorder=3))
        ax.text(*at, f"$x_{j + 1}$", ha="center", va="center", fontsize=12, zorder=4)
    for j, x in enumerate((4.3, 5.06)):
        cells(ax, plt, C, x, [f"w_{{{i + 1}{j + 1}}}" for i in range(3)], colors)
        ax.text(x, 1.45, f"$x_{j + 1}$", ha="center", va="center", fontsize=12)
    ax.text(3.78, 1.45, "weight of", ha="right", va="center", fontsize=9)
    cells(ax, plt, C, 6.3, ["x_1", "x_2"], [C.ink] * 2)
    cells(ax, plt, C, 7.55, ["b_1", "b_2", "b_3"], colors)
    cells(ax, plt, C, 8.9, ["z_1", "z_2", "z_3"], colors)
    for x, sign in ((5.68, "$\\cdot$"), (6.92, "$+$"), (8.22, "$=$")):
        ax.text(x, 0, sign, ha="center", va="center", fontsize=15)
    for y, i in zip(ROWS, (1, 2, 3), strict=True):
        ax.text(3.78, y, f"neuron {i}", ha="right", va="center", fontsize=9, color=colors[i - 1])
    for x, name in ((4.68, "$W$"), (6.3, "$x$"), (7.55, "$b$"), (8.9, "$z$")):
        ax.text(x, -1.62, name, ha="center", va="center", fontsize=13)
    ax.set(xlim=(-0.45, 9.35), ylim=(-1.85, 1.85))
    return fig
