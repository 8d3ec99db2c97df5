"""Backpropagation by hand against `jax.grad`: the ratio of their times, in interleaved pairs.

    python -m benchmarks.backprop [--sizes 784 512 512 10] [--batch 128] [--pairs 30] [--steps 20]

Both are timed as a user meets them: alone, as one jitted call (`gradient`), and in a compiled run with Adam (`step`).
A ratio is judged by the bootstrap interval of its median; all of it must keep the bar, 1.10.
"""

import argparse
import functools
import os
import platform

import jax
import optax

from benchmarks import measure, options
from mlpjax import backprop, losses, mlp, training
from mlpjax.data import Dataset

LOSS = losses.softmax_cross_entropy
BAR = 1.10


def contestants(sizes, batch, steps):
    """By name, a pair for `measure.interleave`: by hand, and by autodiff."""
    keys = jax.random.split(jax.random.key(0), 3)
    params = jax.jit(lambda k: mlp.init(k, sizes))(keys[0])
    x = jax.random.normal(keys[1], (batch * steps, sizes[0]))
    y = jax.random.randint(keys[2], (batch * steps,), 0, sizes[-1])
    objective = training.supervised(mlp.apply, LOSS)
    gradients = {"hand": backprop.supervised(loss=LOSS), "auto": jax.value_and_grad(objective)}
    one, whole = Dataset(x[:batch], y[:batch]), Dataset(x, y)
    optimizer = optax.adam(1e-3)
    state = training.start(keys[0], params, optimizer=optimizer)

    def run(fn):
        settings = dict(objective=objective, optimizer=optimizer, steps=steps, batch_size=batch, value_and_grad=fn)
        return jax.jit(lambda state, data: training.run(state, data, **settings)).lower(state, whole).compile()

    alone = {name: jax.jit(fn).lower(params, one, None).compile() for name, fn in gradients.items()}
    inside = {name: run(fn) for name, fn in gradients.items()}
    gradient = lambda f: jax.block_until_ready([f(params, one, None) for _ in range(steps)])
    step = lambda f: jax.block_until_ready(f(state, whole))
    prepared = lambda work, f: lambda: functools.partial(work, f)
    return {
        "gradient": {name: prepared(gradient, f) for name, f in alone.items()},
        "step": {name: prepared(step, f) for name, f in inside.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = functools.partial(parser.add_argument, type=options.positive)
    add("--sizes", nargs="+", default=[784, 512, 512, 10], metavar="SIZE", help="of the layers, the input's first")
    add("--batch", default=128, help="examples in a step (default: %(default)s)")
    add("--pairs", default=30, help="that count (default: %(default)s)")
    add("--steps", default=20, help="steps in one timed call (default: %(default)s)")
    arguments = parser.parse_args()
    if len(arguments.sizes) < 2:
        parser.error("--sizes must name the input's and the output's at least")
    machine = f"jax {jax.__version__}, {platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}; sizes {arguments.sizes}, batch {arguments.batch}")
    verdicts = []
    for name, pair in contestants(arguments.sizes, arguments.batch, arguments.steps).items():
        samples, _ = measure.interleave(pair, rounds=arguments.pairs)
        found = measure.ratio(samples, "hand", "auto")
        verdicts.append(measure.verdict(found, BAR))
        ms = {way: 1e3 * measure.summary(taken)["median"] / arguments.steps for way, taken in samples.items()}
        times = f"by hand {ms['hand']:.3f} ms, autodiff {ms['auto']:.3f} ms"
        print(f"{name:9} {times}; ratio {found}, bar {BAR:.2f}: {verdicts[-1]}")
    raise SystemExit(any(verdict != "kept" for verdict in verdicts))


if __name__ == "__main__":
    main()
