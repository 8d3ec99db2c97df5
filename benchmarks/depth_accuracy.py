"""What more hidden layers give and cost on the digits (DEP3).

    python -m benchmarks.depth_accuracy [--only digits longer cost]

digits: 1 to 64 hidden layers of ReLU between 64 pixels and ten logits, of width 32 or with about 10,000 parameters.
Three networks at each depth: "plain" has He's weights, "identity" is the plain network with the identity matrix as its
inner weights, and "residual" adds every inner layer to its input, with He's weights divided by the number of such
layers. Adam, batches of 64, 400 steps. The rate is the best of five by the accuracy on 288 examples held out, mean of
two seeds; ten fresh seeds are then trained with it.

longer: the deepest plain network of width 32 again, same seeds and rate, four times as many steps.

cost: a training step of each plain network alone, in turns, as a multiple of the one with one hidden layer.

Each part writes its key of docs/figures/data/depth_accuracy.json and leaves the others. Takes about ten minutes.
"""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks import measure, record
from benchmarks.remedies import digits
from mlpjax import activations, deep, losses, training
from mlpjax.layers import dense, residual

DEPTHS, WIDTH, PARAMETERS = (1, 2, 4, 8, 16, 32, 64), 32, 10_000
LAWS, STARTS = ("equal width", "equal parameters"), ("plain", "residual", "identity")
RATES, TUNED_ON, SEEDS, BATCH, STEPS = (0.0003, 0.001, 0.003, 0.01, 0.03), 2, 10, 64, 400
LOSS = losses.softmax_cross_entropy
relu = activations.relu
rounded = lambda values, digits=4: [float(f"{v:.{digits}g}") for v in np.ravel(values)]


# the digits


def parameters(depth, width):
    """How many numbers a network of the digits has."""
    return 65 * width + (depth - 1) * (width + 1) * width + 10 * (width + 1)


def width_of(law, depth):
    """One for all, or that with the number of parameters nearest to `PARAMETERS`."""
    if law == "equal width":
        return WIDTH
    return min(range(1, 200), key=lambda width: abs(parameters(depth, width) - PARAMETERS))


def multiply_adds(depth, width):
    """Of a training step, per example: W a and δ aᵀ in every layer, Wᵀ δ in all but the first."""
    return 3 * (74 * width + (depth - 1) * width**2) - 64 * width


def init(key, depth, width, start):
    """Parameters; residual branches so small that their sum does not grow with the depth."""
    params = deep.init(key, (64, *[width] * depth, 10))
    W = params.hidden.W
    if start == "identity":
        W = jnp.broadcast_to(jnp.eye(width), W.shape)
    elif start == "residual":
        W = W / max(depth - 1, 1)
    return params._replace(hidden=params.hidden._replace(W=W))


def apply(params, x, start):
    """Logits of one example."""

    def inner(a, layer):
        branch = lambda a: relu(dense.apply(layer, a))
        return (residual.apply(branch, a) if start == "residual" else branch(a)), None

    a, _ = jax.lax.scan(inner, relu(dense.apply(params.first, x)), params.hidden)
    return dense.apply(params.last, a)


@functools.partial(jax.jit, static_argnames=("depth", "width", "start", "steps"))
def train(keys, rates, parts, depth, width, start, steps):
    """Accuracies on the parts at the end of the runs, one for each pair of key and rate."""

    def run(key, rate):
        optimizer = optax.adam(rate)
        state = training.start(key, init(key, depth, width, start), optimizer=optimizer)
        objective = training.supervised(functools.partial(apply, start=start), LOSS)
        how = dict(objective=objective, optimizer=optimizer, steps=steps, batch_size=BATCH)
        params = training.run(state, parts[0], **how)[0].params
        logits = lambda part: jax.vmap(lambda x: apply(params, x, start))(part.x)
        return jnp.stack([jnp.mean(logits(part).argmax(-1) == part.y) for part in parts])

    return jax.vmap(run)(keys, rates)


def seeds(depth):
    """Keys to tune on, and fresh ones."""
    keys = jax.random.split(jax.random.key(depth), TUNED_ON + SEEDS)
    return keys[:TUNED_ON], keys[TUNED_ON:]


def reached(parts, depth, width, start):
    """The best rate, and what fresh seeds reach with it."""
    how, (keys, fresh) = dict(parts=parts, depth=depth, width=width, start=start, steps=STEPS), seeds(depth)
    pairs = jnp.repeat(keys, len(RATES)), jnp.tile(jnp.array(RATES), TUNED_ON)
    tuned = np.asarray(train(*pairs, **how)).reshape(TUNED_ON, len(RATES), 3).mean(0)
    best = int(tuned[:, 1].argmax())
    found = np.asarray(train(fresh, jnp.full(SEEDS, RATES[best]), **how))
    row = dict(depth=depth, width=width, start=start, rate=RATES[best], tuned_train=rounded(tuned[:, 0]))
    return row | dict(train=rounded(found[:, 0]), test=rounded(found[:, 2]))


def measure_digits():
    """Rows by law, depth and start; one hidden layer has no inner ones, and the three starts are one."""
    parts, rows = digits(), []
    for law in LAWS:
        for depth in DEPTHS:
            for start in STARTS if law == LAWS[0] else STARTS[:2]:
                began = time.perf_counter()
                if depth > 1 or start == "plain":
                    row = dict(law=law, **reached(parts, depth, width_of(law, depth), start))
                rows.append(row | dict(start=start))
                shown = [f"{name} {np.mean(row[name]):.3f}" for name in ("train", "test")]
                print(law, depth, start, row["rate"], *shown, f"{time.perf_counter() - began:.0f} s", flush=True)
    return dict(rows=rows, rates=RATES, steps=STEPS, batch=BATCH, seeds=SEEDS)


def measure_longer():
    """The last plain network of the first law, as it was trained, for more steps."""
    rows = record.read("depth_accuracy")["digits"]["rows"]
    rate = next(row["rate"] for row in rows if row["depth"] == DEPTHS[-1])
    how = dict(depth=DEPTHS[-1], width=WIDTH, start="plain", steps=4 * STEPS)
    found = np.asarray(train(seeds(DEPTHS[-1])[1], jnp.full(SEEDS, rate), digits(), **how))
    print(rate, found[:, 0].mean())
    return dict(how, rate=rate, train=rounded(found[:, 0]), test=rounded(found[:, 2]))


# what a step costs


def measure_cost(rounds=25):
    """Parameters, multiply-adds, temporaries and time of a step, by law and depth."""
    batch = jax.tree.map(lambda v: v[:BATCH], digits()[0])
    gradient = deep.supervised(loss=LOSS)
    descend = lambda p: jax.tree.map(lambda p, g: p - 1e-6 * g, p, gradient(p, batch, None)[1])
    many = jax.jit(lambda p, calls: jax.lax.fori_loop(0, calls, lambda _, p: descend(p), p))
    calls = {d: 100 * DEPTHS[-1] // d for d in DEPTHS}  # samples of one length: who is interrupted, is so for all
    nets = {(law, d): init(jax.random.key(0), d, width_of(law, d), "plain") for law in LAWS for d in DEPTHS}
    prepare = lambda p, calls: lambda: lambda: jax.block_until_ready(many(p, calls))
    contestants = {(law, d): prepare(p, calls[d]) for (law, d), p in nets.items()}
    samples, _ = measure.interleave(contestants, rounds=rounds)
    one = lambda law, depth: [taken._replace(seconds=taken.seconds / calls[depth]) for taken in samples[law, depth]]
    samples = {name: one(*name) for name in samples}
    rows = []
    for (law, depth), params in nets.items():
        width = width_of(law, depth)
        memory = jax.jit(gradient).lower(params, batch, None).compile().memory_analysis().temp_size_in_bytes
        counts = dict(parameters=parameters(depth, width), multiply_adds=multiply_adds(depth, width))
        ratio, times = measure.ratio(samples, (law, depth), (law, 1)), measure.summary(samples[law, depth])
        rows.append(dict(law=law, depth=depth, width=width, **counts, temporaries=memory))
        rows[-1] |= dict(microseconds=1e6 * times["median"], ratio=ratio._asdict(), disturbed=times["disturbed"])
        print(f"{law}, {depth} hidden layers: {ratio} times one", flush=True)
    return dict(rows=rows, rounds=rounds, machine=measure.machine())


PARTS = dict(digits=measure_digits, longer=measure_longer, cost=measure_cost)


if __name__ == "__main__":
    record.command("depth_accuracy", __doc__, PARTS)
