"""Three classes, class 1 right: the downhill push on the logits, at every p of the simplex (LOS3)."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import losses
from mlpjax.activations import softmax

ALT = (
    "Two triangles whose points are the probabilities of three classes; the right class is the top corner. Left, "
    "cross-entropy: from every point an arrow points straight at the top corner and is as long as the distance to it. "
    "Right, squared error behind softmax: the arrows shrink to nothing near both wrong corners and turn aside."
)
CORNERS = np.array([[0.5, np.sqrt(0.75)], [0.0, 0.0], [1.0, 0.0]])


def grid(n=12):
    """Probabilities in the interior, at equal distances."""
    every = [(i, j, n - i - j) for i in range(1, n) for j in range(1, n - i)]
    return jnp.asarray(every) / n


def draw(plt, C):
    behind_softmax = losses.Loss("softmax_squared", lambda z, y: losses.half_squared_error(softmax(z), y))
    p = grid()
    e = jax.vmap(losses.one_hot, (0, None))(jnp.zeros(len(p), int), 3)
    figure, axes = plt.subplots(1, 2, figsize=(7, 2.9))
    panels = (
        (losses.softmax_cross_entropy, C[0], 1, "cross-entropy"),
        (behind_softmax, C[1], 3, "squared error, arrows × 3"),
    )
    for axis, (loss, color, longer, title) in zip(axes, panels, strict=True):
        delta = np.asarray(jax.vmap(loss.delta)(jnp.log(p), e))
        at, push = np.asarray(p) @ CORNERS, -longer * delta @ CORNERS
        axis.fill(*CORNERS.T, facecolor="none", edgecolor=C.faint, linewidth=1)
        axis.quiver(*at.T, *push.T, color=color, angles="xy", scale_units="xy", scale=8.5, width=0.006,
                    headwidth=3.6, headlength=4, headaxislength=3.6)  # fmt: skip
        axis.plot(*CORNERS[0], "o", color=color, markersize=6, clip_on=False)
        for (x, y), text, side in zip(CORNERS, ("right class", "wrong", "wrong"), (1, -1, 1), strict=True):
            align = "left" if side > 0 else "right"
            axis.text(x + 0.035 * side, y - 0.01, text, ha=align, va="center", fontsize=9)
        axis.set(title=title, aspect="equal", xlim=(-0.2, 1.2), ylim=(-0.05, 0.95))
        axis.axis("off")
    return figure
