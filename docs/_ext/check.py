"""Gate on the built site: no page may need a network, show raw TeX, or load or point to what is not there.

`python -m docs._ext.check site`
"""

import argparse
import html.parser
import pathlib
import re
import urllib.parse

LOADS = {
    "img": "src",
    "script": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "object": "data",
}
HARMLESS = {"canonical", "next", "prev", "edit", "alternate"}  # <link>s that no browser fetches
URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
CALLS = re.compile(r"https?://(?:api\.github\.com|unpkg\.com|cdn\.|fonts\.)[^\"'`\s]*")
RAW = re.compile(r"\\\(|\\\[|\$\$|\\(?:frac|delta|sigma|partial|odot)\b|katex-error")


class Page(html.parser.HTMLParser):
    """What a page loads, links to and defines, and its visible text."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.ids, self.text, self.hidden, self.named = [], [], [], [], [], {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag in {"script", "style", "pre", "code", "mx-tex"}:
            self.hidden.append(tag)
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if LOADS.get(tag) in attributes and attributes.get("rel") not in HARMLESS:
            self.loads.append(attributes[LOADS[tag]])
        self.loads += [a or b for a, b in URL.findall(attributes.get("style") or "")]
        if attributes.get("rel") == "canonical" or attributes.get("property") == "og:image":
            self.named[tag] = attributes.get("href") or attributes.get("content") or ""

    def handle_endtag(self, tag):
        if self.hidden and self.hidden[-1] == tag:
            self.hidden.pop()

    def handle_data(self, data):
        if not self.hidden:
            self.text.append(data)


def foreign(url):
    """Whether fetching `url` needs a network."""
    return urllib.parse.urlsplit(url).scheme in {"http", "https"} or url.startswith("//")


def target(site, file, url):
    """The file a local link leads to, and the anchor in it."""
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.unquote(parts.path)
    base = site if path.startswith("/") else file.parent
    found = (base / path.lstrip("/")).resolve() if path else file
    return (found / "index.html" if found.is_dir() else found), urllib.parse.unquote(parts.fragment)


def relative(url):
    """Whether a URL is a path from the page to another file of the site."""
    return bool(url) and not urllib.parse.urlsplit(url).scheme and not url.startswith(("//", "/", "#"))


def shared(site, file, canonical, picture):
    """The file behind the absolute address of the picture that stands for a page."""
    where = file.relative_to(site).as_posix().removesuffix("index.html")
    return site / picture.removeprefix(canonical.removesuffix(where))


def page_problems(site, file, pages):
    """What is wrong with one page, as sentences."""
    page = pages[file]
    yield from (f"loads {url}" for url in page.loads if foreign(url))
    yield from (f"missing {url}" for url in page.loads if relative(url) and not target(site, file, url)[0].exists())
    canonical, picture = page.named.get("link"), page.named.get("meta")
    if canonical and picture and not shared(site, file, canonical, picture).exists():
        yield f"missing {picture}"
    yield from (f"raw TeX: …{text.strip()[:60]}…" for text in page.text if RAW.search(text))
    yield from (f"id {name!r} stands twice" for name in sorted(set(page.ids)) if page.ids.count(name) > 1)
    local = [u for u in page.links if not urllib.parse.urlsplit(u).scheme and not u.startswith("//")]
    for url in [] if file.name == "404.html" else local:
        other, anchor = target(site, file, url)
        if not other.exists():
            yield f"dead link {url}"
        elif anchor and other in pages and anchor not in {*pages[other].ids, "__comments"}:
            yield f"dead anchor {url}"


def problems(site):
    """Every problem of a built site: `(file, sentence)`."""
    site = pathlib.Path(site).resolve()
    pages = {file: Page(file.read_text("utf-8")) for file in sorted(site.rglob("*.html"))}
    for file in pages:
        yield from ((file.relative_to(site), text) for text in page_problems(site, file, pages))
    for file in sorted(site.rglob("*.css")):
        urls = [a or b for a, b in URL.findall(file.read_text("utf-8"))]
        yield from ((file.relative_to(site), f"loads {url}") for url in urls if foreign(url))
    for file in sorted(site.rglob("*.html")):
        yield from ((file.relative_to(site), f"names {url}") for url in CALLS.findall(file.read_text("utf-8")))


def main():
    """Print what is wrong, and fail if anything is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=pathlib.Path, help="folder with the built site")
    site = parser.parse_args().site
    if not (site / "index.html").is_file():
        parser.error(f"{site} holds no built site: build one with `python -m mkdocs build --strict`")
    found = list(problems(site))
    for file, text in found:
        print(f"{file}: {text}")
    print(f"{len(list(site.rglob('*.html')))} pages, {len(found)} problems")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
