"""One page as it will look: `python -m docs._ext.preview book/forward.md` leaves pictures of it in build/preview.

Builds only the pages that are named, without the reference, and takes pictures: light, dark and as a phone shows it.
"""

import argparse
import os
import pathlib
import subprocess
import sys

import yaml

from docs._ext.sources import ROOT
from tests.site import browser


def build(page, folder):
    """A site of one page in `folder`."""
    config = folder / "mkdocs.yml"
    keep = "\n".join(["/**", f"!/{page}", "!/assets/**", "/assets/katex/katex.min.js"])
    folder.mkdir(parents=True, exist_ok=True)
    plugins = ["autorefs", "search", {"mkdocstrings": {"enabled": True}}]
    extra = {"INHERIT": str(ROOT / "mkdocs.yml"), "docs_dir": str(ROOT / "docs"), "strict": False, "nav": [page]}
    extra |= {"exclude_docs": keep, "use_directory_urls": False, "plugins": plugins, "site_url": ""}
    extra["theme"] = {"custom_dir": str(ROOT / "docs" / "_theme")}
    config.write_text(yaml.safe_dump(extra))
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-f", str(config), "-d", str(folder / "site")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(command, cwd=ROOT, check=True, env=environment)
    return folder / "site" / pathlib.Path(page).with_suffix(".html")


def picture(file, folder):
    """Whole-page pictures of a built page."""
    with browser.chromium() as running:
        for name, (scheme, width) in browser.VIEWS.items():
            page = running.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.goto(file.as_uri())
            page.wait_for_timeout(700)
            page.add_style_tag(content=".md-header, .md-tabs { position: static !important }")
            height = page.evaluate("document.documentElement.scrollHeight")
            for part in range(0, height, 2400):
                clip = {"x": 0, "y": part, "width": width, "height": min(2400, height - part)}
                page.screenshot(path=folder / f"{name}-{part // 2400:02}.png", clip=clip, full_page=True)


def main(arguments=None):
    """Build and photograph each page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", nargs="+", help="a page below docs/, such as book/forward.md")
    names = parser.parse_args(arguments).page
    if missing := [name for name in names if not (ROOT / "docs" / name).is_file()]:
        parser.error(f"not below docs/: {', '.join(missing)}")
    for name in names:
        folder = ROOT / "build" / "preview" / pathlib.Path(name).stem
        for old in folder.glob("*.png"):
            old.unlink()
        picture(build(name, folder), folder)
        print(*sorted(str(f.relative_to(ROOT)) for f in folder.glob("*.png")), sep="\n")


if __name__ == "__main__":
    main()
