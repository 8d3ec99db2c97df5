"""Singular values of products of random matrices: normal entries against orthogonal ones."""

import jax
import numpy as np

from mlpjax import initializers

ALT = (
    "Three quantiles of the singular values of a product of matrices against the number of factors, on a "
    "logarithmic axis. For normal entries the median falls to 1e-3 and the lowest tenth to 1e-10 after twenty "
    "factors, along the predicted lines; for orthogonal matrices all stay at 1."
)
SIZE, DEPTH, SHARES = 100, 20, (0.5, 0.25, 0.1)


def spectra(weight_init):
    """The quantiles SHARES for 1 … DEPTH factors, in double precision."""
    product, found = np.eye(SIZE), []
    with jax.enable_x64(True):
        for key in jax.random.split(jax.random.key(0), DEPTH):
            product = np.asarray(weight_init(key, (SIZE, SIZE), "float64")) @ product
            s = np.linalg.svd(product, compute_uv=False)
            found.append(np.quantile(s, SHARES))
    return np.array(found)


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(7, 3))
    layers = np.arange(1, DEPTH + 1)
    normal = spectra(initializers.variance_scaling(1.0, "fan_in", "normal"))
    for values, share in zip(normal.T, SHARES, strict=True):
        ax.semilogy(layers, share ** (layers / 2), color=C.ink, ls="--", lw=1)
        ax.semilogy(layers, values, color=C[4], lw=2)
        ax.text(DEPTH + 0.3, values[-1], f"{share:.0%}", color=C[4], va="center")
    for values in spectra(initializers.orthogonal).T:
        ax.semilogy(layers, values, color=C[2], lw=2.2)
    ax.text(11, 4, "orthogonal: all 1", color=C[2])
    ax.text(7, 1e-7, "normal entries", color=C[4], ha="right")
    ax.set(
        xlabel="layers l", ylabel="singular values", xlim=(1, DEPTH + 2), xticks=[1, 5, 10, 15, 20], ylim=(1e-11, 1e2)
    )
    ax.grid(True, lw=0.5)
    return fig
