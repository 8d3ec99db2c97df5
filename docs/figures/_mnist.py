"""What the figures of the MNIST page share: the measured numbers, and pictures that read on light and on dark paper."""

import json
import pathlib

import numpy as np

DATA = pathlib.Path(__file__).parent / "data"
BLUE, OCHRE = (0.22, 0.47, 0.83), (0.85, 0.45, 0.13)


def results():
    """The numbers that benchmarks/mnist_results.py wrote."""
    return json.loads((DATA / "mnist.json").read_text("utf-8"))


def arrays():
    """The pictures that it kept."""
    with np.load(DATA / "mnist.npz", allow_pickle=False) as file:
        return dict(file)


def colored(values):
    """Values from -1 to 1 as colors: ochre below, blue above, and more transparent the nearer to 0."""
    values = np.asarray(values, float)
    color = np.where(values[..., None] < 0, OCHRE, BLUE)
    return np.concatenate([color, np.clip(np.abs(values), 0, 1)[..., None]], axis=-1)


def mosaic(ax, pictures, columns, *, gap=4, row_gap=None):
    """Pictures in rows as one image; returns the middle of each one's upper edge."""
    n, height, width = pictures.shape
    rows = -(-n // columns)
    down, right = height + (gap if row_gap is None else row_gap), width + gap
    canvas = np.zeros((rows * down - (down - height), columns * right - gap))
    places = []
    for i, picture in enumerate(pictures):
        r, c = i // columns * down, i % columns * right
        canvas[r : r + height, c : c + width] = picture
        places.append((c + width / 2 - 0.5, r - 1.5))
    ax.imshow(colored(canvas), interpolation="none")
    ax.set_axis_off()
    return places
