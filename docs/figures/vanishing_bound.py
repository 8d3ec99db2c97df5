"""How tight the bound on a layer's gradient is: the gradient divided by the bound, against the layers behind."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import gradflow, initializers, losses, mlp
from mlpjax.activations import relu, tanh

ALT = (
    "Gradient divided by its bound against the number of layers behind, on a logarithmic axis, for 24 networks of each "
    "kind. Nothing exceeds 1. With orthogonal weights and tanh it stays above 0.2; with orthogonal weights and ReLU it "
    "falls to a fiftieth; with normal weights it falls along straight lines, by a half or more per layer."
)
LAYERS, WIDTH, NETS = 14, 64, 24
FAST = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
normal = initializers.variance_scaling(1.0, "fan_in", "normal")
LOSS = losses.half_squared_error


@functools.partial(jax.jit, static_argnames="activation", compiler_options=FAST)
@functools.partial(jax.vmap, in_axes=(0, 0, 0, None))
def ratios(params, x, y, activation):
    """‖∇C‖ of each layer over its bound, the last layer first."""
    settings = dict(activation=activation, loss=LOSS)
    flow = gradflow.trace(params, x[None], y[None], **settings)
    return (jnp.hypot(flow.W, flow.delta) / gradflow.bound(params, x, y, **settings))[::-1]


def networks(weight_init, gain):
    """Parameters, inputs and targets of several random networks."""

    def one(key):
        params = mlp.init(key, (WIDTH,) * (LAYERS + 1), weight_init=weight_init)
        return jax.tree.map(lambda v: gain * v, params)

    keys = jax.random.split(jax.random.key(0), NETS)
    return jax.vmap(one)(keys), *jax.random.normal(jax.random.key(1), (2, NETS, WIDTH))


def draw(plt, C):
    """Medians and the range from the 5th to the 95th of 100."""
    fig, ax = plt.subplots(figsize=(7, 3.2))
    cases = (
        ("tanh, orthogonal", tanh, initializers.orthogonal, 1.0, C[2]),
        ("ReLU, orthogonal", relu, initializers.orthogonal, 2**0.5, C[0]),
        ("tanh, normal", tanh, normal, 1.0, C[1]),
        ("ReLU, normal", relu, normal, 2**0.5, C[4]),
    )
    behind = np.arange(LAYERS)
    for name, activation, weight_init, gain, color in cases:
        found = np.asarray(ratios(*networks(weight_init, gain), activation))
        low, middle, high = np.quantile(found, (0.05, 0.5, 0.95), axis=0)
        ax.fill_between(behind, low, high, color=color, alpha=0.2, lw=0)
        ax.semilogy(behind, middle, color=color, lw=1.8)
        per_layer = (middle[-1] / middle[1]) ** (1 / (LAYERS - 2))
        ax.text(LAYERS - 0.7, middle[-1], f"{name}: {per_layer:.2f}", color=color, va="center", fontsize=9)
    ax.axhline(1, color=C.ink, lw=1, ls="--")
    ax.set(xlabel="layers behind", ylabel="gradient / bound", xlim=(0, LAYERS + 5.2), xticks=range(0, LAYERS, 4))
    ax.grid(True, lw=0.5)
    return fig
