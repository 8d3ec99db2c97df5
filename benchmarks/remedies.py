"""Four remedies in one network of a hundred hidden layers (VAN4): all sixteen combinations, trained on the digits.

    python -m benchmarks.remedies [--steps 400] [--only none relu+norm …]

Hidden layers of width 32 between the 64 pixels and the ten logits. Each remedy is there or not:

- relu: ReLU instead of the sigmoid;
- residual: every hidden layer but the first adds to its input;
- norm: batch normalization of the pre-activations;
- init: orthogonal weights with the gain that this layer needs (see `fitted`), instead of Xavier's.

All are trained alike: SGD with momentum 0.9, batches of 64, as many steps. The learning rate is chosen for each by the
accuracy on 288 examples held out of the training data, mean of two seeds; then five fresh seeds are trained with it and
measured on the test data. Two of them are trained four times as long as well. Writes docs/figures/data/remedies.json.
"""

import argparse
import itertools
import json
import pathlib
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import data, initializers, losses, training
from mlpjax.activations import relu, sigmoid
from mlpjax.data import Dataset
from mlpjax.layers import Dense, dense, norm, residual

TARGET = pathlib.Path(__file__).parents[1] / "docs" / "figures" / "data" / "remedies.json"
DEPTH, WIDTH, HELD_OUT, BATCH = 100, 32, 288, 64
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)


class Remedies(NamedTuple):
    """Which of the four a network has."""

    relu: bool = False
    residual: bool = False
    norm: bool = False
    init: bool = False

    def __str__(self):
        return "+".join(name for name, present in self._asdict().items() if present) or "none"


ALL = [Remedies(*present) for present in itertools.product((False, True), repeat=4)]
SLOW = (Remedies(init=True), Remedies(relu=True, init=True))


class Net(NamedTuple):
    """Parameters: the first hidden layer, the other 99 stacked, the last layer; γ and β of all hundred."""

    first: Dense
    hidden: Dense
    last: Dense
    norms: norm.Norm


def fitted(has):
    """Orthogonal weights times the gain with which a hidden layer keeps signals and errors near their size.

    4 and √2 undo the slopes of sigmoid and ReLU. A branch beside an identity has to be small: its changes have random
    signs for the sigmoid and add up like √L, those of ReLU are all positive and add up like L. Batch normalization
    undoes any gain.
    """
    gain = 2**0.5 if has.relu else 4.0
    if has.residual:
        gain /= DEPTH if has.relu else DEPTH**0.5
    return lambda *args: (1.0 if has.norm else gain) * initializers.orthogonal(*args)


def init(key, has):
    """Parameters, and the state of batch normalization."""
    k0, k1, k2 = jax.random.split(key, 3)
    weight_init = fitted(has) if has.init else initializers.xavier_normal
    make = lambda k, n, m, weight_init: dense.init(k, n, m, weight_init=weight_init)
    hidden = jax.vmap(lambda k: make(k, WIDTH, WIDTH, weight_init))(jax.random.split(k1, DEPTH - 1))
    if has == Remedies(init=True):  # the sigmoid's outputs have mean ½: biases that take it away again
        hidden = hidden._replace(b=-hidden.W.sum(-1) / 2)
    first, last = (make(k, n, m, initializers.xavier_normal) for k, n, m in ((k0, 64, WIDTH), (k2, WIDTH, 10)))
    norms, running = jax.vmap(lambda _: norm.batch_init(WIDTH))(jnp.arange(DEPTH))
    return Net(first, hidden, last, norms), running


def apply(params, running, x, has, train):
    """Logits of a batch, and the new state."""
    activation = relu if has.relu else sigmoid
    affine = jax.vmap(dense.apply, (None, 0))

    def branch(a, layer, scaling, state):
        z = affine(layer, a)
        if has.norm:
            z, state = norm.batch_apply(scaling, state, z, train=train)
        return activation(z), state

    def hidden(a, turn):
        out, state = branch(a, *turn)
        return (residual.apply(lambda _: out, a) if has.residual else out), state

    at = lambda i, tree: jax.tree.map(lambda leaf: leaf[i], tree)
    a, first = branch(x, params.first, at(0, params.norms), at(0, running))
    rest = at(slice(1, None), (params.norms, running))
    a, states = jax.lax.scan(hidden, a, (params.hidden, *rest))
    running = jax.tree.map(lambda one, more: jnp.concatenate([one[None], more]), first, states)
    return affine(params.last, a), running


def objective(has):
    """Mean cross-entropy; a key means training."""

    def risk(params, running, batch, key):
        z, running = apply(params, running, batch.x, has, key is not None)
        return jnp.mean(jax.vmap(losses.softmax_cross_entropy.value)(z, batch.y)), running

    return risk


def gradient_norms(has, params, running, batch):
    """The norm of the gradient of every weight matrix, first layer first."""
    grads, _ = jax.grad(objective(has), has_aux=True)(params, running, batch, jax.random.key(0))

    def length(W):  # squares of numbers below 1e-19 would be 0
        largest = jnp.max(jnp.abs(W), (-1, -2), keepdims=True)
        return jnp.linalg.norm(W / jnp.where(largest > 0, largest, 1), axis=(-2, -1)) * largest[..., 0, 0]

    return jnp.hstack([length(grads.first.W), length(grads.hidden.W), length(grads.last.W)])


def digits():
    """Training data, held-out part and test data, with the training data's mean 0 and variance 1 over all pixels."""
    whole, test = (data.digits.load(split) for split in ("train", "test"))
    order = np.random.default_rng(0).permutation(len(whole.x))
    train, held = (Dataset(whole.x[i], whole.y[i]) for i in (order[HELD_OUT:], order[:HELD_OUT]))
    mean, deviation = float(np.mean(train.x)), float(np.std(train.x))
    return [Dataset((part.x.astype(float) - mean) / deviation, part.y) for part in (train, held, test)]


def contestant(has, parts, steps):
    """A compiled function of keys and rates, one run for each pair of them."""
    train, held, test = parts

    def run(key, rate):
        params, running = init(key, has)
        optimizer = optax.sgd(rate, momentum=0.9)
        state = training.start(key, params, optimizer=optimizer, model_state=running)
        how = dict(objective=objective(has), optimizer=optimizer, steps=steps, batch_size=BATCH)
        state, history = training.run(state, train, **how)
        right = lambda part: apply(state.params, state.model_state, part.x, has, False)[0].argmax(-1) == part.y
        return dict(
            held=jnp.mean(right(held)),
            test=jnp.mean(right(test)),
            loss=history.loss[-1],
            start=gradient_norms(has, params, running, train),
            end=gradient_norms(has, state.params, state.model_state, train),
        )

    return jax.jit(jax.vmap(run))


def measure(has, parts, steps):
    """The best rate, and what five seeds reach with it."""
    run, rates = contestant(has, parts, steps), jnp.array(RATES)
    keys = jax.random.split(jax.random.key(0), 2 + len(RATES))
    held = np.mean([run(jnp.repeat(key, len(RATES)), rates)["held"] for key in keys[:2]], axis=0)
    rate = float(rates[held.argmax()])
    found = {name: np.asarray(value) for name, value in run(keys[2:], jnp.full(len(RATES), rate)).items()}
    rounded = lambda values: [float(f"{value:.3g}") if np.isfinite(value) else None for value in values]
    return dict(
        has._asdict(),
        rate=RATES[held.argmax()],
        held_out=rounded(held),
        test=sorted(rounded(found["test"])),
        loss=rounded(found["loss"]),
        **{name: rounded(np.median(found[name], axis=0)) for name in ("start", "end")},
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--only", nargs="+", default=[str(has) for has in ALL], help="do not write, show these")
    arguments = parser.parse_args()
    rows, parts = {}, digits()
    for has in ALL:
        if str(has) in arguments.only:
            began = time.perf_counter()
            row = rows[str(has)] = measure(has, parts, arguments.steps)
            seconds = time.perf_counter() - began
            print(f"{has!s:<24} rate {row['rate']:<6} test {row['test']} ({seconds:.0f} s)", flush=True)
    if len(rows) == len(ALL):
        longer = {str(has): measure(has, parts, 4 * arguments.steps)["test"] for has in SLOW}
        about = dict(depth=DEPTH, width=WIDTH, steps=arguments.steps, batch=BATCH, rates=RATES, longer=longer)
        TARGET.write_text(json.dumps(about | dict(networks=rows)) + "\n")
        print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
