"""The zip of the site: the same files give the same bytes, and nothing is in it that only a server needs."""

import os
import zipfile

import pytest

pytest.importorskip("quickjs", reason="the site's tools are in the [docs] extra")

from docs._ext import offline


def test_pack_is_deterministic(tmp_path):
    site = tmp_path / "site"
    (site / "search").mkdir(parents=True)
    search = ("search/search_index.js", "search/search_index.json")
    for name in ("index.html", "a.css", "404.html", "sitemap.xml", *search):
        (site / name).write_text(name)
    packed = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        offline.pack(site, tmp_path / run / "book.zip")
        packed.append((tmp_path / run / "book.zip").read_bytes())
        os.utime(site / "index.html", (0, 0))
    assert packed[0] == packed[1]
    names = zipfile.ZipFile(tmp_path / "one" / "book.zip").namelist()
    assert names == ["book/a.css", "book/index.html", "book/search/search_index.js"]
