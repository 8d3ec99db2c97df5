"""Four short runs that differ in what a resumed or repeated run must not forget."""

import hashlib
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

from mlpjax import activations, data, losses, mlp, training
from mlpjax.data import augment
from mlpjax.layers import dense, norm
from mlpjax.training import stopping

LOSS = losses.softmax_cross_entropy


class Run(NamedTuple):
    """A run to be taken: where it starts, its data, how many steps, and the keywords of `training.run`."""

    start: Any
    data: Any
    steps: int
    settings: dict[str, Any]


def digits(count):
    """The first training images."""
    return jax.tree.map(lambda a: np.asarray(a)[:count], data.digits.load("train"))


def plain():
    """Stochastic gradient descent, and nothing else."""
    optimizer = optax.sgd(0.1)
    settings = dict(objective=training.supervised(mlp.apply, LOSS), optimizer=optimizer, batch_size=32)
    start = lambda key: training.start(key, mlp.init(key, (64, 32, 10)), optimizer=optimizer)
    return Run(started(start), digits(500), 400, settings | dict(transform=augment.scale(16)))


def noisy():
    """Adam on a schedule, dropout, shifted images, and early stopping that ends the run before its time."""
    optimizer, stop = optax.adam(optax.cosine_decay_schedule(1e-2, 600)), stopping.patience(3)
    apply = lambda params, x, key=None: mlp.apply(params, x, dropout_rate=0.2, key=key)
    train = digits(600)
    settings = dict(
        objective=training.supervised(apply, LOSS),
        optimizer=optimizer,
        batch_size=32,
        transform=augment.compose(augment.shift(1, height=8, width=8), augment.scale(16)),
        validation=jax.tree.map(lambda a: a[500:], train),
        evaluate_every=20,
        stop=stop,
    )
    start = lambda key: training.start(key, mlp.init(key, (64, 32, 10)), optimizer=optimizer, stop=stop)
    return Run(started(start), jax.tree.map(lambda a: a[:500], train), 600, settings)


def normalized():
    """Momentum, and batch normalization, whose running statistics are a state of the model."""
    optimizer = optax.sgd(0.05, momentum=0.9)

    def objective(params, running, batch, key):
        first, scaling, last = params
        z = jax.vmap(dense.apply, (None, 0))(first, batch.x)
        z, running = norm.batch_apply(scaling, running, z, train=key is not None)
        z = jax.vmap(dense.apply, (None, 0))(last, activations.relu(z))
        return jax.vmap(LOSS.value)(z, batch.y).mean(), running

    def start(key):
        first, last = mlp.init(key, (64, 32, 10))
        scaling, running = norm.batch_init(32)
        return training.start(key, (first, scaling, last), optimizer=optimizer, model_state=running)

    settings = dict(objective=objective, optimizer=optimizer, batch_size=50, transform=augment.scale(16))
    return Run(started(start), digits(500), 200, settings)


def second_order():
    """L-BFGS with its line search, on all the data at every step."""
    optimizer = optax.lbfgs(memory_size=5)
    settings = dict(objective=training.supervised(mlp.apply, losses.sigmoid_squared_error), optimizer=optimizer)
    start = lambda key: training.start(key, mlp.init(key, (2, 8, 1)), optimizer=optimizer)
    moons = jax.jit(lambda: data.toy.moons(jax.random.key(3), 64))()
    return Run(started(start), moons, 60, settings)


def slow():
    """Steps of some hundredths of a second each, in chunks of a thousand."""
    optimizer = optax.sgd(1e-3)
    settings = dict(objective=training.supervised(mlp.apply, LOSS), optimizer=optimizer, batch_size=500)
    start = lambda key: training.start(key, mlp.init(key, (64, 1000, 1000, 10)), optimizer=optimizer)
    return Run(started(start), digits(500), 3000, settings | dict(transform=augment.scale(16), chunk=1000))


KINDS = {f.__name__: f for f in (plain, noisy, normalized, second_order, slow)}


def started(start):
    """The first state, made by one program."""
    return jax.jit(start)(jax.random.key(7))


def numbers(leaf):
    """The numbers of a leaf, of a key too."""
    is_key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(leaf) if is_key else leaf)


def digest(tree):
    """SHA-256 over every leaf: parameters, state of the optimizer and of early stopping, key, step."""
    found = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        array = numbers(leaf)
        found.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape}".encode() + array.tobytes())
    return found.hexdigest()
