"""The gate on the built site sees each kind of fault."""

import pytest

from docs._ext import check

GOOD = '<h1 id="a">A</h1><a href="https://example.org">away</a><a href="b/#b">b</a><img src="x.png"><code>$$</code>'


@pytest.fixture
def site(tmp_path):
    def build(**files):
        (tmp_path / "b").mkdir(exist_ok=True)
        (tmp_path / "x.png").touch()
        pages = {"index.html": GOOD, "b/index.html": '<h1 id="b">B</h1><a href="..">up</a>', **files}
        for name, text in pages.items():
            (tmp_path / name).write_text(text, "utf-8")
        return [text for _, text in check.problems(tmp_path)]

    return build


def test_good_site(site):
    assert site(**{"style.css": "a{background:url(x.png)} b{background:url(data:image/png;base64,AA)}"}) == []


@pytest.mark.parametrize(
    "fault, said",
    [
        ('<script src="https://cdn.example.org/x.js"></script>', "loads https://cdn"),
        ('<script src="//example.org/x.js"></script>', "loads //example"),
        ('<link rel="stylesheet" href="https://example.org/x.css">', "loads https://example"),
        ('<link rel="preconnect" href="https://fonts.gstatic.com">', "loads https://fonts"),
        ('<img src="http://example.org/x.png">', "loads http://example"),
        ('<div style="background: url(https://example.org/x.png)"></div>', "loads https://example"),
        ("<p>the error \\(x\\) is</p>", "raw TeX"),
        ("<p>$$ x $$</p>", "raw TeX"),
        ('<i id="a"></i>', "id 'a' stands twice"),
        ('<script src="nowhere.js"></script>', "missing nowhere.js"),
        ('<link rel="stylesheet" href="nowhere.css">', "missing nowhere.css"),
        ('<link rel="canonical" href="//a.b/c/"><meta property="og:image" content="//a.b/c/y.png">', "missing //a.b"),
        ('<a href="nowhere/">x</a>', "dead link"),
        ('<a href="b/#nowhere">x</a>', "dead anchor"),
        ('<script>fetch("https://api.github.com/repos/x")</script>', "names https://api.github.com"),
    ],
)
def test_fault(site, fault, said):
    found = site(**{"index.html": GOOD + fault})
    assert len([text for text in found if text.startswith(said)]) == 1, found


def test_fault_in_a_style_sheet(site):
    assert len(site(**{"a.css": "@import 'https://example.org/a.css'; b{src:url(\"//example.org/b\")}"})) == 2


def test_picture_for_sharing_is_there(site):
    head = '<link rel="canonical" href="https://a.b/c/b/"><meta property="og:image" content="https://a.b/c/x.png">'
    assert site(**{"b/index.html": '<h1 id="b">B</h1>' + head}) == []


def test_canonical_link_is_no_load(site):
    assert site(**{"index.html": GOOD + '<link rel="canonical" href="https://example.org/">'}) == []
