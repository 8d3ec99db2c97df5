"""Weights of four hidden units while a network learns XOR, from constant and from random weights."""

import jax
import numpy as np

from mlpjax import backprop, data, initializers, losses, mlp
from mlpjax.activations import tanh

ALT = (
    "Two panels of the eight weights of the first layer against the step. From a constant start all eight curves "
    "coincide; from Xavier weights they spread between minus three and four."
)
STEPS = 400


def weights(weight_init):
    """W of the first layer at every step, shape `(steps, hidden, in)`."""
    xor = data.toy.xor()
    value_and_grad = backprop.supervised(activation=tanh, loss=losses.binary_cross_entropy)

    def step(params, _):
        _, grads = value_and_grad(params, xor, None)
        return jax.tree.map(lambda p, g: p - g, params, grads), params[0].W

    params = mlp.init(jax.random.key(2), (2, 4, 1), weight_init=weight_init)
    return np.asarray(jax.jit(lambda params: jax.lax.scan(step, params, length=STEPS)[1])(params))


def draw(plt, C):
    fig, axes = plt.subplots(1, 2, figsize=(7, 2.8), sharey=True)
    starts = {"constant 0.5": initializers.constant(0.5), "Xavier": initializers.xavier_normal}
    for ax, (name, weight_init) in zip(axes, starts.items(), strict=True):
        W = weights(weight_init)
        for unit in range(4):
            ax.plot(W[:, unit, 0], color=C[0], lw=1.6, label="from $x_1$" if unit == 0 else None)
            ax.plot(W[:, unit, 1], color=C[1], lw=1.6, ls=(0, (3, 3)), label="from $x_2$" if unit == 0 else None)
        ax.set_title(name, fontsize=10)
        ax.set(xlabel="step")
        ax.grid(True, lw=0.5)
    axes[0].set_ylabel("weight")
    axes[0].legend(loc="lower right", fontsize=9)
    return fig
