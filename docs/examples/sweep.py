"""Train 256 networks in one compiled program: 32 seeds at each of 8 learning rates (OPT5, REG6).

    python docs/examples/sweep.py

Each network stops for itself and goes back to its best parameters. What is compared was measured on digits that were
held out; the test set is looked at once, with the winner.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import data, losses, metrics, mlp, training

objective = training.supervised(mlp.apply, losses.softmax_cross_entropy)
measures = {"accuracy": training.metric(mlp.apply, metrics.accuracy)}
scale = data.augment.scale(16)
stop = training.stopping.patience(5)  # epochs without a lower loss on the held-out digits


def hold_out(dataset, count, *, seed=0):
    """Set a random part aside: what is left to train on, and `count` to watch."""
    order = jax.random.permutation(jax.random.key(seed), len(dataset.x))
    part = lambda places: jax.tree.map(lambda array: array[places], dataset)
    return part(order[count:]), part(order[:count])


def train(key, rate, train_set, watched):
    """One network: its best parameters, the step they are from, and how they do on the held-out digits."""
    init_key, run_key = jax.random.split(key)
    optimizer = optax.adam(rate)
    start = training.start(run_key, mlp.init(init_key, (64, 32, 10)), optimizer=optimizer, stop=stop)
    state, _ = training.run(
        start,
        train_set,
        objective=objective,
        optimizer=optimizer,
        steps=720,  # 40 epochs
        batch_size=64,
        transform=scale,
        validation=watched,
        stop=stop,
    )
    best = training.best_params(state, stop)
    found = training.evaluate(best, watched, objective=objective, metrics=measures, transform=scale)
    return best, state.stop_state.rule.step, found


@jax.jit
def sweep(keys, rates, train_set, watched):
    """`train` for every key and every rate: the same results, with the axes (keys, rates) in front.

    All rates of a key have its first weights and its batches: they are compared in pairs, and a batch is fetched once
    for all of them (`vmap`). The keys come one after the other (`lax.map`), so the networks of one fit in the cache.
    """
    one = lambda key, rate: train(key, rate, train_set, watched)
    return jax.lax.map(lambda key: jax.vmap(one, (None, 0))(key, rates), keys)


def table(rates, accuracy, step):
    """A line per learning rate: how its seeds do on the held-out digits."""
    print(f"{'rate':>8}{'best':>9}{'median':>9}{'quartiles':>18}{'at step':>9}")
    for rate, reached, at in zip(rates, accuracy.T, step.T, strict=True):
        low, median, high = np.percentile(reached, [25, 50, 75])
        print(f"{rate:8.1e}{reached.max():9.1%}{median:9.1%}{low:10.1%} –{high:6.1%}{np.median(at):9.0f}")


def main():
    everything, test_set = data.digits.load("train"), data.digits.load("test")
    parts = hold_out(everything, len(everything.x) // 5)
    keys, rates = jax.random.split(jax.random.key(1), 32), jnp.logspace(-4, -0.5, 8)

    began = time.perf_counter()
    compiled = sweep.lower(keys, rates, *parts).compile()
    ready = time.perf_counter()
    params, step, found = jax.block_until_ready(compiled(keys, rates, *parts))
    took = time.perf_counter() - ready
    print(f"{len(keys) * len(rates)} networks: compiled in {ready - began:.1f} s, trained in {took:.1f} s")

    accuracy, loss, step = (np.asarray(array) for array in (found["accuracy"], found["loss"], step))
    table(rates, accuracy, step)
    seed, at = max(np.ndindex(accuracy.shape), key=lambda place: (accuracy[place], -loss[place]))
    best = jax.tree.map(lambda leaf: leaf[seed, at], params)
    tested = training.evaluate(best, test_set, metrics=measures, transform=scale)["accuracy"]
    print(f"best: seed {seed} at rate {rates[at]:.1e}, {accuracy[seed, at]:.1%}; on the test set {tested:.1%}")


if __name__ == "__main__":
    main()
