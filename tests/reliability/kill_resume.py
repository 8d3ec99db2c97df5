"""Kill training at random moments, resume it, perhaps kill it again, and compare bits and log with an untouched run."""

import collections
import hashlib
import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile

from tests.reliability import _forks
from tests.reliability.experiments import Claim

TITLE = "Killed while training, and resumed"
HOW = (
    "`kill -9` strikes `mlpjax train`, and programs that call `fit(checkpoint=...)`, at random moments of starting, "
    "compiling, stepping, saving and ending, with a save after every chunk. What was struck is resumed, and half of "
    "the runs are struck again. In the end the SHA-256 of every leaf of the state and the log are compared with those "
    "of a run that nothing disturbed."
)
FULL, QUICK = 100, 2

KINDS = ("command", "noisy", "normalized", "second_order")
"""Every other trial is of `mlpjax train`, those between of the programs, in turn."""

AIMS = ("saving", "steps", "ending", "compiling", "before")
# seconds from the beginning of a phase within which the blow falls
REACH = {"before": 0.4, "compiling": 0.8, "steps": 0.05, "saving": 0.004, "ending": 0.3}


def measure(count, seed):
    """How many of the resumed runs of each kind ended in the bits, and the log, of a whole one."""
    return json.loads(_forks.alone("kill_resume", count, seed))


def claims(found):
    """All of them."""
    at = _forks.told(found["struck"])
    return [
        Claim(f"final state bit for bit, {name}", f"{found[key]['same']} of {found[key]['runs']}", _all(found[key]))
        for key, name in (("command", "`mlpjax train`"), ("library", "`fit`"))
    ] + [
        Claim("no record of the log missing, twice or changed", f"{found['logs']} of {found['runs']}", _logs(found)),
        Claim("kills, by what the process was doing", f"{found['kills']} kills: {at}", found["kills"] >= found["runs"]),
        Claim("temporary files left after the last save", f"{found['orphans']}", found["orphans"] == 0),
    ]


def _all(part):
    return 0 < part["runs"] == part["same"]


def _logs(found):
    return found["logs"] == found["runs"]


def trials(count, seed):
    """Both ways of training, in turn."""
    draw, struck, failures = random.Random(seed), collections.Counter(), []
    found = {part: {"runs": 0, "same": 0} for part in ("command", "library")}
    total = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        whole = {}
        for i in range(count):
            kind = "command" if i % 2 == 0 else KINDS[1 + i // 2 % 3]
            whole[kind] = whole.get(kind) or undisturbed(root, kind)
            part = found["command" if i % 2 == 0 else "library"]
            bits, log, orphans = trial(root, kind, AIMS[i // 2 % len(AIMS)], draw, struck)
            part["runs"] += 1
            part["same"] += bits == whole[kind][0]
            total["logs"] += log == whole[kind][1]
            total["orphans"] += orphans
            if (bits, log) != whole[kind]:
                failures.append([i, kind])
    order = {phase: struck[phase] for phase in (*_forks.PHASES, "done already") if struck[phase]}
    kills = sum(n for phase, n in order.items() if phase != "done already")
    return found | {"runs": count, **total, "kills": kills, "struck": order, "failures": failures[:10]}


def undisturbed(root, kind):
    """State and log of a run that nobody strikes."""
    folder = root / "whole"
    folder.mkdir()
    finish(folder, kind)
    result = seen(folder, kind)
    shutil.rmtree(folder)
    return result


def trial(root, kind, aim, draw, struck):
    """One run, struck once or twice; it must be struck at least once."""
    aims = [aim, draw.choice(AIMS)][: draw.choice((1, 2))]
    folder = root / "run"
    folder.mkdir()
    try:
        hit = False
        while not hit or aims:
            aim = aims.pop(0) if aims else draw.choice(AIMS)
            hit = blow(folder, kind, aim, draw, struck) or hit
        finish(folder, kind)
        return *seen(folder, kind), sum(f.name.endswith(".mlpjax-tmp") for f in folder.rglob(".*"))
    finally:
        shutil.rmtree(folder)


def blow(folder, kind, aim, draw, struck):
    """Start or resume, and kill; whether the kill came in time."""
    aim = "saving" if aim == "ending" and kind != "command" else aim
    saves = draw.randrange(3, 10) if aim in ("steps", "saving") else 0  # every run has so many
    child = _forks.fork(_forks.job(kind), folder, cached=aim != "compiling")
    doing = _forks.strike(child, aim, draw.uniform(0, REACH[aim]), [signal.SIGKILL], saves=saves)
    code = _forks.ended(child)
    struck[doing if code == -9 else "done already"] += 1
    assert code in (-9, 0), (folder / "err.txt").read_text()
    return code == -9


def finish(folder, kind):
    """To the end, undisturbed."""
    code = _forks.ended(_forks.fork(_forks.job(kind), folder, cached=True))
    assert code == 0, (folder / "err.txt").read_text()


def seen(folder, kind):
    """The SHA-256 of the state, and the log without its clock."""
    found = hashlib.sha256()
    for name, array in sorted(_forks.leaves(kind, folder).items()):
        found.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    records = [json.loads(line) for line in _forks.files(kind, folder)[1].read_text().splitlines()]
    return found.hexdigest(), [{**record, "seconds": 0} for record in records]


if __name__ == "__main__":
    print(json.dumps(trials(int(sys.argv[1]), int(sys.argv[2]))))
