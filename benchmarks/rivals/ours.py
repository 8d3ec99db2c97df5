"""mlpjax: `training.run` as its documentation shows it, compiled whole.

Data lie on the device as they came (pixels as bytes, where there are bytes); batches are found and scaled inside the
step. The initial values are the problem's, the batches too: they are a function of the key of the run, and the problem
was made from the same key.
"""

import functools
import os
import sys
import threading
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.rivals.problem import Problem
from mlpjax import activations, backprop, losses, metrics, mlp, training
from mlpjax.data import Dataset, augment
from mlpjax.layers import Dense
from mlpjax.training._loop import batch_of_step

KEY = 7
LOSSES = {"cross-entropy": losses.softmax_cross_entropy, "squared": losses.sigmoid_squared_error}
OPTIMIZERS = {"adam": optax.adam, "sgd": optax.sgd}


def order(n: int, batch: int | None, steps: int) -> np.ndarray:
    """The examples of each step of a run from `KEY`, shape (steps, batch)."""
    if batch is None:
        return np.tile(np.arange(n, dtype=np.int32), (steps, 1))
    examples = jnp.arange(n, dtype=jnp.int32)
    rows = lambda step: batch_of_step(jax.random.key(KEY), step, examples, n, batch, None)[0]
    return np.asarray(jax.jit(jax.vmap(rows))(jnp.arange(steps, dtype=jnp.uint32)))


def settings(problem: Problem, gradients: str = "bp", pixels: np.ndarray | None = None) -> dict:
    """The keywords of `training.run`."""
    loss, sigma = LOSSES[problem.loss], activations.by_name(problem.activation)
    objective = training.supervised(functools.partial(mlp.apply, activation=sigma), loss)
    n, batch = len(problem.x), problem.order.shape[1]
    return dict(
        objective=objective,
        value_and_grad=backprop.supervised(activation=sigma, loss=loss) if gradients == "bp" else None,
        optimizer=OPTIMIZERS[problem.optimizer](problem.rate),
        steps=len(problem.order),
        batch_size=None if batch == n else batch,
        transform=None if pixels is None else augment.scale(255),
    )


def begin(problem: Problem, optimizer: optax.GradientTransformation) -> training.TrainState:
    """The state before the first step."""
    params = tuple(Dense(jnp.asarray(W), jnp.asarray(b)) for W, b in problem.layers)
    return jax.jit(lambda p: training.start(jax.random.key(KEY), p, optimizer=optimizer))(params)


def run(problem: Problem, *, gradients: str = "bp", pixels: np.ndarray | None = None) -> Callable:
    """`training.run`, with backpropagation by hand (`"bp"`) or by `jax.grad` (`"autodiff"`)."""
    keywords = settings(problem, gradients, pixels)
    data = Dataset(jnp.asarray(problem.x if pixels is None else pixels), jnp.asarray(problem.y))
    state = begin(problem, keywords["optimizer"])
    train = jax.jit(lambda state, data: training.run(state, data, **keywords))

    def work():
        _, history = jax.block_until_ready(train(state, data))
        return float(np.mean(np.asarray(history.loss)))

    return lambda: work


def ensemble(problems: list[Problem], *, gradients: str = "bp") -> Callable:
    """One network for each problem, all at once: `jax.vmap` of `training.run`."""
    keywords = settings(problems[0], gradients)
    data = Dataset(jnp.asarray(problems[0].x), jnp.asarray(problems[0].y))
    states = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(begin_on_host(problem) for problem in problems))

    @jax.jit
    @jax.vmap
    def train(params):
        state = training.start(jax.random.key(KEY), params, optimizer=keywords["optimizer"])
        return training.run(state, data, **keywords)

    def work():
        _, history = jax.block_until_ready(train(states))
        return float(np.mean(np.asarray(history.loss)))

    return lambda: work


def begin_on_host(problem: Problem) -> tuple[Dense, ...]:
    """Initial parameters as NumPy arrays."""
    return tuple(Dense(W, b) for W, b in problem.layers)


def watched(problem: Problem, validation: Dataset, directory: str, pixels: np.ndarray, *, per_epoch: int) -> dict:
    """Contestants of the host loop: the bare run, the run that evaluates, and `fit` with all its effects."""
    keywords = settings(problem, "bp", pixels)
    network = keywords["objective"].apply
    data, held_out = jax.tree.map(jnp.asarray, (Dataset(pixels, problem.y), validation))
    looks = dict(
        validation=held_out,
        metrics={"accuracy": training.metric(network, metrics.accuracy)},
        evaluate_every=per_epoch,
    )
    state = begin(problem, keywords["optimizer"])
    bare = jax.jit(lambda state, data: training.run(state, data, **keywords))
    looking = jax.jit(lambda state, data: training.run(state, data, **keywords, **looks))
    effects = dict(checkpoint=os.path.join(directory, "state.npz"), log=os.path.join(directory, "log.jsonl"))

    def pure(train):
        return lambda: lambda: float(np.mean(np.asarray(jax.block_until_ready(train(state, data))[1].loss)))

    def fit():
        with a_terminal():
            _, history = training.fit(state, data, **keywords, **looks, **effects)
        return float(np.mean(np.asarray(history.loss)))

    return {"training.run": pure(bare), "training.run, evaluating": pure(looking), "training.fit": lambda: fit}


class a_terminal:
    """Standard error is a terminal meanwhile, so that the progress bar is drawn; what it draws is thrown away."""

    def __enter__(self):
        self.ours, theirs = os.openpty()
        self.before, sys.stderr = sys.stderr, os.fdopen(theirs, "w")
        threading.Thread(target=self.drain, daemon=True).start()

    def drain(self):
        try:
            while os.read(self.ours, 65536):
                pass
        except OSError:
            pass

    def __exit__(self, *_):
        sys.stderr.close()
        sys.stderr = self.before
