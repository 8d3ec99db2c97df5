"""A process of its own whose memory is looked at: `python -m tests.reliability._memory STEPS SEED` prints JSON."""

import gc
import json
import os
import sys
import tempfile
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import data, gradcheck, losses, metrics, mlp, training
from mlpjax.training import _chunks, checkpoint

LOSS = losses.softmax_cross_entropy
OBJECTIVE = training.supervised(mlp.apply, LOSS)
ACCURACY = {"accuracy": training.metric(mlp.apply, metrics.accuracy)}
OPTIMIZER = optax.adam(1e-3)


def resident():
    """Bytes of physical memory that the process holds."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def look():
    """Resident bytes, live arrays, their bytes, and objects that Python's collector knows."""
    gc.collect()
    arrays = jax.live_arrays()
    return [resident(), len(arrays), sum(a.nbytes for a in arrays), len(gc.get_objects())]


def grown(call, warm, times):
    """What `look` finds more after so many calls, past the first ones."""
    for _ in range(warm):
        call()
    before = look()
    for _ in range(times):
        call()
    return [after - was for after, was in zip(look(), before, strict=True)]


def task(seed):
    rng = np.random.default_rng(seed)
    of = lambda n: data.Dataset(rng.normal(size=(n, 6)).astype("float32"), rng.integers(0, 3, n).astype(np.int32))
    key = jax.random.key(seed)
    return training.start(key, mlp.init(key, (6, 8, 3)), optimizer=OPTIMIZER), of(1000), of(77)


def fit(state, train, test, steps, **more):
    settings = dict(objective=OBJECTIVE, optimizer=OPTIMIZER, batch_size=32, progress=False)
    return training.fit(
        state, train, steps=steps, validation=test, evaluate_every=20, metrics=ACCURACY, **settings | more
    )


def long_run(steps, seed, folder):
    """Memory at each record of one long run, from its second fifth on."""
    state, train, test = task(seed)
    seen = []
    log = lambda record: seen.append([record["step"], *look()])
    more = dict(log=[log, training.log_jsonl(f"{folder}/log.jsonl")], checkpoint=f"{folder}/state.npz", save_every=0.2)
    _, history = fit(state, train, test, steps, chunk=max(20, steps // 2000 * 20), **more)
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(history))
    first = next(row for row in seen if row[0] >= steps / 5)
    return {"per_step": size / steps, "growth": [b - a for a, b in zip(first[1:], seen[-1][1:], strict=True)]}


def dropped(state, train, test):
    """Whether the objective of a `fit`, which its programs hold, is gone after as many others as it keeps."""
    objective = lambda *arguments: OBJECTIVE(*arguments)
    fit(state, train, test, 40, objective=objective)
    for other in range(_chunks.PROGRAMS):
        _chunks.program(metrics=(), stop=None, objective=other)
    gone = weakref.ref(objective)
    del objective
    gc.collect()
    return gone() is None


def ensemble(members, seed):
    """Bytes that a compiled run of many nets needs beside what goes in and comes out, and what it must hold."""
    state, train, _ = task(seed)
    settings = dict(objective=OBJECTIVE, optimizer=OPTIMIZER, batch_size=32, steps=100)

    def one(key):
        state = training.start(key, mlp.init(key, (6, 8, 3)), optimizer=OPTIMIZER)
        return training.run(state, train, **settings)

    keys = jax.random.split(state.key, members)
    needs = jax.jit(jax.vmap(one)).lower(keys).compile().memory_analysis()
    held = members * sum(leaf.nbytes for leaf in jax.tree.leaves((state.params, state.opt_state)))
    return {"members": members, "held": held, "temporary": needs.temp_size_in_bytes, "out": needs.output_size_in_bytes}


def main(steps, seed):
    state, train, test = task(seed)
    settings = dict(objective=OBJECTIVE, optimizer=OPTIMIZER, batch_size=32, steps=20)
    alone = lambda: training.run(state, train, **settings)
    with tempfile.TemporaryDirectory() as folder:
        found = {"steps": steps, "long": long_run(steps, seed, folder)}
        calls = {"fit": lambda: fit(state, train, test, 20), **(others(state, train, folder) if steps >= FULL else {})}
        found["calls"] = max(steps // 100, 20)
        found["again"] = {name: grown(call, found["calls"] // 10, found["calls"]) for name, call in calls.items()}
    found["alone"] = grown(alone, 1, 1)[3]
    found["dropped"] = dropped(state, train, test)
    if steps >= FULL:
        found["fresh"] = fresh(state, train, test, settings)
        found["ensemble"] = ensemble(1000, seed)
    return found


FULL = 10**5


def others(state, train, folder):
    """Calls that are made again and again with the same functions."""
    square = lambda params: sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))
    run = jax.jit(lambda state: training.run(state, train, objective=OBJECTIVE, optimizer=OPTIMIZER, steps=20)[0])
    check = jax.jit(lambda params: gradcheck.relative_error(square, jax.grad(square)(params), params))
    path = f"{folder}/again.npz"
    return {
        "run": lambda: jax.block_until_ready(run(state)),
        "evaluate": lambda: training.evaluate(state.params, train, objective=OBJECTIVE),
        "save": lambda: checkpoint.save(path, state),
        "load": lambda: checkpoint.load(path, state),
        "gradcheck": lambda: jax.block_until_ready(check(state.params)),
    }


def fresh(state, train, test, settings):
    """Bytes that a call with new functions leaves behind, beside a bare scan with a new function."""
    again = dict(optimizer=optax.adam(1e-3))
    calls = {
        "fit": lambda: fit(state, train, test, 20, optimizer=optax.adam(1e-3)),
        "run": lambda: training.run(state, train, **settings | again),
        "scan": lambda: jax.lax.scan(lambda c, x: (c + x, None), 0.0, jnp.ones(20)),
    }
    times, warm = 16, {"fit": _chunks.PROGRAMS + 2, "run": 2, "scan": 2}
    return {"times": times} | {name: grown(call, warm[name], times)[0] / times for name, call in calls.items()}


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:]))))
