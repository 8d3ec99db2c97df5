"""One epoch of MNIST in JAX and optax alone, from the start of the process to its end: mlpjax should not add much.

    python benchmarks/fresh/jax_epoch.py --data-dir DIR [--cache DIR]

Initial values and the order of the examples come from NumPy, so that nothing is compiled for them. Training and the
test are one compiled program: a scan over steps that gathers in the step, on pixels that stay bytes until they are
used, with weights (out, in). Losses are read once, at the end. The last 96 images, less than a batch, are dropped.
"""

import argparse
import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
from mnist_files import load

SIZES, BATCH, RATE = (784, 128, 10), 128, 1e-3


def initial(rng):
    """He-normal weights, zero biases."""
    layer = lambda n_in, n_out: rng.normal(0, (2 / n_in) ** 0.5, (n_out, n_in)).astype(np.float32)
    return [(layer(*pair), np.zeros(pair[1], np.float32)) for pair in itertools.pairwise(SIZES)]


def forward(params, x):
    a = x.astype(jnp.float32) * (1 / 255)
    for W, b in params[:-1]:
        a = jax.nn.relu(a @ W.T + b)
    W, b = params[-1]
    return a @ W.T + b


def objective(params, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(forward(params, x), y.astype(jnp.int32)).mean()


@jax.jit
def epoch(params, order, train, test):
    """Mean loss over the steps, and the accuracy on the test set after them."""
    optimizer = optax.adam(RATE)

    def step(carry, rows):
        params, state = carry
        loss, grads = jax.value_and_grad(objective)(params, train[0][rows], train[1][rows])
        updates, state = optimizer.update(grads, state)
        return (optax.apply_updates(params, updates), state), loss

    (params, _), losses = jax.lax.scan(step, (params, optimizer.init(params)), order)
    return losses.mean(), (forward(params, test[0]).argmax(axis=1) == test[1]).mean()


def use_cache(directory):
    """Keep every compiled program there, however small."""
    jax.config.update("jax_compilation_cache_dir", directory)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True, metavar="DIR", help="where MNIST's four files are")
    parser.add_argument("--cache", metavar="DIR", help="where compiled programs are kept from one process to the next")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.cache:
        use_cache(arguments.cache)
    train, test = (load(arguments.data_dir, split) for split in ("train", "test"))
    rng = np.random.default_rng(arguments.seed)
    order = rng.permutation(len(train[0])).astype(np.int32)
    order = order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)
    loss, accuracy = map(float, jax.device_get(epoch(initial(rng), order, train, test)))
    print(json.dumps({"loss": loss, "test_accuracy": accuracy}))


if __name__ == "__main__":
    main()
