"""Histograms of activations, layer by layer, for five choices of weights."""

import jax
import numpy as np

from mlpjax import initializers, mlp
from mlpjax.activations import relu, tanh

ALT = (
    "Five columns of histograms in layers 1, 5, 10, 20 and 30. Tanh with small weights collapses to a spike at 0, "
    "with large weights it piles up at plus and minus 1, with Xavier it narrows slowly. ReLU keeps its spread "
    "with He weights and collapses with Xavier."
)
WIDTH, LAYERS = 256, (1, 5, 10, 20, 30)
CASES = {
    "tanh\nvariance 0.5/n": (tanh, 0.5),
    "tanh\nvariance 4/n": (tanh, 4.0),
    "tanh\n1/n (Xavier)": (tanh, 1.0),
    "ReLU\n1/n (Xavier)": (relu, 1.0),
    "ReLU\n2/n (He)": (relu, 2.0),
}
KEEP = ("tanh\n1/n (Xavier)", "ReLU\n2/n (He)")


def activations(activation, scale):
    """a in every hidden layer, for 64 normal inputs."""
    weight_init = initializers.variance_scaling(scale)
    params = mlp.init(jax.random.key(0), (WIDTH,) * (max(LAYERS) + 2), weight_init=weight_init)
    x = jax.random.normal(jax.random.key(1), (64, WIDTH))
    return jax.vmap(lambda x: mlp.trace(params, x, activation=activation).a)(x)


def draw(plt, C):
    fig, axes = plt.subplots(len(LAYERS), len(CASES), figsize=(8.4, 4.4))
    for column, (name, (activation, scale)) in enumerate(CASES.items()):
        a = activations(activation, scale)
        low, high = (-1, 1) if activation == tanh else (0, 3)
        bins = np.linspace(low, high, 42)
        for row, layer in enumerate(LAYERS):
            ax = axes[row, column]
            values = np.asarray(a[layer]).ravel()
            # half of ReLU's values are exactly 0 and would flatten the rest
            counts, _ = np.histogram(values[values > 0] if low == 0 else values, bins)
            color = C[2] if name in KEEP else C[4]
            ax.stairs(counts / counts.max(), bins, fill=True, color=color, alpha=0.85)
            ax.set(xlim=(low, high), ylim=(0, 1.05), yticks=[])
            ax.spines["left"].set_visible(False)
            ax.set_xticks([low, 0, high] if low else [0, high])
            ax.tick_params(labelbottom=row == len(LAYERS) - 1, labelsize=9)
            if column == 0:
                ax.set_ylabel(f"layer {layer}", rotation=0, ha="right", va="center", fontsize=9)
        axes[0, column].set_title(name, fontsize=9.5)
    return fig
