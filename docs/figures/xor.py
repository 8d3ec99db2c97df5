"""Sixty runs of gradient descent on XOR, for four and for two hidden units."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import backprop, data, losses, mlp, training
from mlpjax.activations import sigmoid
from mlpjax.training import recipes

ALT = (
    "Two panels of loss against step on logarithmic axes. With four hidden units all of sixty curves end in a "
    "straight line of slope minus one; with two hidden units 17 of the sixty stay at one quarter or one third."
)
LOSS, RATE = losses.sigmoid_squared_error, 10
APPLY = functools.partial(mlp.apply, activation=sigmoid)


def learn(key, sizes, steps):
    """The sum of the four losses at each step, and whether all four answers are right in the end."""
    optimizer = recipes.optimizer("sgd", 4.0 * RATE)
    state = training.start(key, recipes.xor.make_params(key, sizes), optimizer=optimizer)
    xor = data.toy.xor()
    objective = training.supervised(APPLY, LOSS)
    by_hand = backprop.supervised(activation=sigmoid, loss=LOSS)
    state, history = training.run(
        state, xor, objective=objective, value_and_grad=by_hand, optimizer=optimizer, steps=steps
    )
    z = jax.vmap(functools.partial(APPLY, state.params))(xor.x)
    return 4 * history.loss, jnp.all((z > 0) == (xor.y > 0.5))


def draw(plt, C):
    fig, axes = plt.subplots(1, 2, figsize=(7, 3.1), sharey=True)
    steps = 10_000
    at = np.unique(np.geomspace(1, steps, 160).astype(int)) - 1
    keys = jax.random.split(jax.random.key(0), 60)
    for ax, sizes in zip(axes, [(2, 4, 1), (2, 2, 1)], strict=True):
        curves, right = jax.jit(jax.vmap(functools.partial(learn, sizes=sizes, steps=steps)))(keys)
        curves, right = np.asarray(curves)[:, at], np.asarray(right)
        for curve, good in zip(curves, right, strict=True):
            ax.loglog(at + 1, curve, color=C[0] if good else C[4], lw=0.7, alpha=0.55)
        late = at >= 300
        ax.loglog(at[late] + 1, 1 / (0.4 * RATE * (at[late] + 1)), color=C.ink, lw=1.2, ls="--")
        ax.set_title(f"[{', '.join(map(str, sizes))}]: {right.sum()} of {right.size} learn", fontsize=10)
        ax.set(xlabel="step k", xlim=(1, steps), ylim=(1.5e-5, 2))
        ax.grid(True, lw=0.5)
    axes[0].text(450, 3e-5, "1/(0.4 ηk)", color=C.ink, ha="center")
    axes[0].set_ylabel("loss C")
    return fig
