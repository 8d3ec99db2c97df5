"""The plane through three images of MNIST: what is read there, and the regions of a small window."""

import json
import pathlib

import numpy as np

ALT = (
    "Left: a square colored by the digit that a network reads, with a dot in each of three large areas, for a 0, a 4 "
    "and a 7; between the 4 and the others lies a strip that is read as a 9. Middle and right: the same small square "
    "before and after training, cut by lines into 49 and 74 polygons; after training a border between two digits runs "
    "through it."
)
DATA = pathlib.Path(__file__).parent / "data"


def draw(plt, C):
    """A map by pixels, and two windows of polygons, written by benchmarks/regions.py."""
    from matplotlib.collections import LineCollection, PolyCollection

    about = json.loads((DATA / "regions.json").read_text("utf-8"))
    with np.load(DATA / "regions.npz") as file:
        stored = {name: file[name] for name in file.files}
    fig, axes = plt.subplots(1, 3, figsize=(7, 2.7), layout="constrained")
    low, high = -about["margin"], 1 + about["margin"]
    ticks = low + (high - low) * (np.arange(len(stored["digits"])) + 0.5) / len(stored["digits"])
    color = dict(zip(sorted(set(np.unique(stored["digits"])), key=lambda d: d not in about["digits"]), C, strict=False))
    for digit, shade in color.items():
        here = (stored["digits"] == digit).astype(float)
        axes[0].contourf(ticks, ticks, here, levels=(0.5, 2), colors=[shade], alpha=0.35)
    for (s, t), digit in zip(((0, 0), (1, 0), (0.5, 1)), about["digits"], strict=True):
        axes[0].plot(s, t, "o", color=C.ink, ms=4)
        axes[0].annotate(str(digit), (s, t), (5, 4), textcoords="offset points", fontsize=11)
    side = about["window"]
    corner = [center - side / 2 for center in about["center"]]
    axes[0].add_patch(plt.Rectangle(corner, side, side, fill=False, ec=C.ink, lw=1.2))
    axes[0].set(title="what is read", aspect="equal", xlim=(low, high), ylim=(low, high))
    for ax, when in zip(axes[1:], ("before", "after"), strict=True):
        part = {k.removeprefix(f"{when}_"): v for k, v in stored.items() if k.startswith(when)}
        rings = [part["vertices"][c] for c in np.split(part["corners"], part["starts"][1:-1])]
        faces = [color.get(digit, C[5]) for digit in part["digit"]]
        if when == "after":
            ax.add_collection(PolyCollection(rings, facecolors=faces, alpha=0.35, lw=0))
        ax.add_collection(LineCollection([np.append(r, r[:1], 0) for r in rings], colors=C.ink, lw=0.5))
        ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=f"{when}: {len(rings)} regions")
    for ax in axes:
        ax.set(xticks=(), yticks=())
    return fig
