"""A browser that sees the built site and nothing else: every request is answered from the disk or refused."""

import contextlib
import functools
import mimetypes
import os
import pathlib
import re
import urllib.parse

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--hide-scrollbars"]
VIEWS = {"light": ("light", 1400), "dark": ("dark", 1400), "phone": ("light", 390)}
CANONICAL = re.compile(r'<link rel="canonical" href="([^"]+)"')
TYPES = {".js": "text/javascript", ".woff2": "font/woff2", ".inv": "application/octet-stream"}


class Site:
    """A folder with a built site, and the address under which it believes it will stand."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.url = CANONICAL.search((self.folder / "index.html").read_text("utf-8"))[1]

    @functools.cached_property
    def pages(self):
        """The path of every page below `url`; the home page is `""`."""
        files = (f.relative_to(self.folder).as_posix() for f in self.folder.rglob("*.html"))
        return sorted(re.sub(r"(^|/)index\.html$", r"\1", f) for f in files)

    def read(self, path):
        """`(status, type, body)` of a path below `url`, as a server of static files would answer."""
        file = self.folder / path
        file = file / "index.html" if file.is_dir() else file
        if not file.is_file():
            return 404, "text/html", (self.folder / "404.html").read_bytes()
        kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return 200, kind, file.read_bytes()

    def answer(self, route):
        """Fulfill a request of the browser."""
        url = route.request.url.partition("#")[0].partition("?")[0]
        if not url.startswith(self.url):
            return route.abort()
        status, kind, body = self.read(urllib.parse.unquote(url[len(self.url) :]))
        return route.fulfill(status=status, content_type=kind, body=body)


def watch(page, local, found):
    """Append to `found` whatever goes wrong in a page; `local` is how the addresses begin that it may ask for."""
    allowed = (local, "data:", "blob:", "about:")
    page.on("pageerror", lambda error: found.append(f"script error: {error}"))
    page.on("console", lambda m: found.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("request", lambda r: None if r.url.startswith(allowed) else found.append(f"foreign request: {r.url}"))


@contextlib.contextmanager
def chromium():
    """A running browser."""
    from playwright.sync_api import sync_playwright  # only here: the other tests must not need it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


def context(browser, view, site=None):
    """A window of one of the `VIEWS`; with `site` it can reach that site only, without it the disk only."""
    scheme, width = VIEWS[view]
    viewport = {"width": width, "height": 900}
    window = browser.new_context(
        viewport=viewport, color_scheme=scheme, reduced_motion="reduce", service_workers="block"
    )
    window.set_default_timeout(15_000)
    if site is not None:
        window.route("**/*", site.answer)
    return window


def search(page, text):
    """The addresses of the results, best first, after typing `text` into the search field."""
    field = page.locator(".md-search__input")
    field.click()
    field.press_sequentially(text)
    links = page.locator(".md-search-result__link")
    links.first.wait_for(state="attached")
    waiting = "document.querySelector('.md-search-result__meta').textContent.includes('Initializing')"
    page.wait_for_function(f"() => !{waiting}")
    return [re.sub(r"\?h=[^#]*", "", address) for address in links.evaluate_all("links => links.map(a => a.href)")]
