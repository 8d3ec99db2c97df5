"""The mistakes of which the network was most certain."""

from docs.figures import _mnist

ALT = (
    "Twenty-four handwritten digits that the network got wrong, each with the true digit and what the network "
    "said. Many are hard to read for a person."
)


def draw(plt, C):
    """Three rows of eight (data: mnist)."""
    found = _mnist.arrays()
    figure, ax = plt.subplots(figsize=(6.0, 3.3))
    places = _mnist.mosaic(ax, found["mistakes_x"] / 255, 8, gap=10, row_gap=18)
    for (x, y), true, said in zip(places, found["mistakes_true"], found["mistakes_said"], strict=True):
        ax.text(x, y, f"{true} → {said}", ha="center", va="bottom", fontsize=9)
    ax.set_ylim(ax.get_ylim()[0], -13)
    return figure
