"""llms.txt: pages as plain Markdown, formulas as TeX, the reference from docstrings."""

import re

import pytest

pytest.importorskip("quickjs", reason="the site's tools are in the [docs] extra")

from docs._ext import llms

URL = "https://example.org/book/"


def test_front_matter_goes_and_links_become_absolute():
    text = "---\ndescription: D.\n---\n\n# Title\n\nSee [there](../api/mlp.md#x), [home](../index.md), [out](https://a.b/c.md).\n"
    assert llms.plain(text, "book/one.md", URL) == (
        f"# Title\n\nSee [there]({URL}api/mlp/#x), [home]({URL}), [out](https://a.b/c.md).\n"
    )


def test_equation_names_its_function_and_test():
    attributes = 'title="Back" impl="mlpjax.backprop.bp2" test="tests/test_backprop.py::test_bp2"'
    fence = f"```math {{#BP2 {attributes}}}\n\\delta\n```\n"
    plain = llms.plain(fence, "book/one.md", URL)
    assert plain.startswith("**BP2** Back (computed by `mlpjax.backprop.bp2`, checked by `tests/")
    assert plain.endswith("```math\n\\delta\n```\n")


def test_reference_is_read_from_docstrings():
    plain = llms.plain("# mlp\n\n::: mlpjax.mlp\n    options:\n      heading_level: 3\n", "api/mlp.md", URL)
    assert "### mlpjax.mlp.apply\n\n```python\nmlpjax.mlp.apply(params: " in plain and ":::" not in plain
    only = llms.plain("::: mlpjax.losses\n    options:\n      members: false\n", "api/losses.md", URL)
    assert "###" not in only
    assert "fn=" in llms.plain("::: mlpjax.activations.relu\n", "api/x.md", URL)
    assert "class mlpjax.layers.Dense\n    W: " in llms.plain("::: mlpjax.layers.Dense\n", "api/x.md", URL)


def test_every_entry_of_the_reference_is_found():
    pages = sorted((llms.ROOT / "docs" / "api").glob("*.md"))
    assert pages
    for page in pages:
        plain = llms.plain(page.read_text("utf-8"), f"api/{page.name}", URL)
        assert not re.search(r"^:::", plain, re.M), page.name


def test_nav():
    nav = [{"Home": "index.md"}, {"Book": ["book/index.md", {"One": "book/one.md"}]}, {"Two": "two.md"}]
    assert list(llms.nav_pages(nav)) == [
        *[("Start", "index.md"), ("Book", "book/index.md"), ("Book", "book/one.md"), ("Start", "two.md")]
    ]
    assert [llms.address(s) for s in ("index.md", "book/index.md", "two.md")] == ["", "book/", "two/"]
