"""Which value goes where: forward, backward, and the cache between them, for a network of two layers."""

ALT = (
    "A computational graph. Forward, from left to right: x, z1, a1, z2, the loss C, with W1, b1 and W2, b2 "
    "entering at z1 and z2. Below it, from right to left: C gives delta 2 by BP1, delta 2 gives delta 1 by BP2. "
    "Below each delta stand the gradients of that layer, by BP3 and BP4. Dashed arrows carry x, z1, a1, W2 and z2 "
    "down from the forward pass."
)


def box(axes, x, y, text, color, width=0.56):
    """A value, in a rounded frame."""
    from matplotlib.patches import FancyBboxPatch

    frame = FancyBboxPatch((x - width / 2, y - 0.2), width, 0.4, boxstyle="round,pad=0.02,rounding_size=0.1")
    frame.set(facecolor="none", edgecolor=color, linewidth=1.5)
    axes.add_patch(frame)
    axes.text(x, y, text, ha="center", va="center", fontsize=12, color=color)


def arrow(axes, start, end, color, dashed=False):
    """What is used where."""
    style = dict(arrowstyle="-|>", mutation_scale=11, color=color, shrinkA=0, shrinkB=0)
    style |= dict(linewidth=1.2, linestyle=(0, (3, 2))) if dashed else dict(linewidth=1.8)
    axes.annotate("", end, start, arrowprops=style)


def draw(plt, C):
    """Three rows: parameters and values, errors, gradients."""
    fig, axes = plt.subplots(figsize=(6.2, 3.8))
    blue, red, cache = C[0], C[4], C[5]
    values = ["$x$", "$z^{(1)}$", "$a^{(1)}$", "$z^{(2)}$", "$C$"]
    for k, text in enumerate(values):
        box(axes, k, 2, text, blue)
        if k:
            arrow(axes, (k - 0.7, 2), (k - 0.31, 2), blue)
    for layer, column in enumerate((1, 3), start=1):
        box(axes, column, 2.9, f"$W^{{({layer})}}, b^{{({layer})}}$", C.ink, width=0.94)
        arrow(axes, (column, 2.67), (column, 2.24), blue)
        box(axes, column, 1, rf"$\delta^{{({layer})}}$", red)
        box(axes, column, 0, rf"$\partial W^{{({layer})}}, \partial b^{{({layer})}}$", C.ink, width=1.18)
        arrow(axes, (column, 0.77), (column, 0.25), red)
        axes.text(column + 0.08, 0.5, "BP3, BP4", fontsize=10.5, color=red, va="center")
        arrow(axes, (column, 1.77), (column, 1.25), cache, dashed=True)
    arrow(axes, (3.86, 1.76), (3.31, 1.12), red)
    arrow(axes, (2.68, 1), (1.32, 1), red)
    axes.text(3.72, 1.34, "BP1", fontsize=10.5, color=red)
    axes.text(1.66, 1.08, "BP2", fontsize=10.5, color=red)
    axes.text(1.07, 1.5, "\u03c3\u2032", fontsize=11, color=cache, va="center")
    arrow(axes, (0.1, 1.76), (0.66, 0.25), cache, dashed=True)
    arrow(axes, (2.1, 1.76), (2.68, 0.25), cache, dashed=True)
    axes.text(0.0, 1.0, r"$a^{(0)}$", fontsize=11, color=cache, va="center")
    axes.text(2.5, 1.3, r"$a^{(1)}$", fontsize=11, color=cache, va="center", ha="left")
    axes.text(1.98, 0.82, r"$(W^{(2)})^\top$", fontsize=11, color=cache, va="center", ha="center")
    axes.set(xlim=(-0.4, 4.4), ylim=(-0.3, 3.2))
    axes.axis("off")
    return fig
