"""The time of the forward pass, by way of computing it and by size of the batch (FWD5); benchmarks/forward.py."""

import json
import pathlib

DATA = pathlib.Path(__file__).parent / "data" / "forward.json"
ALT = (
    "Above: microseconds for one example on a logarithmic scale, from Python loops, the slowest, to one compiled "
    "batch, the fastest. Below: microseconds for one example against the size of the batch; the curve falls "
    "and then flattens."
)
SHORT = {
    "Python loop over weights": ("Python, weights", 4),
    "NumPy, one unit at a time": ("NumPy, units", 1),
    "NumPy, one example at a time": ("NumPy, examples", 1),
    "NumPy, batch": ("NumPy, batch", 1),
    "JAX, one example at a time": ("jit, examples", 0),
    "JAX, batch, not compiled": ("vmap, no jit", 0),
    "JAX, batch, compiled": ("vmap and jit", 0),
}


def draw(plt, C):
    report = json.loads(DATA.read_text("utf-8"))
    fig, (above, below) = plt.subplots(2, 1, figsize=(5.2, 4.7), height_ratios=(1.35, 1))
    times = report["ways"]["microseconds"]
    for k, (name, (_, color)) in enumerate(SHORT.items()):
        above.barh(-k, times[name], color=C[color], height=0.62)
        above.text(times[name] * 1.15, -k, f"{times[name]:,.{0 if times[name] >= 10 else 1}f}", va="center", fontsize=9)
    above.set_yticks([-k for k in range(len(SHORT))], [label for label, _ in SHORT.values()])
    above.set(xscale="log", xlim=(0.3, 2e4), xlabel="µs per example")
    above.tick_params(axis="y", length=0)
    rows = report["batches"]["rows"]
    below.loglog([r["batch"] for r in rows], [r["microseconds"] for r in rows], "o-", color=C[0], ms=5)
    below.set(xlabel="batch size", ylabel="µs per example")
    below.set_xticks([1, 16, 256, 4096], ["1", "16", "256", "4096"])
    below.set_yticks([1, 3, 10, 30], ["1", "3", "10", "30"])
    below.minorticks_off()
    below.grid(axis="y", which="major")
    return fig
