"""What the rivals that stand on JAX share: losses and optimizers of optax, and where their batches come from.

A loop in Python gets its batches as rows of NumPy arrays. To index JAX arrays outside a compiled function, as the
introductory example of Equinox does, took more than three times as long for a batch of MNIST on a CPU. If full batch,
each step gets the same arrays, already on the device. A scan has all data on the device and gathers inside the step; if
full batch, not at all.
"""

import itertools
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.rivals.problem import Problem

Arrays = tuple[jax.Array, jax.Array]


def logits(z: jax.Array) -> jax.Array:
    """The last layer's activation where softmax is part of the loss."""
    return z


HIDDEN = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}
LAST = {"cross-entropy": logits, "squared": jax.nn.sigmoid}
OPTIMIZERS = {"adam": optax.adam, "sgd": optax.sgd}  # Adam's other constants are those of the problem by default


def cost(problem: Problem) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """The mean loss of a batch, of the network's outputs and the targets."""
    if problem.loss == "cross-entropy":
        return lambda z, y: optax.softmax_cross_entropy_with_integer_labels(z, y).mean()
    return lambda a, y: optax.l2_loss(a, y).sum(axis=-1).mean()


def optimizer(problem: Problem) -> optax.GradientTransformation:
    """Adam or gradient descent, with the problem's learning rate."""
    return OPTIMIZERS[problem.optimizer](problem.rate)


def full_batch(problem: Problem) -> bool:
    """Whether each step sees all examples in their order, so that nothing has to be gathered."""
    n = len(problem.x)
    return problem.order.shape[1] == n and bool((problem.order == np.arange(n)).all())


def loader(problem: Problem) -> Callable[[], Iterator[tuple]]:
    """What starts an epoch of batches for a loop in Python."""
    if full_batch(problem):
        batch = jnp.asarray(problem.x), jnp.asarray(problem.y)
        return lambda: itertools.repeat(batch, len(problem.order))
    return lambda: ((problem.x[rows], problem.y[rows]) for rows in problem.order)


def on_device(problem: Problem) -> tuple[Arrays, jax.Array | None]:
    """All data, and the rows to scan over: none if full batch."""
    rows = None if full_batch(problem) else jnp.asarray(problem.order)
    return (jnp.asarray(problem.x), jnp.asarray(problem.y)), rows


def gather(data: Arrays, rows: jax.Array | None) -> Arrays:
    """The batch of one step of a scan."""
    return data if rows is None else (data[0][rows], data[1][rows])


def mean(losses: list[jax.Array] | jax.Array) -> float:
    """Of the losses of all steps, which stayed on the device while the network was trained."""
    return float(np.mean(jax.device_get(losses)))
