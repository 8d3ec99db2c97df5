"""Backend compile events of training with everything switched on, and of the functions that one calls beside it."""

import functools
import tempfile

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import backprop, data, deep, gradcheck, losses, metrics, mlp, training
from tests.reliability._compiling import programs
from tests.reliability.experiments import Claim

TITLE = "One compilation"
HOW = (
    "Counted are the events by which JAX reports that XLA compiled a program. `fit` and `run` train a network on 1,000 "
    "examples in batches of 32, so that every 31st batch crosses into the next epoch, with a schedule, dropout, early "
    "stopping, checkpoints and an evaluation on 77 examples every 20 steps. Each call is then made again with another "
    "key, other data and another learning rate."
)
FULL, QUICK = 10_000, 200

LOSS = losses.softmax_cross_entropy
APPLY = functools.partial(mlp.apply, dropout_rate=0.1)
OBJECTIVE = training.supervised(APPLY, LOSS)
STOP = training.stopping.patience(10**6)
SIZES = (6, 8, 3)


def rates(rate):
    return optax.chain(optax.scale_by_adam(), optax.inject_hyperparams(optax.scale)(step_size=rate))


OPTIMIZER = rates(-1e-3)
SCHEDULED = optax.chain(OPTIMIZER, optax.scale_by_schedule(optax.cosine_decay_schedule(1.0, 10**5)))


def task(seed):
    """A state and two data sets, all made without a program that could be mistaken for one of training."""
    rng, key = np.random.default_rng(seed), jax.random.key(seed)
    dtype = jnp.zeros(()).dtype
    of = lambda n: data.Dataset(rng.normal(size=(n, 6)).astype(dtype), rng.integers(0, 3, n).astype(np.int32))
    state = training.start(key, mlp.init(key, SIZES), optimizer=SCHEDULED, stop=STOP)
    state.opt_state[0][1].hyperparams["step_size"] = jnp.asarray(-1e-3 / (seed + 1))
    return state, of(1000), of(77)


def settings(validation):
    measured = {"accuracy": training.metric(mlp.apply, metrics.accuracy)}
    watched = dict(validation=validation, evaluate_every=20, stop=STOP, metrics=measured)
    return dict(objective=OBJECTIVE, optimizer=SCHEDULED, batch_size=32, **watched)


def fitting(steps, path, chunk=None):
    effects = dict(chunk=chunk, checkpoint=path, save_every=0, log=lambda record: None)
    return lambda state, train, test: training.fit(state, train, steps=steps, **effects, **settings(test))[0].params


def measure(count, seed):
    """Programs of the first and of the second call of each."""
    first, second = task(2 * seed), task(2 * seed + 1)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        fit = fitting(count, f"{folder}/state.npz")
        found["fit"] = [programs(fit, *first), programs(fit, *second)]
        remainder = fitting(2 * 30 + 1, f"{folder}/state.npz", chunk=30)
        found["remainder"] = [programs(remainder, *first), programs(remainder, *second)]
    run = jax.jit(lambda state, train, test: training.run(state, train, steps=count, **settings(test)))
    found["run"] = [programs(run, *first), programs(run, *second)]
    rest = found["helpers"] = {}
    if count >= FULL:
        keys = [jnp.stack([jax.random.key(2 * i), jax.random.key(2 * i + 1)]) for i in (seed, seed + 1)]
        many = jax.jit(jax.vmap(lambda key: run(first[0]._replace(key=key), *first[1:])))
        found["vmap"] = [programs(many, key) for key in keys]
        rest.update({name: second_call(call, first, second) for name, call in {**plain(), **looping()}.items()})
    rest["training.evaluate"] = second_call(evaluating, first, second)
    return {"steps": count, **found}


def second_call(call, first, second):
    call(*first)
    return programs(call, *second)


def evaluating(state, train, test):
    return training.evaluate(state.params, train, objective=OBJECTIVE, batch_size=300)


def logits(state, d):
    return jax.vmap(mlp.apply, in_axes=(None, 0))(state.params, d.x)


def plain():
    """What one calls beside training, as one calls it: outside `jit`."""
    classes = lambda state, d: jnp.argmax(logits(state, d), 1)
    return {
        "mlp.init": lambda s, train, test: mlp.init(s.key, SIZES),
        "mlp.apply": lambda s, train, test: logits(s, train),
        "training.supervised": lambda s, train, test: OBJECTIVE(s.params, train, s.key),
        "backprop.value_and_grad": lambda s, d, test: backprop.value_and_grad(s.params, d.x, d.y, loss=LOSS),
        "training.start": lambda s, train, test: training.start(s.key, s.params, optimizer=OPTIMIZER),
        "metrics.accuracy": lambda s, train, d: metrics.accuracy(logits(s, d), d.y),
        "metrics.confusion_matrix": lambda s, train, d: metrics.confusion_matrix(classes(s, d), d.y, classes=3),
        "metrics.calibration_error": lambda s, train, d: metrics.calibration_error(jax.nn.softmax(logits(s, d)), d.y),
    }


def looping():
    """What contains a loop, which JAX compiles anew at each call outside `jit`: here within."""
    stacked = deep.init(jax.random.key(0), (6, 4, 4, 4, 3))
    check = lambda params: gradcheck.relative_error(square, jax.grad(square)(params), params)
    calls = {
        "batching.indices": lambda s, train, test: data.batching.indices(s.key, 3, n=1000, batch_size=32),
        "deep.apply": lambda s, train, test: jax.vmap(deep.apply, in_axes=(None, 0))(stacked, train.x),
        "deep.value_and_grad": lambda s, d, test: deep.value_and_grad(stacked, d.x, d.y, loss=LOSS),
        "gradcheck.relative_error": lambda s, train, test: check(s.params),
    }
    return {name: jax.jit(call) for name, call in calls.items()}


def square(params):
    return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))


def claims(found):
    """One program each, and none for other values."""
    steps = f"{found['steps']:,} steps"
    row = lambda name, expected, what: Claim(
        f"{what}: {expected or 'no'} program{'s' * (expected != 1)}, and none the second time",
        f"{found[name][0]}, then {found[name][1]}",
        found[name] == [expected, 0],
    )
    again = [f"`{name}`" for name, n in found["helpers"].items() if n]
    return [
        row("fit", 1, f"`fit`, {steps}"),
        row("remainder", 0, "`fit`, then 61 steps in chunks of 30, of which the last is shorter"),
        row("run", 1, f"`jit` of `run`, {steps}"),
        *([row("vmap", 1, "`jit` of `vmap` of `run`, over keys")] if "vmap" in found else []),
        Claim(
            f"{len(found['helpers'])} other functions, with other values: nothing is compiled the second time",
            f"{len(again)} compile again{': ' * bool(again)}{', '.join(again)}",
            not again,
        ),
    ]
