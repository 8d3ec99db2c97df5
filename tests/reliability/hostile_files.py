"""Hostile pictures, checkpoints, safetensors files and run directories: refused in one line, or read right."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from tests.reliability.experiments import Claim

TITLE = "Hostile pictures, checkpoints and configurations"
HOW = (
    "Decompression bombs, promises of 2³¹ pixels, forgeries with a right checksum, headers nested 200,000 deep, names "
    "with `..` or escape codes, values of every wrong type and size, pipes, devices and links in place of a file; "
    "and as many forgeries and mutants of each kind at random. The library's readers and `mlpjax info`, `predict` and "
    "`export` take them in one process that may not grow by more than 1.5 GiB."
)
FULL, QUICK = 2_000, 20
NEVER = ("crash", "hang", "another exception", "unclear", "read though wrong", "refused though right")
ROOT = pathlib.Path(__file__).parents[2]


def measure(count, seed):
    """The attacks, in a process of their own."""
    with tempfile.TemporaryDirectory() as directory:
        env = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "MLPJAX_CACHE": directory}
        command = [sys.executable, "-m", "tests.reliability._attack", directory, str(count), str(seed)]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
        if done.returncode:
            last = done.stderr[-300:].replace(directory, "DIR")
            return {"kinds": {}, "bad": {"crash": 1}, "examples": [f"exit {done.returncode}: {last}"], "grown": 0}
        return json.loads(done.stdout.replace(directory, "DIR"))


def claims(found):
    """What is promised, beside what was found."""
    bad = {name: 0 for name in NEVER} | found["bad"]
    wrong, late = bad["read though wrong"] + bad["refused though right"], bad["crash"] + bad["hang"]
    rows = [
        Claim(f"{kind} are refused, or read right", words(counts), not counts.get("bad"))
        for kind, counts in found["kinds"].items()
    ]
    return [
        *rows,
        Claim("no crash, no hang", f"{late}", not late),
        Claim("no exception that was not foreseen", f"{bad['another exception']}", not bad["another exception"]),
        Claim("what is read is what a second reader reads", f"{wrong} differ", not wrong),
        Claim("every message names its file and has no escape codes", f"{bad['unclear']} do not", not bad["unclear"]),
        Claim("memory is bounded", f"grew by {found['grown'] >> 20:,} MiB at most", 0 < found["grown"] < 1 << 30),
    ]  # fmt: skip


def words(counts):
    """How many were refused, and how many read."""
    bad = f", {counts['bad']:,} neither" if counts.get("bad") else ""
    return f"{counts.get('refused', 0):,} refused, {counts.get('read', 0):,} read{bad}"
