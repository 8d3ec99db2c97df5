"""Cards of equations, boxes of rows and errata, and the lists of them all."""

import pytest

pytest.importorskip("markdown", reason="the site's tools are in the [docs] extra")

from pymdownx.superfences import SuperFencesException

from docs._ext import equations, ledger, places, sources
from tests.docs.site import html

TEST = "tests/test_backprop.py::test_bp2"
CARD = '```math {{#{tag} title="One layer back" impl="{impl}" test="{test}"}}\n{tex}\n```'


def card(tag="BP2", impl="mlpjax.backprop.bp2", test=TEST, tex=r"\delta"):
    return html(CARD.format(tag=tag, impl=impl, test=test, tex=tex))


@pytest.fixture
def measurements(monkeypatch):
    """`measurements(**changes)`: as if the last run had measured BP2, once."""

    def put(**changes):
        names = ledger.row("BP2")["functions"]
        functions = {name: sources.of(name).sha256 for name in names}
        entry = {"test": f"{TEST}[tanh]", "outcome": "passed", "sha256": sources.of_test(TEST).sha256}
        entry |= {"functions": functions, "measured": [{"error": 1.2e-16, "tolerance": 1e-15, "oracle": "x"}]}
        monkeypatch.setattr(ledger, "measurements", lambda: {"BP2": [entry | changes]})

    monkeypatch.setattr(ledger, "measurements", dict)
    monkeypatch.delenv("MLPJAX_MEASURED", raising=False)
    return put


def test_card(measurements):
    measurements()
    page = card()
    assert 'id="BP2"' in page and "One layer back" in page and "katex" in page
    assert 'identifier="mlpjax.backprop.bp2"' in page and "activation" in page and "return" in page
    assert f"measured {equations.number(1.2e-16)}" in page and "allowed 1 × 10" in page and "test_bp2" in page


def test_card_without_measurements(measurements):
    assert "not measured here" in card()


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"sha256": "0"}, "not measured since the test"),
        ({"functions": {"mlpjax.backprop.bp2": "0"}}, "not measured since mlpjax.backprop.bp2"),
        ({"outcome": "failed"}, "failed in the last run"),
        ({"measured": []}, "not measured here"),
    ],
)
def test_a_measurement_of_something_else_is_not_shown(measurements, monkeypatch, changes, said):
    measurements(**changes)
    assert said in card() and "1.2 × 10" not in card()
    monkeypatch.setenv("MLPJAX_MEASURED", "require")
    with pytest.raises(SuperFencesException, match=said):
        card()


def test_required_and_there(measurements, monkeypatch):
    measurements()
    monkeypatch.setenv("MLPJAX_MEASURED", "require")
    assert "1.2 × 10" in card()


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"tag": "BP99"}, "has no row BP99"),
        ({"impl": "mlpjax.backprop.bp9"}, "does not name"),
        ({"impl": "mlpjax.backprop.bp3"}, "does not name"),
        ({"impl": ""}, "names its `impl`"),
        ({"test": ""}, "names its `impl` and its `test`"),
        ({"test": "tests/test_backprop.py::test_no"}, "there is no test"),
        ({"test": "tests/test_import.py::test_no"}, "there is no test"),
        ({"tex": r"\frac{1}"}, "KaTeX"),
    ],
)
def test_what_stops_the_build(measurements, fields, said):
    with pytest.raises(SuperFencesException, match=said):
        card(**fields)


def test_unknown_attribute(measurements):
    with pytest.raises(SuperFencesException, match="unknown attributes"):
        html('```math {#BP2 impl="mlpjax.backprop.bp2" tset="x"}\nx\n```')


def test_row_box(measurements):
    page = html('!!! row "BP7"\n\n    Three forwards.\n')
    assert 'id="BP7"' in page and "Claim · Cost of the backward pass" in page and "Three forwards." in page
    assert "checked by" in page and 'identifier="mlpjax.backprop.value_and_grad"' in page


def test_erratum_box():
    page = html('!!! erratum "BP7"\n\n    Not quite.\n')
    assert 'id="erratum-BP7"' in page and "Not quite." in page


@pytest.mark.parametrize("box", ['row "BP99"', 'erratum "BP3"'])
def test_box_of_nothing(box):
    with pytest.raises(ledger.LedgerError, match="has no"):
        html(f"!!! {box}\n\n    Text.\n")


def test_tables_list_everything(measurements):
    everything, slips = html("<!-- mx:ledger -->"), html("<!-- mx:errata -->")
    assert all(f">{tag}<" in everything for tag in ledger.rows())
    assert slips.count("<tr>") == 1 + len(ledger.parsed()["erratum"])


def test_done_without_a_page_is_not_called_done(measurements, monkeypatch):
    monkeypatch.setattr(places, "target", lambda tag: None)
    everything = html("<!-- mx:ledger -->")
    assert "page to come" in everything and ">done<" not in everything and "0 of 12 done" in everything


def test_a_function_is_referred_to_from_the_heading_above(measurements):
    page = html("## Errors {#errors}\n\n" + CARD.format(tag="BP2", impl="mlpjax.backprop.bp2", test=TEST, tex="x"))
    assert 'backlink-type="referenced-by" backlink-anchor="errors" identifier="mlpjax.backprop.bp2"' in page


@pytest.mark.parametrize(
    "value, shown", [(0, "0"), (1.2e-16, "1.2 × 10<sup>−16</sup>"), (3e-5, "3 × 10<sup>−5</sup>"), (2.04, "2")]
)
def test_numbers(value, shown):
    assert equations.number(value) == shown
