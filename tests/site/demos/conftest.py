"""The demos in a real browser, each on a page of its own, opened from the disk. Needs no built site."""

import pathlib

import pytest

from docs._ext.sources import ROOT
from tests.site import browser as browsers

DOCS = ROOT / "docs"
STATIC = '<div class="mx-demo__static"><p>What the demo would show.</p></div>'


@pytest.fixture(scope="module", params=list(browsers.VIEWS))
def window(request):
    if not pathlib.Path(browsers.CHROMIUM).exists():
        pytest.skip("there is no Chromium")
    browser = request.getfixturevalue("browser")
    context = browsers.context(browser, request.param)
    context.view = request.param
    yield context
    context.close()


@pytest.fixture
def demo(window, tmp_path, request):
    """`demo(name)`: the demo's place on a page of its own; what goes wrong is in `demo.found`."""
    if window.view == "dark" and request.node.get_closest_marker("dark") is None:  # the id, too, is a keyword
        pytest.skip("the same in the dark")

    pytest.importorskip("quickjs", reason="the site's tools are in the [docs] extra")
    from docs._ext import figures

    def load(name, data=None, scripts=None):
        files = ["jaxpr.js", "demo.js", *([f"demos/{name}.js"] if scripts is None else scripts)]
        sheets = [
            f'<link rel="stylesheet" href="{(DOCS / "assets/css" / f).as_uri()}.css">' for f in ("site", "book", "demo")
        ]
        code = [f'<script src="{(DOCS / "assets/js" / f).as_uri()}"></script>' for f in files]
        scheme = "slate" if window.view == "dark" else "default"
        page = tmp_path / f"{name}.html"
        page.write_text(
            f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">{"".join(sheets)}'
            f'<body data-md-color-scheme="{scheme}" class="md-content"><article class="md-typeset">'
            f'<div class="mx-demo" data-demo="{name}"><script type="application/json">'
            f"{figures.demo_data(name) if data is None else data}</script>{STATIC}</div></article>{''.join(code)}",
            "utf-8",
        )
        tab = window.new_page()
        browsers.watch(tab, "file:", load.found)
        tab.goto(page.as_uri())
        return tab.locator(".mx-demo")

    load.found = []
    yield load
    for tab in window.pages:
        tab.close()
