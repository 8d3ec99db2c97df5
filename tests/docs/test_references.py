"""IDs of the ledger in running text become links that show what they stand for."""

import re

import pytest

from docs._ext import ledger, places

pytest.importorskip("markdown", reason="the site's tools are in the [docs] extra")

from tests.docs.site import html

EQUATION = {"tex": r"\delta = y", "title": "Error", "impl": "f", "test": "t"}


@pytest.fixture(autouse=True)
def anchors(monkeypatch):
    there = {"BP2": ("book/b.md", EQUATION), "BP7": ("book/b.md", None), "ACT8.1": ("book/a.md", EQUATION)}
    monkeypatch.setattr(places, "anchors", lambda: there)


def links(text):
    return html(text).count('class="mx-ref"')


@pytest.mark.parametrize(
    "text", ["By BP2.", "(BP2)", "**BP2**", "- BP2: x", "| a |\n|---|\n| BP2 |", "*x* BP2 y", "ACT8", "BP7–x"]
)
def test_linked(text):
    assert links(text) == 1


@pytest.mark.parametrize(
    "text", ["`BP2`", "# BP2", "$BP2$", "[BP2](x.md)", "BP3", "XBP2", "BP2x", "BP2.py", "BP-2", "BP22"]
)
def test_left_alone(text):
    assert links(text) == 0


def test_several_in_one_text_keep_the_words_between():
    page = html("From BP2 to BP7, not BP3, and BP2 again *here* BP7.")
    assert page.count("</autoref>") == 4
    assert re.sub(r"<template.*?</template>|<[^>]+>", "", page) == "From BP2 to BP7, not BP3, and BP2 again here BP7."


def test_the_definition_comes_once_a_page():
    page = html("BP2 and BP2, BP7.\n\nBP2.")
    assert page.count("<template") == 2 and page.count("katex-display") == 1 and "Cost of the backward pass" in page


def test_a_row_leads_to_its_first_equation():
    assert 'identifier="row:ACT8.1"' in html("See ACT8.")


def test_scan():
    text = '```math {#BP2 title="A b" impl="f" test="t"}\nx\n```\n\n!!! row "BP7"\n\n    y\n\n!!! erratum "BP7"\n'
    found = places.scan(text)
    assert found["BP2"] == {"tex": "x", "title": "A b", "impl": "f", "test": "t"}
    assert found["BP7"] is None and "erratum-BP7" in found
    with pytest.raises(ledger.LedgerError, match="twice"):
        places.scan(text + text)
