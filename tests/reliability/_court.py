"""Has mutants judged, by several processes in copies of the repository, and keeps the verdicts."""

import ast
import collections
import concurrent.futures
import contextlib
import functools
import hashlib
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).parents[2]
KEPT = ROOT / "build/mutants.jsonl"
SHARED = ("tests/conftest.py", "tests/helpers.py", "tests/oracles.py")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", "assets", "figures", "demos", ".*")


class Judge:
    """A process that tests mutants in a copy of the repository."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        for name in ("mlpjax", "tests", "docs", "benchmarks"):
            shutil.copytree(ROOT / name, pathlib.Path(self.folder.name, name), ignore=LEFT_OUT)
        shutil.copy(ROOT / "pyproject.toml", self.folder.name)
        path = os.pathsep.join([self.folder.name, *filter(None, [os.environ.get("PYTHONPATH")])])
        env = {**os.environ, "PYTHONPATH": path, "JAX_PLATFORMS": "cpu", "PYTEST_ADDOPTS": ""}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "tests.reliability._judge"]
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process = subprocess.Popen(command, cwd=self.folder.name, env=env, **pipes)
        return self

    def __call__(self, file, text, tests, order=(), seconds=None):
        job = {"file": file, "text": text, "tests": tests, "order": list(order), "seconds": seconds or {}}
        print(json.dumps(job), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("the process that judges mutants has ended")
        return json.loads(answer)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()
        self.folder.cleanup()


def control(judge, file, tests):
    """How long each test takes without a mutation; they must pass, or nothing that fails later says anything."""
    found = judge(file, (ROOT / file).read_text("utf-8"), tests)
    if found["outcome"] != "survived":
        raise SystemExit(f"{tests[0]} fails without any mutation: {found['outcome']}, {found['killer']}")
    return found["seconds"]


@functools.cache
def content(test):
    """The text of a file of tests, of one test in it, or of an experiment."""
    file, _, name = test.partition("::")
    name, _, parameters = name.partition("[")
    if name == "test_a_few_trials":
        file = f"tests/reliability/{parameters.rstrip(']')}.py"
    text = (ROOT / file).read_text("utf-8")
    for node in ast.parse(text).body:
        if getattr(node, "name", None) == name:
            begin = min(n.lineno for n in (node, *node.decorator_list))
            return "\n".join(text.splitlines()[begin - 1 : node.end_lineno])
    return text


@functools.cache
def state(*tests):
    """Of all that a verdict depends on, beside the mutant: the digest."""
    texts = [content(test) for test in (*SHARED, *tests)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def grounds(killer, tests):
    """What a verdict rests on: the test that noticed the mutant, or all; examples are in the mutant itself."""
    if killer and killer.startswith("tests/"):
        return state(killer)
    return state(*(test for test in tests if test.startswith("tests/")))


class History:
    """What is known already: verdicts by the digests of mutant and tests, how long tests take, and who noticed what."""

    def __init__(self):
        self.verdicts, self.seconds, self.lock = {}, {}, threading.Lock()
        self.controls = collections.defaultdict(threading.Lock)  # one judge for each, the others wait
        self.killers = collections.defaultdict(collections.Counter)
        for line in KEPT.read_text("utf-8").splitlines() if KEPT.exists() else ():
            self.learn(json.loads(line))

    def learn(self, entry):
        if entry["outcome"] == "control":
            self.seconds[entry["key"]] = entry["seconds"]
            return
        self.verdicts[entry["key"]] = entry
        for place in (entry["file"], (entry["file"], entry["scope"])):
            self.killers[place][entry["killer"]] += 1

    def add(self, entry):
        with self.lock:
            self.learn(entry)
            KEPT.parent.mkdir(exist_ok=True)
            with open(KEPT, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def order(self, mutant, seconds):
        """First the tests that noticed most in the same function, then in the same file, then the fast ones."""
        near, far = self.killers[mutant.file, mutant.scope], self.killers[mutant.file]
        return sorted(seconds, key=lambda test: (-near[test], -far[test], seconds[test]))

    def judge(self, judges, room, mutant, tests):
        """The verdict on one mutant, from before or new."""
        known, baseline = self.verdicts.get(mutant.digest), f"{room} {state(*tests)}"
        if not known or known["grounds"] != grounds(known["killer"], tests):
            judge = judges.get()
            try:
                with self.controls[baseline]:
                    if baseline not in self.seconds:
                        self.add({"key": baseline, "outcome": "control", "seconds": control(judge, mutant.file, tests)})
                seconds = self.seconds[baseline]
                found = judge(mutant.file, mutant.text, tests, self.order(mutant, seconds), seconds)
            finally:
                judges.put(judge)
            about = {**mutant._asdict(), "key": mutant.digest, "room": room, **found}
            about["grounds"] = grounds(found["killer"], tests)
            self.add({name: about[name] for name in about if name not in ("text", "seconds", "code", "at_import")})
        return room, mutant, self.verdicts[mutant.digest]["outcome"]


def verdicts(chosen):
    """`(room, mutant, outcome)` for each `(room, mutant, tests)`, by as many processes as there are cores."""
    history, judges, found = History(), queue.Queue(), []
    with contextlib.ExitStack() as stack:
        for _ in os.sched_getaffinity(0):
            judges.put(stack.enter_context(Judge()))
        pool = concurrent.futures.ThreadPoolExecutor(judges.qsize())
        stack.callback(pool.shutdown, cancel_futures=True)
        for verdict in pool.map(lambda one: history.judge(judges, *one), chosen):
            found.append(verdict)
            show(len(found), len(chosen), *verdict)
    return found


def show(number, total, room, mutant, outcome):
    """Progress, and every survivor."""
    if outcome == "survived":
        print(f"survived in {mutant.file} {mutant.scope}: {mutant.line}   →   {mutant.mutated}", flush=True)
    if number % 25 == 0 or number == total:
        print(f"{number} of {total} mutants, now of {room}", flush=True)
