"""Finding the code of a name, and the parts of it that a reader is shown."""

import ast
import re

import pytest

from docs._ext import ledger, sources


def test_pages_are_those_of_the_navigation():
    """A table that is part of a page is none."""
    navigation = (sources.ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:")[2]
    named = re.findall(r"[\w/-]+\.md", navigation)
    assert {str(page.relative_to(sources.ROOT / "docs")) for page in sources.pages()} == set(named)


def test_function_without_docstring_and_annotations():
    assert sources.of("mlpjax.backprop.bp2").shown == (
        "def bp2(W, delta, z, *, activation):\n    return (W.T @ delta) * activation.prime(z)"
    )


def test_value_brings_its_private_functions_and_leaves_its_facts():
    shown = sources.of("mlpjax.activations.sigmoid").shown
    assert "def _sigmoid_prime(x):" in shown and "prime=_sigmoid_prime, …)" in shown and "advantage" not in shown
    assert "# σ(1 − σ) = 1/(2 + e⁻ˣ + eˣ)" in shown, "comments say why"


def test_a_member_of_a_family_brings_the_family():
    source = sources.of("mlpjax.losses.sigmoid_squared_error")
    assert "\nsigmoid_squared_error = activated_squared_error(sigmoid)" in source.shown
    assert all("def activated_squared_error(" in text for text in (source.shown, source.text))


def test_reexports_are_followed():
    assert sources.of("mlpjax.training.supervised").file == "mlpjax/training/_objective.py"
    assert sources.of("mlpjax.layers.dense.apply").file == "mlpjax/layers/dense.py"


@pytest.mark.parametrize("name", ["mlpjax.backprop.bp5", "mlpjax.nowhere.f", "mlpjax"])
def test_unknown_name(name):
    with pytest.raises(sources.SourceError, match="there is no"):
        sources.of(name)


def test_every_function_of_the_ledger_has_code():
    assert all(sources.of(name).shown for row in ledger.rows().values() for name in row.get("functions", []))


def test_shown_code_of_every_function_compiles():
    names = [n for row in ledger.rows().values() for n in row.get("functions", [])]
    for name in names:
        ast.parse(sources.of(name).shown.replace(", …)", ")"), name)


def test_tests_and_their_oracles():
    this = "tests/docs/test_sources.py::test_with_oracle"
    assert sources.of_test(f"{this}[x]").text.startswith("def test_with_oracle(")
    assert sources.oracles(this) == ["a hand calculation", "a literal in a helper"]
    with pytest.raises(sources.SourceError, match="there is no test"):
        sources.of_test("tests/docs/test_sources.py::test_nothing")


def helper(measured):
    measured(0, 1, oracle="a literal in a helper")


def test_with_oracle(measured):
    measured(1 - 1, 1e-9, oracle="a hand calculation")
    helper(measured)


def test_the_hash_changes_with_the_text():
    one, two = (sources.Source("f.py", text, "shown") for text in ("x = 1", "x = 2"))
    assert one.sha256 != two.sha256
