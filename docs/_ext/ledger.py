"""The ledger as the site reads it: rows, errata, which tests carry a row's mark, and what the last test run measured.

`MLPJAX_MEASURED=require` in the environment makes a missing or outdated measurement an error.
"""

import ast
import functools
import json
import os
import tomllib

from docs._ext import sources
from docs._ext.sources import ROOT

FILE = ROOT / "docs" / "ledger.toml"
MEASUREMENTS = ROOT / "build" / "measurements.json"
NOT_RUN = {"nightly", "skip", "skipif", "xfail"}


class LedgerError(ValueError):
    """A page names what the ledger, the package or the tests do not have."""


@functools.cache
def parsed():
    """The parsed file: `row` and `erratum`."""
    return tomllib.loads(FILE.read_text("utf-8"))


def rows():
    """`{id: row}` in the order of the file."""
    return {row["id"]: row for row in parsed()["row"]}


def row(tag):
    """The row that a tag such as `ACT8.1` belongs to."""
    try:
        return rows()[tag.partition(".")[0]]
    except KeyError:
        raise LedgerError(f"docs/ledger.toml has no row {tag}") from None


def errata(tag):
    """What common texts get wrong at a row."""
    return [slip for slip in parsed()["erratum"] if slip["at"] == tag]


def mark_names(tree):
    """Names of the pytest marks in an expression: `pytest.mark.x`, called or not."""
    marks = (n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Attribute))
    return {n.attr for n in marks if n.value.attr == "mark"}


def marked_ids(tree):
    """The arguments of every `pytest.mark.ledger(...)` in an expression; they must be literal."""
    calls = (n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute))
    return {ast.literal_eval(arg) for call in calls if call.func.attr == "ledger" for arg in call.args}


def module_marks(tree):
    """What `pytestmark = ...` puts on every test of a module."""
    assigned = [n for n in tree.body if isinstance(n, ast.Assign)]
    return [n.value for n in assigned if any(getattr(t, "id", "") == "pytestmark" for t in n.targets)]


def is_parametrize(node):
    """A mark inside one `pytest.param` skips that case, not the test."""
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "parametrize"


def marked_functions(tree):
    """`(name, ids, runs)` of every test of a module: its ledger marks, and whether an ordinary run executes it."""
    classes = [(f"{n.name}::", n) for n in tree.body if isinstance(n, ast.ClassDef)]
    for prefix, scope in [("", tree), *classes]:
        for node in scope.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                marks = [*node.decorator_list, *getattr(scope, "decorator_list", []), *module_marks(tree)]
                ids = set().union(*map(marked_ids, marks))
                names = set().union(*map(mark_names, [m for m in marks if not is_parametrize(m)]))
                yield prefix + node.name, ids, not names & NOT_RUN


@functools.cache
def marked():
    """Every ledger mark under tests/: `{id: [test, ...]}`, and those among them that an ordinary run executes."""
    every, running = {}, {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, ids, runs in marked_functions(ast.parse(file.read_text("utf-8"))):
            for tag in ids:
                every.setdefault(tag, []).append(f"{file.relative_to(ROOT)}::{name}")
                if runs:
                    running.setdefault(tag, []).append(f"{file.relative_to(ROOT)}::{name}")
    return every, running


@functools.cache
def measurements():
    """`{id: [{test, outcome, sha256, functions, measured}, ...]}` of the last test run; empty if there was none."""
    return json.loads(MEASUREMENTS.read_text("utf-8")) if MEASUREMENTS.exists() else {}


def outdated(entry):
    """What has changed since a measurement was made, as a phrase, or `""`."""
    try:
        if sources.of_test(entry["test"]).sha256 != entry["sha256"]:
            return f"the test {entry['test']}"
        changed = [name for name, sha in entry["functions"].items() if sources.of(name).sha256 != sha]
    except sources.SourceError as error:
        return str(error)
    return ", ".join(changed)


def measured(tag, test=None):
    """`(measurement, why not)` of a row: the one nearest to its tolerance, of one test if it is named."""
    entries = measurements().get(row(tag)["id"], [])
    if test is not None:
        entries = [e for e in entries if e["test"] == test or e["test"].startswith(f"{test}[")]
    entries = [e for e in entries if e["measured"]]
    why = "" if entries else "not measured here"
    for entry in entries:
        if entry["outcome"] != "passed":
            why = "the test failed in the last run"
        elif changed := outdated(entry):
            why = f"not measured since {changed} changed"
    if why and os.environ.get("MLPJAX_MEASURED") == "require":
        raise LedgerError(f"{tag}, {test or 'its tests'}: {why}. Run the test suite, then build again.")
    every = [m for e in entries for m in e["measured"]]
    worst = max(every, key=lambda m: m["error"] / m["tolerance"] if m["tolerance"] else 0.0, default=None)
    return (None, why) if why else (worst, "")
