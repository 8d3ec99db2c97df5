"""Figures drawn by code: of the page's colors, the same every time, with words for those who cannot see them."""

import pytest

pytest.importorskip("markdown", reason="the site's tools are in the [docs] extra")

from pymdownx.superfences import SuperFencesException

from docs._ext import cache, figures
from tests.docs.site import html

SCRIPT = """
ALT = "A line & its end"
def draw(plt, C):
    fig, ax = plt.subplots()
    ax.plot([0, 1], color=C[0])
    ax.fill_between([0, 1], [0, 1], color=C.faint, hatch="/")
    ax.set_title("title")
    return fig
def data():
    return {"x": [1, 2], "text": "</script>"}
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    for kind in ("figures", "demos"):
        (tmp_path / "docs" / kind / "data").mkdir(parents=True)
        (tmp_path / "docs" / kind / "line.py").write_text(SCRIPT)
    (tmp_path / "docs" / "_ext").mkdir()
    for name in ("figures.py", "programs.py"):
        (tmp_path / "docs" / "_ext" / name).touch()
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    monkeypatch.setattr(cache, "FOLDER", tmp_path / "cache")
    figures.svg.cache_clear()
    figures.demo_data.cache_clear()
    yield tmp_path
    figures.svg.cache_clear()
    figures.demo_data.cache_clear()


def test_figure():
    page = html('```figure {src="line"}\nA line of $x$.\n```')
    assert "var(--mx-c1)" in page and "currentColor" in page and "var(--mx-line)" in page and "#0a0" not in page
    assert 'role="img"' in page and 'aria-label="A line &amp; its end"' in page
    assert "<figcaption>A line of <mx-tex" in page and ">title</text>" in page


def test_two_drawings_are_the_same():
    assert figures.draw("figures", "line", figures.script("figures", "line")[0]) == figures.svg("figures", "line")


def test_ids_are_the_figures_own():
    import re

    svg = figures.svg("figures", "line")
    assert all(i.startswith("figures-line-") for i in re.findall(r' id="([^"]+)"', svg))
    assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg)) <= set(re.findall(r' id="([^"]+)"', svg))


def test_drawn_again_when_the_script_changes(folder):
    before = figures.svg("figures", "line")
    (folder / "docs" / "figures" / "line.py").write_text(SCRIPT.replace('"title"', '"other"'))
    figures.svg.cache_clear()
    assert figures.svg("figures", "line") != before


def test_demo():
    page = html('```demo {src="line"}\nIt moves.\n```')
    assert 'data-demo="line"' in page and '{"x":[1,2],"text":"<\\/script>"}' in page and "It moves." in page


@pytest.mark.parametrize("fence", ['figure {src="none"}', "figure", 'figure {source="line"}', 'demo {src="none"}'])
def test_what_stops_the_build(fence):
    with pytest.raises(SuperFencesException, match=r"takes `src`|there is no docs/"):
        html(f"```{fence}\nx\n```")
