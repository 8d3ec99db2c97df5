"""What the script's network took for what."""

import numpy as np

from docs.figures import _mnist

ALT = (
    "A ten by ten table of counts. Nearly all test images lie on the diagonal; the mistakes beside it are few and"
    " scattered."
)


def draw(plt, C):
    """Counts; mistakes are shaded by their number (data: mnist)."""
    matrix = np.array(_mnist.results()["details"]["script"]["confusion"])
    figure, ax = plt.subplots(figsize=(5.2, 4.6))
    most = (matrix - np.diag(np.diag(matrix))).max()
    for i in range(10):
        for j in range(10):
            right, count = i == j, matrix[i, j]
            if count:
                shade = 0.28 if right else 0.12 + 0.33 * count / most
                square = plt.Rectangle((j - 0.48, i - 0.48), 0.96, 0.96, color=C[0] if right else C[1], alpha=shade)
                square.set_linewidth(0)
                ax.add_patch(square)
                ax.text(j, i, f"{count}", ha="center", va="center", fontsize=8.5)
    ax.set(xlim=(-0.6, 9.6), ylim=(9.6, -0.6), xlabel="said", ylabel="true", aspect="equal")
    ax.set_xticks(range(10))
    ax.set_yticks(range(10))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure
