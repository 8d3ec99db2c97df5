"""Singular values of the outputs of a hundred random units, for two polynomials, tanh and ReLU."""

import jax
import numpy as np

from mlpjax.activations import Activation, relu, tanh

ALT = (
    "Singular values against their number, on a logarithmic axis. Those of squares fall to the level of rounding after "
    "the 6th, those of cubes after the 10th. Those of tanh decrease steadily, those of ReLU slowly, until the last "
    "units that are active everywhere or nowhere."
)
UNITS, POINTS = 100, 400


def singular_values(activation):
    """Of units with normal weights and biases, relative to the largest."""
    w, b, x = jax.random.split(jax.random.key(0), 3)
    W, bias = jax.random.normal(w, (UNITS, 2)), jax.random.normal(b, (UNITS,))
    x = jax.random.uniform(x, (POINTS, 2), minval=-1, maxval=1)
    values = np.linalg.svd(np.asarray(activation(x @ W.T + bias)), compute_uv=False)
    return np.maximum(values / values[0], 1e-9)


def draw(plt, C):
    """One line for each activation."""
    fig, ax = plt.subplots(figsize=(7, 3))
    numbers = np.arange(1, UNITS + 1)
    cases = (
        ("$z^2$", Activation("square", lambda z: z**2), 6, C[4], (2.0, 2e-6)),
        ("$z^3$", Activation("cube", lambda z: z**3), 10, C[1], (12.0, 2e-6)),
        ("tanh", tanh, None, C[2], (40, 1e-5)),
        ("ReLU", relu, None, C[0], (60, 1e-2)),
    )
    eps = np.finfo(np.float32).eps
    ax.axhspan(1e-9, POINTS * eps, color=C.faint, alpha=0.5, lw=0)
    for name, activation, dimension, color, place in cases:
        found = singular_values(activation)
        ax.semilogy(numbers, found, color=color, lw=1.3)
        if dimension:
            ax.semilogy(numbers[:dimension], found[:dimension], "o", color=color, ms=3.5)
        ax.text(*place, name, color=color, fontsize=10)
    ax.text(99, 1.2e-5, "rounding", color=C.ink, fontsize=9, ha="right")
    ax.set(xlabel="number of the singular value", ylabel="relative size", ylim=(1e-9, 2), xlim=(0, UNITS + 1))
    ax.set_yticks((1e-8, 1e-6, 1e-4, 1e-2, 1))
    ax.minorticks_off()
    return fig
