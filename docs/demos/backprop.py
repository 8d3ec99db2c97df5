"""Step through one forward and one backward pass of a network with two inputs, two hidden units and two outputs."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from docs._ext import programs
from mlpjax import backprop, mlp
from mlpjax.activations import sigmoid
from mlpjax.layers import Dense
from mlpjax.losses import sigmoid_squared_error as LOSS
from mlpjax.training import recipes

ALT = (
    "A network with two inputs, two hidden units and two outputs. Every unit shows its pre-activation z and its "
    "activation a from the forward pass and its error δ from the backward pass; every edge shows its weight and the "
    "gradient of the loss in it."
)
PARAMS = (
    Dense(np.array([[0.5, -1.0], [1.5, 0.8]]), np.array([0.2, -0.4])),
    Dense(np.array([[1.2, -0.7], [-0.6, 0.9]]), np.array([-0.3, 0.1])),
)
X, Y, RATE = np.array([1.0, 0.5]), np.array([1.0, 0.0]), 2.0


def one_pass(params, x, y, rate):
    """Forward, backward by BP1 to BP4, and one step of gradient descent: every number on the way."""
    a, z, _ = mlp.trace(params, x, activation=sigmoid)
    delta2 = backprop.bp1(z[1], y, loss=LOSS)
    delta1 = backprop.bp2(params[1].W, delta2, z[0], activation=sigmoid)
    grads = tuple(Dense(backprop.bp3(d, a), backprop.bp4(d)) for d, a in zip((delta1, delta2), a, strict=True))
    optimizer = recipes.optimizer("sgd", lambda _: rate)
    updates, _ = optimizer.update(grads, optimizer.init(params), params)
    new = optax.apply_updates(params, updates)
    return {
        "z": z,
        "a": (a[1], LOSS.output(z[1])),
        "prime": (sigmoid.prime(z[0]), sigmoid.prime(z[1])),
        "loss": LOSS.value(z[1], y),
        "delta": (delta1, delta2),
        "grads": [{"W": g.W, "b": g.b} for g in grads],
        "new": [{"W": p.W, "b": p.b} for p in new],
        "new_loss": LOSS.value(mlp.apply(new, x, activation=sigmoid), y),
    }


PROGRAMS = {"pass": (one_pass, PARAMS, X, Y, RATE)}


def reference(params, x, y, rate):
    """The same numbers without the code that the page runs: autodiff of the loss of the network as a map."""
    params, x, y = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), (params, x, y))
    loss = lambda params: LOSS.value(mlp.apply(params, x, activation=sigmoid), y)
    value, grads = jax.value_and_grad(loss)(params)
    after = loss(jax.tree.map(lambda p, g: p - rate * g, params, grads))
    found = {"loss": value, "new_loss": after, "grads": [{"W": g.W, "b": g.b} for g in grads]}
    return {"x": x.tolist(), "y": y.tolist(), "w": float(params[0].W[0, 0]), "rate": rate, **programs.plain(found)}


@programs.single
def data():
    """The program, the numbers it starts from, and JAX's gradients for three settings of the page's controls."""
    other = (PARAMS[0]._replace(W=np.array([[-1.5, -1.0], [1.5, 0.8]])), PARAMS[1])
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "params": [programs.plain(layer._asdict()) for layer in PARAMS],
        "x": X.tolist(),
        "y": Y.tolist(),
        "rate": RATE,
        "references": [
            reference(PARAMS, X, Y, RATE),
            reference(PARAMS, np.array([-0.5, 2.0]), np.array([0.0, 0.5]), 0.5),
            reference(other, X, np.array([1.0, 1.0]), 5.0),
        ],
    }


@programs.single
def draw(plt, C):
    """The network with all numbers of one pass."""
    with_dtype = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), (PARAMS, X, Y, RATE))
    out = jax.tree.map(np.asarray, one_pass(*with_dtype))
    fig, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    ax.set(xlim=(-0.35, 2.55), ylim=(-0.42, 1.42))
    ax.axis("off")
    for layer, params in enumerate(PARAMS):
        for i, j in np.ndindex(params.W.shape):
            start, end, t = np.array([layer + 0.18, 1 - j]), np.array([layer + 0.78, 1 - i]), 0.27
            at = start + t * (end - start)
            ax.plot(*zip(start, end, strict=True), color=C.faint, lw=1, zorder=0)
            text = dict(ha="center", fontsize=8, bbox=dict(boxstyle="round,pad=0.1", fc=C.paper, ec="none"))
            ax.text(at[0], at[1] + 0.02, f"{params.W[i, j]:.2f}", va="bottom", **text)
            ax.text(at[0], at[1] - 0.02, f"{out['grads'][layer]['W'][i, j]:+.3f}", va="top", color=C[3], **text)
    for j in range(2):
        ax.text(0, 1 - j, f"$x_{j + 1}$ = {X[j]:g}", ha="center", va="center", fontsize=10)
    for layer, i in np.ndindex(2, 2):
        z, a, delta = (out[name][layer][i] for name in ("z", "a", "delta"))
        for row, (text, color) in enumerate(
            ((f"z = {z:.3f}", C[0]), (f"a = {a:.3f}", C[0]), (f"δ = {delta:+.4f}", C[4]))
        ):
            ax.text(layer + 1, 1 - i + 0.13 * (1 - row), text, ha="center", va="center", fontsize=9, color=color)
    ax.text(2.42, 0.5, f"C = {out['loss']:.4f}", ha="center", va="center", fontsize=10)
    return fig
