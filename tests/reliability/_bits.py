"""The bits of the runs of `_courses` in this process, as JSON: `python -m tests.reliability._bits WHAT KIND...`.

WHAT is `one` for the digest of a plain call of `fit`, `ways` for those of every way to take the same steps, `distances`
for how far apart the ways are that do not promise the same bits.
"""

import functools
import json
import os
import sys
import tempfile

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import mlp, training
from tests.reliability import _courses


def fitted(run, **more):
    """All steps by `fit`."""
    return training.fit(run.start, run.data, steps=run.steps, progress=False, **{**run.settings, **more})[0]


def ran(run, *parts):
    """Some steps by `run`, compiled, and then some more."""
    state = run.start
    for steps in parts:
        part = functools.partial(training.run, steps=steps, **run.settings)
        state = jax.jit(part)(state, run.data)[0]
    return state


def ways(kind):
    """The digest of each way."""
    run = _courses.KINDS[kind]()
    run = run._replace(steps=min(run.steps, 100))  # early stopping ends `fit`, while `run` counts on
    found = {"fit": fitted(run)}
    for chunk in (1, 7, 100):
        found[f"fit, chunks of {chunk}"] = fitted(run, chunk=chunk)
    with tempfile.TemporaryDirectory() as folder:
        log, path = os.path.join(folder, "log"), os.path.join(folder, "state.npz")
        found["fit, saving and logging"] = fitted(run, chunk=10, checkpoint=path, save_every=0, log=log)
        found["its checkpoint"] = training.checkpoint.load(path, run.start)
    found["run"] = ran(run, run.steps)
    found["run, twice"] = ran(run, run.steps // 2, run.steps // 2)
    found["run, one step first"] = ran(run, 1, run.steps - 1)
    return {name: _courses.digest(state) for name, state in found.items()}


def distances():
    """Largest difference of a parameter, relative to the largest of its array, after 20 steps taken in two ways."""
    run = _courses.KINDS["plain"]()
    run = run._replace(steps=20, settings=run.settings | {"batch_size": None})  # so that devices share a batch
    alone = ran(run, 20).params
    with jax.disable_jit():
        eager = training.run(run.start, run.data, steps=20, **run.settings)[0].params
    keys = jnp.stack([run.start.key, jax.random.key(1), jax.random.key(2)])
    member = lambda key: training.run(run.start._replace(key=key), run.data, steps=20, **run.settings)[0].params
    ensemble = jax.tree.map(lambda a: a[0], jax.jit(jax.vmap(member))(keys))
    mesh = jax.make_mesh((2,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    split, whole = (jax.NamedSharding(mesh, jax.P(*axes)) for axes in (("data",), ()))
    state, data = jax.device_put(run.start, whole), jax.device_put(run.data, split)
    step = jax.jit(functools.partial(training.run, steps=5, **run.settings))  # in parts, lest the devices wait in vain
    for _ in range(4):
        state = jax.block_until_ready(step(state, data)[0])
    x = jnp.asarray(run.data.x, jnp.float32) / 16
    apply = functools.partial(mlp.apply, alone)
    singly = jnp.stack([jax.jit(apply)(row) for row in x[:64]])
    return {
        "eager": apart(alone, eager),
        "ensemble": apart(alone, ensemble),
        "devices": apart(alone, state.params),
        "batch": apart(jax.jit(jax.vmap(apply))(x)[:64], singly),
    }


def apart(a, b):
    """The largest relative difference of two trees."""
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return max(float(np.max(np.abs(np.asarray(p) - np.asarray(q))) / np.max(np.abs(np.asarray(p)))) for p, q in pairs)


def main(what, *kinds):
    """Print what is asked for."""
    if what == "distances":
        jax.config.update("jax_num_cpu_devices", 2)
        return print(json.dumps(distances()))
    one = lambda kind: _courses.digest(fitted(_courses.KINDS[kind]()))
    return print(json.dumps({kind: (one if what == "one" else ways)(kind) for kind in kinds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
