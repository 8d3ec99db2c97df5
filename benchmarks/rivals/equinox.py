"""Equinox: its documented loop, its documented faster loop, and what an expert would write with it.

- `idiom` follows "Train RNN" (https://docs.kidger.site/equinox/examples/train_rnn/): `eqx.filter_value_and_grad`,
  `eqx.filter_jit` around the whole step, optax, a loop in Python over a generator that indexes arrays. That page
  prints each loss; here they stay on the device until the end. Note that `filter_jit` itself waits for every call
  to finish, so nothing overlaps with the making of the next batch.
- `idiom_flat` is the same by "Low-overhead training loops" (https://docs.kidger.site/equinox/tricks/): the step takes
  and returns flat lists of leaves. The better of the two is Equinox's documented best.
- `scan` puts the whole run into one compiled `lax.scan`, by `eqx.partition` and `eqx.combine`; parity is expected.
- `ensemble` maps that run over stacked models by `eqx.filter_vmap`, as "Ensembling" on the page of tricks does.

The network is `eqx.nn.MLP` if all hidden layers are equally wide, else a module of `eqx.nn.Linear`; initial values go
in by `eqx.tree_at` ("Custom parameter initialisation" there). Donating the buffers (`donate=`) made no difference that
could be measured on a CPU, and is left out, as in the examples.
"""

import itertools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.rivals import on_jax
from benchmarks.rivals.problem import Problem


class Chain(eqx.Module):
    """Layers of any widths."""

    layers: tuple[eqx.nn.Linear, ...]
    activation: Callable
    final_activation: Callable

    def __init__(self, sizes, activation, final_activation, *, dtype, key):
        self.layers = tuple(eqx.nn.Linear(*pair, dtype=dtype, key=key) for pair in itertools.pairwise(sizes))
        self.activation, self.final_activation = activation, final_activation

    def __call__(self, x):
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.final_activation(self.layers[-1](x))


def network(problem: Problem, values: list | None = None) -> eqx.Module:
    """The problem's network with its initial values, or with these."""
    sizes = [problem.layers[0][0].shape[1], *(len(b) for _, b in problem.layers)]
    functions = on_jax.HIDDEN[problem.activation], on_jax.LAST[problem.loss]
    rest = {"dtype": jnp.float32, "key": jax.random.key(0)}
    if len(set(sizes[1:-1])) == 1:
        make = lambda: eqx.nn.MLP(sizes[0], sizes[-1], sizes[1], len(sizes) - 2, *functions, **rest)
    else:
        make = lambda: Chain(sizes, *functions, **rest)
    model = eqx.filter_eval_shape(make)  # no random numbers: all arrays are replaced
    leaves = lambda model: [leaf for layer in model.layers for leaf in (layer.weight, layer.bias)]
    return eqx.tree_at(leaves, model, [jnp.asarray(v) for layer in values or problem.layers for v in layer])


def objective(problem: Problem) -> Callable:
    """`(model, x, y)` to the mean loss and its gradient."""
    cost = on_jax.cost(problem)

    @eqx.filter_value_and_grad
    def compute_loss(model, x, y):
        return cost(jax.vmap(model)(x), y)

    return compute_loss


def stepping(problem: Problem) -> tuple[Callable, Callable]:
    """What starts the optimizer's state, and one step: `(model, x, y, state)` to loss, model and state."""
    optim, compute_loss = on_jax.optimizer(problem), objective(problem)

    def make_step(model, x, y, opt_state):
        loss, grads = compute_loss(model, x, y)
        updates, opt_state = optim.update(grads, opt_state, eqx.filter(model, eqx.is_array))
        return loss, eqx.apply_updates(model, updates), opt_state

    return lambda model: optim.init(eqx.filter(model, eqx.is_array)), make_step


def idiom(problem: Problem) -> Callable:
    """The loop of the introductory example."""
    start, make_step = stepping(problem)
    step, batches, initial = eqx.filter_jit(make_step), on_jax.loader(problem), network(problem)

    def prepare():
        first = start(initial)

        def work():
            model, opt_state, losses = initial, first, []
            for x, y in batches():
                loss, model, opt_state = step(model, x, y, opt_state)
                losses.append(loss)
            jax.block_until_ready((eqx.filter(model, eqx.is_array), losses))
            return on_jax.mean(losses)

        return work

    return prepare


def idiom_flat(problem: Problem) -> Callable:
    """The loop with low overhead."""
    start, make_step = stepping(problem)
    batches, initial = on_jax.loader(problem), network(problem)
    treedef_model, treedef_state = jax.tree.structure(initial), jax.tree.structure(start(initial))

    @eqx.filter_jit
    def step(flat_model, x, y, flat_state):
        model = jax.tree.unflatten(treedef_model, flat_model)
        loss, model, state = make_step(model, x, y, jax.tree.unflatten(treedef_state, flat_state))
        return loss, jax.tree.leaves(model), jax.tree.leaves(state)

    def prepare():
        first = jax.tree.leaves(initial), jax.tree.leaves(start(initial))

        def work():
            (model, state), losses = first, []
            for x, y in batches():
                loss, model, state = step(model, x, y, state)
                losses.append(loss)
            jax.block_until_ready((eqx.filter(model, eqx.is_array), losses))
            return on_jax.mean(losses)

        return work

    return prepare


def whole(problem: Problem) -> Callable:
    """A run as a function of the model, the data and the rows; it returns the trained model and the losses."""
    start, make_step = stepping(problem)

    def train(model, data, rows):
        params, static = eqx.partition(model, eqx.is_array)

        def step(carry, chosen):
            params, opt_state = carry
            model = eqx.combine(params, static)
            loss, model, opt_state = make_step(model, *on_jax.gather(data, chosen), opt_state)
            return (eqx.filter(model, eqx.is_array), opt_state), loss

        (params, _), losses = jax.lax.scan(step, (params, start(model)), rows, length=len(problem.order))
        return eqx.combine(params, static), losses

    return train


def contestant(train: Callable, model: eqx.Module, problem: Problem) -> Callable:
    """Of a compiled run; it consumes nothing, so nothing has to be made afresh."""
    data, rows = on_jax.on_device(problem)

    def work():
        trained, losses = train(model, data, rows)
        jax.block_until_ready((eqx.filter(trained, eqx.is_array), losses))
        return on_jax.mean(losses)

    return lambda: work


def scan(problem: Problem) -> Callable:
    """A whole run in one compiled scan."""
    return contestant(eqx.filter_jit(whole(problem)), network(problem), problem)


def ensemble(problems: list[Problem]) -> Callable:
    """Networks that differ in nothing but their initial values, trained side by side; the loss is the mean over all."""
    problem = problems[0]
    layers = zip(*(member.layers for member in problems), strict=True)
    model = network(problem, [tuple(map(np.stack, zip(*layer, strict=True))) for layer in layers])
    together = eqx.filter_vmap(whole(problem), in_axes=(eqx.if_array(0), None, None))
    return contestant(eqx.filter_jit(together), model, problem)
