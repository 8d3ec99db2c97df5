"""Markdown extension: numbered equations, boxes of ledger rows and errata.

    ```math {#BP2 title="Error one layer back" impl="mlpjax.backprop.bp2" test="tests/test_backprop.py::test_bp2"}
    \\delta^{(l)} = \\bigl((W^{(l+1)})^\\top \\delta^{(l+1)}\\bigr) \\odot \\sigma'(z^{(l)})
    ```

becomes a card: the formula, the code that computes it, its test, and the error that the last test run measured.
`!!! row "BP7"` makes such a card of a claim, a definition, an algorithm or a demonstration; `!!! erratum "BP7"` tells
what common texts get wrong. Needs pymdownx.superfences, admonition and autorefs.
"""

import html
import re
from xml.etree import ElementTree

from markdown import Extension
from markdown.postprocessors import Postprocessor
from markdown.treeprocessors import Treeprocessor
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pymdownx.superfences import SuperFencesException

from docs._ext import ledger, maths, sources

SHORT = 16  # lines of code that are shown unfolded
HEADING_OR_LINK = re.compile(r'<h[1-6][^>]*? id="([^"]+)"|<autoref data-mx ')


def code(text):
    """Python code, highlighted."""
    form = HtmlFormatter(cssclass="language-python highlight", wrapcode=True)
    return highlight(text, PythonLexer(), form).replace("<pre>", '<pre tabindex="0">', 1)


def function_link(name):
    """A link to a function's entry in the reference; the page becomes one of the function's backlinks."""
    short = name.removeprefix("mlpjax.")
    return f'<autoref data-mx identifier="{name}"><code>{short}</code></autoref>'


def number(value):
    """A number to two digits, as it is set in print."""
    digits, _, exponent = f"{value:.2g}".partition("e")
    return f"{digits} × 10<sup>{int(exponent)}</sup>".replace("-", "−") if exponent else digits


def measurement(tag, test=None):
    """What the last run measured, in words."""
    found, why = ledger.measured(tag, test)
    if found is None:
        return f'<span class="mx-why">{html.escape(why)}</span>'
    error = f"measured {number(found['error'])}" if found["error"] else "no difference"
    return f'<span class="mx-error">{error}</span> <span class="mx-why">allowed {number(found["tolerance"])}</span>'


def test_details(tag, test):
    """One test: its name, which unfolds to its source, its oracle and what it measured."""
    oracle = "; ".join(sources.oracles(test))
    if not oracle:
        raise ledger.LedgerError(f"{tag}: {test} calls `measured` with no literal `oracle`")
    if test.partition("[")[0] not in ledger.marked()[1].get(ledger.row(tag)["id"], []):
        raise ledger.LedgerError(f"{tag}: {test} has no mark for this row, or an ordinary run skips it")
    name, against = html.escape(test.rpartition("::")[2]), html.escape(oracle)
    body = code(sources.of_test(test).shown)
    return (
        f"<div class='mx-check'><details class='mx-test'><summary>test <code>{name}</code></summary>{body}</details>"
        f"<p class='mx-measured'>{measurement(tag, test)} <span class='mx-why'>· against {against}</span></p></div>"
    )


def listing(names, fold):
    """The source of the functions, folded if it is long."""
    text = "\n\n".join(dict.fromkeys(sources.of(name).shown for name in names))
    links = ", ".join(map(function_link, names))
    if fold or text.count("\n") >= SHORT:
        return f"<p class='mx-code'>{links}</p><details class='mx-source'><summary>code</summary>{code(text)}</details>"
    return f"<p class='mx-code'>{links}</p>{code(text)}"


def scrolling(tex, label="Formula"):
    """A displayed formula, in a box that scrolls where it is too wide."""
    return f'<div class="mx-math" tabindex="0" role="group" aria-label="{label}">{maths.render(tex, True)}</div>'


def card(tag, title, tex, impl, tests, fold=False):
    """One numbered equation as HTML."""
    row = ledger.row(tag)
    if strangers := [name for name in impl if name not in row.get("functions", [])]:
        raise ledger.LedgerError(f"{tag}: docs/ledger.toml does not name {strangers} among the row's functions")
    return f"""<figure class="mx-card" id="{tag}">
<figcaption><a class="mx-tag" href="#{tag}">{tag}</a> {html.escape(title or row["title"])}</figcaption>
{scrolling(tex, f"Equation {tag}")}
<div class="mx-card__code">{listing(impl, fold)}</div>
<div class="mx-card__tests">{"".join(test_details(tag, test) for test in tests)}</div>
</figure>"""


def autorefs(md):
    """The store of anchors that resolves references over all pages, or `None` outside a site."""
    for name in ("mkdocs-autorefs-anchors-scanner", "mkdocs-autorefs-headings-scanner", "mkdocs-autorefs-backlinks"):
        if name in md.treeprocessors and (plugin := getattr(md.treeprocessors[name], "_plugin", None)):
            return plugin
    try:
        from zensical.extensions.autorefs import get_autorefs_store
    except ImportError:
        return None
    return get_autorefs_store()


def register(md, identifier):
    """Make `identifier`, which stands on the page that is being read, a target of references."""
    store = autorefs(md)
    page = getattr(store, "current_page", None)
    if page is not None:
        store.register_anchor(page, f"row:{identifier}", identifier, primary=True)


def math_options(language, inputs, options, attrs, md):
    """Accept every attribute of the fence."""
    options.update(inputs)
    return True


def math_fence(source, language, css_class, options, md, classes=None, id_value="", attrs=None, **kwargs):
    """The fence of superfences; it passes on no exception but its own."""
    given = {**(attrs or {}), **(options or {})}
    try:
        if unknown := given.keys() - {"title", "impl", "test", "code"}:
            raise ledger.LedgerError(f"{id_value}: unknown attributes {sorted(unknown)}")
        if not id_value:
            return scrolling(source)
        if not given.get("impl") or not given.get("test"):
            raise ledger.LedgerError(f"{id_value}: a numbered equation names its `impl` and its `test`")
        register(md, id_value)
        impl, tests = given["impl"].split(), given["test"].split()
        return card(id_value, given.get("title"), source, impl, tests, given.get("code") == "fold")
    except (ValueError, LookupError) as error:
        raise SuperFencesException(str(error)) from error


def worst_of_row(tag):
    """The measurement nearest to its tolerance among those of a row; a row need not measure anything."""
    if not any(entry["measured"] for entry in ledger.measurements().get(tag, [])):
        return ""
    found, _ = ledger.measured(tag)
    oracle = f" <span class='mx-why'>· against {html.escape(found['oracle'])}</span>" if found else ""
    return f"<p class='mx-measured'>{measurement(tag)}{oracle}</p>"


def row_foot(tag):
    """What computes and what checks a row that is no equation."""
    functions = ", ".join(map(function_link, ledger.row(tag).get("functions", [])))
    tests = ledger.marked()[1].get(tag, [])
    names = "".join(f"<li><code>{html.escape(test)}</code></li>" for test in tests)
    some = f"{len(tests)} test" + "s" * (len(tests) != 1)
    left = f"<p class='mx-code'>{functions}</p>" if functions else ""
    details = (
        f"<details class='mx-test'><summary>checked by {some}</summary><ul>{names}</ul></details>" if tests else ""
    )
    worst = worst_of_row(tag)
    return f'<div class="mx-card__tests"><div class="mx-check">{left}{details}{worst}</div></div>'


class _Boxes(Treeprocessor):
    """Gives `!!! row` and `!!! erratum` their anchor, their heading and their foot."""

    def run(self, root):
        for box in root.iter("div"):
            kinds = box.get("class", "").split()
            if kinds[:1] == ["admonition"] and kinds[1:2] in (["row"], ["erratum"]):
                self.dress(box, kinds[1])

    def dress(self, box, kind):
        title = box[0]
        tag = (title.text or "").strip()
        identifier = tag if kind == "row" else f"erratum-{tag}"
        row = ledger.row(tag)
        register(self.md, identifier)
        box.set("id", identifier)
        title.text, words = "", f" {row['kind'].capitalize()} · {row['title']}" if kind == "row" else " Erratum"
        link = ElementTree.SubElement(title, "a", {"class": "mx-tag", "href": f"#{identifier}", "data-mx-tag": "1"})
        link.text, link.tail = tag, words
        title.set("data-mx-tag", "1")
        if kind == "row":
            foot = ElementTree.SubElement(box, "div")
            foot.text = self.md.htmlStash.store(row_foot(tag))
        elif not ledger.errata(tag):
            raise ledger.LedgerError(f"docs/ledger.toml has no erratum at {tag}")


class _Backlinks(Postprocessor):
    """A function that an equation names is referred to from the heading that the equation stands under."""

    def run(self, text):
        heading = ""

        def mark(match):
            nonlocal heading
            if match[1]:
                heading = match[1]
                return match[0]
            return f'<autoref backlink-type="referenced-by" backlink-anchor="{heading}" ' if heading else "<autoref "

        return HEADING_OR_LINK.sub(mark, text)


class EquationsExtension(Extension):
    """Registers boxes while, and backlinks after a page is read."""

    def extendMarkdown(self, md):
        """Called by Python-Markdown."""
        md.registerExtension(self)
        md.treeprocessors.register(_Boxes(md), "mx-boxes", 16)
        md.postprocessors.register(_Backlinks(md), "mx-backlinks", 4)


def makeExtension(**options):
    """The entry point that Python-Markdown looks for."""
    return EquationsExtension(**options)
