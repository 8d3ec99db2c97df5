"""`kill -9` at random moments while a process saves: is every state that was said to be saved still there?"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.reliability.experiments import Claim

TITLE = "Killed while saving"
HOW = (
    "A process saves the state of a run (784-300-10, Adam, 2.9 MB) without a pause, every other time in the thread in "
    "which `fit` saves, and is killed with `kill -9` at a random moment. Another process then loads the file, compares "
    "every number, and goes on from there. The same is done to `numpy.savez`, a fifth as often."
)
FULL, QUICK = 500, 16
ROOT = Path(__file__).parents[2]


def measure(count, seed):
    """Kill that often, in a process that never starts JAX's backend, so that a fork costs little."""
    plain = count // 5 if count >= 100 else 0
    command = [sys.executable, "-m", "tests.reliability._crash_saver", str(count), str(plain), str(seed)]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def claims(found):
    """What is promised of `checkpoint.save`, and that the kills were such as to break it."""
    ours, plain = found["ours"], found.get("plain")
    kills = f"of {ours['kills']:,}"
    all_claims = [
        Claim(
            "no file that is unreadable or of the wrong content",
            f"{ours['unreadable']} {kills}",
            not ours["unreadable"],
        ),
        Claim("no acknowledged state lost", f"{ours['lost']} {kills}", not ours["lost"]),
        Claim("temporary files of the killed are gone after the next save", f"{ours['left']} left", not ours["left"]),
        Claim(
            "most kills strike inside a save",
            f"{ours['inside']:,} {kills}; {ours['torn']:,} left a file half written, {ours['unsaid']:,} struck between "
            "the renaming and the word that it is saved",
            2 * ours["inside"] > ours["kills"] and ours["torn"] > 0,
        ),
    ]
    if plain:
        broken = f"{plain['unreadable']:,} of {plain['kills']:,} unreadable"
        all_claims.append(Claim("the same kills break `numpy.savez`", broken, plain["unreadable"] > 0))
    return all_claims
