"""What a gradient costs (BP7): backpropagation against finite differences, for networks of growing size.

    python benchmarks/backprop_cost.py [--widths 2 4 … 512] [--rounds 9] [--seconds 5]

Networks of four equal widths, w-w-w-w, on a batch of 64, in float32 on one CPU core. Each time is the shortest of
several rounds, in which the methods take turns. Central differences run to the end where that takes less than
`--seconds`; beyond, 200 of their evaluations are timed and multiplied: those points are marked as extrapolated.
Multiply–adds are counted exactly, in the traced programs. Writes docs/figures/data/backprop_cost.json.
"""

import argparse
import datetime
import functools
import json
import math
import os
import pathlib
import platform
import time

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp

from mlpjax import backprop, gradcheck, losses, mlp

TARGET = pathlib.Path(__file__).parents[1] / "docs" / "figures" / "data" / "backprop_cost.json"
LOSS, BATCH, LAYERS, PROBES = losses.softmax_cross_entropy, 64, 3, 200


def multiply_adds(fn, *args):
    """Multiplications in the matrix products of a program, loops unrolled."""

    def count(jaxpr):
        total = 0
        for eqn in jaxpr.eqns:
            for inner in (eqn.params.get("jaxpr"), eqn.params.get("call_jaxpr")):
                if inner is not None:
                    total += eqn.params.get("length", 1) * count(getattr(inner, "jaxpr", inner))
            if eqn.primitive.name == "dot_general":
                contracted = eqn.params["dimension_numbers"][0][0]
                total += eqn.outvars[0].aval.size * math.prod(eqn.invars[0].aval.shape[i] for i in contracted)
        return total

    return count(jax.make_jaxpr(fn)(*args).jaxpr)


def risk(params, x, y):
    """The mean loss."""
    z = jax.vmap(functools.partial(mlp.apply, params))(x)
    return jnp.mean(jax.vmap(LOSS.value)(z, y))


def probes(params, x, y):
    """As many evaluations of the loss as are timed where all of them would take too long."""
    shift = lambda i: jax.tree.map(lambda leaf: leaf + 1e-3 * i, params)
    return jax.lax.map(lambda i: risk(shift(i), x, y), jnp.arange(float(PROBES)))


def seconds(fn, args):
    start = time.perf_counter()
    jax.block_until_ready(fn(*args))
    return time.perf_counter() - start


def shortest(programs, args, rounds):
    """The shortest time of each program, in turns; short programs are repeated within a round."""
    repeats = {name: max(1, min(200, int(0.02 / seconds(fn, args)))) for name, fn in programs.items()}
    best = dict.fromkeys(programs, math.inf)
    for _ in range(rounds):
        for name, fn in programs.items():
            for _ in range(repeats[name]):
                best[name] = min(best[name], seconds(fn, args))
    return best


def measure(width, rounds, limit):
    """One row: the counts and the times of every method for one width."""
    keys = jax.random.split(jax.random.key(0), 3)
    params = mlp.init(keys[0], (width,) * (LAYERS + 1))
    args = params, jax.random.normal(keys[1], (BATCH, width)), jax.random.randint(keys[2], (BATCH,), 0, width)
    hand = functools.partial(backprop.value_and_grad, loss=LOSS)
    central = lambda params, x, y: gradcheck.central_difference(functools.partial(risk, x=x, y=y), params)
    traced = {"forward": risk, "by_hand": hand, "autodiff": jax.value_and_grad(risk), "differences": central}
    counts = {name: multiply_adds(fn, *args) for name, fn in traced.items()}
    programs = {name: jax.jit(fn) for name, fn in traced.items() if name != "differences"}
    for fn in programs.values():
        jax.block_until_ready(fn(*args))
    times = shortest(programs, args, rounds)
    parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
    complete = 2 * parameters * times["forward"] < limit
    slow = jax.jit(central if complete else probes)
    jax.block_until_ready(slow(*args))
    slowest = min(seconds(slow, args) for _ in range(2))
    times["differences"] = slowest * (1 if complete else 2 * parameters / PROBES)
    return dict(width=width, parameters=parameters, multiply_adds=counts, seconds=times, extrapolated=not complete)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", type=int, nargs="+", default=[2**k for k in range(1, 10)])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=5.0, help="longest run of complete central differences")
    arguments = parser.parse_args()
    rows = []
    for width in arguments.widths:
        rows.append(measure(width, arguments.rounds, arguments.seconds))
        t, P = rows[-1]["seconds"], rows[-1]["parameters"]
        print(f"P = {P:7}: " + ", ".join(f"{name} {1e3 * value:.4g} ms" for name, value in t.items()))
    machine = dict(
        machine=platform.machine(), cpu=cpu(), threads=1, jax=jax.__version__, python=platform.python_version()
    )
    settings = dict(batch=BATCH, layers=LAYERS, dtype="float32", rounds=arguments.rounds)
    date = datetime.date.today().isoformat()
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(dict(date=date, **machine, **settings, rows=rows), indent=1) + "\n")
    print(f"wrote {TARGET.name}")


def cpu():
    """The processor's name, where the system tells."""
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


if __name__ == "__main__":
    main()
