"""Memory over long runs, many calls and many networks, in a process of its own."""

import json
import os
import subprocess
import sys

from tests.reliability import experiments
from tests.reliability._memory import FULL as FULL
from tests.reliability.experiments import Claim

TITLE = "Memory that does not grow"
HOW = (
    "A fresh process trains a small network with `fit`, with a log, five checkpoints a second, and an evaluation every "
    "20 steps. Resident memory, live arrays and the objects of Python's garbage collector are compared after a fifth "
    "of the run and at its end. Then calls are made again and again, with the same functions and with new ones, and "
    "1,000 networks are trained in one program."
)
QUICK = 1000
MB = 2.0**20
ROOM = 4 * MB  # the allocator's own: as much is found after ten calls as after a thousand


def measure(count, seed):
    """What the process prints."""
    command = [sys.executable, "-m", "tests.reliability._memory", str(count), str(seed)]
    root = experiments.FOLDER.parents[1]
    environment = os.environ | {"PYTHONPATH": str(root), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def claims(found):
    """Flat, but for the history that is asked for."""
    steps, per_step, (rss, arrays, size, _) = found["steps"], found["long"]["per_step"], found["long"]["growth"]
    objects = found["alone"]
    return [
        Claim(
            f"`fit`, {steps:,} steps: resident memory grows by the history, and 4 MB at most",
            f"{rss / MB:.1f} MB, of which history {per_step * steps * 0.8 / MB:.1f} MB",
            rss <= per_step * steps + ROOM,
        ),
        Claim(
            "the history of a loss and two metrics: 4 bytes per step for each", f"{per_step:g} bytes", per_step == 12
        ),
        Claim(
            "arrays on the device: none more but the key of a checkpoint under way",
            f"{max(arrays, 0)} more, {max(size, 0)} bytes",
            arrays <= 2 and size <= 16,
        ),
        repeated(found["again"], found["calls"]),
        Claim(
            "`run` outside `jit`: its program goes with the call, which leaves fewer than 200 objects of Python",
            f"{max(objects, 0)} objects",
            objects < 200,
        ),
        Claim(
            "`fit`: a program goes when 16 other settings were used since",
            "gone" if found["dropped"] else "kept",
            found["dropped"],
        ),
        *(large(found) if "fresh" in found else []),
    ]


def repeated(again, calls):
    """The worst of what calls with the same functions leave."""
    rss, arrays, _, objects = (max(column) for column in zip(*again.values(), strict=True))
    names = ", ".join(f"`{name}`" for name in again)
    return Claim(
        f"{calls:,} calls each of {names}: no array and no object of Python more, 4 MB at most",
        f"{arrays} arrays, {rss / MB:.1f} MB, {max(objects, 0) / calls:.2f} objects per call",
        arrays <= 0 and rss <= ROOM and objects < calls / 2,
    )


def large(found):
    """What only the full run looks at."""
    each, many = found["fresh"], found["ensemble"]
    row = lambda name, expected, kept: Claim(expected, f"{each[name] / MB:.2f} MB per call", kept)
    return [
        row("fit", "`fit`, a new optimizer at each call, past the 16: below 0.5 MB per call", each["fit"] < MB / 2),
        row("run", "`run` outside `jit`, a new optimizer at each call: below 0.5 MB", each["run"] < MB / 2),
        row("scan", "`jax.lax.scan` outside `jit`, a new function at each call: more", each["scan"] > each["run"]),
        Claim(
            f"{many['members']:,} networks in one program: beside their states, 8 times as much while it runs",
            f"{many['temporary'] / many['held']:.1f} times {many['held'] / MB:.1f} MB",
            many["temporary"] <= 8 * many["held"],
        ),
    ]
