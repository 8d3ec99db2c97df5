"""Times of rivals relative to ours, with their intervals; benchmarks/performance.py."""

import json
import pathlib

DATA = pathlib.Path(__file__).parent / "data" / "performance.json"
SHOWN = {
    "mlpjax": "mlpjax",
    "equinox.idiom": "Equinox, its loop",
    "equinox.scan": "Equinox, a scan",
    "nnx.idiom_functional": "Flax NNX, its loop",
    "nnx.scan": "Flax NNX, a scan",
    "pytorch.eager": "PyTorch, eager",
    "pytorch.compiled": "PyTorch, compiled",
    "scikit.fit": "scikit-learn",
}
ALT = (
    "Horizontal bars of times relative to mlpjax for two networks: the scans of Equinox and Flax NNX lie near 1, their "
    "loops in Python, PyTorch and scikit-learn above."
)


def draw(plt, C):
    results = json.loads(DATA.read_text("utf-8"))
    shown = [n for n in SHOWN if any(row["name"] == n for row in results["epoch"]["rows"])]
    fig, axes = plt.subplots(1, 2, figsize=(5.6, 2.9), sharey=True)
    for ax, name, title in zip(axes, ("epoch", "epoch-512"), ("[784, 128, 10]", "[784, 512, 512, 10]"), strict=True):
        rows = {row["name"]: row["ratio"] for row in results[name]["rows"]}
        for y, n in [(y, n) for y, n in enumerate(shown) if n in rows]:
            low, mid, high = (rows[n][k] for k in ("low", "median", "high"))
            ax.barh(y, mid, color=C[0] if n == "mlpjax" else C[1], height=0.62)
            ax.plot([low, high], [y, y], color=C[5], lw=1.4)
        ax.axvline(1, color=C[5], lw=1, ls="--")
        ax.set(xlabel="time relative to mlpjax", title=title, yticks=range(len(shown)))
        ax.set_yticklabels([SHOWN[n] for n in shown])
    axes[0].invert_yaxis()
    return fig
