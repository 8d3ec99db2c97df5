"""Take the same runs in fresh processes and in every way that promises the same bits, and compare SHA-256."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from tests.reliability import _forks
from tests.reliability.experiments import Claim

TITLE = "The same bits again"
HOW = (
    "Plain gradient descent; Adam with dropout, shifted images and early stopping; momentum with batch normalization; "
    "L-BFGS; and `mlpjax train`. Each is repeated with the same seed in fresh processes that differ in cores, in "
    "Python's hash seed and in precision, and in one process by every way to take the same steps. SHA-256 over every "
    "leaf of the final state is compared."
)
FULL, QUICK = 6, 1

KINDS = ("plain", "noisy", "normalized", "second_order")
NOT_PROMISED = {
    "eager": "without `jax.jit`, 20 steps",
    "devices": "on 2 devices, 20 steps",
    "ensemble": "as a member of a `vmap`ped ensemble, 20 steps",
    "batch": "logits, one example alone against in a batch",
}
BOUND = 1e-4


def measure(count, seed):
    """Digests in `count` fresh processes, and of every way within one; how far apart is what is not promised."""
    del seed  # the runs have their own
    few = KINDS if count > 1 else KINDS[:1]
    cores = sorted(os.sched_getaffinity(0))
    fresh = {"float32": [], "float64": []}
    for i in range(count):
        wide = "float64" if i % 3 == 2 else "float32"
        fresh[wide].append(process(few, cores[:1] if i % 2 else cores, hash_seed=i, wide=wide == "float64"))
    ways = json.loads(_forks.alone("_bits", "ways", *few))
    return {
        "kinds": list(few),
        "processes": {wide: len(digests) for wide, digests in fresh.items()},
        "different": sum(len(set(texts)) - 1 for texts in fresh.values() if texts),
        "cores": sorted({1, len(cores)} if count > 1 else {len(cores)}),
        "ways": {kind: len(digests) for kind, digests in ways.items()},
        "ways_different": {kind: [w for w, d in v.items() if d != v["fit"]] for kind, v in ways.items()},
        "commands": commands(min(count, 3)),
        "distances": json.loads(_forks.alone("_bits", "distances")) if count > 1 else {},
    }


def claims(found):
    """What is promised; and the size of what is not."""
    processes, ways = sum(found["processes"].values()), sum(found["ways"].values())
    others = sum(map(len, found["ways_different"].values()))
    cores = " and ".join(map(str, found["cores"]))
    return [
        Claim(
            "same seed, fresh processes",
            f"{found['different']} of {processes} differ; on {cores} cores, float32 and float64, other hash seeds",
            processes > 0 and found["different"] == 0,
        ),
        Claim(
            "`run`, `run` in two parts, `fit` in chunks of 1, 7 and 100, with and without files",
            f"{others} of {ways} differ",
            ways > 0 and others == 0,
        ),
        Claim(
            "`mlpjax train`, checkpoint byte for byte",
            f"{found['commands']['different']} of {found['commands']['runs']} differ",
            found["commands"]["runs"] > 0 and found["commands"]["different"] == 0,
        ),
        *(
            Claim(f"not promised: {NOT_PROMISED[name]}", f"largest relative difference {value:.0e}", value < BOUND)
            for name, value in found["distances"].items()
        ),
    ]


def process(kinds, cores, *, hash_seed, wide):
    """What a fresh process prints."""
    before, env = os.sched_getaffinity(0), dict(os.environ)
    os.environ |= {"PYTHONHASHSEED": str(hash_seed), "JAX_ENABLE_X64": str(int(wide))}
    os.sched_setaffinity(0, cores)
    try:
        return _forks.alone("_bits", "one", *kinds)
    finally:
        os.sched_setaffinity(0, before)
        os.environ.clear()
        os.environ.update(env)


def commands(count):
    """`mlpjax train` some times, and how many of the checkpoints differ from the first."""
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"MLPJAX_CACHE": folder, "PYTHONPATH": str(pathlib.Path(__file__).parents[2])}
        digests = []
        for i in range(count):
            options = [*_forks.COMMAND[:-2], f"run{i}", "--quiet"]
            subprocess.run([sys.executable, "-m", "mlpjax", *options], cwd=folder, env=env, check=True, stdout=-3)
            content = (pathlib.Path(folder) / f"run{i}" / "checkpoint.npz").read_bytes()
            digests.append(hashlib.sha256(content).hexdigest())
    return {"runs": count, "different": sum(d != digests[0] for d in digests)}
