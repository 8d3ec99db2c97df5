"""The offline copy opens from the disk, with search and demos, and asks nobody for anything."""

import re

import pytest

from tests.site import browser as browsers
from tests.site.test_pages import FACTS, READY


@pytest.fixture
def page(browser, offline_site):
    """A tab that may read the disk; `page.found` is what goes wrong in it."""
    window = browsers.context(browser, "light")
    tab = window.new_page()
    tab.found = []
    browsers.watch(tab, offline_site.folder.as_uri(), tab.found)
    yield tab
    window.close()


def chosen(site):
    """The home page, two pages with demos, each of which its own tests open from the disk, and one of the reference."""
    pages = {p: site.read(p or "index.html")[2].decode() for p in site.pages if not p.startswith("404")}
    demos = [p for p, text in pages.items() if 'class="mx-demo"' in text]
    return list(dict.fromkeys(["index.html", *demos[-2:], "api/mlp.html"]))


def test_pages_work(page, offline_site):
    for path in chosen(offline_site):
        page.goto((offline_site.folder / path).as_uri(), wait_until="load")
        page.wait_for_function(READY)
        page.found += [f"{path}: {fact}" for fact in page.evaluate(FACTS)]
    assert not page.found, "\n".join(["", *dict.fromkeys(page.found)])


def test_search_works(page, offline_site):
    page.goto((offline_site.folder / "index.html").as_uri(), wait_until="load")
    hits = browsers.search(page, "BP2")
    assert hits and hits[0].startswith(offline_site.folder.as_uri()) and not page.found, (hits[:3], page.found)


def test_links_stay_on_the_disk(offline_site):
    """Every link within the copy names a file, since a folder has no index page on a disk."""
    text = (offline_site.folder / "index.html").read_text("utf-8")
    links = [u for u in re.findall(r'<a[^>]* href="([^"#]+)', text) if "://" not in u and not u.startswith("mailto:")]
    assert links and not [u for u in links if not (offline_site.folder / u).is_file()]
