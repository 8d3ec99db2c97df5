"""Draw docs/assets/img/social-card.png, the picture that shows when someone shares a page of the site.

python scripts/make_social_card.py

Needs the extras [docs] and [site], and Chromium (the variable CHROMIUM names another than /usr/bin/chromium).
"""

import os
import pathlib
import sys
import tempfile

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from docs._ext import maths  # noqa: E402

ASSETS = ROOT / "docs" / "assets"
BP2 = r"\delta^{(l)} = \bigl((W^{(l+1)})^\top \delta^{(l+1)}\bigr) \odot \sigma'(z^{(l)})"
CODE = "return (W.T @ delta) * activation.prime(z)"
PAGE = f"""<!doctype html><meta charset="utf-8">
<link rel="stylesheet" href="{ASSETS.as_uri()}/katex/katex.min.css">
<link rel="stylesheet" href="{ASSETS.as_uri()}/css/site.css">
<style>
  body {{ margin: 0; width: 1200px; height: 630px; box-sizing: border-box; padding: 66px 78px;
    background: #fffefb; color: #1d2129; border-top: 18px solid #1f2a44;
    display: flex; flex-direction: column; justify-content: space-between; }}
  h1 {{ font: 600 92px "Source Serif"; letter-spacing: -.02em; margin: 0; line-height: 1; }}
  p {{ font: 400 33px/1.35 "Source Serif"; margin: 18px 0 0; color: #3a404c; max-width: 990px; }}
  .card {{ background: #f8f6f0; border: 1px solid #e2ded4; border-left: 6px solid #1d4f9e;
    border-radius: 6px; padding: 24px 34px; }}
  .tag {{ font: 600 24px "JetBrains Mono"; color: #1d4f9e; }}
  .tag span {{ font: 600 24px "Inter"; color: #1d2129; margin-left: 10px; }}
  .katex {{ font-size: 44px; }}
  .tex {{ margin: 10px 0 20px; }}
  .tex .katex-display > .katex {{ text-align: left; }}
  code {{ font: 400 29px "JetBrains Mono"; letter-spacing: -.02em; color: #a5470f; }}
</style>
<div><h1>mlpjax</h1>
<p>The multilayer perceptron as pure functions in JAX, with the whole of its mathematics beside it.</p></div>
<div class="card"><div class="tag">BP2<span>Error one layer back</span></div>
<div class="tex">{maths.render(BP2, True)}</div><code>{CODE}</code></div>"""


def main():
    """Let the browser set the card with the site's own fonts, and photograph it."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = pathlib.Path(folder) / "card.html"
        file.write_text(PAGE, "utf-8")
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 630})
        page.goto(file.as_uri())
        page.evaluate("() => document.fonts.ready")
        page.screenshot(path=ASSETS / "img" / "social-card.png")
        browser.close()


if __name__ == "__main__":
    main()
