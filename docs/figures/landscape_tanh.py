"""The loss ½ tanh² of a network with one weight, its tangent slope's slope, and where the curvature changes sign."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import losses, mlp
from mlpjax.activations import tanh
from mlpjax.layers import Dense

ALT = (
    "Left: the loss of a in minus three to three, a bowl that flattens on both sides; a chord from its wall to its "
    "plateau runs below the curve. Right: its second derivative, positive between minus 0.658 and 0.658, negative "
    "outside."
)


def loss(a):
    """½(tanh(a·1) − 0)², by the package: one unit with weight a, output weight 1."""
    params = (Dense(jnp.reshape(a, (1, 1)), jnp.zeros(1)), Dense(jnp.ones((1, 1)), jnp.zeros(1)))
    return losses.half_squared_error(mlp.apply(params, jnp.ones(1), activation=tanh), jnp.zeros(1))


def draw(plt, C):
    a = jnp.linspace(-3, 3, 401)
    values, curvature = (np.asarray(jax.jit(jax.vmap(f))(a)) for f in (loss, jax.grad(jax.grad(loss))))
    bend = float(np.arctanh(1 / np.sqrt(3)))
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8))
    ends = np.asarray([0.5, 2.8])
    left.plot(ends, np.interp(ends, a, values), "o--", color=C[4], lw=1.4, ms=4)
    left.text(1.55, 0.13, "chord below\nthe curve", color=C[4], fontsize=9)
    for ax, y, title in ((left, values, "$L(a)=\\frac{1}{2}\\tanh^2 a$"), (right, curvature, "$L''(a)$")):
        ax.plot(a, y, color=C[0], lw=2)
        for s in (-bend, bend):
            ax.axvline(s, color=C[5], lw=0.8, ls=":")
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("$a$")
        ax.set_xticks([-3, -bend, bend, 3], ["−3", "−0.66", "0.66", "3"])
    right.axhline(0, color=C.faint, lw=0.8)
    right.fill_between(a, curvature, 0, where=curvature < 0, color=C[4], alpha=0.25, lw=0)
    return fig
