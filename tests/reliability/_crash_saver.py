"""Forks processes that save without pause, kills them, and looks at what they left: `python -m … COUNT SEED`.

A process of its own, which imports everything but starts no backend of JAX: its children have all they need at birth,
and no thread is lost in the fork.
"""

import contextlib
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

from mlpjax import _files, trees
from mlpjax.training import checkpoint
from mlpjax.training._saving import Saver
from tests.reliability import _states

FORM = _states.form((784, 300, 10))


def state_at(step):
    """The state of a step."""
    return _states.at(step, FORM)


class Ours:
    """`checkpoint.save`, called straight or by the thread in which `fit` saves."""

    name = "state.npz"

    def save(self, path, state):
        checkpoint.save(path, state, meta={"step": int(state.step)})

    def load(self, path):
        state = checkpoint.load(path, state_at(0))
        assert checkpoint.read_meta(path) == {"step": int(state.step)}
        return state


class Plain:
    """What one would write by hand: `numpy.savez` on the file itself."""

    name = "plain.npz"

    def save(self, path, state):
        np.savez(path, **trees.paths(state))

    def load(self, path):
        with np.load(path) as file:
            return jax.tree.unflatten(jax.tree.structure(FORM), [file[name] for name in trees.paths(FORM)])


def save_for_ever(contestant, path, step, say, *, beside):
    """Save one state after another; say when each begins and when it is saved."""

    def save(state):
        say(b"+%d " % state.step)
        contestant.save(path, state)
        say(b"-%d " % state.step)

    with Saver(save, 0) if beside else contextlib.nullcontext() as saver:
        while True:
            step += 1
            saver.offer(state_at(step)) if saver else save(state_at(step))


def kill_one(contestant, path, step, delay, *, beside):
    """Start a process that saves, kill it a moment after its first save began, and return all it said."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        save_for_ever(contestant, path, step, lambda text: os.write(writer, text), beside=beside)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        select.select([said], [], [])
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return [int(word) for word in said.read().split()]


def look(contestant, path):
    """The step of the state that is found, if it is whole and the right one."""
    state = contestant.load(path)
    expected = state_at(int(state.step))
    equal = jax.tree.map(lambda a, b: a.dtype == b.dtype and a.tobytes() == b.tobytes(), state, expected)
    assert all(jax.tree.leaves(equal)), "of another content"
    return int(state.step)


def attack(contestant, count, draw, folder):
    """Kill `count` times; what was found."""
    path = folder / contestant.name
    found = dict(kills=count, unreadable=0, lost=0, inside=0, torn=0, unsaid=0, saves=0, beside=0, errors=[])
    contestant.save(path, state_at(1))
    step, began = 1, time.perf_counter()
    contestant.save(path, state_at(1))
    duration = time.perf_counter() - began
    for i in range(count):
        said = kill_one(contestant, path, step, draw.uniform(0, 3 * duration), beside=i % 2 == 1)
        saved = max([step, *(-word for word in said if word < 0)])
        found["saves"] += saved - step
        found["beside"] += i % 2
        found["inside"] += said[-1] > 0
        found["torn"] += bool(list(folder.glob(f".*{_files.SUFFIX}")))
        try:
            step = look(contestant, path)
            found["lost"] += step < saved
            found["unsaid"] += step > saved
        except Exception as error:
            found["unreadable"] += 1
            found["errors"] = [*found["errors"], type(error).__name__][:5]
            step = saved
            contestant.save(path, state_at(step))
    contestant.save(path, state_at(step + 1))
    found["left"], found["bytes"] = len(os.listdir(folder)) - 1, path.stat().st_size
    return found


def main():
    """Both, one after the other, each in a folder of its own."""
    count, plain, seed = map(int, sys.argv[1:])
    draw, report = random.Random(seed), {}
    for contestant, kills in ((Ours(), count), (Plain(), plain)):
        with tempfile.TemporaryDirectory() as folder:
            if kills:
                report[type(contestant).__name__.lower()] = attack(contestant, kills, draw, Path(folder))
    print(json.dumps(report))


if __name__ == "__main__":
    main()
