"""Mistakes against the bound, for random problems and for the worst ones."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import data, neuron
from mlpjax.data import Dataset
from mlpjax.neuron import Neuron

ALT = (
    "Mistakes of the perceptron rule against the bound, both axes logarithmic. All dots lie on or below the diagonal: "
    "those of problems in 2 dimensions far below, in 100 dimensions less far, and simplices on it."
)
MARGINS, SEEDS, SIMPLICES = (0.02, 0.2, 0.6, 2.0), 12, (3, 6, 12, 25, 50)


def problems(inputs):
    """Bound and mistakes, one problem for each margin and seed."""

    def run(key, margin):
        problem = data.toy.blobs(key, 50, margin=margin, inputs=inputs)
        _, history = neuron.learn(neuron.zeros(inputs), problem, epochs=60)
        return neuron.mistake_bound(neuron.separator(problem, steps=300), problem), (history.errors != 0).sum()

    keys = jax.random.split(jax.random.key(inputs), (len(MARGINS), SEEDS))
    bound, mistakes = jax.jit(jax.vmap(jax.vmap(run, (0, None))))(keys, jnp.array(MARGINS))
    return np.asarray(bound).ravel(), np.asarray(mistakes).ravel()


def simplex(n):
    """The same for n examples that are at right angles once the 1 is added; a hair more than right."""
    values, vectors = np.linalg.eigh(n * np.eye(n) - 1)
    x = jnp.asarray(1.0001 * vectors * np.sqrt(np.maximum(values, 0)), float)
    problem, best = Dataset(x, jnp.zeros(n)), Neuron(jnp.zeros(n), jnp.array(-1.0))
    _, history = neuron.learn(neuron.zeros(n), problem, epochs=2)
    return float(neuron.mistake_bound(best, problem)), int((history.errors != 0).sum())


def draw(plt, C):
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    ends = np.array([1, 4000])
    ax.loglog(ends, ends, color=C.ink, lw=1.4)
    ax.text(70, 88, "bound", fontsize=9.5, ha="right")
    for inputs, color, marker in ((2, C[0], "o"), (20, C[2], "^"), (100, C[3], "D")):
        ax.plot(*problems(inputs), marker, color=color, ms=4.5, alpha=0.75, mew=0, label=f"{inputs} inputs")
    ax.plot(*zip(*map(simplex, SIMPLICES), strict=True), "s", color=C[4], ms=6, label="simplices")
    ax.set(xlim=(2, 4000), ylim=(0.8, 120), xlabel=r"$(R/\gamma)^2$", ylabel="mistakes")
    ax.legend(loc="upper left", fontsize=9, handletextpad=0.2)
    return fig
