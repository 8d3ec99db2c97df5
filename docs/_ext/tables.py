"""Markdown extension: tables of what is kept as data, so that no page repeats it by hand.

`<!-- mx:ledger -->` and `<!-- mx:errata -->` list every row and every slip, and their places;
`<!-- mx:reliability -->` lists what every experiment of reliability found, `<!-- mx:reliability NAME -->` one of them;
`<!-- mx:messages -->` and `<!-- mx:exceptions -->` list the errors and warnings of the package (`messages_html.py`).
"""

import html
import json
import re

from markdown import Extension
from markdown.preprocessors import Preprocessor

from docs._ext import ledger, places
from docs._ext.equations import function_link, scrolling, worst_of_row

DIRECTIVE = re.compile(r"^<!-- mx:(ledger|errata|reliability|messages|exceptions) ?(\w*) -->$")
RECORDS = ledger.FILE.parent / "figures/data/reliability"
GROUPS = re.compile(r"^  # ([A-Z]{2,3}) · (.+)$", re.M)


def place(tag):
    """A link to where a row stands on the site, or the bare tag."""
    name = places.target(tag)
    return f'<autoref identifier="row:{name}" class="mx-ref">{tag}</autoref>' if name else tag


def status(row):
    """How far a row is: done is what has function, test and page."""
    return "page to come" if row["status"] == "done" and not places.target(row["id"]) else row["status"]


def ledger_line(row):
    """One row of the ledger as a line of a table."""
    equations = {n: e for n, (_, e) in places.anchors().items() if e and n.partition(".")[0] == row["id"]}
    formulas = "".join(scrolling(e["tex"], f"Equation {n}") for n, e in equations.items())
    tests = ledger.marked()[1].get(row["id"], [])
    functions = "<br>".join(map(function_link, row.get("functions", [])))
    checked = f"{len(tests)} test{'s' * (len(tests) != 1)}<br>{worst_of_row(row['id'])}" if tests else ""
    statement = f'<b>{html.escape(row["title"])}</b> <span class="mx-why">{row["kind"]}</span>{formulas}'
    return (
        "<tr>"
        + "".join(f"<td>{x}</td>" for x in (place(row["id"]), statement, functions, checked, status(row)))
        + "</tr>"
    )


def table(label, heads, lines):
    """A table in a box that scrolls where it is too wide."""
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f"""<div class="mx-scroll" tabindex="0" role="region" aria-label="{label}"><table class="mx-ledger">
<thead><tr>{head}</tr></thead>
<tbody>
{lines}
</tbody></table></div>"""


def ledger_table():
    """All rows, by subject."""
    names = dict(GROUPS.findall(ledger.FILE.read_text("utf-8")))
    groups = {}
    for tag, row in ledger.rows().items():
        groups.setdefault(re.match("[A-Z]+", tag)[0], []).append(row)
    for group, rows in groups.items():
        done = sum(status(row) == "done" for row in rows)
        yield f"## {names.get(group, group)} {{ #{group.lower()} }}\n\n{done} of {len(rows)} done.\n"
        lines = "\n".join(map(ledger_line, rows))
        yield table(f"Rows {group}", "ID Statement Function Check Status".split(), lines)


def errata_line(slip):
    """One slip as a line of a table."""
    identifier = f"erratum-{slip['at']}"
    shown = identifier in places.anchors()
    proof = f'<autoref identifier="row:{identifier}">shown here</autoref>' if shown else "with its chapter, to come"
    says, right = html.escape(slip["says"]), html.escape(slip["right"])
    return f"<tr><td>{place(slip['at'])}</td><td>{says}</td><td>{right}</td><td>{proof}</td></tr>"


def errata_table():
    """All slips, each with the place of its proof."""
    lines = "\n".join(map(errata_line, ledger.parsed()["erratum"]))
    yield table("Errata", ["At", "What is said", "What is right", "Proof or measurement"], lines)


def code(text):
    """Text with `code` in it, as HTML."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text))


def claim_cells(claim):
    """What was expected and what was found."""
    expected, found = code(claim["expected"]), code(claim["found"])
    return f"<td>{expected}</td><td>{found if claim['kept'] else f'<b>{found}</b>'}</td>"


def reliability_table(name):
    """What one experiment found, or all of them, each with a link to its section."""
    if name:
        return one_experiment(json.loads((RECORDS / f"{name}.json").read_text("utf-8")), name)
    lines = "\n".join(map(summary_line, sections()))
    return table("What was measured", ["Attack", "The first of what is expected", "Found", "Kept"], lines)


def summary_line(name):
    """One experiment: its first expectation, and how many of all are kept."""
    kept = json.loads((RECORDS / f"{name}.json").read_text("utf-8"))
    head = f'<th scope="row"><a href="#{name}">{code(kept["title"])}</a></th>'
    count = f"{sum(claim['kept'] for claim in kept['claims'])} of {len(kept['claims'])}"
    return f"<tr>{head}{claim_cells(kept['claims'][0])}<td>{count}</td></tr>"


def sections():
    """The experiments in the order of their sections on the page."""
    page = (ledger.FILE.parent / "reliability.md").read_text("utf-8")
    return re.findall(r"^<!-- mx:reliability (\w+) -->$", page, re.M)


def one_experiment(kept, name):
    """A table, and how to have it again."""
    lines = "\n".join(f"<tr>{claim_cells(claim)}</tr>" for claim in kept["claims"])
    versions = ", ".join(f"{package} {version}" for package, version in kept["versions"].items())
    about = f"{kept['date']}, {kept['cores']} cores, {versions}, Python {kept['python']}, {duration(kept['seconds'])}"
    command = f"<code>python -m tests.reliability {name}</code>"
    how = f"<p>{code(kept['how'])}</p>"
    return f'{how}{table(kept["title"], ["Expected", "Found"], lines)}<p class="machine">{command}: {about}.</p>'


def duration(seconds):
    """How long a run took, in a few words."""
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def parts(kind, name):
    """What a directive stands for."""
    if kind == "reliability":
        return [reliability_table(name)]
    if kind in ("messages", "exceptions"):
        from docs._ext import messages_html

        return messages_html.listing() if kind == "messages" else messages_html.exceptions()
    return ledger_table() if kind == "ledger" else errata_table()


class _Tables(Preprocessor):
    """Replaces the directives by what they list."""

    def run(self, lines):
        return list(self.replaced(lines))

    def replaced(self, lines):
        for line in lines:
            match = DIRECTIVE.match(line.strip())
            if match is None:
                yield line
                continue
            for part in parts(*match.groups()):
                if part.startswith("#"):
                    yield from ["", *part.splitlines(), ""]
                else:
                    yield from ["", self.md.htmlStash.store(part), ""]


class TablesExtension(Extension):
    """Registers the step before fences are read."""

    def extendMarkdown(self, md):
        """Called by Python-Markdown."""
        md.preprocessors.register(_Tables(md), "mx-tables", 29)


def makeExtension(**options):
    """The entry point that Python-Markdown looks for."""
    return TablesExtension(**options)
