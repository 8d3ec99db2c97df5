"""Gradients on level sets, and the slope in every direction at one point (PRE5)."""

import jax
import jax.numpy as jnp
import numpy as np

from docs.figures._vectors import arrow
from mlpjax import gradcheck

ALT = (
    "Left: closed level curves of a function of two variables; at eight points of one of them the gradient is drawn as "
    "an arrow at a right angle to the curve, longer where the curves lie closer. Right: the slope at one point against "
    "the direction is a cosine with its maximum in the direction of the gradient and zeros 90 degrees from it."
)
POINT = np.array([1.6, 0.7])


def F(x):
    return x[0] ** 2 / 4 + x[1] ** 2 / 2 + jnp.exp((x[0] + x[1]) / 2) / 4


@jax.vmap
def slopes(u):
    """The slope at POINT in the direction u, by a difference quotient."""
    return gradcheck.central_difference(lambda t: F(POINT + t * u), jnp.zeros(()), eps=1e-2)


def draw(plt, C):
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3.1), width_ratios=(1.2, 1), layout="constrained")
    x, y = np.meshgrid(np.linspace(-3.3, 3, 120), np.linspace(-2.4, 2.3, 100))
    values = np.asarray(F(jnp.stack([x, y])))
    at = float(F(jnp.asarray(POINT)))
    left.contour(x, y, values, levels=[0.4, 0.7, 1.1, at, 2.4, 3.2, 4.2], colors=[C.faint], linewidths=1)
    curve = left.contour(x, y, values, levels=[at], colors=[C[0]], linewidths=2).allsegs[0][0]
    places = np.stack([POINT, *curve[:: len(curve) // 7][:7]])
    gradients = np.asarray(jax.jit(jax.vmap(jax.grad(F)))(jnp.asarray(places)))
    for place, gradient in zip(places, gradients, strict=True):
        arrow(left, place + 0.55 * gradient, C[4], place, lw=1.8, mutation_scale=11)
    left.plot(*POINT, "o", color=C[4], ms=6)
    left.set(xlim=(-3.3, 3), ylim=(-2.4, 2.3), aspect="equal", xticks=[], yticks=[])
    left.set_title("gradients on a level set", fontsize=10)
    length, toward = np.hypot(*gradients[0]), np.arctan2(*gradients[0][::-1])
    turn, angles = np.linspace(-np.pi, np.pi, 181), np.radians(np.arange(-180, 181, 30))
    right.axhline(0, color=C[5], lw=0.8)
    right.plot(np.degrees(turn), length * np.cos(turn), color=C[4], lw=1.8)
    directions = np.stack([np.cos(toward + angles), np.sin(toward + angles)], 1)
    right.plot(np.degrees(angles), slopes(directions), "o", color=C.paper, mec=C[4], mew=1.5, ms=5)
    right.set(xlabel="angle to the gradient", ylabel="slope", xticks=[-180, -90, 0, 90, 180])
    right.set_title("slope in each direction", fontsize=10)
    right.grid(True, lw=0.5)
    return fig
