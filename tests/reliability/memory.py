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
    "A fresh process trains a small network with `fit`: log, checkpoint five times a second, evaluation every 20 steps. "
    "Resident memory, live arrays and the objects of Python's garbage collector are looked at after a fifth of the run "
    "and at its end. Then calls are made again and again, with the same functions and with new ones, and 1,000 networks "
    "are trained in one program."
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
    steps, (rss, arrays, size, objects) = found["steps"], found["long"]["growth"]
    history = found["long"]["per_step"] * steps
    worst = {
        name: max(rows) for name, rows in zip(("rss", "arrays", "bytes", "objects"), transposed(found), strict=True)
    }
    rows = [
        Claim(
            f"`fit`, {steps:,} steps: resident memory grows by no more than the history, and 4 MB",
            f"{rss / MB:.1f} MB, of which history {history * 0.8 / MB:.1f} MB",
            rss <= history + ROOM,
        ),
        Claim(
            "the history: one number for the loss and one for each metric, per step",
            f"{found['long']['per_step']:g} bytes per step",
            found["long"]["per_step"] == 12,
        ),
        Claim(
            "live arrays on the device, in number and bytes: those of a state",
            f"{arrays} and {size} more",
            arrays <= 20 and size <= 4096,
        ),
        Claim(
            f"{found['calls']:,} calls of each of {listed(found['again'])}: no array, no object of Python, and not 4 MB more",
            f"{worst['arrays']} arrays, {worst['objects']} objects, {worst['rss'] / MB:.1f} MB",
            worst["arrays"] <= 0 and worst["objects"] < found["calls"] // 2 and worst["rss"] <= ROOM,
        ),
        Claim(
            "`run` outside `jit`: its program goes with the call",
            said(found["forgotten"]["run"]),
            found["forgotten"]["run"],
        ),
        Claim(
            "`fit`: programs of settings that are not used go after 16 others",
            said(found["forgotten"]["fit"]),
            found["forgotten"]["fit"],
        ),
    ]
    return rows + large(found) if "fresh" in found else rows


def large(found):
    """What only the full run looks at."""
    each, many = found["fresh"], found["ensemble"]
    per_call = lambda name: f"{each[name] / MB:.2f} MB per call"
    return [
        Claim(
            "`fit` with a new optimizer each time, past the 16 it keeps: less than 0.25 MB per call",
            per_call("fit"),
            each["fit"] < MB / 4,
        ),
        Claim(
            "`run` outside `jit`, a new optimizer each time: less than 0.25 MB per call",
            per_call("run"),
            each["run"] < MB / 4,
        ),
        Claim(
            "for comparison, a bare `jax.lax.scan` with a new function each time",
            per_call("scan"),
            each["scan"] > each["run"],
        ),
        Claim(
            f"{many['members']:,} networks in one program: at most 8 times the bytes of their states while it runs",
            f"{many['temporary'] / many['held']:.1f} times {many['held'] / MB:.1f} MB",
            many["temporary"] <= 8 * many["held"],
        ),
    ]


def transposed(found):
    return zip(*found["again"].values(), strict=True)


def listed(names):
    return ", ".join(f"`{name}`" for name in names)


def said(gone):
    return "gone" if gone else "kept"
