"""The square and its chords, and what the chords miss it by."""

import jax
import jax.numpy as jnp

from mlpjax import mlp
from mlpjax.theory import sawtooth

ALT = (
    "Left: the square on the unit interval with two chords, and with four, which can hardly be told from it. Right: "
    "chords minus square for one, two and three folds. Each fold replaces a parabola by two of half the width and a "
    "quarter of the height: 1/16, 1/64, 1/256."
)


def draw(plt, C):
    """Functions on the left, errors on the right."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8))
    x = jnp.arange(257) / 256
    left.plot(x, x**2, color=C.ink, lw=1.2, label="x²")
    for k, color in ((1, C[1]), (2, C[0]), (3, C[2])):
        y = jax.vmap(mlp.apply, (None, 0))(sawtooth.square(k), x[:, None])[:, 0]
        if k < 3:
            left.plot(x, y, color=color, lw=1.5, label=f"{2**k} chords")
        right.plot(x, y - x**2, color=color, lw=1.5)
        right.text(1.03, 0.25 ** (k + 1), f"1/{4 ** (k + 1)}", color=color, va="center", fontsize=9)
    left.legend(loc="upper left", fontsize=9)
    left.set(xticks=(0, 0.5, 1), yticks=(0, 0.5, 1), xlabel="x")
    right.set(xticks=(0, 0.5, 1), yticks=(0, 0.02, 0.04, 0.06), xlabel="x", xlim=(-0.03, 1.2))
    right.set_title("chords minus x²", fontsize=10)
    return fig
