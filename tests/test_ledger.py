"""The ledger as data: its schema, and that what it calls done is done.

`python -m tests.test_ledger` adds newly done rows to tests/ledger_done.txt; a row that stands there stays done.
"""

import ast
import importlib
import re
from collections import Counter

import pytest

from docs._ext import places
from docs._ext.ledger import marked, marked_functions, parsed, rows
from docs._ext.sources import ROOT

DONE = ROOT / "tests" / "ledger_done.txt"
LEDGER = parsed()
ROWS = rows()
TO_COME = ("REG",)  # subjects whose chapters are not written yet
SHOWN = {"PRE5": "book/gradient-descent.md"}  # the pages of demos that do not stand beside their row
KINDS = {"definition", "equation", "algorithm", "theorem", "claim", "demonstration", "network", "figure"}


def done(rows):
    return sorted(row["id"] for row in rows.values() if row["status"] == "done")


def schema_errors(ledger):
    """What is wrong with the form of the ledger, as sentences."""
    required, optional = {"id", "kind", "status", "title"}, {"functions", "figure"}
    for row in ledger["row"]:
        name = row.get("id", row)
        if not required <= row.keys() <= required | optional:
            yield f"{name}: keys {sorted(row)}"
        elif not re.fullmatch(r"[A-Z]{2,3}[1-9]\d*", row["id"]) or row["kind"] not in KINDS:
            yield f"{name}: id or kind {row['kind']!r}"
        elif row["status"] not in {"planned", "done"} or not row["title"].strip():
            yield f"{name}: status {row['status']!r}, title {row['title']!r}"
        elif row.get("figure", "static") not in {"static", "interactive"}:
            yield f"{name}: figure {row['figure']!r}"
    yield from (f"{name} stands twice" for name, n in Counter(r.get("id") for r in ledger["row"]).items() if n > 1)
    for slip in ledger["erratum"]:
        if slip.keys() != {"at", "says", "right"} or slip["at"] not in {r.get("id") for r in ledger["row"]}:
            yield f"erratum {slip}"


def unresolved(name):
    """Whether `mlpjax.room.function` cannot be imported."""
    module, _, attribute = name.rpartition(".")
    try:
        return not hasattr(importlib.import_module(module), attribute)
    except ImportError:
        return True


def test_schema():
    assert not list(schema_errors(LEDGER))


@pytest.mark.parametrize(
    "change",
    [
        {"status": "finished"},
        {"kind": "lemma"},
        {"id": "bp1"},
        {"title": " "},
        {"figure": "moving"},
        {"extra": 1},
        {"id": "PRE2"},
    ],
)
def test_schema_refuses(change):
    """The check itself can fail."""
    first, *others = LEDGER["row"]
    assert list(schema_errors({**LEDGER, "row": [{**first, **change}, *others]}))


def test_marks_name_rows():
    every, _ = marked()
    unknown = {row: tests for row, tests in every.items() if row not in ROWS}
    assert not unknown, f"marks that no row of docs/ledger.toml has: {unknown}"


def test_done_rows_are_tested():
    _, running = marked()
    untested = [row for row in done(ROWS) if row not in running]
    assert not untested, f'done, but no test that always runs carries `@pytest.mark.ledger("…")`: {untested}'


def test_done_rows_have_a_page():
    """As an equation or as a box; the subjects whose chapters are still to come may be done by function and test."""
    there = {name.partition(".")[0] for name in places.anchors() if not name.startswith("erratum-")}
    missing = [row for row in done(ROWS) if row not in there and not row.startswith(TO_COME)]
    assert not missing, f"done, but on no page of the book: {missing}"
    assert not [row for row in there if ROWS[row]["status"] != "done"], "on a page, but not done"


def test_rows_with_a_figure_are_shown():
    """A picture, or a demo where something is to be moved, on the page of the row."""
    kinds = {"static": ("```figure", "```demo"), "interactive": ("```demo",)}
    for name, row in ROWS.items():
        if "figure" in row and (target := places.target(name)):
            page = SHOWN.get(name, places.anchors()[target][0])
            text = (ROOT / "docs" / page).read_text("utf-8")
            assert any(fence in text for fence in kinds[row["figure"]]), f"{name} is {row['figure']}, but not on {page}"


def test_errata_of_rows_that_have_a_page_are_shown():
    """Each with its proof or measurement, in a box of its own; and no box says what the ledger does not."""
    shown = {name.removeprefix("erratum-") for name in places.anchors() if name.startswith("erratum-")}
    assert shown == {slip["at"] for slip in LEDGER["erratum"] if places.target(slip["at"])}


def test_done_rows_name_functions_that_exist():
    missing = {row: [f for f in ROWS[row].get("functions", []) if unresolved(f)] for row in done(ROWS)}
    assert not any(missing.values()), {row: names for row, names in missing.items() if names}


def test_no_row_goes_back():
    before = set(DONE.read_text("utf-8").split())
    lost = before - set(done(ROWS))
    assert not lost, f"rows that were done and are not any more: {sorted(lost)}"
    new = set(done(ROWS)) - before
    assert not new, f"newly done: {sorted(new)}; run `python -m tests.test_ledger` to record them"


def test_reading_of_marks():
    """A skipped or nightly test does not make a row done; module-wide and parameter-wise marks count."""
    source = """
pytestmark = pytest.mark.ledger("A1")
@pytest.mark.ledger("B1", "B2")
def test_runs(): ...
@pytest.mark.nightly
@pytest.mark.ledger("C1")
def test_sleeps(): ...
@pytest.mark.parametrize("x", [param(1, marks=pytest.mark.ledger("D1")), param(2, marks=pytest.mark.nightly)])
def test_cases(x): ...
"""
    found = {name: (ids, runs) for name, ids, runs in marked_functions(ast.parse(source))}
    assert found == {
        "test_runs": ({"A1", "B1", "B2"}, True),
        "test_sleeps": ({"A1", "C1"}, False),
        "test_cases": ({"A1", "D1"}, True),
    }


if __name__ == "__main__":
    kept = set(DONE.read_text("utf-8").split()) | set(done(ROWS))
    DONE.write_text("\n".join(sorted(kept)) + "\n", "utf-8")
