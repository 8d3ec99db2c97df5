"""What each step of a 2–2–2 network does to a grid of points."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import activations, mlp
from mlpjax.layers import Dense

ALT = (
    "Four pictures of the same square grid: straight; turned and sheared by the first affine map, still straight; bent "
    "into the square from minus one to one by tanh; turned once more by the second affine map, still bent."
)
PARAMS = (
    Dense(W=jnp.array([[1.3, -0.3], [0.8, 0.9]]), b=jnp.array([0.3, -0.2])),
    Dense(W=jnp.array([[0.9, 0.8], [-0.7, 1.0]]), b=jnp.array([-0.2, 0.1])),
)
TITLES = ("$a^{(0)} = x$", "$z^{(1)}$: affine", "$a^{(1)}$: bent by $\\sigma$", "$z^{(2)}$: affine")


def lines(count=9, fine=61):
    """Points along the lines of a grid, shape (2 count, fine, 2)."""
    at, along = np.linspace(-1.6, 1.6, count), np.linspace(-1.6, 1.6, fine)
    vertical = np.stack(np.meshgrid(at, along, indexing="ij"), axis=-1)
    return jnp.asarray(np.concatenate([vertical, vertical[..., ::-1]]))


def draw(plt, C):
    trace = lambda x: mlp.trace(PARAMS, x, activation=activations.tanh)
    steps = jax.vmap(jax.vmap(trace))(lines())
    fig, axes = plt.subplots(1, 4, figsize=(6.4, 1.95))
    pictures = (steps.a[0], steps.z[0], steps.a[1], steps.z[1])
    for ax, points, title in zip(axes, pictures, TITLES, strict=True):
        half = len(points) // 2
        for k, line in enumerate(np.asarray(points)):
            ax.plot(*line.T, color=C[0] if k < half else C[1], lw=1.1)
        reach = 1.12 * float(np.abs(points).max())
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[0], yticks=[0])
        ax.tick_params(labelbottom=False, labelleft=False, length=3)
        ax.set_title(title, fontsize=11)
    return fig
