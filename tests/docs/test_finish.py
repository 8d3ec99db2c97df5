"""Every equation and every row becomes an entry of the search, once."""

import json

import pytest

pytest.importorskip("quickjs", reason="the site's tools are in the [docs] extra")

from docs._ext import finish

PAGE = """<h2 id="s">Section</h2><figure class="mx-card" id="BP2">
<figcaption><a class="mx-tag" href="#BP2">BP2</a> Error &amp; back</figcaption>
<a href="#"><code>backprop.bp2</code></a></figure>
<div class="admonition row" id="BP5">
<p class="admonition-title" data-mx-tag="1"><a class="mx-tag" href="#BP5">BP5</a> Algorithm · All of it</p></div>"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "search").mkdir()
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "index.html").write_text(PAGE)
    docs = [{"location": "book/", "title": "Book", "text": ""}, {"location": "book/#s", "title": "Section", "text": ""}]
    (tmp_path / "search" / "search_index.json").write_text(json.dumps({"config": {}, "docs": docs}))
    return tmp_path


def test_entries(site):
    assert finish.index(site) == 2
    added = json.loads((site / "search" / "search_index.json").read_text())["docs"][2:]
    assert [(e["location"], e["title"], e["tags"]) for e in added] == [
        ("book/#BP2", "BP2 Error & back", ["BP2"]),
        ("book/#BP5", "BP5 Algorithm · All of it", ["BP5"]),
    ]
    assert "backprop.bp2" in added[0]["text"]


def test_twice_is_once(site):
    (site / "search" / "search_index.js").touch()
    finish.index(site)
    before = (site / "search" / "search_index.json").read_text()
    assert finish.index(site) == 0 and (site / "search" / "search_index.json").read_text() == before
    assert (site / "search" / "search_index.js").read_text() == f"var __index = {before}"
