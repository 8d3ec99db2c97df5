"""A 3–4–2 network with the symbols of the book on it (FWD7)."""

ALT = (
    "Three inputs, four hidden units and two outputs, joined by lines. The lines into hidden unit 2 are marked as row "
    "2 of the first weight matrix; the line from hidden unit 3 to output 1 is marked as the entry with indices 1 and 3 "
    "of the second. Below each layer stand its symbols and its width; the errors run backward."
)
SIZES = (3, 4, 2)
X = (0.0, 3.0, 6.0)


def places(layer):
    """Where the units of a layer are drawn."""
    n = SIZES[layer]
    return [(X[layer], 1.15 * ((n - 1) / 2 - i)) for i in range(n)]


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(6.4, 4.6))
    ax.set_axis_off()
    ax.set_aspect("equal")
    for l in (1, 2):
        for i, end in enumerate(places(l)):
            for j, start in enumerate(places(l - 1)):
                row, entry = (l, i) == (1, 1), (l, i, j) == (2, 0, 2)
                color = C[0] if row else C[1] if entry else C.faint
                ax.plot(*zip(start, end, strict=True), color=color, lw=2.4 if row or entry else 1.2, zorder=1)
    names = ("x_{}", "a^{{(1)}}_{}", "z^{{(2)}}_{}")
    for l, name in enumerate(names):
        for i, (x, y) in enumerate(places(l)):
            edge = C[0] if (l, i) == (1, 1) else C.ink
            ax.add_patch(plt.Circle((x, y), 0.44, facecolor=C.paper, edgecolor=edge, lw=1.8, zorder=2))
            ax.text(x, y, f"${name.format(i + 1)}$", ha="center", va="center", fontsize=13, zorder=3)
    text = dict(ha="center", va="center")
    ax.text(1.5, 2.55, "$W^{(1)}$: $4\\times 3$,  $b^{(1)}$: 4", fontsize=12, **text)
    ax.text(4.5, 2.55, "$W^{(2)}$: $2\\times 4$,  $b^{(2)}$: 2", fontsize=12, **text)
    ax.text(1.15, -1.78, "row 2 of $W^{(1)}$", fontsize=11, color=C[0], **text)
    ax.annotate("", (1.42, 0.06), (1.15, -1.55), arrowprops=dict(arrowstyle="-", color=C[0], lw=1))
    ax.text(5.1, -1.78, "$W^{(2)}_{13}$: to 1, from 3", fontsize=11, color=C[1], **text)
    ax.annotate("", (4.55, 0.02), (5.0, -1.5), arrowprops=dict(arrowstyle="-", color=C[1], lw=1))
    below = ("$a^{(0)} = x$", "$z^{(1)},\\ a^{(1)} = \\sigma(z^{(1)})$", "$z^{(2)}$, the logits")
    for x, symbol, n, l in zip(X, below, SIZES, range(3), strict=True):
        ax.text(x, -2.45, symbol, fontsize=12, **text)
        ax.text(x, -2.95, f"$n_{l} = {n}$", fontsize=12, **text)
    for x, l in ((3.0, 1), (6.0, 2)):
        ax.text(x, -3.6, f"$\\delta^{{({l})}}$", fontsize=13, color=C[4], **text)
    ax.annotate("", (3.5, -3.6), (5.5, -3.6), arrowprops=dict(arrowstyle="->", color=C[4], lw=1.6))
    ax.text(4.5, -3.35, "backward", fontsize=10, color=C[4], **text)
    ax.set(xlim=(-0.9, 7.0), ylim=(-3.9, 2.9))
    return fig
