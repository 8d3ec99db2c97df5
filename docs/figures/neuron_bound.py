"""Mistakes against the bound, for random problems and for the worst ones."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import data, neuron
from mlpjax.data import Dataset

ALT = (
    "Mistakes of the perceptron rule against the bound, both axes logarithmic. All dots lie on or below the diagonal: "
    "those of problems in 2 dimensions far below, in 100 dimensions less far, and simplices on it."
)
INPUTS, SIMPLICES = (2, 20, 100), (3, 6, 12, 25, 50)
MARGINS, SEEDS = (0.02, 0.2, 0.6, 2.0), 8


def blobs(inputs):
    """One problem for each margin and seed, with zeros for the inputs up to the largest number."""
    keys = jax.random.split(jax.random.key(inputs), (len(MARGINS), SEEDS))
    draw = lambda key, margin: data.toy.blobs(key, 50, margin=margin, inputs=inputs)
    x, y, _ = jax.jit(jax.vmap(jax.vmap(draw, (0, None))))(keys, jnp.array(MARGINS))
    return Dataset(
        jnp.pad(x.reshape(-1, 50, inputs), ((0, 0), (0, 0), (0, max(INPUTS) - inputs))), y.reshape(-1, 50, 1)
    )


def run(problem):
    """Bound and mistakes."""
    _, history = neuron.learn(neuron.zeros(max(INPUTS)), problem, epochs=40)
    return neuron.mistake_bound(neuron.separator(problem, steps=200), problem), (history.errors != 0).sum()


def simplex(n):
    """The same for n examples that are at right angles once the 1 is added; a hair more than right."""
    values, vectors = np.linalg.eigh(n * np.eye(n) - 1)
    x = np.zeros((50, 100), np.float32)
    x[:n, :n] = 1.0001 * vectors * np.sqrt(np.maximum(values, 0))
    x[n:] = x[0]  # the rest repeats the first
    return Dataset(jnp.asarray(x)[None], jnp.zeros((1, 50, 1)))


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    ends = np.array([1, 4000])
    ax.loglog(ends, ends, color=C.ink, lw=1.4)
    ax.text(70, 88, "bound", fontsize=9.5, ha="right")
    groups = [*map(blobs, INPUTS), jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *map(simplex, SIMPLICES))]
    bound, mistakes = jax.jit(jax.vmap(run))(jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *groups))
    ends = np.cumsum([len(group.x) for group in groups])
    looks = zip((C[0], C[2], C[3], C[4]), "o^Ds", [*(f"{n} inputs" for n in INPUTS), "simplices"], strict=True)
    for group, end, (color, marker, name) in zip(groups, ends, looks, strict=True):
        some = slice(end - len(group.x), end)
        ax.plot(bound[some], mistakes[some], marker, color=color, ms=5, alpha=0.8, mew=0, label=name)
    ax.set(xlim=(2, 600), ylim=(0.8, 120), xlabel=r"$(R/\gamma)^2$", ylabel="mistakes")
    ax.legend(loc="upper left", fontsize=9, handletextpad=0.2)
    return fig
