"""Forty digits of the training set."""

from docs.figures import _mnist

ALT = (
    "Four handwritten examples of each digit from 0 to 9, in ten columns, with different slants and widths of the pen."
)


def draw(plt, C):
    """One column for each digit (data: mnist)."""
    pictures = _mnist.arrays()["samples_x"].reshape(10, 4, 28, 28).swapaxes(0, 1).reshape(40, 28, 28)
    figure, ax = plt.subplots(figsize=(6.4, 2.7))
    _mnist.mosaic(ax, pictures / 255, 10)
    return figure
