"""What stands beside the pages: paper, the page for a wrong address, sitemap, picture for sharing, plain text."""

import re
import struct


def linked_pages(site):
    return {site.url + path for path in site.pages if not path.endswith("404.html")}


def test_on_paper(tab, site):
    """No frame, everything unfolded, light colors; and all back as it was afterwards."""
    chapter = next((p for p in site.pages if b"<details" in site.read(p)[2] and p.startswith("book/")), "api/mlp/")
    page = tab(chapter, "dark")
    closed = ".md-content details:not([open], .mx-test)"
    before = page.locator(closed).count()
    assert before
    page.emulate_media(media="print")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert not page.locator(closed).count()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator(".md-header, .md-sidebar--primary, .md-footer").locator("visible=true").count()
    page.emulate_media(media="screen")
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.locator(closed).count() == before and not tab.found
    assert page.evaluate("() => document.body.dataset.mdColorScheme") == "slate"


def test_wrong_address(tab, site):
    """The server answers with 404.html, at whatever depth: its styles and its links must work there."""
    page = tab("no/such/page/", "light")
    assert [fact for fact in tab.found if "404" not in fact] == []
    assert "no page at this address" in page.locator("h1").inner_text()
    links = page.locator("article li a").evaluate_all("links => links.map(a => a.href)")
    assert links and set(links) <= linked_pages(site)
    assert page.locator(".md-header").evaluate("e => getComputedStyle(e).position") == "sticky"


def test_sitemap(site):
    listed = re.findall(r"<loc>([^<]+)</loc>", site.read("sitemap.xml")[2].decode())
    assert set(listed) == linked_pages(site) and len(listed) == len(set(listed))


def test_picture_for_sharing(site):
    head = site.read("")[2].decode()
    address = re.search(r'<meta property="og:image" content="([^"]+)"', head)[1]
    status, kind, picture = site.read(address.removeprefix(site.url))
    assert (status, kind) == (200, "image/png") and struct.unpack(">II", picture[16:24]) == (1200, 630)
    for path in site.pages:
        text = site.read(path)[2].decode()
        assert text.count('property="og:title"') == text.count('property="og:description"') == 1, path
        assert text.count('<meta name="description"') == 1, path


def test_plain_text(site):
    short, full = (site.read(name)[2].decode() for name in ("llms.txt", "llms-full.txt"))
    assert short.startswith("# mlpjax\n\n> ") and len(full) > 10 * len(short)
    assert set(re.findall(r"\]\((https?://[^)]+)\)", short)) == linked_pages(site)
    assert "katex" not in full and not re.search(r"^:::", full, re.M)
