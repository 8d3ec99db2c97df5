"""The unit circle and its image, power iteration on them, and how fast it converges (PRE7)."""

import jax.numpy as jnp
import numpy as np

from docs.figures._vectors import arrow
from mlpjax.regularizers import spectral_norm

ALT = (
    "Left: a unit circle with four directions that turn toward a dotted one. Middle: the image of the circle, an "
    "ellipse, with the images of the directions, which approach its longest half-axis. Right: the error of the angle "
    "and that of the norm against the number of steps, on a logarithmic scale; the second line is twice as steep."
)
VALUES = np.array([1.6, 1.12])  # singular values


def turn(degrees):
    """A rotation."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


U, V = turn(20), turn(50)
W, START = U * VALUES @ V.T, turn(118) @ [1.0, 0.0]


def draw(plt, C):
    fig, axes = plt.subplots(1, 3, figsize=(7, 2.7), width_ratios=(1, 1.25, 1.35), layout="constrained")
    W32, start = jnp.asarray(W, jnp.float32), jnp.asarray(START, jnp.float32)
    steps = range(9)
    runs = [spectral_norm(W32, start, steps=k) for k in steps]
    circle = np.stack([np.cos(np.linspace(0, 2 * np.pi, 200)), np.sin(np.linspace(0, 2 * np.pi, 200))])
    for ax, shape, image, title in ((axes[0], circle, np.eye(2), "$v$"), (axes[1], W @ circle, W, "$Wv$")):
        ax.plot(*shape, color=C[5], lw=1.2)
        for k in (0, 1, 2, 4):
            arrow(
                ax, image @ np.asarray(runs[k][1]), C[0], lw=1 + 0.3 * k, alpha=0.35 + 0.65 * k / 4, mutation_scale=10
            )
        axis = image @ V[:, 0]
        ax.plot(*zip(-axis, axis, strict=True), ":", color=C[4], lw=1.4, zorder=0)
        ax.set(aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.set_title(title, fontsize=12)
        ax.margins(0.08)
    right, ratio = axes[2], VALUES[1] / VALUES[0]
    v = np.stack([np.float64(v) for _, v in runs]) @ V  # in the coordinates of the singular vectors
    angle = np.abs(v[:, 1] / v[:, 0])
    gap = 1 - np.array([float(norm) for norm, _ in runs]) / VALUES[0]
    k = np.arange(len(runs))
    for name, error, predicted, color in (
        ("angle", angle, angle[0] * ratio ** (2 * k), C[0]),
        ("norm", gap, (1 - ratio**2) / 2 * (angle[0] * ratio ** (2 * k)) ** 2, C[1]),
    ):
        right.semilogy(k, predicted, color=color, lw=1.2)
        right.semilogy(k, error, "o", color=color, ms=4)
        right.text(k[-1] + 0.2, predicted[-1] * 6, name, color=color, ha="right")
    right.set(xlabel="step", xlim=(-0.4, 8.8), ylim=(1e-5, 8), xticks=[0, 2, 4, 6, 8])
    right.set_title("error", fontsize=10)
    right.grid(True, lw=0.5)
    return fig
