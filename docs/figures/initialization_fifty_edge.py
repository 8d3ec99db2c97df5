"""The error through fifty tanh layers against the variance of the weights: the edge between vanishing and exploding."""

import jax
import jax.numpy as jnp

from mlpjax.activations import tanh
from mlpjax.theory import meanfield

ALT = (
    "Size of the error at layer 1 relative to layer 50, on a logarithmic axis, against the variance of the weights "
    "from 0.4 to 3. Without biases the line rises from 1e-10 and crosses 1 shortly above variance 1; with biases it "
    "crosses at about 1.8. Measured dots lie on both lines."
)
WIDTH, DEPTH, INPUTS = 200, 50, 16


@jax.jit
@jax.vmap
def predicted(s, b):
    """Of the whole network, from layer 50 down to layer 1."""
    q = meanfield.second_moments(tanh, weight_variance=s, bias_variance=b, depth=DEPTH - 1)
    return jnp.exp(jnp.sum(jnp.log(meanfield.gradient_factors(tanh, q, weight_variance=s))) / 2)


@jax.jit
def measured(s, b):
    """The same in one network for each pair of variances; all have the same weights, scaled."""
    kw, kb, kx, kd = jax.random.split(jax.random.key(0), 4)
    W = jax.random.normal(kw, (DEPTH, WIDTH, WIDTH)) / WIDTH**0.5
    shifts = jax.random.normal(kb, (DEPTH, WIDTH))

    def through(s, b):
        forward = lambda a, layer: (jnp.tanh(z := jnp.sqrt(s) * a @ layer[0].T + jnp.sqrt(b) * layer[1]), z)
        backward = lambda delta, layer: (jnp.sqrt(s) * delta @ layer[0] * tanh.prime(layer[1]), None)
        _, z = jax.lax.scan(forward, jax.random.normal(kx, (INPUTS, WIDTH)), (W, shifts))
        start = jax.random.normal(kd, (INPUTS, WIDTH))
        end, _ = jax.lax.scan(backward, start, (W[1:], z[:-1]), reverse=True)
        return jnp.sqrt(jnp.mean(end**2) / jnp.mean(start**2))

    return jax.vmap(through)(s, b)


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(7, 3))
    line, dots = jnp.linspace(0.4, 3, 105), jnp.linspace(0.5, 3, 11)
    for b, color, name, at in ((0.0, C[0], "no biases", (1.35, 5e1)), (0.05, C[1], "biases", (2.1, 5e-3))):
        ax.semilogy(line, predicted(line, jnp.full_like(line, b)), color=color, lw=1.6)
        ax.semilogy(dots, measured(dots, jnp.full_like(dots, b)), "o", color=color, ms=4.5)
        ax.text(*at, name, color=color, ha="right" if b == 0 else "left")
    ax.axhline(1, color=C.ink, lw=0.8, ls="--")
    ax.set(xlabel=r"$\sigma_w^2$", ylabel="error left", ylim=(1e-9, 1e4), xlim=(0.4, 3.05))
    ax.set_yticks([1e-8, 1e-4, 1, 1e4])
    ax.grid(True, lw=0.5)
    return fig
