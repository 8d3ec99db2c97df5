"""A deep network of equal layers: backpropagation by scan over the layers against autodiff, and both written out.

    python -m benchmarks.depth [--layers 100] [--width 256] [--batch 128] [--rounds 15]

Measured are one forward and backward pass of a compiled program, and the seconds to trace and compile it afresh. A bar
is judged by the 95 % bootstrap interval of the median ratio: kept if all of it keeps the limit, missed if none does.
"""

import argparse
import sys
from collections.abc import Callable

import jax
import jax.numpy as jnp

from benchmarks import measure, options
from mlpjax import activations, backprop, deep, losses, mlp, training
from mlpjax.data import Dataset

LOSS = losses.softmax_cross_entropy
OURS, WRITTEN_OUT = "deep", "mlp, jax.grad"
SCAN, DEEP_APPLY = "a plain scan, jax.grad", "deep.apply, jax.grad"
CALLS = 10  # in one sample: a single one is over before the system has counted who else was running


def plain_scan(params, batch, key):
    """What one writes without a library: a batch at a time, `x @ W.T + b`, the layers between by scan."""
    (W, b), hidden, (V, c) = params
    a = activations.relu(batch.x @ W.T + b[None])
    a, _ = jax.lax.scan(lambda a, layer: (activations.relu(a @ layer.W.T + layer.b[None]), None), a, hidden)
    return jnp.mean(jax.vmap(LOSS.value)(a @ V.T + c[None], batch.y))


def contestants(layers: int, width: int, batch: int) -> dict[str, tuple[Callable, tuple]]:
    """By name: a function that returns the loss and its gradient, and what it is called with."""
    keys = jax.random.split(jax.random.key(0), 3)
    stacked = jax.jit(lambda key: deep.init(key, (*[width] * layers, 10)))(keys[0])
    data = Dataset(jax.random.normal(keys[1], (batch, width)), jax.random.randint(keys[2], (batch,), 0, 10))
    written_out = jax.jit(deep.unstack)(stacked)
    auto = lambda apply: jax.value_and_grad(training.supervised(apply, LOSS))
    return {
        OURS: (deep.supervised(loss=LOSS), (stacked, data, None)),
        "backprop": (backprop.supervised(loss=LOSS), (written_out, data, None)),
        WRITTEN_OUT: (auto(mlp.apply), (written_out, data, None)),
        DEEP_APPLY: (auto(deep.apply), (stacked, data, None)),
        SCAN: (jax.value_and_grad(plain_scan), (stacked, data, None)),
    }


def steps(compiled, arguments):
    """Prepares a sample of forward and backward passes."""
    return lambda: lambda: jax.block_until_ready([compiled(*arguments) for _ in range(CALLS)])


def compiling(fn, arguments):
    """Prepares a sample of tracing and compiling, with nothing left over from the last."""

    def prepare():
        jax.clear_caches()
        return lambda: jax.jit(lambda *a: fn(*a)).lower(*arguments).compile()

    return prepare


def agree(found: dict[str, list]) -> None:
    """All must have computed the same loss and the same gradients of the first and the last layer."""
    summary = {name: (value, grads[0].W, grads[-1].W) for name, [(value, grads), *_] in found.items()}
    for name, leaves in summary.items():
        for leaf, ours in zip(leaves, summary[OURS], strict=True):
            if not jnp.max(jnp.abs(leaf - ours)) <= 1e-3 * jnp.max(jnp.abs(ours)):
                raise SystemExit(f"{name} did other work than {OURS}: values differ by more than rounding.")


def row(name, samples, compiles, program) -> dict:
    times = measure.summary(samples[name])
    for part in ("median", "lower_quartile", "upper_quartile", "least"):
        times[part] /= CALLS
    memory = program.memory_analysis().temp_size_in_bytes
    return {
        "name": name,
        **times,
        "compile": measure.summary(compiles[name])["median"],
        "ratio": measure.ratio(samples, name, OURS)._asdict(),
        "temporaries": memory,
        "note": f"{memory / 1e6:.1f} MB of temporaries",
    }


def bar(what: str, limit: float, samples, theirs: str) -> dict:
    """An expectation of the time of `deep` as a multiple of another's."""
    return {"what": what, **measure.judged(samples, OURS, theirs, limit)}


def measure_depth(
    layers: int = 100, width: int = 256, batch: int = 128, rounds: int = measure.ROUNDS, say=lambda line: None
) -> dict:
    """Everything there is to say, ready for JSON: `{"title", "rows", "bars"}`."""
    fields = contestants(layers, width, batch)
    programs = {name: jax.jit(fn).lower(*arguments).compile() for name, (fn, arguments) in fields.items()}
    passes = {name: steps(programs[name], arguments) for name, (_fn, arguments) in fields.items()}
    samples, found = measure.interleave(passes, rounds=rounds, say=say)
    agree(found)
    afresh = {name: compiling(*field) for name, field in fields.items()}
    cached = jax.config.jax_enable_compilation_cache  # on disk, where a user has set it up
    jax.config.update("jax_enable_compilation_cache", False)
    compiles, _ = measure.interleave(afresh, rounds=rounds, warm_up=1, say=lambda line: say(f"compiling: {line}"))
    jax.config.update("jax_enable_compilation_cache", cached)
    return {
        "title": f"{layers} layers of width {width}, batch {batch}, forward and backward",
        "rows": [row(name, samples, compiles, programs[name]) for name in fields],
        "bars": [
            bar("`deep`: at most 1/1.5 × `jax.grad` of a plain scan over layers", 1 / 1.5, samples, SCAN),
            bar("`deep`: at most 1.1 × `jax.grad` of `deep.apply`", 1.1, samples, DEEP_APPLY),
            bar("`deep`: at most 1.2 × `jax.grad` of `mlp.apply`, written out", 1.2, samples, WRITTEN_OUT),
            bar("`deep`, trace and compile: at most 0.6 × that of `mlp.apply`", 0.6, compiles, WRITTEN_OUT),
        ],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("layers", 100), ("width", 256), ("batch", 128), ("rounds", measure.ROUNDS)):
        parser.add_argument(f"--{name}", type=options.positive, default=default, help="default: %(default)s")
    arguments = vars(parser.parse_args())
    if arguments["layers"] < 2:
        parser.error("--layers must be 2 or more: one is the output's")
    result = measure_depth(**arguments, say=lambda line: print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True))
    print(f"\n{result['title']}; jax {jax.__version__}")
    for r in result["rows"]:
        ratio = measure.Interval(**r["ratio"])
        print(f"{r['name']:24} {1e3 * r['median']:8.2f} ms  {ratio!s:24}  compile {r['compile']:.2f} s  {r['note']}")
    for b in result["bars"]:
        print(f"{b['verdict']:9} {b['what']}: {measure.Interval(b['median'], b['low'], b['high'])}")
    raise SystemExit(any(b["verdict"] == "missed" for b in result["bars"]))


if __name__ == "__main__":
    main()
