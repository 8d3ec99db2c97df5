"""What each decision of the compiled step is worth: the same epoch with one thing done otherwise.

Every variant trains from the same initial values with Adam, batch 128; where it takes the same batches its loss is
checked. `variants` is called by `python -m benchmarks.performance decisions`.
"""

import contextlib
import importlib

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.rivals import ours
from benchmarks.rivals.problem import Problem
from mlpjax import losses, mlp, training
from mlpjax.data import Dataset
from mlpjax.layers import Dense

LOSS = losses.softmax_cross_entropy
OBJECTIVE = training.supervised(mlp.apply, LOSS)
STEP = importlib.import_module("mlpjax.training._step")


def update(optimizer, value_and_grad, params, state, batch):
    value, grads = value_and_grad(params, batch)
    updates, state = optimizer.update(grads, state, params)
    return optax.apply_updates(params, updates), state, value


def autodiff(params, batch):
    return jax.value_and_grad(OBJECTIVE)(params, batch, None)


def outer_products(params, batch):
    """One gradient for each example, then their mean."""
    one = jax.vmap(lambda x, y: autodiff(params, Dataset(x[None], y[None])))
    return jax.tree.map(lambda g: jnp.mean(g, axis=0), one(*batch[:2]))


def transposed(params, batch):
    """Weights of shape (in, out), as in Flax."""

    def objective(params):
        a = batch.x
        for layer in params[:-1]:
            a = jax.nn.relu(a @ layer.W + layer.b)
        z = a @ params[-1].W + params[-1].b
        return jnp.mean(jax.vmap(LOSS.value)(z, batch.y))

    return jax.value_and_grad(objective)(params)


class Scan:
    """A whole epoch in one program, written out: what `training.run` does, without what it guards against."""

    def __init__(self, problem: Problem, value_and_grad=autodiff, turned=False):
        self.order, self.optimizer = problem.order, optax.adam(problem.rate)
        self.params = tuple(Dense(jnp.asarray(W.T if turned else W), jnp.asarray(b)) for W, b in problem.layers)
        self.data = Dataset(jnp.asarray(problem.x), jnp.asarray(problem.y))
        self.value_and_grad = value_and_grad

    def batches(self, key):
        """The rows of each step: here, given from outside."""
        return self.data, jnp.asarray(self.order)

    def epoch(self, params, key):
        data, order = self.batches(key)

        def step(carry, rows):
            batch = jax.tree.map(lambda a: a[rows], data)
            params, state, value = update(self.optimizer, self.value_and_grad, *carry, batch)
            return (params, state), value

        (params, _), values = jax.lax.scan(step, (params, self.optimizer.init(params)), order)
        return params, jnp.mean(values)

    def __call__(self):
        if not hasattr(self, "compiled"):
            self.compiled = jax.jit(self.epoch)
        return lambda: float(jax.block_until_ready(self.compiled(self.params, jax.random.key(0)))[1])


class Sorted(Scan):
    """The permutation of an epoch by `jax.random.permutation`, inside the program."""

    def batches(self, key):
        steps, batch = self.order.shape
        return self.data, jax.random.permutation(key, len(self.data.y))[: steps * batch].reshape(steps, batch)


class Shuffled(Sorted):
    """The same, and the data put in that order first: then each batch is a slice."""

    def epoch(self, params, key):
        _, order = self.batches(key)
        steps, batch = self.order.shape
        parts = jax.tree.map(lambda a: a[order.ravel()].reshape(steps, batch, *a.shape[1:]), self.data)

        def step(carry, part):
            params, state, value = update(self.optimizer, self.value_and_grad, *carry, part)
            return (params, state), value

        (params, _), values = jax.lax.scan(step, (params, self.optimizer.init(params)), parts)
        return params, jnp.mean(values)


class Loop(Scan):
    """One compiled step, called from Python; batches from NumPy rows."""

    def __init__(self, problem: Problem):
        super().__init__(problem)
        self.x, self.y = problem.x, problem.y
        self.step = jax.jit(lambda p, s, b: update(self.optimizer, autodiff, p, s, b), donate_argnums=(0, 1))

    def __call__(self):
        params = jax.tree.map(jnp.copy, self.params)
        state = self.optimizer.init(params)

        def work():
            p, s, values = params, state, []
            for rows in self.order:
                p, s, value = self.step(p, s, Dataset(self.x[rows], self.y[rows]))
                values.append(value)
            jax.block_until_ready(p)
            return float(np.mean(jax.device_get(values)))

        return work


@contextlib.contextmanager
def guard(replacement):
    """The step with another way to leave the state as it is."""
    before, STEP.only_if = STEP.only_if, replacement
    try:
        yield
    finally:
        STEP.only_if = before


def by_choice(condition, update, old, *given):
    return STEP.select(condition, update(old, *given), old)


def unguarded(condition, update, old, *given):
    return update(old, *given)


def guarded(replacement, problem, pixels):
    """`training.run`, traced with that guard."""
    make = ours.run(problem, pixels=pixels)
    with guard(replacement):
        make()()
    return make


def variants(problem: Problem, pixels: np.ndarray) -> dict:
    """Contestants by name."""
    return {
        "training.run": ours.run(problem, pixels=pixels),
        "… data as float32": ours.run(problem),
        "… old or new state by `where`": guarded(by_choice, problem, pixels),
        "… nothing guarded": guarded(unguarded, problem, pixels),
        "scan written out, rows given": Scan(problem),
        "that scan, weights (in, out)": Scan(problem, transposed, turned=True),
        "that scan, mean of outer products": Scan(problem, outer_products),
        "that scan, order by `random.permutation`": Sorted(problem),
        "that scan, data shuffled first": Shuffled(problem),
        "jitted step, loop in Python": Loop(problem),
    }


UNEQUAL = ("that scan, order by `random.permutation`", "that scan, data shuffled first")

if __name__ == "__main__":
    print(__doc__)
