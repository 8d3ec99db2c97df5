"""Train an MLP on MNIST by the public API, from data to a table of results (MNI2).

    python docs/examples/mnist.py [--data-dir DIR] [--epochs EPOCHS] [--digits]

`--digits` takes the small pictures that ship with the package instead: nothing to download, done in seconds.
"""

import argparse
import functools
import math

import jax

from mlpjax import activations, backprop, data, losses, metrics, mlp, training, trees
from mlpjax.training import recipes

# the network, one example in, logits out; and what is minimized
apply = functools.partial(mlp.apply, activation=activations.gelu)
loss = losses.softmax_cross_entropy
objective = training.supervised(apply, loss)
by_backprop = backprop.supervised(activation=activations.gelu, loss=loss)


def hold_out(dataset, count, *, seed=0):
    """Set a random part aside: what is left to train on, and `count` to watch."""
    order = jax.random.permutation(jax.random.key(seed), len(dataset.x))
    part = lambda places: jax.tree.map(lambda array: array[places], dataset)
    return part(order[count:]), part(order[:count])


def train(
    train_set,
    watched,
    scale,
    *,
    hidden,
    epochs,
    batch_size=256,
    rate=3e-3,
    seed=0,
    progress=True,
):
    """The parameters, and the history: losses of batches, measurements on `watched`."""
    # how the parameters move: AdamW, its rate up and down once
    epoch = math.ceil(len(train_set.x) / batch_size)
    schedule = recipes.one_cycle(rate, epochs * epoch)
    optimizer = recipes.optimizer("adamw", schedule, weight_decay=0.05)

    # the first parameters: He's; and the state of the run before its first step
    init_key, run_key = jax.random.split(jax.random.key(seed))
    sizes = (train_set.x.shape[1], *hidden, 10)
    params = jax.jit(lambda key: mlp.init(key, sizes))(init_key)
    start = training.start(run_key, params, optimizer=optimizer)

    # shuffled mini-batches, scaled in the compiled step; a look after each epoch
    state, history = training.fit(
        start,
        train_set,
        objective=objective,
        value_and_grad=by_backprop,
        optimizer=optimizer,
        steps=epochs * epoch,
        batch_size=batch_size,
        transform=scale,
        validation=watched,
        metrics={"accuracy": training.metric(apply, metrics.accuracy)},
        evaluate_every=epoch,
        progress=progress,
    )
    return state.params, history


def examine(params, test_set, scale):
    """Logits of the test set, and what was taken for what. To be called once."""
    logits = jax.vmap(functools.partial(apply, params))(scale(test_set, None).x)
    said = logits.argmax(axis=1)
    return logits, metrics.confusion_matrix(said, test_set.y, classes=10)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="the directory with MNIST's IDX files; downloaded once without it")
    parser.add_argument("--epochs", type=int, help="6 if left out, or 30 with --digits")
    parser.add_argument("--digits", action="store_true", help="the 8×8 digits of the package instead of MNIST")
    arguments = parser.parse_args()
    if arguments.digits:
        load, maximum, settings = data.digits.load, 16, {"hidden": (64,), "epochs": 30, "batch_size": 64}
    else:
        load = lambda split: data.mnist.load(arguments.data_dir, split=split, progress=True)
        maximum, settings = 255, {"hidden": (512, 512), "epochs": 6}
    if arguments.epochs is not None:
        settings["epochs"] = arguments.epochs

    everything, test_set, scale = load("train"), load("test"), data.augment.scale(maximum)
    train_set, watched = hold_out(everything, len(everything.x) // 10)
    params, history = train(train_set, watched, scale, **settings)
    for epoch, value in enumerate(history.evaluations()[1]["accuracy"], start=1):
        print(f"epoch {epoch}: validation accuracy {value:.2%}")

    logits, matrix = examine(params, test_set, scale)
    print(f"{trees.count(params):,} parameters, test accuracy {metrics.accuracy(logits, test_set.y):.2%}")
    print(matrix)


if __name__ == "__main__":
    main()
