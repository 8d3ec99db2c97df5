"""ReLU, leaky ReLU and ELU, and what their slopes do at the kink."""

import jax.numpy as jnp
import numpy as np

from mlpjax import activations

ALT = (
    "Left: ReLU is 0 on the left and the diagonal on the right; leaky ReLU with α = 0.2 falls with slope 0.2 on the "
    "left; ELU with α = 2 bends down to −2. Right: the slopes of ReLU and leaky ReLU jump up at 0 to 1; that of ELU "
    "with α = 2 rises to 2 and jumps down to 1; that of ELU with α = 1 rises to 1 and has no jump."
)


def draw(plt, C):
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.1))
    below, above = jnp.linspace(-4, 0, 161), jnp.linspace(1e-6, 3, 121)
    x = jnp.concatenate([below, jnp.array([jnp.nan]), above])
    shown = [
        (activations.relu, C[0], "ReLU", "-"),
        (activations.leaky_relu(0.2), C[2], "leaky, α = 0.2", "-"),
        (activations.elu(1.0), C[3], "ELU, α = 1", "--"),
        (activations.elu(2.0), C[1], "ELU, α = 2", "-"),
    ]
    for a, color, label, style in shown:
        value, slope = (np.where(np.isnan(x), np.nan, f(x)) for f in (a.fn, a.prime))
        left.plot(x, value, color=color, ls=style, label=label)
        right.plot(x, slope, color=color, ls=style)
        right.plot(0, a.prime(jnp.zeros(())), "o", color=color, ms=5)
    left.legend(loc="upper left", fontsize=10)
    left.set(title="value", xlabel="$x$", yticks=[-2, -1, 0, 1, 2, 3], xlim=(-4, 3))
    right.set(title="slope; the dot is its value at 0", xlabel="$x$", yticks=[0, 0.2, 1, 2], xlim=(-4, 3))
    right.set_yticklabels(["0", "0.2", "1", "2"])
    return fig
