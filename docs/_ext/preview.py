"""One page as it will look: `python -m docs._ext.preview book/forward.md` leaves pictures of it in build/preview.

Builds only the pages that are named, without the reference, and takes pictures: light, dark and as a phone shows it.
"""

import os
import pathlib
import subprocess
import sys

import yaml

from docs._ext.sources import ROOT

VIEWS = {"light": ("light", 1400), "dark": ("dark", 1400), "phone": ("light", 390)}


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
    subprocess.run(
        command, cwd=ROOT, check=True, env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    )
    return folder / "site" / pathlib.Path(page).with_suffix(".html")


def picture(file, folder):
    """Whole-page pictures of a built page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--allow-file-access-from-files"]
        )
        for name, (scheme, width) in VIEWS.items():
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.goto(file.as_uri())
            page.wait_for_timeout(700)
            page.add_style_tag(content=".md-header, .md-tabs { position: static !important }")
            height = page.evaluate("document.documentElement.scrollHeight")
            for part in range(0, height, 2400):
                clip = {"x": 0, "y": part, "width": width, "height": min(2400, height - part)}
                page.screenshot(path=folder / f"{name}-{part // 2400:02}.png", clip=clip, full_page=True)
        browser.close()


def main(names):
    """Build and photograph each page."""
    for name in names:
        folder = ROOT / "build" / "preview" / pathlib.Path(name).stem
        for old in folder.glob("*.png"):
            old.unlink()
        picture(build(name, folder), folder)
        print(*sorted(str(f.relative_to(ROOT)) for f in folder.glob("*.png")), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
