"""The page "Performance" says what was measured: its tables, and the numbers in its sentences.

After measuring again: `python -m benchmarks.performance --page`, then correct on the page what fails here. A sentence
that holds no longer, in kind and not only in number, changes together with its line in `NUMBERS` or `WORDS`.
"""

import inspect
import json
import re

import pytest

from benchmarks import measure, performance, tables
from docs._ext.sources import ROOT

RESULTS = json.loads(performance.DATA.read_text("utf-8"))
PAGE = (ROOT / "docs/performance.md").read_text("utf-8")
FLOOR, AUTODIFF = "matmuls alone", "mlpjax, jax.grad"


def row(table, name):
    return next(row for row in RESULTS[table]["rows"] if row["name"] == name)


def ratio(table, name):
    """The time of a contestant over ours."""
    return row(table, name)["ratio"]["median"]


def bar(table, theirs):
    """The expectation that is held against a contestant, or the contestants of a library."""
    return next(bar for bar in RESULTS[table]["bars"] if re.match(rf"{re.escape(theirs)}(\.|$)", bar["theirs"]))


def share(table, theirs):
    """The time of the products alone over that of what an expectation is held against."""
    return ratio(table, FLOOR) / ratio(table, bar(table, theirs)["theirs"])


def about(value, wanted):
    """Near enough to be called so in words."""
    return abs(value - wanted) < 0.05


# What the page says in figures, and the numbers that it must say, rounded as the page rounds them.
NUMBERS = {
    r"the (\d+) % interval of that median over ([\d,]+) bootstrap draws": lambda: [
        95,
        inspect.signature(measure.interval).parameters["draws"].default,
    ],
    r"took more than (\d+) % of the processors": lambda: [100 * measure.FOREIGN],
    r"take ([\d.]+) of the time of PyTorch's fastest row, so that what was expected of that ratio, ([\d.]+),": lambda: [
        share("epoch", "pytorch"),
        bar("epoch", "pytorch")["limit"],
    ],
    r"the products alone take ([\d.]+) of Equinox's step and ([\d.]+) of PyTorch's": lambda: [
        share("epoch-512", "equinox.idiom"),
        share("epoch-512", "pytorch"),
    ],
    r"Equinox's scan has no guard and is up to (\d+) % faster": lambda: [
        100 * (1 - row("epoch-512", "equinox.scan")["ratio"]["low"])
    ],
    r"The run takes ([\d.]+) seconds, of which some (\d+) milliseconds": lambda: [
        row("fit", "training.fit")["median"],
        round(1e3 * (row("fit", "training.fit")["median"] - row("fit", "training.run, evaluating")["median"]), -1),
    ],
    r"PyTorch's compiled step is (\d+) times slower, where (\d+) was expected": lambda: [
        ratio("xor", "pytorch.compiled"),
        1 / bar("xor", "pytorch")["limit"],
    ],
    r"eager PyTorch is (\d+) times slower": lambda: [ratio("xor", "pytorch.eager")],
}
# What it says in words, and what makes that true.
WORDS = {
    "at least fifteen times": lambda: all(row["rounds"] >= 15 for name in included() for row in RESULTS[name]["rows"]),
    "agree to half a percent": lambda: performance.TOLERANCE == 0.005,
    "leaves next to nothing for everything else": lambda: (
        0 < bar("epoch", "pytorch")["limit"] - share("epoch", "pytorch") < 0.05
    ),
    "but for the guard against NaN, and takes the same time": lambda: all(
        row("epoch", name)["ratio"]["low"] <= 1 <= row("epoch", name)["ratio"]["high"]
        for name in ("equinox.scan", "nnx.scan")
    ),
    "what was expected of either lies below what any program": lambda: all(
        bar("epoch-512", name)["limit"] < share("epoch-512", name) for name in ("equinox.idiom", "pytorch")
    ),
    "A step takes less than two microseconds": lambda: row("xor", "mlpjax")["median"] / 2000 < 2e-6,
    "the scans without one are a fifth faster": lambda: all(
        about(ratio("xor", name), 0.8) for name in ("equinox.scan", "nnx.scan")
    ),
    "for each member, which costs a fifth": lambda: about(ratio("ensemble", "equinox.ensemble"), 0.8),
    "backpropagation by hand is slower than `jax.grad` here, by more than anywhere else": lambda: (
        bar("ensemble", AUTODIFF)["low"] > 1
        and all(bar("ensemble", AUTODIFF)["median"] > bar(name, AUTODIFF)["median"] for name in autodiff_elsewhere())
    ),
}


def included():
    """The tables that the page shows."""
    return re.findall(r'^--8<-- "docs/figures/tables/(.*)\.md"', PAGE, re.M)


def autodiff_elsewhere():
    """The other tables that expect something of ours beside autodiff."""
    return [
        name
        for name, result in RESULTS.items()
        if name != "ensemble" and AUTODIFF in {expected["theirs"] for expected in result["bars"]}
    ]


def prose(page):
    """The page without front matter, fences, tables, headings and code, on one line."""
    page = re.sub(r"\A---\n.*?^---\n|^```.*?^```\n|^--8<--.*?\n|^#.*?\n", "", page, flags=re.S | re.M)
    return " ".join(page.split())


@pytest.mark.parametrize("name", sorted({*RESULTS, *(file.stem for file in tables.FOLDER.glob("*.md"))}))
def test_the_table_is_that_of_the_figures(name):
    assert name in RESULTS, "stale: nothing was measured under this name"
    file = tables.FOLDER / f"{name}.md"
    assert file.is_file(), "missing"
    assert file.read_text("utf-8") == tables.table(RESULTS[name])


def test_writing_removes_what_is_stale(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    (tmp_path / "stale.md").write_text("")
    tables.write({"xor": RESULTS["xor"]})
    assert [file.name for file in tmp_path.iterdir()] == ["xor.md"]


def test_verdicts_follow_from_the_intervals():
    for result in RESULTS.values():
        for kept in result["bars"]:
            found = measure.Interval(kept["median"], kept["low"], kept["high"])
            assert measure.verdict(found, kept["limit"]) == kept["verdict"]
    verdicts = [measure.verdict(measure.Interval(1.0, 0.9, 1.1), limit) for limit in (1.1, 1.0, 0.9, 0.89)]
    assert verdicts == ["kept", "undecided", "undecided", "missed"]


@pytest.mark.parametrize("said", NUMBERS)
def test_the_numbers_of_the_page(said):
    found = re.search(said, prose(PAGE))
    assert found, "the page does not say this"
    for written, value in zip(found.groups(), NUMBERS[said](), strict=True):
        decimals = len(written.partition(".")[2])
        assert written == f"{value:,.{decimals}f}"


@pytest.mark.parametrize("said", WORDS)
def test_the_words_of_the_page(said):
    assert said in prose(PAGE), "the page does not say this"
    assert WORDS[said]()


def test_no_number_of_the_page_is_untested():
    text = re.sub("|".join([*NUMBERS, "`[^`]*`"]), "", prose(PAGE))
    assert not re.findall(r".{,30}\d.{,30}", text)
