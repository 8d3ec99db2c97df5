"""Which lines and branches of the core its own tests run, room by room."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.reliability.experiments import Claim

TITLE = "Lines and branches that the tests run"
HOW = (
    "The tests of each room of the core, and the examples in its docstrings, run under coverage.py, which records each "
    "line and branch taken. Lines for other systems and newer versions of Python are left out."
)
ROOT = Path(__file__).parents[2]
ROOMS = {
    "data/idx": ["-k", "not mutants", "tests/data/test_idx.py"],
    "training/_archive": ["tests/training/test_archive.py", "tests/training/test_checkpoint.py"],
    "training/checkpoint": ["tests/training/test_checkpoint.py", "mlpjax/training/checkpoint.py"],
    "losses": ["tests/test_losses.py", "mlpjax/losses"],
    "activations": ["tests/test_activations.py", "mlpjax/activations"],
    "gradcheck": ["tests/test_gradcheck.py", "mlpjax/gradcheck.py"],
    "backprop": ["tests/test_backprop.py", "mlpjax/backprop.py"],
}
FULL, QUICK = len(ROOMS), 1


def measure(count, seed):
    """Measure so many rooms."""
    rooms, left_out, said, status = {}, {}, [], 0
    for name, tests in list(ROOMS.items())[:count]:
        source = f"mlpjax/{name}" if (ROOT / "mlpjax" / name).is_dir() else f"mlpjax/{name}".rpartition("/")[0]
        code, words, files = under_coverage(source, tests)
        files = {file: found for file, found in files.items() if room(file) == name}
        rooms[name] = {key: sum(found["summary"][key] for found in files.values()) for key in COUNTS}
        left_out |= {n: [f["missing_lines"], f["missing_branches"]] for n, f in files.items() if missing(f["summary"])}
        status, said = status or code, [*said, f"{name}: {words}"]
    return {"status": status, "said": said, "rooms": rooms, "left_out": left_out}


COUNTS = ("num_statements", "missing_lines", "num_branches", "missing_branches", "excluded_lines")


def under_coverage(source, arguments):
    """Run pytest on the files of a folder; its exit status, its last line, and the report of each file."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "COVERAGE_FILE": f"{folder}/data", "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
        environment.pop("PYTEST_ADDOPTS", None)

        def coverage(*words):
            command = [sys.executable, "-m", "coverage", *words]
            return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

        tests = coverage("run", f"--source={source}", "-m", "pytest", "-p", "no:cacheprovider", *arguments)
        for words in (["combine", "--quiet"], ["json", "--quiet", "-o", f"{folder}/report.json"]):
            done = coverage(*words)
            if done.returncode:
                raise RuntimeError(f"coverage {words[0]}: {done.stdout}{done.stderr}\n{tests.stdout[-2000:]}")
        files = json.loads(Path(folder, "report.json").read_text("utf-8"))["files"]
    said = re.findall(r"\d+ (?:passed|failed|skipped|errors?)", tests.stdout.splitlines()[-1])
    return tests.returncode, ", ".join(said), files


def room(name):
    """The room of a file, `losses` or `training/checkpoint`."""
    path = name.removeprefix("mlpjax/").removesuffix(".py")
    return path if path in ROOMS else path.partition("/")[0]


def missing(counts):
    """How much of a file or a room was not run."""
    return counts["missing_lines"] + counts["missing_branches"]


def claims(found):
    """The core wholly."""
    result = [
        Claim(
            "the tests pass while they are watched",
            "all" if not found["status"] else "some failed",
            not found["status"],
        )
    ]
    return result + [
        Claim(
            f"every line and branch of `{name}`",
            f"{missing(counts)} left out of {counts['num_statements']} lines and {counts['num_branches']} branches",
            counts["num_statements"] > 0 and not missing(counts),
        )
        for name, counts in sorted(found["rooms"].items())
    ]
