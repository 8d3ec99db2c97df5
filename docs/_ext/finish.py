"""Give a built site what its generator lacks: equations in the search, and llms.txt.

`python -m docs._ext.finish site` makes every equation and every row of the ledger an entry of the search of its own, so
that its number finds it first, and writes llms.txt and llms-full.txt.
"""

import argparse
import html
import json
import pathlib
import re

from docs._ext import llms

PLACE = re.compile(
    r'<figure class="mx-card" id="(?P<card>[^"]+)">\s*<figcaption>(?P<caption>.*?)</figcaption>'
    r'|<div class="admonition row" id="(?P<row>[^"]+)">\s*<p class="admonition-title"[^>]*>(?P<title>.*?)</p>',
    re.S,
)
FUNCTION = re.compile(r"<code>([\w.]+)</code></a>")


def entries(text, location):
    """The equations and rows of one page, as the search index knows them."""
    for match in PLACE.finditer(text):
        name = match["card"] or match["row"]
        words = html.unescape(re.sub(r"<[^>]+>", "", match["caption"] or match["title"])).strip()
        functions = FUNCTION.findall(text[match.end() :].partition("</figure>")[0]) if match["card"] else []
        about = " ".join(["Equation" if match["card"] else "Row", "of the ledger.", *dict.fromkeys(functions)])
        yield {"location": f"{location}#{name}", "title": words, "text": about, "tags": [name]}


def index(site):
    """Add what is missing to the search index, once; the offline copy keeps a second one as a script."""
    file = site / "search" / "search_index.json"
    found = json.loads(file.read_text("utf-8"))
    known = {entry["location"] for entry in found["docs"]}
    new = []
    for location in sorted({name.partition("#")[0] for name in known}):
        page = site / location
        page = page / "index.html" if page.is_dir() else page
        new += [e for e in entries(page.read_text("utf-8"), location) if e["location"] not in known]
    found["docs"] += new
    text = json.dumps(found, separators=(",", ":"), sort_keys=True)
    file.write_text(text, "utf-8")
    if (script := file.with_suffix(".js")).exists():
        script.write_text(f"var __index = {text}", "utf-8")
    return len(new)


def main(arguments=None):
    """Finish the site in a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=pathlib.Path, help="folder with the built site")
    site = parser.parse_args(arguments).site
    if not (site / "search" / "search_index.json").is_file():
        parser.error(f"{site} holds no built site: build one with `python -m mkdocs build --strict`")
    print(f"search: {index(site)} equations and rows")
    llms.write(site)


if __name__ == "__main__":
    main()
