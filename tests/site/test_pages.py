"""Every page of the built site, as a reader sees it: light, dark, and on a phone."""

import pathlib

import pytest

from tests.site import browser as browsers

HERE = pathlib.Path(__file__).parent
FACTS = (HERE / "facts.js").read_text("utf-8")
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
READY = "() => [...document.querySelectorAll('.mx-demo')].every(e => ['done', 'error'].includes(e.dataset.ready))"
# WCAG 2.1 A and AA, and what axe calls good practice but for three rules: `region` and `landmark-unique`, which the
# theme breaks (its skip link and its toggles stand outside of landmarks; its table of contents is there twice, for wide
# and for narrow screens), and `empty-table-header`: Markdown has no other corner for a table with headers on two sides.
CHECK = """options => axe.run(document, options).then(r => r.violations.map(v =>
  `axe ${v.impact} ${v.id} x${v.nodes.length}: ${v.nodes[0].target.join(" ")} ` +
  v.nodes[0].failureSummary.split("\\n").slice(1).join(" ").trim().slice(0, 200)))"""
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
OFF = {rule: {"enabled": False} for rule in ("region", "landmark-unique", "empty-table-header")}
OPTIONS = {"preload": False, "resultTypes": ["violations"], "runOnly": WCAG, "rules": OFF}
COLORS = {**OPTIONS, "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}, "rules": {}}
# What is the same a thousand times is checked twice a page, since axe looks at every element for a long time: tokens of
# code, which come in few colors, and formulas, which are all made in one way. (The visible half of a formula is hidden
# from screen readers, which are given its MathML.)
THIN = """() => {
  const seen = {}, again = kind => (seen[kind] = (seen[kind] || 0) + 1) > 2;
  document.querySelectorAll("mx-tex").forEach(e => { if (again("formula")) e.replaceWith("formula"); });
  document.querySelectorAll(".highlight code span").forEach(e => {
    if (again(e.className) && e.isConnected) e.replaceWith(e.textContent);
  });
}"""


@pytest.fixture(scope="session")
def axe(site):
    if not AXE.exists():
        pytest.fail("axe-core is not installed: npm ci --prefix tests/site")
    return AXE.read_text("utf-8")


def test_page(tab, axe, path):
    """Loaded once, then seen in each view, since loading takes longer than looking."""
    page = tab(path)
    page.evaluate("() => document.fonts.ready")
    page.wait_for_function(READY)
    facts = lambda view: [f"{view}: {fact}" for fact in page.evaluate(FACTS)]
    found = facts("light")
    page.set_viewport_size({"width": browsers.VIEWS["phone"][1], "height": 900})
    found += facts("phone")
    page.set_viewport_size({"width": browsers.VIEWS["light"][1], "height": 900})
    page.evaluate(THIN)
    page.evaluate(axe)
    found += page.evaluate(CHECK, OPTIONS)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.wait_for_function("() => document.body.dataset.mdColorScheme === 'slate'")
    found += [*page.evaluate(CHECK, COLORS), *tab.found]  # the page is the same but for its colors
    assert not found, "\n".join(["", *dict.fromkeys(found)])
