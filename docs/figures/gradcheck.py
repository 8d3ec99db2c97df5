"""The error of difference quotients against their step: two V-shaped curves, one with a single arm."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from mlpjax import gradcheck, initializers, losses, mlp
from mlpjax.activations import tanh

ALT = (
    "Four curves of relative error against the step on logarithmic axes. The central difference in double "
    "precision is a V with its lowest point near 6e-6, the one-sided one a V that is shallower, the one in single "
    "precision a V far higher; the complex step falls and stays near 1e-16."
)


def problem(dtype):
    k1, k2, k3 = jax.random.split(jax.random.key(0), 3)
    bias_init = initializers.normal(0.3)
    params = mlp.init(k1, (4, 4, 4, 4), weight_init=initializers.xavier_normal, bias_init=bias_init)
    x, y = jax.random.normal(k2, (8, 4)), jax.random.normal(k3, (8, 4))
    params, x, y = jax.tree.map(lambda v: v.astype(dtype), (params, x, y))

    def f(params):
        z = jax.vmap(lambda x: mlp.apply(params, x.astype(params[0].W.dtype), activation=tanh))(x)
        return jax.vmap(losses.half_squared_error)(z, y.astype(z.dtype)).mean()

    return f, params


def one_sided(f, params, *, eps):
    theta, unravel = ravel_pytree(params)
    return unravel(jax.vmap(lambda e: (f(unravel(theta + eps * e)) - f(params)) / eps)(jnp.eye(theta.size)))


def curve(estimate, dtype, steps):
    f, params = problem(dtype)
    exact = jax.grad(f)(params)
    error = jax.jit(jax.vmap(lambda eps: gradcheck.distance(estimate(f, params, eps=eps), exact)))
    return np.asarray(error(jnp.asarray(steps, dtype)))


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(7, 3.6))
    with jax.enable_x64(True):
        steps = np.logspace(-12, -0.5, 93)
        single = np.logspace(-6, -0.5, 45)
        lines = [
            ("central, single precision", single, curve(gradcheck.central_difference, "float32", single), C[4], -1 / 3),
            ("one-sided", steps, curve(one_sided, "float64", steps), C[1], -1 / 2),
            ("central", steps, curve(gradcheck.central_difference, "float64", steps), C[0], -1 / 3),
            ("complex step", steps, curve(gradcheck.complex_step, "float64", steps), C[2], None),
        ]
    for name, x, errors, color, power in lines:
        ax.loglog(x, errors, color=color, lw=1.8)
        if power:
            u = np.finfo("float32" if "single" in name else "float64").eps
            at = u**-power
            ax.loglog([at], [np.exp(np.interp(np.log(at), np.log(x), np.log(errors)))], "o", color=color, ms=6)
    for text, place, color in [
        ("single precision", (3e-6, 0.3), C[4]),
        ("one-sided", (7e-6, 1.2e-7), C[1]),
        ("central", (2e-12, 2e-6), C[0]),
        ("complex step", (2e-12, 6e-16), C[2]),
    ]:
        ax.text(*place, text, color=color)
    ax.set(xlabel="step ε", ylabel="relative error", xlim=(1e-12, 0.4), ylim=(2e-17, 2))
    ax.grid(True, lw=0.5)
    return fig
