"""How far apart ways of computing one and the same gradient are, for forty random networks."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import backprop, gradcheck, losses, mlp
from mlpjax.activations import tanh

ALT = (
    "Relative differences between gradients on a logarithmic axis, forty networks each. By hand against autodiff in "
    "double precision: about 1e-16. By hand in single precision against double: about 1e-7. Central differences in "
    "double precision: about 1e-10. Central differences in single precision: about 5e-5."
)
SIZES, BATCH, NETWORKS = (6, 10, 10, 3), 8, 40
LOSS = losses.softmax_cross_entropy


def risk(params, x, y):
    """The mean loss."""
    z = jax.vmap(functools.partial(mlp.apply, params, activation=tanh))(x)
    return jnp.mean(jax.vmap(LOSS.value)(z, y))


def gradients(params, x, y):
    """One gradient, three ways."""
    _, hand = backprop.value_and_grad(params, x, y, activation=tanh, loss=LOSS)
    differences = gradcheck.central_difference(functools.partial(risk, x=x, y=y), params)
    return hand, jax.grad(risk)(params, x, y), differences


def distances():
    """`{label: forty relative differences}`."""
    keys = jax.random.split(jax.random.key(0), 3)
    params = jax.vmap(lambda key: mlp.init(key, SIZES))(jax.random.split(keys[0], NETWORKS))
    x = jax.random.normal(keys[1], (NETWORKS, BATCH, SIZES[0]))
    y = jax.random.randint(keys[2], (NETWORKS, BATCH), 0, SIZES[-1])
    single = jax.jit(jax.vmap(gradients))(params, x, y)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), (params, x))
        hand, auto, differences = jax.jit(jax.vmap(gradients))(*wide, y)
        single = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), single)
        distance = jax.vmap(gradcheck.distance)
        found = {
            "by hand, float64": distance(hand, auto),
            "central differences, float64": distance(differences, auto),
            "by hand, float32": distance(single[0], auto),
            "central differences, float32": distance(single[2], auto),
        }
        return {name: np.asarray(values) for name, values in found.items()}


def draw(plt, C):
    """A strip of dots for each way."""
    fig, axes = plt.subplots(figsize=(7, 2.5))
    spread = np.linspace(-0.22, 0.22, NETWORKS)
    for k, (name, values) in enumerate(distances().items()):
        color = C[0] if "hand" in name else C[1]
        axes.semilogx(np.maximum(values, 1e-17), spread - k, "o", color=color, ms=3.5, alpha=0.7)
        axes.text(3e-3, -k, name.replace(", ", ",\n"), va="center", ha="left", fontsize=9.5, color=color)
    for u, name in ((2.0**-53, "$u$, float64"), (2.0**-24, "$u$, float32")):
        axes.axvline(u, color=C[5], lw=1, ls="--")
        axes.text(u, 0.55, name, ha="center", va="bottom", fontsize=9.5, color=C[5])
    axes.set(
        xlim=(1e-17, 2e-3),
        ylim=(-3.5, 0.5),
        yticks=[],
        xlabel="relative difference from jax.grad in float64",
        xticks=[1e-16, 1e-13, 1e-10, 1e-7, 1e-4],
    )
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", alpha=0.6, lw=0.5)
    return fig
