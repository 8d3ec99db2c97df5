"""`<!-- mx:messages -->` lists every message of the package, `<!-- mx:exceptions -->` the classes of its errors."""

import ast
import html
import re

from docs._ext import modules, thrown
from docs._ext.equations import function_link
from docs._ext.messages import GROUPS, cards, flat, parts
from docs._ext.tables import code
from docs._ext.templates import Choice, Hole

FEW = 7  # functions that are named at once


def shown(template):
    """A template as HTML: the words as they are, placeholders in italics, what may be missing in gray."""
    found = []
    for before, piece in zip((None, *template), template, strict=False):
        listed = isinstance(before, Choice) and len(before.options) > 2 and str(piece)[:1] == "."
        found.append(piece_shown(piece[1:].lstrip() if listed else piece))  # a list needs no full stop behind it
    return "".join(found)


def piece_shown(piece):
    """One piece of it."""
    if isinstance(piece, str):
        return html.escape(piece, quote=False).replace("\n", "<br>")
    if isinstance(piece, Hole):
        return f"<i>{html.escape(piece.label, quote=False)}</i>"
    options = [shown(option) for option in piece.options if option]
    if len(options) == 1:
        return f'<span class="mx-may">{options[0]}</span>'
    many = " mx-either--many" if len(options) > 2 else ""
    rest = "".join(f'<span class="mx-or"> or </span><span>{option}</span>' for option in options[1:])
    return f'<span class="mx-either{many}"><span>{options[0]}</span>{rest}</span>'


def link(name):
    """A link to the reference; commands have no entry there."""
    public = name.startswith("mlpjax.")
    return function_link(name).replace("<autoref data-mx ", "<autoref ") if public else f"<code>{name}</code>"


def functions(names):
    """Who can bring it about; of many, the first, and the rest unfolded."""
    if len(names) <= FEW:
        return ", ".join(map(link, names))
    first, rest = names[: FEW - 2], names[FEW - 2 :]
    more = f"<details><summary>and {len(rest)} more</summary>{', '.join(map(link, rest))}</details>"
    return f"{', '.join(map(link, first))}, {more}"


def text_shown(template):
    """The whole message: what is wrong, and what to do."""
    wrong, remedy = parts(template)
    space = "" if flat(wrong)[-1:].isspace() else " " if remedy and not flat(remedy)[:1].isspace() else ""
    return f"{shown(wrong)}{space}" + (f'<span class="mx-do">{shown(remedy)}</span>' if remedy else "")


def card_shown(one):
    """A card as HTML."""
    link_ = f'<a class="headerlink" href="#{one.anchor}" title="Link to this message">&para;</a>'
    labels = " ".join(f'<span class="mx-kind">{error}</span>' for error in one.errors)
    lines = [f'<h4 id="{one.anchor}">{text_shown(one.general)}{link_}</h4>']
    if one.why:
        lines.append(f"<p>{code(one.why)}</p>")
    if one.reasons:
        reasons = "".join(f"<li>{shown(reason)}</li>" for reason in one.reasons)
        lines.append(f'<p>What it quotes may be:</p><ul class="mx-reasons">{reasons}</ul>')
    if len(one.variants) == 1:
        lines.append(f'<div class="mx-from">{labels} {functions(one.variants[0][1])}</div>')
    else:
        rows = "".join(f"<dt>{text_shown(t)}</dt><dd>{functions(names)}</dd>" for t, names in one.variants)
        lines.append(f'<div class="mx-from">{labels}</div><dl>{rows}</dl>')
    return f'<div class="mx-message">{"".join(lines)}</div>'


def listing():
    """All messages, by group: headings, and what stands below each."""
    found = list(cards())
    for group, (title, _) in GROUPS.items():
        mine = [card_shown(one) for one in found if one.group == group]
        if mine:
            yield f"### {title} {{ #messages-{group} }}"
            yield "\n".join(mine)


def exceptions():
    """The classes of errors of the package, as their docstrings describe them."""
    lines = []
    for name, home_ in modules.public().items():
        node = modules.definition(home_)
        if isinstance(node, ast.ClassDef) and "BaseException" in thrown.ancestors(home_):
            bases = ", ".join(f"<code>{ast.unparse(base)}</code>" for base in node.bases)
            about, carried = described(ast.get_docstring(node))
            lines.append(f"<dt>{link(name)} <span class='mx-why'>also {bases}</span></dt><dd>{about}{carried}</dd>")
    yield f'<dl class="mx-classes">{"".join(lines)}</dl>'


def described(doc):
    """The first paragraph of a docstring, and its attributes, as HTML."""
    first, _, rest = doc.partition("\n\n")
    attributes = re.findall(r"^    (\w+): ((?:.|\n {8})*)", rest.partition("Attributes:\n")[2], re.M)
    carried = "".join(f"<li><code>{name}</code>: {code(' '.join(text.split()))}</li>" for name, text in attributes)
    return code(" ".join(first.split())), f"<ul>{carried}</ul>" if carried else ""
