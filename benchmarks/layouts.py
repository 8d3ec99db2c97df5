"""The sweep of docs/examples/sweep.py, 32 keys by 8 rates, laid out in other ways: one run after the other, or at once.

python -m benchmarks.performance layouts
"""

import importlib.util
import pathlib

import jax
import jax.numpy as jnp

from benchmarks import measure
from mlpjax import data

EXAMPLE = pathlib.Path(__file__).parents[1] / "docs/examples/sweep.py"
SCRIPT = "`lax.map` over keys, `vmap` over rates: the script"


def example():
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("sweep", EXAMPLE)
    module = importlib.util.module_from_spec(spec)  # pyright: ignore[reportArgumentType]
    spec.loader.exec_module(module)  # pyright: ignore[reportOptionalMemberAccess]
    return module


def layouts(train, sweep) -> dict:
    """By name: `(keys, rates, train_set, watched)` to the same results."""

    def each(keys, rates, *parts, **options):  # all pairs of a key and a rate
        pairs = jnp.repeat(keys, len(rates)), jnp.tile(rates, len(keys))
        return jax.lax.map(lambda pair: train(*pair, *parts), pairs, **options)

    def rows(keys, rates, *parts, **options):  # all rates of a key at once
        all_rates = lambda key: jax.vmap(lambda rate: train(key, rate, *parts))(rates)
        return jax.lax.map(all_rates, keys, **options)

    return {
        SCRIPT: sweep,
        "the same, four keys at a time (`batch_size=4`)": lambda *a: rows(*a, batch_size=4),
        "`vmap` over both": lambda *a: rows(*a, batch_size=len(a[0])),
        "`vmap` over pairs of key and rate": lambda *a: each(*a, batch_size=len(a[0]) * len(a[1])),
        "pairs, 32 at a time": lambda *a: each(*a, batch_size=32),
        "pairs, 8 at a time": lambda *a: each(*a, batch_size=8),
        "pairs, one at a time, nothing mapped": each,
    }


def measure_layouts(rounds: int, say) -> dict:
    """Times and memory of each."""
    module, everything = example(), data.digits.load("train")
    parts = module.hold_out(everything, len(everything.x) // 5)
    arguments = jax.random.split(jax.random.key(1), 32), jnp.logspace(-4, -0.5, 8), *parts
    programs = {
        name: jax.jit(fn).lower(*arguments).compile() for name, fn in layouts(module.train, module.sweep).items()
    }
    calls = {
        name: lambda program=program: lambda: jax.block_until_ready(program(*arguments))
        for name, program in programs.items()
    }
    samples, _ = measure.interleave(calls, rounds=rounds, warm_up=1, say=say)
    memory = {name: program.memory_analysis().temp_size_in_bytes / 1e6 for name, program in programs.items()}
    rows = [
        {
            "name": name,
            **measure.summary(samples[name]),
            "ratio": measure.ratio(samples, name, SCRIPT)._asdict(),
            "note": f"{memory[name]:.1f} MB",
        }
        for name in programs
    ]
    title = "256 networks, 32 seeds by 8 rates"
    return {"title": title, "note": "temporaries", "machine": measure.machine(), "rows": rows, "bars": []}
