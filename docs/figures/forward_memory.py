"""Memory and work of a gradient against depth, without and with rematerialization (FWD6); benchmarks/forward.py."""

import json
import pathlib

import numpy as np

DATA = pathlib.Path(__file__).parent / "data" / "forward.json"
ALT = (
    "Left: temporary memory against the number of layers; without rematerialization it grows along a straight line, "
    "with segments of root L layers like the root. Right: operations and time relative to no rematerialization, near "
    "four thirds."
)


def draw(plt, C):
    memory = json.loads(DATA.read_text("utf-8"))["memory"]
    rows = {(r["layers"], r["plan"]): r for r in memory["rows"]}
    depths = sorted({layers for layers, _ in rows})
    unit = 4 * memory["width"] * memory["batch"]
    fine = np.linspace(min(depths), max(depths), 200)
    fig, (left, right) = plt.subplots(1, 2, figsize=(5.6, 2.8), width_ratios=(1.25, 1))
    left.plot(fine, fine + 1, color=C[5], lw=1, ls="--")
    left.plot(fine, 2 * np.sqrt(fine), color=C[5], lw=1, ls="--")
    for plan, color, marker in (("all", C[1], "o"), ("segments", C[0], "s")):
        left.plot(depths, [rows[d, plan]["bytes"] / unit for d in depths], marker, color=color, ms=6)
    left.text(38, 50, "keep everything", color=C[1], ha="right", fontsize=10)
    left.text(64, 21, "segments of √L", color=C[0], ha="right", fontsize=10)
    left.set(xlabel="layers $L$", ylabel="activations held", xlim=(0, 67), ylim=(0, 70))
    for what, color, marker, name in (("operations", C[0], "s", "operations"), ("milliseconds", C[3], "^", "time")):
        ratios = [rows[d, "segments"][what] / rows[d, "all"][what] for d in depths]
        right.plot(depths, ratios, marker + "-", color=color, ms=5, lw=1.4, label=name)
    right.axhline(4 / 3, color=C[5], lw=1, ls="--")
    right.text(66, 1.36, "4/3", ha="right", va="bottom", fontsize=10)
    right.set(xlabel="layers $L$", ylabel="relative to keeping all", xlim=(0, 67), ylim=(1.0, 1.6))
    right.legend(loc="upper right", fontsize=10)
    return fig
