"""The Markdown extension that typesets formulas and doctests when the site is built."""

import threading

import pytest

pytest.importorskip("quickjs", reason="the site's tools are in the [docs] extra")
markdown = pytest.importorskip("markdown")

from docs._ext import maths  # noqa: E402

EXTENSIONS = ["pymdownx.arithmatex", "pymdownx.superfences", "pymdownx.details", "docs._ext.maths"]


def html(text):
    options = {"pymdownx.arithmatex": {"generic": True}}
    return markdown.Markdown(extensions=EXTENSIONS, extension_configs=options).convert(text)


def test_inline_formula():
    page = html(r"The error is $\delta = p - y$ there.")
    assert '<span class="katex">' in page and "<math" in page and "katex-display" not in page
    assert "arithmatex" not in page and "$" not in page and "data-search-exclude" in page


def test_no_line_ends_before_a_comma():
    joined = html(r"Both $x$, and ($y$) and $z$ end.")
    assert joined.count("&#8288;") == 2 and "</mx-tex>&#8288;," in joined and "</mx-tex> end" in joined


def test_display_formula():
    page = html("Before.\n\n$$\n\\frac{a < b}{2} \\tag{BP1}\n$$\n\nAfter.")
    assert "katex-display" in page and 'role="group"' in page and "BP1" in page and "After." in page


def test_macros():
    assert "mathbb" in maths.render(r"\R") and "mathsf" in maths.render(r"A\T")


@pytest.mark.parametrize("tex", [r"\frac{1}", r"\unknown", "{", r"\href{https://example.org}{x}", "é"])
def test_wrong_tex_stops_the_build(tex):
    with pytest.raises(maths.MathError, match="in the formula"):
        html(f"A ${tex}$ b.")


def test_code_is_left_alone():
    page = html("`$x$` and\n\n```bash\necho $HOME $PATH\n```\n")
    assert "katex" not in page and "$x$" in page and "$HOME" in page


def test_prices_are_no_formulas():
    assert "katex" not in html("It costs 5$ or 6$ there.")


def test_formula_in_other_threads():
    """mkdocstrings may render elsewhere than in the main thread; each has an engine of its own."""
    pages = []
    threads = [threading.Thread(target=lambda i=i: pages.append(maths.render(f"x_{{{i}}}"))) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pages)) == 4


def test_long_formula():
    assert maths.render("+".join(f"x_{{{i}}}" for i in range(2000))).count("mord mathnormal") == 2000


def test_bare_doctest_becomes_code():
    page = html("Text.\n\n>>> 1 + 1\n2\n\nMore $x$.")
    assert "blockquote" not in page and page.count('class="highlight"') == 1 and "katex" in page


def test_doctest_inside_an_admonition():
    page = html('???+ example "Example"\n    >>> 1 + 1\n    2\n')
    assert "blockquote" not in page and "<details" in page and 'class="highlight"' in page


@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_doctest_in_a_fence_is_fenced_once(fence):
    page = html(f"{fence}python\n>>> 1 + 1\n2\n\n>>> 3\n3\n{fence}\n\nAfter.")
    assert page.count('class="highlight"') == 1 and "```" not in page and "<p>After.</p>" in page


def test_fences():
    lines = [">>> a", "1", "", "    >>> b", "    2"]
    assert list(maths.fence_doctests(lines)) == [
        *["```pycon", ">>> a", "1", "```", ""],
        *["    ```pycon", "    >>> b", "    2", "    ```"],
    ]
