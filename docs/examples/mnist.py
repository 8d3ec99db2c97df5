"""Train an MLP on MNIST by the public API, from data to a table of results (MNI2).

    python docs/examples/mnist.py [--data-dir DIR] [--epochs 6] [--digits]

`--digits` takes the small pictures that ship with the package instead: nothing to download, done in seconds.
"""

import argparse
import functools
import math

import jax

from mlpjax import activations, backprop, data, losses, metrics, mlp, training, trees
from mlpjax.training import recipes


def train(train_set, test_set, divisor, *, hidden, epochs, batch_size=256, rate=3e-3, seed=0, progress=True):
    """The whole of it; returns the parameters, what was measured, and the confusion matrix of the test set."""
    # the network: one example in, logits out
    apply = functools.partial(mlp.apply, activation=activations.gelu)
    loss = losses.softmax_cross_entropy
    sizes = (train_set.x.shape[1], *hidden, 10)

    # what is minimized, its gradient by BP1–BP4, and how the parameters move
    objective = training.supervised(apply, loss)
    value_and_grad = backprop.supervised(activation=activations.gelu, loss=loss)
    steps_per_epoch = math.ceil(len(train_set.x) / batch_size)
    steps = epochs * steps_per_epoch
    optimizer = recipes.optimizer("adamw", recipes.one_cycle(rate, steps), weight_decay=0.05)

    # the run: shuffled mini-batches, scaled inside the compiled step; a look at the test set after each epoch
    init_key, run_key = jax.random.split(jax.random.key(seed))
    params = jax.jit(lambda key: mlp.init(key, sizes))(init_key)
    scale = data.augment.scale(divisor)
    state, history = training.fit(
        training.start(run_key, params, optimizer=optimizer),
        train_set,
        objective=objective,
        value_and_grad=value_and_grad,
        optimizer=optimizer,
        steps=steps,
        batch_size=batch_size,
        transform=scale,
        validation=test_set,
        metrics={"accuracy": training.metric(apply, metrics.accuracy)},
        evaluate_every=steps_per_epoch,
        progress=progress,
    )

    # what it gets wrong
    logits = jax.vmap(functools.partial(apply, state.params))(scale(test_set, None).x)
    matrix = metrics.confusion_matrix(logits.argmax(axis=1), test_set.y, classes=10)
    return state.params, history, matrix


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="the directory with MNIST's IDX files; downloaded once without it")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--digits", action="store_true", help="the 8×8 digits of the package instead of MNIST")
    arguments = parser.parse_args()
    if arguments.digits:
        sets, divisor, hidden = [data.digits.load(s) for s in ("train", "test")], 16, (64,)
    else:
        sets, divisor, hidden = (
            [data.mnist.load(arguments.data_dir, split=s) for s in ("train", "test")],
            255,
            (512, 512),
        )
    batch_size = 64 if arguments.digits else 256
    params, history, matrix = train(*sets, divisor, hidden=hidden, epochs=arguments.epochs, batch_size=batch_size)
    for epoch, value in enumerate(history.evaluations()[1]["accuracy"], start=1):
        print(f"epoch {epoch}: test accuracy {value:.2%}")
    print(f"{trees.count(params):,} parameters")
    print(matrix)


if __name__ == "__main__":
    main()
