"""Mistakes that run without an error elsewhere, made on purpose, one by one."""

import re

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import optax

from mlpjax import data, losses, mlp, training
from mlpjax.training._loop import batch_of_step
from tests.reliability._refused import LABELS, REFUSED, TARGETS, VECTORS, X, dropout
from tests.reliability.experiments import Claim

TITLE = "Mistakes that other code lets pass"
HOW = (
    "Each mistake is made in a call that would train for 100 steps and tell a log of each chunk. It is caught if an "
    "exception comes while the log is still empty; its first words stand in the table. The rows after "
    "them measure what cannot go wrong, and the last ones what four lines of plain JAX make of four of these mistakes."
)
FULL = QUICK = len(REFUSED)


def measure(count, seed):
    """What happens, as words and numbers."""
    jaxtyping.config.update("jaxtyping_disable", True)  # as users run it: without the suite's checks of annotations
    try:
        caught = {name: attempt(call) for name, call in list(REFUSED.items())[:count]}
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        return {"caught": caught, "impossible": impossible(seed), "plain": plain()}


def attempt(call):
    """The exception's class and first sentence, and how many chunks were trained."""
    trained = []
    try:
        call(trained)
    except Exception as error:
        words = re.split(r"[.;:]\s|\n", str(error), maxsplit=1)[0]
        return [f"{type(error).__name__}: {words[:110]}{'…' if len(words) > 110 else ''}", len(trained)]
    return [None, len(trained)]


def impossible(seed):
    """What holds by construction, counted."""
    key, n, size, epochs = jax.random.key(seed), 60, 8, 20
    draw = lambda step: data.batching.indices(key, step, n=n, batch_size=size)
    stream = np.asarray(jax.jit(jax.vmap(draw))(jnp.arange(-(-n * epochs // size)))).ravel()[: n * epochs]
    orders = stream.reshape(epochs, n)
    ranks = np.corrcoef(orders)[~np.eye(epochs, dtype=bool)]
    labels = np.sort(np.arange(n) % 3)[orders]
    return {
        "epochs": epochs,
        "complete": int(sum(sorted(order) == list(range(n)) for order in orders.tolist())),
        "distinct": len(set(map(tuple, orders.tolist()))),
        "correlation": float(np.abs(ranks).max()),
        "classes": float(np.mean([len(set(row)) == 3 for row in labels[:, : n // size * size].reshape(-1, size)])),
        "keys": shared_keys(key),
        "reuse": reuse(key),
        "dropout": dropout_at_evaluation(key),
        "traced": traced_labels(key),
        "given": given_stays(key),
    }


def shared_keys(key):
    """How many keys of the first 1,000 steps are keys of one of 1,000 layers initialized with the same key."""
    words = lambda keys: set(map(tuple, np.asarray(jax.random.key_data(keys)).reshape(-1, 2).tolist()))
    layers = jax.random.split(key, 1000)
    both = jax.vmap(jax.random.split)(layers)
    of_step = lambda step: batch_of_step(key, step, None, 1, None, lambda batch, k: k)
    noise = jax.vmap(of_step)(jnp.arange(1000, dtype="uint32"))
    return len((words(layers) | words(both)) & (words(noise[0]) | words(noise[1])))


def reuse(key):
    """What JAX's own detector says of initialization and a run with dropout and noise."""
    noisy = lambda batch, k: batch if k is None else batch._replace(x=batch.x + jax.random.normal(k, batch.x.shape))
    optimizer, objective = optax.sgd(0.1), training.supervised(dropout(0.5), losses.softmax_cross_entropy)
    settings = dict(objective=objective, optimizer=optimizer, transform=noisy, batch_size=10, steps=3)

    def whole(key):
        init, own = jax.random.split(key)
        state = training.start(own, mlp.init(init, (4, 5, 5, 3)), optimizer=optimizer)
        return training.run(state, data.Dataset(X, LABELS), **settings)[1].loss

    with jax.debug_key_reuse(True):
        try:
            return "none" if np.isfinite(jax.jit(whole)(key)).all() else "not finite"
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[:100]}"


def dropout_at_evaluation(key):
    """Whether `evaluate` gives the numbers of the network without dropout."""
    params, given = mlp.init(key, (4, 5, 3)), data.Dataset(X, LABELS)
    values = [
        float(training.evaluate(params, given, objective=training.supervised(f, losses.softmax_cross_entropy))["loss"])
        for f in (dropout(0.9), mlp.apply)
    ]
    return values[0] == values[1]


def traced_labels(key):
    """Labels that only the compiled program sees: the step at which the run ends."""
    optimizer, objective = optax.sgd(0.1), training.supervised(mlp.apply, losses.softmax_cross_entropy)
    state = training.start(key, mlp.init(key, (4, 5, 3)), optimizer=optimizer)
    settings = dict(objective=objective, optimizer=optimizer, steps=4)
    run = jax.jit(lambda y: training.run(state, data.Dataset(X, y), **settings)[0])
    ends = [run(LABELS + shift) for shift in (0, 1, -1)]
    kept = [all(map(np.array_equal, jax.tree.leaves(e.params), jax.tree.leaves(state.params))) for e in ends]
    return [[int(e.stop_state.first_bad_step) for e in ends[1:]], kept]


def given_stays(key):
    """Whether `fit` leaves the arrays it was given as they were, to use again."""
    optimizer, objective = optax.sgd(0.1), training.supervised(mlp.apply, losses.softmax_cross_entropy)
    state, given = (
        training.start(key, mlp.init(key, (4, 5, 3)), optimizer=optimizer),
        data.Dataset(*map(jnp.asarray, (X, LABELS))),
    )
    before = jax.tree.map(np.array, (state.params, given))
    training.fit(state, given, objective=objective, optimizer=optimizer, steps=2, progress=False)
    return all(map(np.array_equal, jax.tree.leaves((state.params, given)), jax.tree.leaves(before)))


def plain():
    """Four lines of `jax.numpy` as one writes them, with four of the mistakes."""
    z = jnp.asarray(X[:, :1])
    logits = jnp.asarray(VECTORS * 2)
    chosen = lambda y: -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1)
    return {
        "shape": list((z - jnp.asarray(TARGETS[:, 0])).shape),
        "minus_one": float(chosen(jnp.full(len(X), -1)).mean()) == float(chosen(jnp.full(len(X), 2)).mean()),
        "one_hot": float(jnp.sum(jax.nn.one_hot(jnp.asarray([3]), 3))),
        "signs": float(optax.sigmoid_binary_cross_entropy(jnp.full(1, -50.0), jnp.full(1, -1.0))[0]),
    }


def claims(found):
    """Each mistake with what is said of it; then what cannot happen; then what happens elsewhere."""
    rows = [Claim(name, said or "not caught", bool(said) and not n) for name, (said, n) in found["caught"].items()]
    return rows + batches(found["impossible"]) + values(found["impossible"]) + elsewhere(found["plain"])


def batches(sure):
    """What batches and keys are by construction."""
    epochs, classes = sure["epochs"], sure["classes"]
    return [
        Claim(
            "every example once in every epoch, batches crossing epochs",
            f"{sure['complete']} of {epochs} epochs, {sure['distinct']} different orders",
            sure["complete"] == sure["distinct"] == epochs,
        ),
        Claim(
            "data sorted by class: batches of 8 hold all of 3 classes as often as by chance, in 89 %",
            f"{classes:.0%}",
            abs(classes - 0.89) < 0.08,
        ),
        Claim(
            "the same key for `mlp.init` and `training.start`: no key derived from it is shared",
            f"{sure['keys']} shared by 1,000 layers and 1,000 steps",
            sure["keys"] == 0,
        ),
        Claim(
            "`jax.debug_key_reuse` over `mlp.init` and a run with dropout and noise",
            f"reuse: {sure['reuse']}",
            sure["reuse"] == "none",
        ),
    ]


def values(sure):
    """What a run does to values by construction."""
    steps, kept = sure["traced"]
    return [
        Claim("`evaluate` with dropout on: the numbers are those without", equal(sure["dropout"]), sure["dropout"]),
        Claim(
            "labels −1 or K that only the compiled program sees: the run ends at step 0, and nothing is learned",
            f"ended at steps {steps[0]} and {steps[1]}",
            steps == [0, 0] and kept == [False, True, True],
        ),
        Claim("state and data given to `fit` stay as they were", equal(sure["given"]), sure["given"]),
    ]


def elsewhere(plain):
    """What plain JAX and optax make of four of the mistakes."""
    shape, signs = tuple(plain["shape"]), plain["signs"]
    return [
        Claim("plain `jax.numpy`: `(N, 1)` minus `(N,)`", f"no error, shape {shape}", shape == (len(X), len(X))),
        Claim("plain `jax.numpy`: label −1 in `take_along_axis`", "no error, the last class", plain["minus_one"]),
        Claim("plain `jax.nn.one_hot`: label K", "no error, a target of zeros", plain["one_hot"] == 0.0),
        Claim("`optax.sigmoid_binary_cross_entropy`: target −1", f"no error, a loss of {signs:.0f}", signs < 0),
    ]


def equal(same):
    """A finding in a word."""
    return "equal" if same else "not equal"
