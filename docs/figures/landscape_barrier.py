"""The loss on the way from a trained network to copies of itself."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import initializers, losses, mlp
from mlpjax.activations import tanh
from mlpjax.data import digits
from mlpjax.theory import symmetries

ALT = (
    "Loss against the position between a trained network and a copy of it. Both ends are near 0.02. For ten random "
    "permutations the loss halfway is between 0.2 and 0.43; for the copy with all signs flipped it is 2.3."
)
SIZES, EXAMPLES, STEPS = (64, 16, 10), 300, 400


@jax.jit
def paths():
    """Losses along segments to ten permuted copies and to the one with all signs flipped, shape `(11, 61)`."""
    x, y, _ = digits.load("train")
    x, y = x[:EXAMPLES] / digits.MAXIMUM, y[:EXAMPLES]

    def risk(params):
        z = jax.vmap(functools.partial(mlp.apply, activation=tanh), (None, 0))(params, x)
        return jnp.mean(jax.vmap(losses.softmax_cross_entropy.value)(z, y))

    params = mlp.init(jax.random.key(0), SIZES, weight_init=initializers.xavier_normal)
    step = lambda p, _: (jax.tree.map(lambda p, g: p - 0.5 * g, p, jax.grad(risk)(p)), None)
    params, _ = jax.lax.scan(step, params, length=STEPS)
    between = lambda copy, t: risk(jax.tree.map(lambda p, q: (1 - t) * p + t * q, params, copy))
    along = lambda copy: jax.lax.map(functools.partial(between, copy), jnp.linspace(0.0, 1.0, 61))
    orders = jax.vmap(lambda key: jax.random.permutation(key, 16))(jax.random.split(jax.random.key(1), 10))
    permuted = jax.lax.map(lambda order: along(symmetries.permute(params, 1, order)), orders)
    flipped = along(symmetries.flip_signs(params, 1, -jnp.ones(16)))
    return jnp.concatenate([permuted, flipped[None]])


def draw(plt, C):
    values, t = np.asarray(paths()), np.linspace(0, 1, 61)
    fig, ax = plt.subplots(figsize=(7, 3))
    ax.plot(t, values[:-1].T, color=C[0], lw=1.2)
    ax.plot(t, values[-1], color=C[4], lw=2)
    ax.text(0.5, values[-1].max() + 0.06, "all signs flipped", color=C[4], ha="center", va="bottom", fontsize=9)
    ax.text(0.5, values[:-1].max() + 0.06, "units permuted", color=C[0], ha="center", va="bottom", fontsize=9)
    ax.set(xlabel="position between the network and its copy", ylabel="loss", ylim=(0, values.max() + 0.35))
    ax.set_xticks([0, 0.5, 1], ["network", "halfway", "copy"])
    return fig
