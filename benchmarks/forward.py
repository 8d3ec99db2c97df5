"""The forward pass as loops, as products and compiled (FWD5), and the memory of its cache (FWD6).

    taskset -c 0 python benchmarks/forward.py [--rounds 9] [--write]

All of it runs on one core, so that no library wins by its threads, and the time is that of the processor, which leaves
out the time of other programs. Of several rounds, in which the contestants take turns, the best counts: a disturbance
can only make a run slower. Memory and operations are read from the compiled program, so they are the same in every run.
With `--write` the numbers go to docs/figures/data/forward.json, which the figures of the book read.
"""

import argparse
import functools
import json
import os
import pathlib
import platform
import re
import time

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import mlp
from mlpjax.layers import dense

OUT = pathlib.Path(__file__).parents[1] / "docs" / "figures" / "data" / "forward.json"
SIZES, BATCH = (784, 128, 10), 256
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
DEPTHS, WIDTH, DEEP_BATCH = (4, 9, 16, 25, 36, 49, 64), 128, 512
# JAX puts barriers around what is to be computed again. On the CPU, XLA removes them before it merges equal
# computations, and so undoes the rematerialization; without that pass the program does what was asked for.
KEEP_BARRIERS = {"xla_disable_hlo_passes": "cse_barrier_expander"}


def over_weights(params, xs):
    """Every product and every sum in Python, on lists of numbers."""
    outputs = []
    for a in xs:
        for l, (W, b) in enumerate(params):
            z = [sum(w * v for w, v in zip(row, a, strict=True)) + t for row, t in zip(W, b, strict=True)]
            a = [max(v, 0.0) for v in z] if l < len(params) - 1 else z
        outputs.append(a)
    return outputs


def over_units(params, xs):
    """One NumPy dot product for each unit of each example."""
    outputs = []
    for a in xs:
        for l, (W, b) in enumerate(params):
            z = np.array([w @ a + t for w, t in zip(W, b, strict=True)])
            a = np.maximum(z, 0) if l < len(params) - 1 else z
        outputs.append(a)
    return outputs


def over_examples(params, xs):
    """One NumPy product of a matrix and a vector for each layer of each example."""
    outputs = []
    for a in xs:
        for l, (W, b) in enumerate(params):
            z = W @ a + b
            a = np.maximum(z, 0) if l < len(params) - 1 else z
        outputs.append(a)
    return outputs


def in_one(params, xs):
    """One NumPy product of matrices for each layer."""
    a = xs
    for l, (W, b) in enumerate(params):
        z = a @ W.T + b
        a = np.maximum(z, 0) if l < len(params) - 1 else z
    return a


def contestants():
    """`{name: (function of no argument, examples in one call)}`; all of them compute the same logits."""
    params = mlp.init(jax.random.key(0), SIZES)
    xs = jax.random.normal(jax.random.key(1), (BATCH, SIZES[0]))
    arrays = jax.tree.map(np.asarray, params)
    rows, array = jax.tree.map(lambda v: v.tolist(), arrays), np.asarray(xs)
    few = array[:4].tolist()
    batched = jax.vmap(mlp.apply, in_axes=(None, 0))
    one, many = jax.jit(mlp.apply), jax.jit(batched)
    separate = list(xs)
    ways = {
        "Python loop over weights": (lambda: over_weights(rows, few), len(few)),
        "NumPy, one unit at a time": (lambda: over_units(arrays, array[:16]), 16),
        "NumPy, one example at a time": (lambda: over_examples(arrays, array), BATCH),
        "NumPy, batch": (lambda: in_one(arrays, array), BATCH),
        "JAX, one example at a time": (lambda: [one(params, x) for x in separate], BATCH),
        "JAX, batch, not compiled": (lambda: batched(params, xs), BATCH),
        "JAX, batch, compiled": (lambda: many(params, xs), BATCH),
    }
    logits = np.asarray(many(params, xs))
    for name, (run, n) in ways.items():
        np.testing.assert_allclose(np.asarray(run()), logits[:n], atol=1e-4 * np.abs(logits).max(), err_msg=name)
    return ways


def seconds(run, calls):
    """Processor time of one call; on one core without other programs it is the time on the clock."""
    start = time.process_time()
    for _ in range(calls):
        result = run()
        jax.block_until_ready(result)
    return (time.process_time() - start) / calls


def best(ways, rounds):
    """The least time of one call, contestants taking turns; a round lasts at least 20 ms each."""
    for run in ways.values():  # compiles
        jax.block_until_ready(run())
    calls = {name: max(1, int(0.02 / seconds(run, 3))) for name, run in ways.items()}
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            times[name].append(seconds(run, calls[name]))
    return {name: min(values) for name, values in times.items()}


def ways_report(rounds):
    """Microseconds for one example, by each way of computing it."""
    ways = contestants()
    times = best({name: run for name, (run, _) in ways.items()}, rounds)
    return {name: 1e6 * times[name] / n for name, (_, n) in ways.items()}


def batches_report(rounds):
    """Microseconds for one example in batches of several sizes, compiled."""
    params = mlp.init(jax.random.key(0), SIZES)
    forward = jax.jit(jax.vmap(mlp.apply, in_axes=(None, 0)))
    inputs = {n: jax.random.normal(jax.random.key(1), (n, SIZES[0])) for n in BATCHES}
    times = best({n: functools.partial(forward, params, xs) for n, xs in inputs.items()}, rounds)
    return [{"batch": n, "microseconds": 1e6 * t / n} for n, t in times.items()]


def segment(layers, a):
    for layer in layers:
        a = jax.vmap(lambda a, layer=layer: jnp.tanh(dense.apply(layer, a)))(a)
    return a


def loss(params, xs, length):
    """A loss of a deep net; with a length, the layers are rematerialized in segments of that many."""
    if length is None:
        return jnp.sum(segment(params, xs) ** 2)
    a = xs
    for start in range(0, len(params), length):
        a = jax.checkpoint(segment)(params[start : start + length], a)
    return jnp.sum(a**2)


def scanned(stacked, xs, length):
    """The same loss as a scan over segments of layers that are stacked."""

    def layer(a, p):
        return segment([p], a), None

    def one(a, layers):
        return jax.lax.scan(layer, a, layers)

    if length is None:
        return jnp.sum(one(xs, stacked)[0] ** 2)
    parts = jax.tree.map(lambda v: v.reshape(-1, length, *v.shape[1:]), stacked)
    return jnp.sum(jax.lax.scan(jax.checkpoint(one), xs, parts)[0] ** 2)


def compiled(fn, params, xs, length, options):
    return jax.jit(jax.grad(fn), static_argnums=2).lower(params, xs, length).compile(compiler_options=options)


def memory_report(rounds):
    """Temporary memory, operations and time of a gradient, without and with rematerialization."""
    programs, rows = {}, []
    barriers = KEEP_BARRIERS if jax.default_backend() == "cpu" else {}
    for L in DEPTHS:
        params = mlp.init(jax.random.key(0), (WIDTH,) * (L + 1))
        xs, root = jnp.ones((DEEP_BATCH, WIDTH)), round(L**0.5)
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *params)
        plans = {
            "all": (loss, params, None, {}),
            "layers": (loss, params, 1, barriers),
            "segments": (loss, params, root, barriers),
            "segments, merged": (loss, params, root, {}),
            "scan, all": (scanned, stacked, None, {}),
            "scan, segments": (scanned, stacked, root, {}),
        }
        for name, (fn, p, length, options) in plans.items():
            program = compiled(fn, p, xs, length, options)
            programs[L, name] = functools.partial(program, p, xs)
            rows.append(
                {
                    "layers": L,
                    "plan": name,
                    "segment": length,
                    "bytes": program.memory_analysis().temp_size_in_bytes,
                    # the operations of a loop are counted once, not once for each turn: left out for scans
                    "operations": None if "scan" in name else program.cost_analysis()["flops"],
                }
            )
    times = best(programs, rounds)
    return [row | {"milliseconds": 1e3 * times[row["layers"], row["plan"]]} for row in rows]


def processor():
    info = pathlib.Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return found[1].strip() if found else platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="write the JSON that the figures read")
    arguments = parser.parse_args()
    report = {
        "hardware": {
            "device": jax.devices()[0].device_kind,
            "processor": processor(),
            "cores": len(os.sched_getaffinity(0)),
        },
        "versions": {"python": platform.python_version(), "jax": jax.__version__, "numpy": np.__version__},
        "dtype": "float32",
        "ways": {"sizes": SIZES, "batch": BATCH, "microseconds": ways_report(arguments.rounds)},
        "batches": {"sizes": SIZES, "rows": batches_report(arguments.rounds)},
        "memory": {"width": WIDTH, "batch": DEEP_BATCH, "rows": memory_report(arguments.rounds)},
    }
    text = json.dumps(report, indent=1) + "\n"
    print(text)
    if arguments.write:
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(text)


if __name__ == "__main__":
    main()
