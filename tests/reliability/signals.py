"""Send SIGTERM and SIGINT to training at every stage: what it says, what it saves, where it ends when resumed."""

import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tests.reliability import _forks, kill_resume
from tests.reliability.experiments import Claim

TITLE = "Ctrl-C and SIGTERM"
HOW = (
    "`mlpjax train` and programs that call `fit` get SIGINT, SIGTERM or both at once while they start, compile, step, "
    "save, or test and draw in the end; then they are resumed and run to the end. One more is struck in the middle of "
    "a chunk of 1,000 slow steps, and further ones while they import JAX."
)
FULL, QUICK = 40, 2

INT, TERM = signal.SIGINT, signal.SIGTERM
BLOWS = [[TERM], [INT], [INT, TERM], [TERM, TERM]]
STAGES = [
    ("command", "compiling"),
    ("noisy", "steps"),
    ("command", "ending"),
    ("second_order", "saving"),
    ("command", "before"),
    ("normalized", "compiling"),
    ("command", "steps"),
    ("noisy", "saving"),
    ("command", "saving"),
    ("normalized", "steps"),
]


def measure(count, seed):
    """How many of the processes that were struck did what they should, by what they should do."""
    return json.loads(_forks.alone("signals", count, seed))


def claims(found):
    """What a process owes to whoever stops it."""
    runs, stages = (
        found["runs"],
        _forks.told(found["stages"]),
    )
    of = lambda name, n=runs: Claim(SAID[name], f"{found[name]} of {n}", found[name] == n > 0)
    slow = found["slow"]
    return [
        Claim("processes struck", f"{runs}: {stages}", runs > 0 and "compiling" in found["stages"]),
        of("code"),
        of("message"),
        of("saved", found["savable"]),
        of("unchanged", found["stages"].get("compiling", 0)),
        of("same"),
        of("imports", found["importing"]),
        Claim(
            "a chunk of 1,000 slow steps is left in its middle",
            f"step {slow['step']:,}; {slow['waited']} s after the signal, where the chunk takes {slow['chunk']} s",
            slow["code"] == 143 and 0 < slow["step"] < 1000 and slow["saved"],
        ),
    ]


SAID = {
    "code": "exit code 130 or 143",
    "message": "says how to go on, shows no traceback",
    "saved": "the state it stopped at is the one on the disk",
    "unchanged": "struck while compiling: the checkpoint as it was, byte for byte",
    "same": "resumed: the bits of a run that nothing disturbed",
    "imports": "struck while importing: no traceback, and 130, 143 or death by the signal",
}


def trials(count, seed):
    """Stages in turn, signals by chance."""
    draw, found, stages = random.Random(seed), collections.Counter(), collections.Counter()
    importing, failures, whole = max(1, count // 4), [], {}
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for i in range(count):
            kind, stage = STAGES[i % len(STAGES)]
            whole[kind] = whole.get(kind) or kill_resume.undisturbed(root, kind)
            seen = trial(root, kind, stage, draw, whole[kind][0])
            stages[stage] += 1
            found.update({key: int(value) for key, value in seen.items() if key != "words"})
            if not all(value for key, value in seen.items() if key != "savable"):
                failures.append([kind, stage, seen])
        found.update({"imports": sum(import_struck(root, draw) for _ in range(importing))})
        slow = middle(root)
    order = {stage: stages[stage] for stage in _forks.PHASES if stages[stage]}
    return {"unchanged": 0, **found, "runs": count, "stages": order, "importing": importing, "slow": slow} | {
        "failures": failures[:10]
    }


def trial(root, kind, stage, draw, expected):
    """One process, stopped at a stage; until the blow comes in time."""
    while True:
        folder = root / "run"
        folder.mkdir()
        try:
            seen = stop(folder, kind, stage, draw)
            if seen is not None:
                kill_resume.finish(folder, kind)
                return seen | {"same": kill_resume.seen(folder, kind)[0] == expected}
        finally:
            shutil.rmtree(folder)


def stop(folder, kind, stage, draw):
    """What the process did; `None` if it had ended before."""
    before = None
    if stage == "compiling":  # of a run that is resumed, so that there is something to leave as it was
        child = _forks.fork(_forks.job(kind), folder, cached=True)
        _forks.strike(child, "saving", 0.0, [signal.SIGKILL], saves=4)
        _forks.ended(child)
        before = _forks.files(kind, folder)[0].read_bytes()
    child = _forks.fork(_forks.job(kind), folder, cached=stage != "compiling")
    blow = draw.choice(BLOWS)
    saves = draw.randrange(2, 10) if stage in ("steps", "saving") else 0
    doing = _forks.strike(child, stage, draw.uniform(0, kill_resume.REACH[stage]) / 2, blow, saves=saves)
    code = _forks.ended(child)
    if doing is None or code == 0:
        return None
    err = (folder / "err.txt").read_text()
    path = _forks.files(kind, folder)[0]
    seen = {"code": code in {128 + number for number in blow}, "message": says(kind, stage, err)}
    if kind != "command":
        seen |= {"savable": True, "saved": "what it stopped at is saved" in err}
    if before is not None:
        seen["unchanged"] = path.read_bytes() == before
    return seen if all(seen.values()) else seen | {"words": f"{code} after {doing}: {err[-300:]}"}


def says(kind, stage, err):
    """Whether the last words are of use: before there is a run, only what stopped it can be said."""
    words = {"command": "mlpjax train --resume run" if stage != "before" else "mlpjax: stopped by SIG"}
    return words.get(kind, "what it stopped at") in err and "Traceback" not in err


def import_struck(root, draw):
    """A process of its own, struck while it imports, or before its command has begun to train."""
    env = os.environ | {"MLPJAX_CACHE": str(root / "cache")}
    command = [sys.executable, "-m", "mlpjax", *_forks.COMMAND]
    child = subprocess.Popen(command, cwd=root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    number = draw.choice((INT, TERM))
    time.sleep(0.25)
    while not loaded(child.pid):
        time.sleep(0.002)
    time.sleep(draw.uniform(0, 0.5))
    child.send_signal(number)
    err = child.communicate()[1]
    shutil.rmtree(root / "run", ignore_errors=True)
    if child.returncode == 0:  # it was done already
        return import_struck(root, draw)
    return "Traceback" not in err and child.returncode in (128 + number, -number)


def loaded(pid):
    """Whether a process has begun to load JAX, which takes most of the time of importing."""
    return "jaxlib" in pathlib.Path(f"/proc/{pid}/maps").read_text()


def middle(root):
    """SIGTERM in the middle of a chunk of slow steps."""
    folder = root / "slow"
    folder.mkdir()
    child = _forks.fork(_forks.job("slow"), folder, cached=True)
    _forks.strike(child, "steps", 2.0, [TERM], calls=3)  # to compile, for the first step, and for more
    began = time.monotonic()
    code = _forks.ended(child)
    waited = time.monotonic() - began
    step = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["step"]
    saved = "what it stopped at is saved" in (folder / "err.txt").read_text()
    chunk = round(1000 * (2.0 + waited) / step)
    return {"code": code, "step": step, "saved": saved, "waited": round(waited, 1), "chunk": chunk}


if __name__ == "__main__":
    print(json.dumps(trials(int(sys.argv[1]), int(sys.argv[2]))))
