"""From nothing to a trained network with mlpjax, as one compiled program: data in, accuracy out.

    python benchmarks/fresh/mlpjax_run.py RECIPE [--data-dir DIR] [--cache DIR] [--held-out N]

RECIPE is JSON: hidden, epochs, batch, rate, schedule ("one-cycle" or "constant"), shift, dropout, weight_decay,
smoothing, seed. Prints one line of JSON. With `--held-out` the last N training images take the place of the test set:
that is how a recipe is chosen.
"""

import argparse
import functools
import json
import time

BEGAN = time.perf_counter()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

from mlpjax import backprop, data, losses, metrics, mlp, training  # noqa: E402
from mlpjax.data import augment  # noqa: E402
from mlpjax.training import recipes  # noqa: E402

NAMES = {"hidden", "epochs", "batch", "rate", "schedule", "shift", "dropout", "weight_decay", "smoothing", "seed"}


def optimizer_of(recipe, steps):
    rate, decay = recipe["rate"], recipe["weight_decay"]
    schedule = recipes.one_cycle(rate, steps) if recipe["schedule"] == "one-cycle" else rate
    return recipes.optimizer("adamw" if decay else "adam", schedule, weight_decay=decay)


def trainer(recipe, examples):
    """`(seed, train, test) -> (mean loss, accuracy)`, to be compiled whole."""
    steps = recipe["epochs"] * examples // recipe["batch"]
    optimizer, rate = optimizer_of(recipe, steps), recipe["dropout"]
    loss = losses.smoothed_cross_entropy(recipe["smoothing"]) if recipe["smoothing"] else losses.softmax_cross_entropy
    shift = [augment.shift(recipe["shift"], height=28, width=28)] if recipe["shift"] else []
    prepare = augment.compose(*shift, augment.scale(255))
    objective = training.supervised(functools.partial(mlp.apply, dropout_rate=rate), loss)

    def train(seed, images, test):
        init_key, run_key = jax.random.split(jax.random.key(seed))
        params = mlp.init(init_key, (784, *recipe["hidden"], 10))
        state, history = training.run(
            training.start(run_key, params, optimizer=optimizer),
            images,
            objective=objective,
            value_and_grad=backprop.supervised(loss=loss, dropout_rate=rate),
            optimizer=optimizer,
            steps=steps,
            batch_size=recipe["batch"],
            transform=prepare,
        )
        right = {"accuracy": training.metric(mlp.apply, metrics.accuracy)}
        tested = training.evaluate(state.params, test, metrics=right, transform=prepare)
        return jnp.mean(history.loss), tested["accuracy"]

    return jax.jit(train)


def recipe_of(text):
    """A recipe from JSON, complete."""
    recipe = json.loads(text)
    if not isinstance(recipe, dict) or set(recipe) != NAMES:
        raise argparse.ArgumentTypeError(f"must be a JSON object with the names {', '.join(sorted(NAMES))}")
    return recipe


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=recipe_of, metavar="RECIPE")
    parser.add_argument("--data-dir", metavar="DIR", help="where MNIST's four files are (default: mlpjax's own folder)")
    parser.add_argument("--cache", metavar="DIR", help="keeps compiled programs from one process to the next")
    parser.add_argument("--held-out", type=int, default=0, metavar="N", help="test on the last N training images")
    arguments = parser.parse_args()
    if arguments.cache:
        jax.config.update("jax_compilation_cache_dir", arguments.cache)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    try:
        images = data.mnist.load(arguments.data_dir, split="train")
        test = None if arguments.held_out else data.mnist.load(arguments.data_dir, split="test")
    except OSError as error:
        parser.error(f"--data-dir: {error}")
    if arguments.held_out:
        test = jax.tree.map(lambda a: a[-arguments.held_out :], images)
        images = jax.tree.map(lambda a: a[: -arguments.held_out], images)
    train = trainer(arguments.recipe, len(images.x))
    loss, accuracy = jax.device_get(train(arguments.recipe["seed"], images, test))
    found = {"loss": float(loss), "accuracy": float(accuracy), "seconds": time.perf_counter() - BEGAN}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
