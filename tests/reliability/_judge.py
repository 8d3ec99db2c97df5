"""A process that is told one mutant a line, tests it, and answers with one line.

Python, JAX and pytest take seconds to start, more than most mutants need to be noticed. So they are imported once,
without the package and before any backend of JAX starts its threads, and each mutant is tested in a fork, in a copy of
the repository: `python -m tests.reliability._judge`, from its root.
"""

import contextlib
import gc
import importlib
import json
import os
import pathlib
import resource
import signal
import sys
import time

PRELOADED = (
    "jax",
    "jax.numpy",
    "numpy",
    "optax",
    "beartype",
    "jaxtyping",
    "hypothesis",
    "mpmath",
    "scipy.stats",
    "pytest",
)
OPTIONS = (
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--tb=no",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)
PATIENCE, FACTOR = 30.0, 20.0  # seconds that a test may take, and times what it takes without the mutation
MEMORY = 16 << 30
LOG, VERDICT = pathlib.Path("build/judge.log"), pathlib.Path("build/verdict.json")


class Listener:
    """Puts the tests in order, stops one that does not end, and keeps which was the first to fail."""

    def __init__(self, order, seconds):
        self.rank = {test: i for i, test in enumerate(order)}
        self.limits = {test: PATIENCE + FACTOR * s for test, s in seconds.items()}
        self.found = {"killer": None, "at_import": False, "seconds": {}}

    def leave(self, code):
        """Write what was found and end, without the tidying of pytest."""
        VERDICT.write_text(json.dumps({**self.found, "code": code}), "utf-8")
        os._exit(0)

    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: self.rank.get(item.nodeid, len(self.rank)))

    def pytest_collectreport(self, report):
        self.found["at_import"] |= report.failed

    def pytest_runtest_logstart(self, nodeid):
        # whoever does not return to Python is ended by the system
        signal.setitimer(signal.ITIMER_REAL, self.limits.get(nodeid, PATIENCE * FACTOR))

    def pytest_runtest_logreport(self, report):
        seconds = self.found["seconds"]
        seconds[report.nodeid] = seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.found["killer"] = report.nodeid
            self.leave(1)


def test(tests, order, seconds):
    """In a fork: run the tests and leave what was found in a file."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.setitimer(signal.ITIMER_REAL, PATIENCE * FACTOR)
    import hypothesis
    import pytest

    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]  # finding the simplest case would only take time
    hypothesis.settings.register_profile("judge", phases=phases, database=None, deadline=None, derandomize=True)
    hypothesis.settings.load_profile("judge")
    listener = Listener(order, seconds)
    code = int(pytest.main([*tests, *OPTIONS], plugins=[listener]))
    signal.setitimer(signal.ITIMER_REAL, 0)
    if code == pytest.ExitCode.USAGE_ERROR:
        listener.found["at_import"] = "ImportError while loading conftest" in LOG.read_text("utf-8")
    listener.leave(code)


def forked(*arguments):
    """What `test` found, or the signal that ended it."""
    VERDICT.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        try:
            test(*arguments)
        finally:
            os._exit(0)
    try:
        status = os.waitpid(child, 0)[1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # with what the tests started
    if VERDICT.exists():
        return json.loads(VERDICT.read_text("utf-8"))
    return {"killer": None, "at_import": False, "seconds": {}, "code": -os.WTERMSIG(status)}


def outcome(found):
    """One word for what became of a mutant."""
    if found["killer"]:
        return "test"
    if found["at_import"]:
        return "import"
    if found["code"] < 0:
        return "timeout" if -found["code"] == signal.SIGALRM else "crash"
    if found["code"] == 0:
        return "survived"
    raise RuntimeError(f"pytest ended with {found['code']}:\n{LOG.read_text('utf-8')[-2000:]}")


def judged(job, clock):
    """Put the text of a mutant in its file's place, test it, and put the file back."""
    file, began = pathlib.Path(job["file"]), time.monotonic()
    before, times = file.read_bytes(), file.stat()
    try:
        file.write_text(job["text"], "utf-8")
        os.utime(file, (clock, clock))  # no two mutants have the same: what Python keeps compiled is never another's
        found = forked(job["tests"], job["order"], job["seconds"])
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    return {"outcome": outcome(found), "took": time.monotonic() - began, **found}


def main():
    """Answer line by line."""
    pathlib.Path("build").mkdir(exist_ok=True)
    for name in PRELOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    gc.freeze()
    clock = int(time.time()) + 10**6
    for number, line in enumerate(sys.stdin):
        print(json.dumps(judged(json.loads(line), clock + number)), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
