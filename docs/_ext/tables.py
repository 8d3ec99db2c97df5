"""Markdown extension: `<!-- mx:ledger -->` and `<!-- mx:errata -->` list every row and every slip, and their places."""

import html
import re

from markdown import Extension
from markdown.preprocessors import Preprocessor

from docs._ext import ledger, places
from docs._ext.equations import function_link, scrolling, worst_of_row

DIRECTIVE = re.compile(r"^<!-- mx:(ledger|errata) -->$")
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
            for part in ledger_table() if match[1] == "ledger" else errata_table():
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
