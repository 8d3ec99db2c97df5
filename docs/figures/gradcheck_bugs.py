"""What the gradient check says of the right gradient and of six planted bugs."""

import jax
import jax.numpy as jnp

from mlpjax import gradcheck, initializers, losses, mlp
from mlpjax.activations import tanh
from mlpjax.layers import Dense

ALT = (
    "Seven rows on a logarithmic axis. The right gradient has a relative error of 4e-11, left of the dashed line "
    "at 1e-7; all six bugs lie between 0.1 and 1, far to its right."
)
LOSS = losses.half_squared_error
BUGS = {
    None: "no bug",
    "a": "off-by-one cache of a",
    "z": "off-by-one cache of z",
    "transpose": "missing transpose",
    "prime": "missing σ′",
    "mean": "wrong mean",
    "bias": "bias of one example",
}


def gradients(params, x, y, bug):
    a, z, _ = jax.vmap(lambda x: mlp.trace(params, x, activation=tanh))(x)
    delta = jax.vmap(LOSS.delta)(z[-1], y) / (1 if bug == "mean" else len(x))
    grads = []
    for l in reversed(range(len(params))):
        inputs = a[l - 1] if bug == "a" and l > 0 else a[l]
        grads.insert(0, Dense(delta.T @ inputs, delta[0] if bug == "bias" else delta.sum(0)))
        if l > 0:
            delta = delta @ (params[l].W.T if bug == "transpose" else params[l].W)
            delta = delta if bug == "prime" else delta * tanh.prime(z[l] if bug == "z" else z[l - 1])
    return tuple(grads)


def verdicts():
    """`{bug: (relative error, along one direction)}` for the network of the chapter."""
    with jax.enable_x64(True):
        k1, k2, k3 = jax.random.split(jax.random.key(0), 3)
        bias_init = initializers.normal(0.3)
        params = mlp.init(k1, (4, 4, 4, 4), weight_init=initializers.xavier_normal, bias_init=bias_init)
        x, y = jax.random.normal(k2, (8, 4)), jax.random.normal(k3, (8, 4))
        f = lambda p: jax.vmap(lambda x, y: LOSS(mlp.apply(p, x, activation=tanh), y))(x, y).mean()
        estimate = gradcheck.central_difference(f, params)
        along = jax.jit(lambda g: gradcheck.directional(f, g, params, key=jax.random.key(2)))
        found = {}
        for bug in BUGS:
            g = jax.tree.map(jnp.asarray, gradients(params, x, y, bug))
            found[bug] = float(gradcheck.distance(g, estimate)), float(along(g))
        return found


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(7, 3))
    found = verdicts()
    for row, (bug, (full, direction)) in enumerate(reversed(found.items())):
        color = C[4] if bug else C[2]
        ax.plot([1e-12, full], [row, row], color=color, lw=1, alpha=0.5)
        ax.plot([full], [row], "o", color=color, ms=7)
        ax.plot([direction], [row], "o", color=color, ms=11, mfc="none", mew=1.2)
    ax.axvline(1e-7, color=C.ink, lw=1, ls="--")
    ax.set_xscale("log")
    ax.set(xlim=(1e-12, 10), xlabel="relative error", ylim=(-0.6, len(found) - 0.4))
    ax.set_yticks(range(len(found)), [BUGS[bug] for bug in reversed(found)])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return fig
