"""Flax NNX: its documented loop, the two faster ones of its guide, and what an expert would write with it.

- `idiom` follows the MNIST tutorial (https://flax.readthedocs.io/en/latest/mnist_tutorial.html), less its metrics:
  `nnx.Module`, `nnx.Optimizer`, a step under `nnx.jit` that updates both in place.
- `idiom_cached` and `idiom_functional` follow "Performance considerations"
  (https://flax.readthedocs.io/en/latest/guides/performance.html): `nnx.cached_partial` walks through the objects once,
  before the loop; the functional loop splits them into `graphdef` and `state` for a plain `jax.jit`. The best of the
  three is NNX's documented best.
- `scan` puts that functional step into one compiled `lax.scan`; parity is expected.

Neither tree mode (`nnx.jit(graph=False)`, not the default in Flax 0.12) nor the donation of buffers beat the best of
these when tried on a CPU, so both are left out, as in the guide. The losses stay on the device until the end.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.rivals import on_jax
from benchmarks.rivals.problem import Problem


class MLP(nnx.Module):
    """`nnx.Linear` in a chain; its kernels are (in, out)."""

    def __init__(self, problem: Problem, *, rngs: nnx.Rngs):
        self.layers = nnx.List([given(W, b, rngs) for W, b in problem.layers])
        self.activation, self.last = on_jax.HIDDEN[problem.activation], on_jax.LAST[problem.loss]

    def __call__(self, x):
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.last(self.layers[-1](x))


def given(W, b, rngs: nnx.Rngs) -> nnx.Linear:
    """A layer with these initial values."""
    weights, biases = lambda *_: jnp.asarray(W.T), lambda *_: jnp.asarray(b)
    return nnx.Linear(*W.T.shape, kernel_init=weights, bias_init=biases, rngs=rngs)


def stepping(problem: Problem) -> tuple[Callable, Callable]:
    """What makes model and optimizer, and one step that updates them in place and returns the loss."""
    tx, cost = on_jax.optimizer(problem), on_jax.cost(problem)

    def make():
        model = MLP(problem, rngs=nnx.Rngs(0))
        return model, nnx.Optimizer(model, tx, wrt=nnx.Param)

    def train_step(model, optimizer, x, y):
        loss, grads = nnx.value_and_grad(lambda model: cost(model(x), y))(model)
        optimizer.update(model, grads)
        return loss

    return make, train_step


def idiom(problem: Problem, *, cached: bool = False) -> Callable:
    """The loop of the tutorial."""
    make, train_step = stepping(problem)
    jitted, batches = nnx.jit(train_step), on_jax.loader(problem)

    def prepare():
        model, optimizer = make()
        partial = nnx.cached_partial if cached else functools.partial
        step = partial(jitted, model, optimizer)

        def work():
            losses = [step(x, y) for x, y in batches()]
            jax.block_until_ready((nnx.state(model), losses))
            return on_jax.mean(losses)

        return work

    return prepare


def idiom_cached(problem: Problem) -> Callable:
    """The same, walking through the objects once."""
    return idiom(problem, cached=True)


def functional(problem: Problem) -> tuple[Callable, Callable]:
    """What makes `graphdef` and `state`, and one step as a pure function of them."""
    make, train_step = stepping(problem)

    def pure_step(graphdef, state, x, y):
        model, optimizer = nnx.merge(graphdef, state)
        loss = train_step(model, optimizer, x, y)
        return loss, nnx.state((model, optimizer))

    return lambda: nnx.split(make()), pure_step


def idiom_functional(problem: Problem) -> Callable:
    """The functional loop."""
    split, pure_step = functional(problem)
    step, batches = jax.jit(pure_step), on_jax.loader(problem)

    def prepare():
        graphdef, first = split()

        def work():
            state, losses = first, []
            for x, y in batches():
                loss, state = step(graphdef, state, x, y)
                losses.append(loss)
            jax.block_until_ready((state, losses))
            return on_jax.mean(losses)

        return work

    return prepare


def scan(problem: Problem) -> Callable:
    """A whole run in one compiled scan."""
    split, pure_step = functional(problem)
    data, rows = on_jax.on_device(problem)

    @jax.jit
    def train(graphdef, state, data, rows):
        def step(state, chosen):
            loss, state = pure_step(graphdef, state, *on_jax.gather(data, chosen))
            return state, loss

        return jax.lax.scan(step, state, rows, length=len(problem.order))

    def prepare():
        graphdef, first = split()

        def work():
            _, losses = jax.block_until_ready(train(graphdef, first, data, rows))
            return on_jax.mean(losses)

        return work

    return prepare
