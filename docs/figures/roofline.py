"""Steps of training under the measured roofline of one machine; benchmarks/roofline.py."""

import json
import pathlib

import numpy as np

DATA = pathlib.Path(__file__).parent / "data" / "roofline.json"
ALT = (
    "Operations per second against operations per byte, both axes logarithmic. A slope rises to a flat roof; the "
    "points of three networks climb along it with the batch size and flatten below the roof."
)


def draw(plt, C):
    found = json.loads(DATA.read_text("utf-8"))
    peak, bandwidth = found["peak"] / 1e9, found["bandwidth"] / 1e9
    fig, ax = plt.subplots(figsize=(5.6, 3.4))
    fine = np.geomspace(0.1, 1000, 200)
    ax.loglog(fine, np.minimum(peak, bandwidth * fine), color=C[5], lw=1.6)
    for (name, points), color, marker in zip(found["nets"].items(), (C[0], C[1], C[3]), "os^", strict=True):
        across = [p["intensity"] for p in points]
        ax.loglog(across, [p["rate"] / 1e9 for p in points], marker + "-", color=color, ms=5, lw=1, label=name)
    ax.text(0.13, bandwidth * 0.13 * 1.5, f"{bandwidth:.0f} GB/s", color=C[5], fontsize=10, rotation=38)
    ax.text(900, peak * 1.08, f"{peak:.0f} GFLOP/s", color=C[5], fontsize=10, ha="right", va="bottom")
    ax.set(xlabel="operations per byte", ylabel="GFLOP/s", xlim=(0.1, 1000), ylim=(0.5, peak * 2.2))
    ax.legend(loc="lower right", fontsize=10)
    return fig
