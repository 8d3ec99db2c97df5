"""Bernstein polynomials and the interpolating polynomial of Runge's function; errors and bound of the former."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax.theory import density

ALT = (
    "Left: Runge's bell on [0, 1]; two Bernstein polynomials below and near it, lower at the peak; the interpolating "
    "polynomial of degree 10 swings far beyond it near both ends. Right: on logarithmic axes the error of Bernstein "
    "polynomials of a corner falls along a straight line, parallel to the bound and a little below it."
)


def draw(plt, C):
    """The functions, and the rate."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3))
    runge = lambda x: 1 / (1 + 25 * (2 * x - 1) ** 2)
    x = np.linspace(0, 1, 301)
    bernstein = jax.jit(jax.vmap(density.bernstein, (None, 0)))
    knots = np.linspace(0, 1, 11)
    through = np.polynomial.Polynomial.fit(knots, runge(knots), 10)
    left.plot(x, runge(x), color=C.ink, lw=1.6)
    for n, style in ((10, ":"), (40, "--")):
        values = jnp.asarray(runge(np.linspace(0, 1, n + 1)))
        left.plot(x, bernstein(values, jnp.asarray(x)), style, color=C[1], lw=1.8)
    left.plot(x, through(x), color=C[4], lw=1.2)
    left.plot(knots, runge(knots), "o", color=C[4], ms=3.5)
    left.set(ylim=(-0.6, 2.1), xlabel="$x$", yticks=(0, 1, 2))
    left.text(0.5, 1.72, "interpolation", color=C[4], ha="center", fontsize=9)
    left.text(0.5, 1.12, "Runge's function", color=C.ink, ha="center", fontsize=9)
    left.text(0.5, -0.35, "Bernstein", color=C[1], ha="center", fontsize=9)
    n = 2 ** np.arange(1, 9)
    corner = lambda x: np.abs(x - 0.5)
    points = jnp.linspace(0, 1, 101)
    errors = [
        np.abs(bernstein(jnp.asarray(corner(np.linspace(0, 1, k + 1))), points) - corner(points)).max() for k in n
    ]
    right.loglog(n, 1 / (2 * np.sqrt(n)), "--", color=C.ink, lw=1.2)
    right.loglog(n, errors, "o-", color=C[1], ms=4)
    right.text(20, 0.145, "bound", color=C.ink, fontsize=9)
    right.text(8, 0.06, "error", color=C[1], fontsize=9)
    right.set(xlabel="degree $n$", xticks=(2, 16, 128), xticklabels=("2", "16", "128"))
    right.set(yticks=(0.03, 0.1, 0.3), yticklabels=("0.03", "0.1", "0.3"))
    right.minorticks_off()
    right.grid(True, lw=0.5)
    return fig
