"""Where the IDs of the ledger stand on the site, found by reading the pages: equations, boxes of rows, errata."""

import functools
import re

from docs._ext.ledger import LedgerError
from docs._ext.sources import ROOT, pages

TAG = r"[A-Z]{2,3}[1-9]\d*(?:\.\d+)?"
FENCE = re.compile(
    rf"^(?P<indent> *)```math +\{{#(?P<tag>{TAG})(?P<attributes>[^}}]*)\}}\n(?P<tex>.*?)^(?P=indent)```", re.S | re.M
)
BOX = re.compile(rf'^ *!!! (?P<kind>row|erratum) "(?P<tag>{TAG})"', re.M)


def scan(text):
    """`{identifier: equation or None}` of one page: its equations, row boxes and errata."""
    found = [(m["tag"], equation(m)) for m in FENCE.finditer(text)]
    found += [(m["tag"] if m["kind"] == "row" else f"erratum-{m['tag']}", None) for m in BOX.finditer(text)]
    names = [name for name, _ in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LedgerError(f"defined twice on one page: {twice}")
    return dict(found)


def equation(match):
    """The fields of a fence found by its text."""
    attributes = dict(re.findall(r'(\w+)="([^"]*)"', match["attributes"]))
    return {"tex": " ".join(match["tex"].split()), "title": attributes.pop("title", ""), **attributes}


def anchors():
    """`{identifier: (page, equation or None)}` over the whole site; read again when a page has changed."""
    return _anchors(tuple((file, file.stat().st_mtime_ns) for file in pages()))


@functools.lru_cache(maxsize=2)
def _anchors(files):
    found = {}
    for file, _ in files:
        for name, fields in scan(file.read_text("utf-8")).items():
            if name in found:
                raise LedgerError(f"{name} is defined on {found[name][0]} and on {file.relative_to(ROOT)}")
            found[name] = (str(file.relative_to(ROOT / "docs")), fields)
    return found


def target(tag):
    """The identifier that a written tag leads to: itself, or the first equation of its row; `None` if it has none."""
    known = anchors()
    return next((name for name in (tag, f"{tag}.1") if name in known), None)
