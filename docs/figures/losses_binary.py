"""One output, target 0: what a loss costs and how hard it pushes, by the logit."""

import jax
import jax.numpy as jnp

from mlpjax import losses

ALT = (
    "Two panels over the logit z from minus 6 to 10, target 0. Left, the loss: cross-entropy keeps rising like a "
    "straight line, the squared error behind a sigmoid levels off at one half. Right, delta: under cross-entropy it "
    "rises to 1, under squared error it peaks at 4/27 where z is log 2 and falls back to 0."
)


def draw(plt, C):
    z = jnp.linspace(-6, 10, 401)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3))
    for loss, color, label in (
        (losses.binary_cross_entropy, C[0], "cross-entropy"),
        (losses.sigmoid_squared_error, C[1], "squared error"),
    ):
        value, delta = (jax.vmap(f)(z[:, None], jnp.zeros((len(z), 1))) for f in (loss.value, loss.delta))
        left.plot(z, value, color=color, label=label)
        right.plot(z, delta[:, 0], color=color)
    left.set(title="loss $C$", xlabel="logit $z$", ylim=(0, 5), yticks=[0, 0.5, 1, 2, 3, 4, 5])
    left.set_yticklabels(["0", "½", "1", "2", "3", "4", "5"])
    left.legend(loc="upper left")
    right.set(title="error $\\delta$", xlabel="logit $z$", ylim=(0, 1.08), yticks=[0, 4 / 27, 0.5, 1])
    right.set_yticklabels(["0", "4/27", "½", "1"])
    right.plot([jnp.log(2)], [4 / 27], "o", color=C[1], markersize=6)
    right.axhline(4 / 27, color=C.faint, linewidth=1, zorder=0)
    right.annotate(
        "sure and wrong:\nno push",
        (8.2, 0.01),
        (5.3, 0.33),
        fontsize=9,
        arrowprops={"arrowstyle": "->", "color": C.ink},
    )
    return figure
