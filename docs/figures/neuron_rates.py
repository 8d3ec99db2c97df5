"""Three neurons at several learning rates: where the rate matters and where it does not."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import backprop, data, neuron
from mlpjax.layers import Dense
from mlpjax.losses import binary_cross_entropy, half_squared_error

ALT = (
    "Left: mistakes of the perceptron rule so far, for the rates 0.01, 1 and 100: one curve. Middle: the first weight "
    "of the linear neuron; at a hundredth of the critical rate it crawls, at half of it it settles at once, at 0.95 "
    "it swings and settles, at 1.03 it swings ever more. Right: the loss of the logistic neuron at three rates."
)
SHARES = {"0.01": 0.01, "0.5": 0.5, "0.95": 0.95, "1.03": 1.03}


def descend(loss, rate, steps):
    """First weight and loss of a one-layer network before each step of gradient descent on all mushrooms."""
    x, y, _ = data.toy.mushrooms()

    def step(params, _):
        value, grads = backprop.value_and_grad(params, x, y, activation=(), loss=loss)
        return jax.tree.map(lambda p, g: p - rate * g, params, grads), (params[0].W[0, 0], value)

    return jax.lax.scan(step, (Dense(jnp.zeros((1, 2)), jnp.zeros(1)),), length=steps)[1]


def runs(loss, rates, steps):
    """The same for several rates."""
    return map(np.asarray, jax.jit(jax.vmap(lambda rate: descend(loss, rate, steps)))(jnp.asarray(rates, float)))


def critical():
    """2/λmax of the linear neuron."""
    a = np.c_[np.asarray(data.toy.mushrooms().x, float), np.ones(24)]
    return 2 / np.linalg.eigvalsh(a.T @ a / 24)[-1]


def draw(plt, C):
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(8.4, 2.9))
    mushrooms, colors = data.toy.mushrooms(), (C[1], C[2], C[0], C[4])
    learn = lambda rate: neuron.learn(neuron.zeros(2), mushrooms, epochs=5, rate=rate)[1].errors
    mistakes = np.asarray(jax.jit(jax.vmap(learn))(jnp.array([0.01, 1.0, 100.0]))) != 0
    for row, width, color in zip(mistakes.reshape(3, -1), (7, 4, 1.4), colors[:3], strict=True):
        left.plot(np.append(0, row.cumsum()), color=color, lw=width, solid_capstyle="butt")
    left.set(title="threshold", xlabel="examples", ylabel="mistakes")
    left.legend(["0.01", "1", "100"], title=r"$\eta$", fontsize=9, loc="lower right")
    weights, _ = runs(half_squared_error, critical() * np.array([*SHARES.values()]), 31)
    for curve, color, name in zip(weights, colors, SHARES, strict=True):
        middle.plot(curve, color=color, lw=1.7, label=name)
    middle.set(title="linear", xlabel="step", ylabel="$w_1$", xlim=(0, 30), ylim=(-1.3, 2.6))
    middle.legend(title=r"$\eta\,\lambda_{\max}/2$", fontsize=9, ncols=2, loc="upper left", handlelength=1.2)
    rates = (0.02, 2.0, 20.0)
    _, losses = runs(binary_cross_entropy, rates, 300)
    for curve, color, eta in zip(losses, colors[:3], rates, strict=True):
        right.loglog(np.arange(1, 301), curve, color=color, lw=1.7, label=f"{eta:g}")
    right.set(title="logistic", xlabel="step", ylabel="loss")
    right.legend(title=r"$\eta$", fontsize=9, loc="lower left", handlelength=1.2)
    return fig
