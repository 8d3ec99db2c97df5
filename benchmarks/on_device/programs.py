"""What is timed on an accelerator. Programs are compiled ahead of time, so that compiling is timed for itself.

Each is a contestant of `measure.interleave`. What it returns, called, is the mean loss, read from the device only then:
after the time was taken.
"""

import functools
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks import workloads
from benchmarks.rivals import floor, ours
from benchmarks.rivals.problem import Problem
from mlpjax import data, mlp, training
from mlpjax.data import Dataset
from mlpjax.layers import Dense

INSTRUCTIONS = ("fusion", "custom-call", "dot", "copy", "while", "conditional")


class Program(NamedTuple):
    """A contestant.

    Attributes:
        prepare: not timed; returns what is timed.
        built: seconds to `compile`, those to `trace` among them and, where they can be told apart, named; and how many
            `instructions` of each kind the program has: on a GPU most of them are launches, once per step.
    """

    prepare: Callable[[], Callable[[], Any]]
    built: dict[str, Any]

    def __call__(self):
        return self.prepare()


def compiled(fn: Callable, *arguments: Any, donate: tuple[int, ...] = ()) -> tuple[Callable, dict[str, Any]]:
    """A function compiled for these arguments, and what that took."""
    began = time.perf_counter()
    lowered = jax.jit(fn, donate_argnums=donate).lower(*arguments)
    traced = time.perf_counter()
    program = lowered.compile()
    seconds = {"trace": traced - began, "compile": time.perf_counter() - began}
    return program, seconds | {"instructions": instructions(program)}


def instructions(program: Any) -> dict[str, int]:
    """How many of each kind; nothing where the platform does not show them."""
    try:
        text = program.as_text()
    except Exception:  # the form of a program is the platform's own affair
        return {}
    found = {kind: len(re.findall(rf" {kind}\(", text)) for kind in INSTRUCTIONS}
    return {kind: number for kind, number in found.items() if number}


def late(prepare: Callable) -> Program:
    """A contestant that compiles when it is first called."""
    times = []
    for _ in range(2):
        work, began = prepare(), time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return Program(prepare, {"compile": max(0.0, times[0] - times[1])})


@functools.cache
def images(directory: str | None, examples: int) -> tuple[np.ndarray, np.ndarray]:
    """MNIST from its files, or random pixels and labels of its form."""
    if directory is not None:
        x, y, _ = data.mnist.load(directory, split="train")
        return np.asarray(x)[:examples], np.asarray(y)[:examples]
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (examples, 784)) * (rng.random((examples, 784)) < 0.2)
    return pixels.astype(np.uint8), rng.integers(0, 10, examples).astype(np.int32)


def problem(
    sizes, batch, steps, *, directory, examples, optimizer="adam", rate=1e-3, dtype=np.float32
) -> tuple[Problem, np.ndarray]:
    """What is to be trained, in numbers of this dtype; and the pixels as bytes."""
    pixels, y = images(directory, examples)
    x = (pixels / np.float32(255)).astype(dtype)
    layers = [(W.astype(dtype), b.astype(dtype)) for W, b in workloads.initial(sizes)]
    order = ours.order(len(x), batch, steps)
    return Problem(x, y, order, layers, "relu", "cross-entropy", optimizer, rate), pixels


def on_device(problem: Problem, pixels: np.ndarray | None) -> tuple[tuple[Dense, ...], Dataset]:
    """Initial parameters and data."""
    params = tuple(Dense(jnp.asarray(W), jnp.asarray(b)) for W, b in problem.layers)
    return params, Dataset(jnp.asarray(problem.x if pixels is None else pixels), jnp.asarray(problem.y))


def mean(losses: Any) -> Callable[[], float]:
    """Of the losses of all steps, once it is asked for."""
    return lambda: float(np.mean([np.asarray(loss, np.float32) for loss in jax.device_get(losses)]))


def trainer(keywords: dict[str, Any]) -> Callable:
    """A whole run as a function of parameters and data."""

    def train(params, data):
        state = training.start(jax.random.key(ours.KEY), params, optimizer=keywords["optimizer"])
        return training.run(state, data, **keywords)

    return train


def whole_run(problem: Problem, *, gradients: str = "bp", pixels: np.ndarray | None = None, **looks: Any) -> Program:
    """`training.run`, with backpropagation by hand (`"bp"`) or by `jax.grad` (`"autodiff"`)."""
    keywords = ours.settings(problem, gradients, pixels) | looks
    arguments = on_device(problem, pixels)
    train, built = compiled(trainer(keywords), *arguments)

    def work():
        _, history = jax.block_until_ready(train(*arguments))
        return mean([history.loss])

    return Program(lambda: work, built)


def evaluated_after(problem: Problem, *, pixels: np.ndarray, validation: Dataset) -> Program:
    """`training.run` and then `training.evaluate`: two programs."""
    keywords = ours.settings(problem, "bp", pixels)
    arguments = on_device(problem, pixels)
    train, built = compiled(trainer(keywords), *arguments)
    settings = dict(objective=keywords["objective"], transform=keywords["transform"])
    look, _ = compiled(lambda params, data: training.evaluate(params, data, **settings), arguments[0], validation)

    def work():
        state, history = train(*arguments)
        jax.block_until_ready(look(state.params, validation))
        return mean([history.loss])

    return Program(lambda: work, built)


def python_loop(problem: Problem, *, pixels: np.ndarray | None = None) -> Program:
    """One jitted step called again and again; data and the rows of each batch are on the device before."""
    keywords = ours.settings(problem, "bp", pixels)
    optimizer, transform = keywords["optimizer"], keywords["transform"] or (lambda batch, key: batch)
    params, data = on_device(problem, pixels)
    opt_state, rows = optimizer.init(params), [jax.device_put(rows) for rows in problem.order]

    def one_step(params, opt_state, data, rows):
        batch = transform(Dataset(data.x[rows], data.y[rows]), None)
        value, grads = keywords["value_and_grad"](params, batch, None)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        return optax.apply_updates(params, updates), opt_state, value

    step, built = compiled(one_step, params, opt_state, data, rows[0], donate=(0, 1))

    def prepare():
        carry = jax.block_until_ready(jax.tree.map(jnp.copy, (params, opt_state)))

        def work():
            (params, opt_state), losses = carry, []
            for chosen in rows:
                params, opt_state, loss = step(params, opt_state, data, chosen)
                losses.append(loss)
            jax.block_until_ready((params, losses))
            return mean(losses)

        return work

    return Program(prepare, built)


def products(problem: Problem) -> Program:
    """The products of all steps and nothing else."""
    all_steps, arguments = floor.products(problem)
    program, built = compiled(all_steps, *arguments)
    return Program(lambda: functools.partial(finish, program, *arguments), built)


def ensemble(members: int, steps: int) -> Program:
    """XOR nets [2, 4, 1] from different initial values, all at once: `jax.vmap` of `training.run`."""
    problem = workloads.xor_problem(steps)
    keys = jax.random.split(jax.random.key(0), members)
    params = jax.jit(jax.vmap(lambda key: mlp.init(key, (2, 4, 1))))(keys)
    _, data = on_device(problem, None)
    train, built = compiled(jax.vmap(trainer(ours.settings(problem)), in_axes=(0, None)), params, data)

    def work():
        _, history = jax.block_until_ready(train(params, data))
        return mean([history.loss])

    return Program(lambda: work, built)


def square(n: int, dtype: Any, products: int = 8) -> Program:
    """Products of square matrices of random numbers, each with the one before: zeros would run faster."""
    a, b = (jax.random.normal(key, (n, n)).astype(dtype) for key in jax.random.split(jax.random.key(0)))
    b = b / n**0.5  # so that all products have numbers of one size
    chain, built = compiled(lambda a, b: functools.reduce(lambda a, _: a @ b, range(products), a), a, b)
    return Program(lambda: functools.partial(finish, chain, a, b), built)


def copying(numbers: int, passes: int = 32) -> Program:
    """Numbers written once, then read and written again and again: more of them than any cache holds."""
    once = lambda _, x: jax.lax.optimization_barrier(x * 0.5 + 0.5)
    start = jnp.float32(2)
    copy, built = compiled(lambda start: jax.lax.fori_loop(0, passes, once, jnp.full(numbers, start)), start)
    return Program(lambda: functools.partial(finish, copy, start), built)


def finish(program: Callable, *arguments: Any) -> None:
    """Call, and wait; the result is of no use."""
    jax.block_until_ready(program(*arguments))
