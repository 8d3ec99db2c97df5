"""What each optimizer and schedule reaches on the digits: the tables of the chapter "Optimizers".

    python -m benchmarks.optimizers [--seeds 10] [--epochs 20]

Every contestant trains the same network from the same starts on the same batches, once for each rate of a grid and each
seed, all of them in one compiled program. The rate is chosen by the mean loss on a fifth of the training set that is
held out; the test set is looked at with that rate alone. Writes docs/figures/data/optimizers.json. About four minutes.
"""

import argparse
import functools
import json
import pathlib
import platform
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks import options
from mlpjax import data, losses, metrics, mlp, training
from mlpjax.data import augment
from mlpjax.training import recipes

OUT = pathlib.Path(__file__).parents[1] / "docs" / "figures" / "data" / "optimizers.json"
SIZES, BATCH, GOAL = (64, 64, 64, 10), 64, 0.95
OBJECTIVE = training.supervised(mlp.apply, losses.softmax_cross_entropy)
METRICS = {"accuracy": training.metric(mlp.apply, metrics.accuracy)}

named = lambda name, **settings: lambda rate, steps: recipes.optimizer(name, rate, **settings)
scheduled = lambda make: lambda rate, steps: recipes.optimizer("adam", make(rate, steps))
adam = lambda **settings: lambda rate, steps: optax.adam(rate, **settings)


def uncorrected(rate, steps, b1=0.9, b2=0.999, eps=1e-8):
    """Adam without the two divisions that correct the start at 0."""

    def init(params):
        return jax.tree.map(jnp.zeros_like, (params, params))

    def update(grads, state, params=None):
        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state[0], grads)
        v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, state[1], grads)
        return jax.tree.map(lambda m, v: -rate * m / (jnp.sqrt(v) + eps), m, v), (m, v)

    return optax.GradientTransformation(init, update)


LOW, HIGH = (-3.5, -1.0), (-2.5, 0.0)
"""Exponents of ten of the first and the last rate of a grid; `None` marks a rate that is given."""

OPTIMIZERS = {
    "sgd": (named("sgd"), HIGH),
    "momentum": (named("momentum"), HIGH),
    "nesterov": (named("nesterov"), HIGH),
    "rmsprop": (named("rmsprop"), LOW),
    "adam": (named("adam"), LOW),
    "adamw": (named("adamw", weight_decay=0.1), LOW),
    "adam, clipped": (named("adam", clip=1.0), LOW),
    "adam, averaged": (lambda rate, steps: recipes.averaged(optax.adam(rate), 0.99), LOW),
    "adam, sam": (lambda rate, steps: recipes.sam(optax.adam(rate), 0.1), LOW),
    "muon": (named("muon"), LOW),
    "schedule_free": (named("schedule_free"), LOW),
}
SCHEDULES = {
    "constant": (scheduled(lambda rate, T: recipes.constant(rate)), LOW),
    "step": (scheduled(lambda rate, T: recipes.step_decay(rate, every=T // 3, factor=0.3)), LOW),
    "exponential": (scheduled(lambda rate, T: recipes.exponential(rate, every=T, factor=0.01)), LOW),
    "cosine": (scheduled(lambda rate, T: recipes.cosine(rate, T)), LOW),
    "warm-up, constant": (scheduled(lambda rate, T: recipes.warm_up(recipes.constant(rate), T // 10)), LOW),
    "warm-up, cosine": (scheduled(lambda rate, T: recipes.warm_up(recipes.cosine(rate, T - T // 10), T // 10)), LOW),
    "one-cycle": (scheduled(lambda rate, T: recipes.one_cycle(rate, T)), LOW),
    "plateau": (
        lambda rate, T: recipes.reduce_on_plateau(optax.adam(rate), factor=0.5, patience=3, accumulation_size=T // 20),
        LOW,
    ),
    "muon, cosine": (lambda rate, T: recipes.optimizer("muon", recipes.cosine(rate, T)), LOW),
}
BROKEN = {
    "adam": (adam(), 1e-3),
    "beta2 = 0.5": (adam(b2=0.5), 1e-3),
    "beta2 = 0": (adam(b2=0.0), 1e-3),
    "beta1 = 0": (adam(b1=0.0), 1e-3),
    "beta1 = 0.99": (adam(b1=0.99), 1e-3),
    "eps = 0.1": (adam(eps=0.1), 1e-3),
    "eps = 0": (adam(eps=0.0), 1e-3),
    "eta = 1e-5": (adam(), 1e-5),
    "eta = 0.1": (adam(), 0.1),
    "eta = 0.03": (adam(), 0.03),
    "eta = 0.03, uncorrected": (uncorrected, 0.03),
    "uncorrected": (uncorrected, 1e-3),
    "momentum 0.9": (named("momentum", momentum=0.9), 0.1),
    "momentum 0.99": (named("momentum", momentum=0.99), 0.1),
    "momentum 0.99, eta/10": (named("momentum", momentum=0.99), 0.01),
}


def splits():
    """Four fifths of each class of the training set, the last fifth, and the test set; pixels in [0, 1]."""
    train, test = data.digits.load("train"), data.digits.load("test")
    train, test = (augment.scale(data.digits.MAXIMUM)(part, None) for part in (train, test))
    rank = np.zeros(len(train.x), int)
    for k in range(data.digits.CLASSES):
        members = np.flatnonzero(np.asarray(train.y) == k)
        rank[members] = np.arange(len(members))
    held = rank % 5 == 4
    return jax.tree.map(lambda a: a[~held], train), jax.tree.map(lambda a: a[held], train), test


@functools.partial(jax.jit, static_argnames=("make", "steps", "every"))
def train(make, rates, keys, parts, steps, every):
    """Histories and results on the test set, for every rate and every key."""
    learn, held, test = parts

    def one(rate, key):
        k1, k2 = jax.random.split(key)
        optimizer = make(rate, steps)
        state = training.start(k2, mlp.init(k1, SIZES), optimizer=optimizer)
        settings = dict(objective=OBJECTIVE, metrics=METRICS)
        state, history = training.run(
            state, learn, optimizer=optimizer, steps=steps, batch_size=BATCH, validation=held, evaluate_every=every,
            eval_params=recipes.eval_params, **settings,
        )  # fmt: skip
        return history, training.evaluate(recipes.eval_params(state), test, **settings)

    return jax.vmap(jax.vmap(one, (None, 0)), (0, None))(rates, keys)


def grid(span):
    """Rates, two for each power of ten; or the one that is given."""
    return np.asarray([span]) if isinstance(span, float) else 10 ** np.arange(span[0], span[1] + 0.1, 0.5)


def contest(make, span, parts, seeds, epochs):
    """One contestant, at its best rate."""
    every = -(-len(parts[0].x) // BATCH)
    rates, keys = grid(span), jax.random.split(jax.random.key(0), seeds)
    history, tested = jax.device_get(train(make, jnp.asarray(rates), keys, parts, epochs * every, every))
    curve, accuracy = (np.asarray(history.validation[name])[..., every - 1 :: every] for name in ("loss", "accuracy"))
    final = np.where(np.isfinite(curve[..., -1]), curve[..., -1], np.inf).mean(1)
    best = int(np.argmin(final))
    steps = [np.flatnonzero(a >= GOAL)[:1] * every + every for a in accuracy[best]]
    return {
        "rates": rounded(rates),
        "held_out_loss": rounded(final),
        "rate": rounded(rates[best]),
        "test_accuracy": rounded(tested["accuracy"][best]),
        "test_loss": rounded(tested["loss"][best]),
        "steps_to_goal": [int(s[0]) if s.size else None for s in steps],
        "curve": rounded(curve[best].mean(0)),
        "training_loss": rounded(np.asarray(history.loss)[best, :, -every:].mean(1)),
        "broken_runs": int((~np.isfinite(curve[best, :, -1])).sum()),
    }


def rounded(values):
    """Five digits, and `None` for what is not finite: JSON knows neither NaN nor infinity."""
    if np.ndim(values):
        return [rounded(v) for v in values]
    return float(f"{values:.5g}") if np.isfinite(values) else None


def short(found):
    """JSON with each list of numbers on one line."""
    line = lambda m: "[" + " ".join(m[1].split()) + "]"
    return re.sub(r"\[([^\[\]]*)\]", line, json.dumps(found, indent=1)) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("seeds", 10), ("epochs", 20)):
        parser.add_argument(f"--{name}", type=options.positive, default=default, help="default: %(default)s")
    parser.add_argument("--out", type=pathlib.Path, default=OUT, help="default: %(default)s")
    given = parser.parse_args()
    parts = splits()
    about = {"sizes": SIZES, "batch": BATCH, "goal": GOAL, "seeds": given.seeds, "epochs": given.epochs}
    about |= {"examples": [len(part.x) for part in parts], "jax": jax.__version__, "optax": optax.__version__}
    found = {"about": about | {"machine": platform.machine()}}
    for group, contestants in {"optimizers": OPTIMIZERS, "schedules": SCHEDULES, "settings": BROKEN}.items():
        found[group] = {}
        for name, (make, span) in contestants.items():
            r = found[group][name] = contest(make, span, parts, given.seeds, given.epochs)
            mean = np.mean([a if a is not None else np.nan for a in r["test_accuracy"]])
            print(f"{name:24} rate {r['rate']:<9} accuracy {100 * mean:.2f} %  {r['held_out_loss']}", flush=True)
    given.out.write_text(short(found), "utf-8")


if __name__ == "__main__":
    main()
