"""Which lines and branches of the package its tests run, room by room.

In full, the whole suite runs under coverage.py, without the tests of the site, of the book's pages and of the
benchmarks, in every process that it starts. In brief, one room is measured by its own tests.
"""

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
    "The tests of the package and the examples in its docstrings run under coverage.py, which records each line and "
    "branch taken, also in processes that tests start. Left out are the tests of site, book and benchmarks, "
    "and lines for other systems and newer versions of Python."
)
FULL, QUICK = 2, 1  # runs: one of a room by its own tests, one of everything by everything
ROOT = Path(__file__).parents[2]
CORE = ("activations", "losses", "backprop", "gradcheck", "training/checkpoint", "training/_archive", "data/idx")
SHARE = 0.95
ROOM = ("data/idx", ["-k", "not mutants", "tests/data/test_idx.py"])
ELSEWHERE = [f"--ignore=tests/{part}" for part in ("site", "docs", "book", "benchmarks")]
SUITE = "--deselect=tests/reliability/test_experiments.py::"
MYSELF = [f"{SUITE}test_a_few_trials[{n}]" for n in ("coverage", "mutants")]  # they run tests themselves
RECORDS = f"{SUITE}test_the_record_is_that_of_a_full_run"  # as long as this one is to be written


def measure(count, seed):
    """Measure one room, or all of them."""
    whole = count >= FULL
    arguments = (
        [*ELSEWHERE, *MYSELF, RECORDS, "-n", "2", "--dist", "worksteal", "tests", "mlpjax"] if whole else ROOM[1]
    )
    status, said, files = under_coverage("mlpjax" if whole else "mlpjax/data", arguments)
    if not whole:
        files = {name: file for name, file in files.items() if room(name) == ROOM[0]}
    rooms = {}
    for name, file in files.items():
        counts = rooms.setdefault(room(name), dict.fromkeys(COUNTS, 0))
        for key in COUNTS:
            counts[key] += file["summary"][key]
    left_out = {n: [f["missing_lines"], f["missing_branches"]] for n, f in files.items() if missing(f["summary"])}
    return {"whole": whole, "status": status, "said": said, "rooms": rooms, "left_out": left_out}


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
    return path if path in CORE else path.partition("/")[0]


def missing(counts):
    """How much of a file or a room was not run."""
    return counts["missing_lines"] + counts["missing_branches"]


def claims(found):
    """The core wholly, the package nearly."""
    rooms = {name: counts for name, counts in found["rooms"].items() if name in CORE}
    result = [Claim("the tests pass while they are watched", found["said"], found["status"] == 0)]
    result += [
        Claim(
            f"every line and branch of `{name}`",
            f"{missing(counts)} left out of {counts['num_statements']} lines and {counts['num_branches']} branches",
            counts["num_statements"] > 0 and not missing(counts),
        )
        for name, counts in sorted(rooms.items())
    ]
    if found["whole"]:
        result.append(whole_package(found["rooms"].values()))
    return result


def whole_package(rooms):
    """At least 95 % of the lines and of the branches."""
    total = {key: sum(counts[key] for counts in rooms) for key in COUNTS}
    lines = 1 - total["missing_lines"] / total["num_statements"]
    branches = 1 - total["missing_branches"] / total["num_branches"]
    return Claim(
        f"at least {SHARE:.0%} of the lines and of the branches of the package",
        f"{lines:.1%} of {total['num_statements']:,} lines, {branches:.1%} of {total['num_branches']:,} branches",
        min(lines, branches) >= SHARE,
    )
