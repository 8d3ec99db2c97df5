"""Mistakes, each as somebody would make it: `name: call`, where a call takes a `trained` that counts steps."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import activations, data, losses, metrics, mlp, training
from mlpjax.data import Dataset

CROSS, SQUARED, BINARY = losses.softmax_cross_entropy, losses.half_squared_error, losses.binary_cross_entropy
N = 50


def arrays():
    """Inputs of four features, labels of three classes, one number to predict."""
    rng, dtype = np.random.default_rng(0), jnp.zeros(()).dtype
    x = rng.normal(size=(N, 4)).astype(dtype)
    return x, (np.arange(N) % 3).astype(np.int32), x[:, :1] * 2


X, LABELS, TARGETS = arrays()
VECTORS = np.eye(3, dtype=X.dtype)[LABELS]


def fit(trained, x, y, weight=None, *, sizes=(4, 5, 3), loss=CROSS, apply=mlp.apply, start=None, **settings):
    """The call of every mistake: it would take 100 steps."""
    settings = dict(optimizer=optax.adam(1e-2), batch_size=10) | settings
    key = jax.random.key(0)
    start = start or (lambda: training.start(key, mlp.init(key, sizes), optimizer=settings["optimizer"]))
    objective = training.supervised(apply, loss)
    given = dict(objective=objective, steps=100, progress=False, log=trained.append)
    return training.fit(start(), Dataset(x, y, weight), **given, **settings)


def placed(array, at, value):
    """A copy with one entry changed."""
    array = array.copy()
    array.flat[at] = value
    return array


def broken_optimizer():
    key = jax.random.key(0)
    state = training.start(key, mlp.init(key, (4, 5, 3)), optimizer=optax.adam(1e-2))
    return state._replace(params=mlp.init(key, (4, 1, 3)))


def dropout(rate):
    return functools.partial(mlp.apply, dropout_rate=rate)


REGRESSION = dict(sizes=(4, 5, 1), loss=SQUARED)
BINARY_ONE = dict(sizes=(4, 5, 1), loss=BINARY)
INTEGERS = [jax.tree.map(lambda p: p.astype(int), mlp.init(jax.random.key(0), (4, 5, 3)))]

REFUSED = {
    "targets `(N,)` for outputs `(N, 1)`": lambda t: fit(t, X, TARGETS[:, 0], **REGRESSION),
    "targets `(N, 1)` for three outputs": lambda t: fit(t, X, TARGETS, loss=SQUARED),
    "labels `(N, 1)`": lambda t: fit(t, X, LABELS[:, None]),
    "labels as floats": lambda t: fit(t, X, LABELS.astype(X.dtype)),
    "label −1": lambda t: fit(t, X, placed(LABELS, 7, -1)),
    "label K": lambda t: fit(t, X, placed(LABELS, 7, 3)),
    "label K in the validation set": lambda t: fit(t, X, LABELS, validation=Dataset(X, placed(LABELS, 7, 3))),
    "labels 0 and 1 for one output": lambda t: fit(t, X, LABELS % 2, sizes=(4, 5, 1)),
    "indices where the loss takes vectors": lambda t: fit(t, X, LABELS, loss=SQUARED),
    "targets ±1 for `binary_cross_entropy`": lambda t: fit(t, X, np.sign(TARGETS), **BINARY_ONE),
    "several classes at once behind a softmax": lambda t: fit(t, X, np.ones_like(VECTORS)),
    "x and y swapped": lambda t: fit(t, LABELS, X),
    "x of another width than the network": lambda t: fit(t, X[:, :2], LABELS),
    "one example in place of a batch": lambda t: fit(t, X[0], LABELS[0]),
    "a batch given to `mlp.apply`": lambda t: mlp.apply(mlp.init(jax.random.key(0), (4, 5, 3)), X),
    "x and y of different lengths": lambda t: fit(t, X, LABELS[1:]),
    "lists": lambda t: fit(t, X.tolist(), LABELS.tolist()),
    "words as labels": lambda t: fit(t, X, np.array(["cat", "dog"])[LABELS % 2]),
    "pictures that are not scaled (`uint8`)": lambda t: fit(t, (X * 50).astype(np.uint8), LABELS),
    "NaN in the data": lambda t: fit(t, placed(X, 5, np.nan), LABELS),
    "∞ in the targets": lambda t: fit(t, X, placed(TARGETS, 5, np.inf), **REGRESSION),
    "a weight below 0": lambda t: fit(t, X, LABELS, placed(np.ones(N, X.dtype), 3, -1)),
    "a weight that is NaN": lambda t: fit(t, X, LABELS, placed(np.ones(N, X.dtype), 3, np.nan)),
    "all weights 0": lambda t: fit(t, X, LABELS, np.zeros(N, X.dtype)),
    "no data": lambda t: fit(t, X[:0], LABELS[:0]),
    "a batch of more than the data": lambda t: fit(t, X, LABELS, batch_size=N + 1),
    "an activation for the output layer": lambda t: fit(
        t, X, LABELS, apply=functools.partial(mlp.apply, activation=[activations.relu, activations.sigmoid])
    ),
    "dropout rate 1, taken for the probability to keep": lambda t: fit(t, X, LABELS, apply=dropout(1.0)),
    "a seed in place of a key": lambda t: mlp.init(0, (4, 5, 3)),
    "an old-style key": lambda t: training.start(jax.random.PRNGKey(0), INTEGERS, optimizer=optax.sgd(0.1)),
    "parameters that are whole numbers": lambda t: training.start(
        jax.random.key(0), INTEGERS, optimizer=optax.sgd(0.1)
    ),
    "another optimizer than at the start": lambda t: fit(
        t, X, LABELS, start=lambda: broken_optimizer()._replace(opt_state=optax.sgd(0.1).init(INTEGERS))
    ),
    "an optimizer's state of other parameters": lambda t: fit(t, X, LABELS, start=broken_optimizer),
    "accuracy of labels `(N, 1)`": lambda t: metrics.accuracy(jnp.zeros((N, 3)), jnp.asarray(LABELS)[:, None]),
    "calibration of logits in place of probabilities": lambda t: metrics.calibration_error(
        jnp.asarray(3 * VECTORS - 1), jnp.asarray(LABELS)
    ),
    "accuracy of labels that start at 1": lambda t: metrics.accuracy(jnp.zeros((N, 3)), jnp.asarray(LABELS) + 1),
}


def donated(trained):
    """A state that was donated to a compiled run, used again."""
    optimizer, dataset = optax.sgd(0.1), data.toy.xor()
    objective = training.supervised(mlp.apply, BINARY)
    state = training.start(jax.random.key(1), mlp.init(jax.random.key(0), (2, 4, 1)), optimizer=optimizer)
    go = lambda s: training.run(s, dataset, objective=objective, optimizer=optimizer, steps=2)[0]
    jax.block_until_ready(jax.jit(go, donate_argnums=0)(state))
    go(state)


REFUSED["a state used after `jax.jit(..., donate_argnums=0)` took it"] = donated
