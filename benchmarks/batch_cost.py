"""What one example costs in a training step, by the size of its batch (GD8).

    python -m benchmarks.batch_cost [--batches 1 2 … 4096] [--rounds 7] [--steps 0.03] [--out FILE]

A 784–128–10 network in JAX's default precision, one step of gradient descent by backpropagation, on whatever device JAX
has. A sample is a scan over as many steps as take about `--steps` seconds, so that calling a program costs nothing; its
batches are slices of one array that stays where it is. All sizes take turns, in random order (benchmarks/measure.py),
and the median over the rounds counts. Writes docs/figures/data/batch_cost.json; leave the machine alone meanwhile, or
the shares of disturbed rounds, which are written too, say so.
"""

import argparse
import functools
import json
import pathlib
import time

import jax
import jax.numpy as jnp

from benchmarks import measure
from mlpjax import backprop, losses, mlp

TARGET = pathlib.Path(__file__).parents[1] / "docs" / "figures" / "data" / "batch_cost.json"
SIZES, RATE = (784, 128, 10), 0.1
BATCHES = tuple(2**k for k in range(13))


@functools.partial(jax.jit, static_argnames=("batch", "steps"))
def train(params, x, y, *, batch, steps):
    """So many steps on consecutive batches; the parameters after them."""

    def step(params, k):
        at = lambda data: jax.lax.dynamic_slice_in_dim(data, k * batch % (len(data) - batch + 1), batch)
        _, grads = backprop.value_and_grad(params, at(x), at(y), loss=losses.softmax_cross_entropy)
        return jax.tree.map(lambda p, g: p - RATE * g, params, grads), None

    return jax.lax.scan(step, params, jnp.arange(steps))[0]


def contestant(params, x, y, batch, seconds):
    """The program for one size, its number of steps chosen so that it takes about so long."""
    run = lambda steps: jax.block_until_ready(train(params, x, y, batch=batch, steps=steps))
    probe = 16
    run(probe)
    start = time.perf_counter()
    run(probe)
    steps = max(4, round(seconds * probe / (time.perf_counter() - start)))
    return steps, lambda: functools.partial(run, steps)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=list(BATCHES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=float, default=0.03, metavar="SECONDS", help="of one sample")
    parser.add_argument("--out", type=pathlib.Path, default=TARGET)
    options = parser.parse_args(arguments)
    params = mlp.init(jax.random.key(0), SIZES)
    x = jax.random.uniform(jax.random.key(1), (max(8192, *options.batches), SIZES[0]))
    y = jax.random.randint(jax.random.key(2), (len(x),), 0, SIZES[-1])
    prepared = {str(batch): contestant(params, x, y, batch, options.steps) for batch in options.batches}
    samples, _ = measure.interleave({name: made for name, (_, made) in prepared.items()}, rounds=options.rounds)
    rows = []
    for name, (steps, _) in prepared.items():
        taken = measure.summary(samples[name])
        micro = {part: 1e6 * taken[part] / steps for part in ("median", "lower_quartile", "upper_quartile")}
        rows.append(dict(batch=int(name), microseconds=micro, disturbed=taken["disturbed"]))
        print(f"B = {name:>4}: {micro['median']:9.1f} µs a step, {micro['median'] / int(name):8.2f} µs an example")
    device = jax.devices()[0]
    facts = dict(device=device.device_kind if device.platform != "cpu" else "CPU", sizes=SIZES, rounds=options.rounds)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(facts | dict(machine=measure.machine(), rows=rows), indent=1) + "\n", "utf-8")
    print(f"wrote {options.out.name}")


if __name__ == "__main__":
    main()
