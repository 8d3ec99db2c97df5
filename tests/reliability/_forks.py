"""Processes that train, and are struck: forked from one that has imported everything and started no backend of JAX.

What a child does at the moment is a byte that it shares with its parent, so that a blow can be aimed.
"""

import functools
import mmap
import os
import pathlib
import subprocess
import sys
import time
import traceback
import warnings

import jax
import numpy as np

from mlpjax import cli, training
from mlpjax.cli import _report
from mlpjax.training import _archive, _fit, checkpoint
from tests.reliability import _courses

PHASES = ("before", "compiling", "steps", "saving", "ending")
BOARD = mmap.mmap(-1, 3)
"""What the child does, how many states it has begun to save, and how often it has called its program."""


def told(counts):
    """How often processes were struck in each phase, in words."""
    return ", ".join(f"{n} {'starting' if phase == 'before' else phase}" for phase, n in counts.items())


def alone(module, *arguments):
    """Run a module in a process of its own, which has started no backend, and give back what it prints."""
    root = pathlib.Path(__file__).parents[2]
    env = os.environ | {"PYTHONPATH": str(root), "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", f"tests.reliability.{module}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=root)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def fork(job, folder, *, cached):
    """Start a child that does its job in a folder; its words go to files there."""
    BOARD[:3] = bytes(3)
    warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
    child = os.fork()
    if child:
        return child
    try:
        os.chdir(folder)
        for stream, name in ((1, "out.txt"), (2, "err.txt")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        _keep_compiled(folder.parent / "compiled", cached)
        _watched()
        code = job()
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _keep_compiled(place, cached):
    jax.config.update("jax_enable_compilation_cache", cached)
    jax.config.update("jax_compilation_cache_dir", str(place))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _watched():
    """Say on the board what is going on; and save after every chunk, so that there is something to strike."""
    program, save, finish = _fit.program, checkpoint.save, _report.finish

    def saying(phase, fn):
        def said(*args, **more):
            before, BOARD[0] = BOARD[0], PHASES.index(phase)
            result = fn(*args, **more)
            BOARD[0] = before
            return result

        return said

    def counted(*args, **more):
        BOARD[1] = min(BOARD[1] + 1, 255)
        return save(*args, **more)

    def called(chunk, *args):
        BOARD[0] = PHASES.index("steps" if BOARD[0] else "compiling")
        BOARD[2] = min(BOARD[2] + 1, 255)
        result = chunk(*args)
        BOARD[0] = PHASES.index("steps")
        return result

    _fit.program = lambda **settings: functools.partial(called, program(**settings))
    checkpoint.save = saying("saving", counted)
    _report.finish = saying("ending", finish)
    training.fit = functools.partial(_fit.fit, save_every=0)


def library(kind):
    """A program that trains with `fit`, and goes on where its checkpoint is."""
    run = _courses.KINDS[kind]()
    state = checkpoint.load("state.npz", like=run.start) if os.path.exists("state.npz") else run.start
    if int(state.step) == 0:
        pathlib.Path("log.jsonl").unlink(missing_ok=True)
    stop = run.settings.get("stop")
    if int(state.step) == run.steps or (stop and bool(stop.stopped(state.stop_state.rule))):
        return 0
    more = dict(steps=run.steps - int(state.step), checkpoint="state.npz", log="log.jsonl", progress=False)
    try:
        training.fit(state, run.data, **more, **run.settings)
    except training.Interrupted as stopped:
        same = _courses.digest(checkpoint.load("state.npz", like=run.start)) == _courses.digest(stopped.state)
        print("what it stopped at is saved" if same else "what it stopped at is lost", file=sys.stderr)
        return 128 + stopped.signal
    return 0


COMMAND = (
    "train --hidden 24 --epochs 16 --batch-size 32 --dropout 0.2 --shift 1 --validation 0.1 --patience 8 "
    "--optimizer adam --weight-decay 0 --learning-rate 0.02 --schedule cosine --run-dir run --quiet"
).split()


def command():
    """`mlpjax train`, and `mlpjax train --resume` once there is a checkpoint."""
    resume = os.path.exists("run/checkpoint.npz")
    return cli.main(["train", "--resume", "run", "--quiet"] if resume else COMMAND)


def job(kind):
    """What a child is to do."""
    return command if kind == "command" else functools.partial(library, kind)


def strike(child, phase, delay, numbers, saves=0, calls=0):
    """Send signals so long after a child has entered a phase; what it was doing, or `None` if it was done."""
    wanted = PHASES.index(phase)
    while BOARD[0] < wanted or BOARD[1] < saves or BOARD[2] < calls:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return None
        time.sleep(1e-4)
    time.sleep(delay)
    doing = BOARD[0]
    for number in numbers:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return None
        os.kill(child, number)
    return PHASES[doing]


def ended(child):
    """The exit code of a child, −9 if it was killed."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def files(kind, folder):
    """Its checkpoint and its log."""
    where = folder / "run" if kind == "command" else folder
    return where / ("checkpoint.npz" if kind == "command" else "state.npz"), where / "log.jsonl"


def leaves(kind, folder):
    """The arrays of a checkpoint, without JAX; none if there is no checkpoint."""
    path, _ = files(kind, folder)
    return {name: np.array(a) for name, a in _archive.read(path)[1].items()} if path.exists() else {}
