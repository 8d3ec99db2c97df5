"""Time and memory of a Hessian–vector product, in gradients (GD6).

    python -m benchmarks.landscape_hvp [--rounds 15]

The risk of ReLU networks on a batch of 64, float32, one CPU core; gradient and product take turns, and the shortest
time of each counts. `flops` and `temporary`, the bytes of workspace, are the compiler's own. Writes
docs/figures/data/landscape_hvp.json; takes about half a minute.
"""

import argparse
import math
import os
import time

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp

from benchmarks.record import write
from mlpjax import derivatives, losses, mlp, trees

NETWORKS, BATCH = ((784, 128, 10), (784, 512, 512, 10), (256,) * 9), 64


def programs(sizes):
    """The compiled gradient and product, and their arguments."""
    params = mlp.init(jax.random.key(0), sizes)
    x, y = jax.random.normal(jax.random.key(1), (BATCH, sizes[0])), jnp.arange(BATCH) % sizes[-1]

    def risk(params, x):
        z = jax.vmap(mlp.apply, (None, 0))(params, x)
        return jnp.mean(jax.vmap(losses.softmax_cross_entropy.value)(z, y))

    product = lambda params, x, v: derivatives.hvp(lambda params: risk(params, x), params, v)
    args = {"gradient": (params, x), "product": (params, x, params)}
    traced = {"gradient": jax.jit(jax.grad(risk)), "product": jax.jit(product)}
    return {name: (fn.lower(*args[name]).compile(), args[name]) for name, fn in traced.items()}, trees.count(params)


def seconds(fn, args):
    start = time.perf_counter()
    jax.block_until_ready(fn(*args))
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds, rows = parser.parse_args().rounds, []
    for sizes in NETWORKS:
        compiled, parameters = programs(sizes)
        best = dict.fromkeys(compiled, math.inf)
        for _ in range(10 * rounds):
            for name, (fn, args) in compiled.items():
                best[name] = min(best[name], seconds(fn, args))
        flops = {name: fn.cost_analysis()["flops"] for name, (fn, _) in compiled.items()}
        temporary = {name: fn.memory_analysis().temp_size_in_bytes for name, (fn, _) in compiled.items()}
        rows.append(dict(sizes=sizes, parameters=parameters, seconds=best, flops=flops, temporary=temporary))
        ratio = {name: value["product"] / value["gradient"] for name, value in (("time", best), ("flops", flops))}
        print(f"{sizes}: {parameters} parameters, product over gradient {ratio}, workspace {temporary}", flush=True)
    write("landscape_hvp", batch=BATCH, rounds=10 * rounds, rows=rows)


if __name__ == "__main__":
    main()
