"""What networks reach on MNIST: the numbers and pictures of the page "Training an MLP on MNIST".

    python benchmarks/mnist_results.py --data-dir DIR [--seeds 3] [--only NAME ...]

Writes docs/figures/data/mnist.json (accuracies, times, curves, confusion matrix) and mnist.npz (a few pictures and
weights). A tenth of the training set is held out; choices were made on it. `--only` measures some of the recipes anew
and leaves the rest of both files as it is.
"""

import argparse
import functools
import importlib.util
import json
import math
import os
import pathlib
import platform
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

import mlpjax
from mlpjax import activations, backprop, data, losses, metrics, mlp, training, trees
from mlpjax.training import recipes

ROOT = pathlib.Path(__file__).parents[1]
OUT = ROOT / "docs" / "figures" / "data"

BASE = recipes.Recipe(
    data="mnist",
    hidden=(512, 512),
    activation="gelu",
    loss="softmax_cross_entropy",
    epochs=6,
    batch_size=256,
    optimizer="adamw",
    learning_rate=3e-3,
    schedule="one-cycle",
    weight_decay=0.05,
)


def vary(**changes):
    return recipes.Recipe(**{**vars(BASE), **changes})


PLAIN = dict(optimizer="adam", schedule="constant", weight_decay=0.0, learning_rate=1e-3, batch_size=64)
RECIPES = {
    "linear": vary(hidden=(), **PLAIN),
    "eighties": vary(
        hidden=(100,),
        activation="sigmoid",
        loss="sigmoid_squared_error",
        **{**PLAIN, "optimizer": "sgd", "learning_rate": 3.0, "batch_size": 10},
    ),
    "shallow": vary(hidden=(100,), activation="relu", **PLAIN),
    "script": BASE,
    "shifts": vary(shift=1),
    "package": vary(shift=1, loss="smoothed_cross_entropy(0.1)"),
    "long": vary(shift=2, loss="smoothed_cross_entropy(0.1)", dropout=0.2, epochs=40),
}


def example(name):
    """A script of docs/examples as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = example("mnist")


def train(recipe, train_set, watched, *, seed):
    """Parameters, history, network and scaling of one run."""
    activation, loss = activations.by_name(recipe.activation), losses.by_name(recipe.loss)
    apply = functools.partial(mlp.apply, activation=activation, dropout_rate=recipe.dropout)
    if not loss.classifies:
        code = lambda part: part._replace(y=jax.vmap(lambda k: losses.one_hot(k, 10))(part.y))
        train_set, watched = code(train_set), code(watched)
    shift = [data.augment.shift(recipe.shift, height=28, width=28)] if recipe.shift else []
    per_epoch = math.ceil(len(train_set.x) / recipe.batch_size)
    steps = recipe.epochs * per_epoch
    optimizer = recipe.make_optimizer(steps)
    init_key, run_key = jax.random.split(jax.random.key(seed))
    params = recipe.make_params(init_key, (784, *recipe.hidden, 10))
    state, history = training.fit(
        training.start(run_key, params, optimizer=optimizer),
        train_set,
        objective=training.supervised(apply, loss),
        value_and_grad=backprop.supervised(activation=activation, loss=loss, dropout_rate=recipe.dropout),
        optimizer=optimizer,
        steps=steps,
        batch_size=recipe.batch_size,
        transform=data.augment.compose(*shift, data.augment.scale(255)),
        validation=watched,
        metrics={"accuracy": training.metric(apply, metrics.accuracy)},
        evaluate_every=per_epoch,
        progress=False,
    )
    return params, state.params, history, functools.partial(mlp.apply, activation=activation)


def logits_of(apply, params, examples):
    batches = jnp.split(examples.x, len(examples.x) // 1000)
    forward = jax.jit(lambda params, x: jax.vmap(functools.partial(apply, params))(x / 255.0))
    return np.concatenate([forward(params, x) for x in batches])


def measure(name, recipe, seeds, everything, test):
    """A row of the table, and the first seed's run."""
    train_set, watched = SCRIPT.hold_out(everything, 6000)
    runs = []
    for seed in range(seeds):
        jax.clear_caches()
        began, processor = time.perf_counter(), time.process_time()
        first, params, history, apply = train(recipe, train_set, watched, seed=seed)
        times = time.perf_counter() - began, time.process_time() - processor
        z = {part: logits_of(apply, params, d) for part, d in (("validation", watched), ("test", test))}
        found = {part: float(metrics.accuracy(z[part], d.y)) for part, d in (("validation", watched), ("test", test))}
        found["training"] = float(metrics.accuracy(logits_of(apply, params, train_set), train_set.y))
        runs.append((found, times, (first, params, history, z["test"])))
        print(f"{name} {seed}: {found} {times[0]:.1f} s wall, {times[1]:.1f} s processor", flush=True)
    row = {
        "recipe": {**vars(recipe), "hidden": list(recipe.hidden)},
        "parameters": trees.count(runs[0][2][1]),
        **{part: [round(found[part], 5) for found, _, _ in runs] for part in ("training", "validation", "test")},
        "seconds": [round(times[0], 2) for _, times, _ in runs],
        "processor_seconds": [round(times[1], 2) for _, times, _ in runs],
    }
    return row, runs[0][2]


def curves(history, per_epoch):
    """Loss of the batches, averaged over a fifth of an epoch; what was measured after each epoch."""
    width = per_epoch // 5
    loss = np.asarray(history.loss)[: len(history.loss) // width * width].reshape(-1, width)
    at, seen = history.evaluations()
    return {
        "training_loss": {
            "epoch": np.round((np.arange(len(loss)) + 0.5) * width / per_epoch, 3).tolist(),
            "loss": np.round(loss.mean(axis=1, dtype=float), 5).tolist(),
        },
        "validation": {
            "epoch": np.round(at / per_epoch, 3).tolist(),
            **{name: np.round(np.asarray(values, float), 5).tolist() for name, values in seen.items()},
        },
    }


def mistakes(z, test, most=24):
    """The most confident of the wrong answers."""
    p = np.asarray(jax.nn.softmax(z, axis=1))
    guess, truth = p.argmax(1), np.asarray(test.y)
    wrong = np.flatnonzero(guess != truth)
    wrong = wrong[np.argsort(-p[wrong, guess[wrong]])]
    confident = {f"{c:g}": int(np.sum(p.max(1)[wrong] > c)) for c in (0.5, 0.9, 0.99)}
    shown = wrong[:most]
    arrays = {
        "mistakes_x": np.asarray(test.x)[shown].reshape(-1, 28, 28),
        "mistakes_true": truth[shown].astype(np.uint8),
        "mistakes_said": guess[shown].astype(np.uint8),
        "mistakes_confidence": p[shown, guess[shown]].astype(np.float32),
        "mistakes_index": shown.astype(np.int32),
    }
    return {"wrong": len(wrong), "more_confident_than": confident}, arrays


def small(rows):
    """Pictures of weights as integers of one byte, the largest 127."""
    return np.round(rows / np.abs(rows).max() * 127).astype(np.int8).reshape(-1, 28, 28)


def units(first, params, most=10):
    """The units whose weights changed most: as they are, and what training added to their random start."""
    before, after = np.asarray(first[0].W), np.asarray(params[0].W)
    chosen = np.argsort(-np.linalg.norm(after - before, axis=1), kind="stable")[:most]
    return {"units": small(after[chosen]), "units_change": small((after - before)[chosen])}


def calibration(z, y):
    p = jax.nn.softmax(jnp.asarray(z), axis=1)
    return {"confidence": float(p.max(axis=1).mean()), "error": float(metrics.calibration_error(p, y))}


def details(name, run, recipe, everything, test):
    """What the pictures of the page need of one run."""
    first, params, history, z = run
    found, arrays = {}, {}
    if name in ("script", "shifts", "package"):
        found["curves"] = curves(history, math.ceil(54_000 / recipe.batch_size))
        found["calibration"] = calibration(z, test.y)
    if name == "script":
        found["confusion"] = np.asarray(metrics.confusion_matrix(z.argmax(1), test.y, classes=10)).tolist()
        found["mistakes"], arrays = mistakes(z, test)
        arrays |= units(first, params)
        found["never_inked"] = never_inked(first, params, everything)
    if name == "linear":
        arrays["templates"] = small(np.asarray(params[0].W))
    return found, arrays


def never_inked(first, params, everything):
    """Columns of the first weights at pixels that no training image inks: BP3 gives them no gradient at all."""
    dead = np.flatnonzero(np.asarray(everything.x).max(axis=0) == 0)
    before, after = np.asarray(first[0].W)[:, dead], np.asarray(params[0].W)[:, dead]
    ratio = after / before
    return {"pixels": len(dead), "ratio_least": float(ratio.min()), "ratio_most": float(ratio.max())}


def by_hand(everything, test, seeds):
    """The script without autodiff, optax and mlpjax, with the shallow network's settings."""
    script = example("by_hand")
    train_set, watched = SCRIPT.hold_out(everything, 6000)
    rows = []
    for seed in range(seeds):
        began, processor = time.perf_counter(), time.process_time()
        params, _ = script.train(
            train_set.x / 255.0, train_set.y, hidden=(100,), epochs=6, batch_size=64, rate=1e-3, seed=seed
        )
        times = time.perf_counter() - began, time.process_time() - processor
        found = [script.accuracy(params, d.x / 255.0, d.y) for d in (train_set, watched, test)]
        rows.append((*found, *times))
        print(f"by hand {seed}: {found} {times[0]:.1f} s wall, {times[1]:.1f} s processor", flush=True)
    names = ("training", "validation", "test", "seconds", "processor_seconds")
    row = {name: [round(v, 5) for v in column] for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return {"parameters": trees.count(params), **row}


def samples(everything, each=4):
    """The first few of every digit, and what is said of the whole set."""
    x, y = np.asarray(everything.x), np.asarray(everything.y)
    picked = np.concatenate([np.flatnonzero(y == digit)[:each] for digit in range(10)])
    about = {
        "counts": np.bincount(y, minlength=10).tolist(),
        "mean": float(x.mean() / 255),
        "ink": float((x > 0).mean()),
        "never_inked": int(np.sum(x.max(axis=0) == 0)),
    }
    return about, {"samples_x": x[picked].reshape(-1, 28, 28), "samples_y": y[picked].astype(np.uint8)}


def hardware():
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown")
    return {
        "processor": f"{cpu}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "jax": jax.__version__,
        "optax": optax.__version__,
        "mlpjax": mlpjax.__version__,
        "device": jax.devices()[0].platform,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[*RECIPES, "by_hand"])
    arguments = parser.parse_args()
    everything, test = (data.mnist.load(arguments.data_dir, split=split) for split in ("train", "test"))
    text, pictures = OUT / "mnist.json", OUT / "mnist.npz"
    result = json.loads(text.read_text()) if text.exists() else {"rows": {}, "details": {}}
    arrays = dict(np.load(pictures, allow_pickle=False)) if pictures.exists() else {}
    result["about"], more = samples(everything)
    result["made_by"] = "benchmarks/mnist_results.py"
    result["on"] = hardware()
    arrays |= more
    for name in arguments.only:
        if name == "by_hand":
            result["rows"][name] = by_hand(everything, test, arguments.seeds)
        else:
            row, run = measure(name, RECIPES[name], arguments.seeds, everything, test)
            result["rows"][name] = row
            result["details"][name], more = details(name, run, RECIPES[name], everything, test)
            arrays |= more
        row = result["rows"][name]
        print(f"{name}: test {statistics.mean(row['test']):.2%}, {statistics.median(row['seconds']):.1f} s", flush=True)
        text.write_text(json.dumps(result, indent=1) + "\n")
        np.savez_compressed(pictures, **arrays)


if __name__ == "__main__":
    main()
