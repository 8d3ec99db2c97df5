"""How many activations are held at each moment of a gradient, without and with rematerialization (FWD6)."""

ALT = (
    "Two curves over the steps of a gradient of a network with 16 layers. One rises to 16 and falls again. The other, "
    "with segments of four layers, rises to 4 and then goes up and down in teeth that never exceed 7."
)
L, K = 16, 4


def plain(length):
    """Every activation is kept until the backward step that uses it."""
    return [*range(1, length + 1), *range(length - 1, -1, -1)]


def segments(length, size):
    """Only the ends of segments are kept; each segment is computed again when the backward pass reaches it."""
    counts, ends = [], 0
    for l in range(1, length + 1):
        ends += l % size == 0
        counts.append(ends + (l % size > 0))
    for start in reversed(range(0, length, size)):
        ends = start // size
        counts += [ends + k for k in range(1, size + 1)]
        counts += [ends + k for k in reversed(range(size))]
    return counts


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(6.2, 2.8))
    for counts, color, name in ((plain(L), C[1], "keep everything"), (segments(L, K), C[0], "segments of 4 layers")):
        ax.step(range(1, len(counts) + 1), counts, where="mid", color=color, label=name)
        ax.axhline(max(counts), color=color, lw=1, ls=":")
    ax.axvline(L + 0.5, color=C[5], lw=1)
    ax.text(L - 0.3, 17.0, "forward", ha="right", va="center", fontsize=10)
    ax.text(L + 1.3, 17.0, "backward", ha="left", va="center", fontsize=10)
    ax.set(xlabel="step", ylabel="activations held", ylim=(0, 18), xlim=(0.5, 3 * L + 1), yticks=[0, 4, 8, 12, 16])
    ax.legend(loc="upper right", bbox_to_anchor=(1, 0.9), fontsize=10)
    return fig
