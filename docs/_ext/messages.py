"""`<!-- mx:messages -->` lists every message of the package, `<!-- mx:exceptions -->` the classes of its errors.

One card for each place in the code that makes a message: its text with placeholders, what kind it is, who can bring it
about. `python -m docs._ext.messages` prints them as plain text. Nothing is kept by hand: see `raises.py`.
"""

import ast
import html
import re
from dataclasses import dataclass

from docs._ext import modules, raises, reached, sources, thrown
from docs._ext.equations import function_link
from docs._ext.tables import code, table
from docs._ext.templates import Choice, Hole, joined

MOST = 0.8  # of the functions that lead to a shared check are of one group: then its message is, too
FEW = 7  # functions that are named at once

GROUPS = {
    "any": ("Any function", ()),
    "networks": ("Networks", ("mlp", "deep", "layers", "neuron", "activations", "initializers")),
    "data": ("Data", ("data",)),
    "losses": ("Losses and metrics", ("losses", "metrics")),
    "gradients": ("Gradients and penalties", ("backprop", "derivatives", "gradcheck", "gradflow", "regularizers")),
    "training": ("Training", ("training",)),
    "files": ("Checkpoints and exported files", ("training.checkpoint", "training._archive", "export", "_files")),
    "trees": ("Trees of parameters", ("trees",)),
    "theory": ("Theory", ("theory",)),
    "plots": ("Pictures", ("plots",)),
    "cli": ("The command line", ("cli",)),
}
"""What the page calls a part of the package, and its rooms; the longest name of a room that fits decides."""

KINDS = {"warn": "UserWarning", "note": "note", "print": "standard error"}


@dataclass(frozen=True)
class Card:
    """The messages that one place makes for one group: the general text, its variants with their functions, reasons."""

    anchor: str
    group: str
    errors: tuple
    general: tuple
    variants: tuple
    reasons: tuple
    why: str


def flat(template):
    """A template as plain text: placeholders in brackets, all options one after another."""
    one = lambda p: " / ".join(map(flat, p.options)) if isinstance(p, Choice) else f"⟨{p.label}⟩"
    return "".join(p if isinstance(p, str) else one(p) for p in template)


def parts(template):
    """What is wrong, and what to do: the text up to the end of its first sentence, and the rest."""
    for pattern in (r"(?<=[.?])\s", r":(?= [a-z`])"):
        for i, piece in enumerate(template):
            before = flat(template[:i])[-1:]
            if isinstance(piece, Choice) and before in {".", "?"}:
                return template[:i], template[i:]
            if isinstance(piece, str) and (found := re.search(pattern, piece)):
                return joined([*template[:i], piece[: found.end()]]), joined([piece[found.end() :], *template[i + 1 :]])
    return template, ()


def home(module):
    """The group that a module or a public name belongs to."""
    name = module.removeprefix("mlpjax").removeprefix(" ").removeprefix(".")
    fits = [(len(room), g) for g, (_, rooms) in GROUPS.items() for room in rooms if f"{name}.".startswith(f"{room}.")]
    return max(fits)[1] if fits else "any"


def group_of(message, names):
    """The group of a message: that of its module, or, of a shared check, that of all who use it."""
    if message.place.module.rpartition(".")[2] != "_check":
        return home(message.place.module)
    homes = [home(name) for name in names]
    group = max(homes, key=homes.count)
    return group if homes.count(group) >= MOST * len(homes) else "any"


def users(message, names):
    """Who can bring a message about: functions; commands only for messages of the command line itself."""
    functions = [name for name in names if not name.startswith("mlpjax ")]
    if home(message.place.module) == "cli":
        return tuple(dict.fromkeys(names))
    room = message.place.module.split("._")[0]
    return tuple(sorted(dict.fromkeys(functions), key=lambda name: not name.startswith(f"{room}.")))


def anchor(group, place, template):
    """A name for a card that changes with its room or its first words only."""
    fixed = "".join(p if isinstance(p, str) else " " for p in template)
    rooms = [part for part in place.module.split(".")[1:] if not part.startswith("_")] or [group]
    return "-".join([*rooms, *re.findall(r"[a-z0-9]+", fixed.lower().replace("'", ""))[:10]])


def general(messages):
    """The text that several variants of one place have in common: what the function says before anybody calls it."""
    first = messages[0]
    own = f"{first.place.module}.{first.place.function}"
    found = [m for m in raises.of(own) if m.place == first.place] if modules.definition(own) else []
    return reached.closed(found[0].template) if found and len(messages) > 1 else first.template


def why(place):
    """The comment `#: …` right above the statement that makes a message: what its words cannot say."""
    lines = sources.module(modules.files()[place.module])[0].splitlines()[: place.line - 1]
    found = []
    while lines and lines[-1].strip().startswith("#: "):
        found.insert(0, lines.pop().strip()[3:])
    return " ".join(found)


def cards():
    """All cards, in the order of groups, files and lines."""
    found, quoted, open_ = {}, {}, set()
    for message, names in reached.messages().items():
        if message.quoted is None:
            named = users(message, names)
            if named:
                found.setdefault((group_of(message, named), message.place), []).append((message, named))
                open_.add(message.place)
    for message in reached.messages():
        if message.quoted is not None and message.place not in open_:
            quoted.setdefault(message.quoted, {})[message.template] = None
    order = list(GROUPS)
    by_place = lambda key: (order.index(key[0]), key[1].module, key[1].line)
    for group, place in sorted(found, key=by_place):
        yield card(group, place, found[group, place], tuple(quoted.get(place, ())))


def card(group, place, entries, reasons):
    """The card of one place."""
    errors = tuple(dict.fromkeys(m.error.rpartition(".")[2] or KINDS[m.kind] for m, _ in entries))
    variants = {}
    for message, names in entries:
        variants.setdefault(message.template, {}).update(dict.fromkeys(names))
    text = general(list(dict.fromkeys(message for message, _ in entries)))
    wide = variants.get(text, {}).keys()  # who can make any of them needs no other line
    named = tuple((t, tuple(names)) for t, names in variants.items() if t == text or not names.keys() <= wide)
    text = text if len(named) > 1 else named[0][0]
    return Card(anchor(group, place, text), group, errors, text, named, reasons, why(place))


def lacks(template, why=""):
    """What a message owes its reader: a subject, and a remedy, if not in the text then in the comment beside it."""
    wrong, remedy = parts(template)
    if not re.search(r"[`⟨]|mlpjax|needs", flat(wrong)):
        return "what it is about"
    return "" if remedy or why else "what to do"


def shown(template):
    """A template as HTML: the words as they are, placeholders in italics, what may be missing in gray."""
    return "".join(piece_shown(piece) for piece in template)


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
    """A link to the reference; commands are described with `main`."""
    if name.startswith("mlpjax "):
        return f'<autoref optional identifier="mlpjax.cli.main"><code>{name}</code></autoref>'
    if name == "mlpjax":
        return f"<code>{name}</code>"
    return function_link(name).replace("<autoref data-mx ", "<autoref optional ")


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
            lines.append(f"<tr><td>{link(name)}</td><td>{bases}</td><td>{about}{carried}</td></tr>")
    yield table("Classes of errors", ["Class", "Is also", "Meaning, and what it carries"], "\n".join(lines))


def described(doc):
    """The first paragraph of a docstring, and its attributes, as HTML."""
    first, _, rest = doc.partition("\n\n")
    attributes = re.findall(r"^    (\w+): ((?:.|\n {8})*)", rest.partition("Attributes:\n")[2], re.M)
    carried = "".join(f"<li><code>{name}</code>: {code(' '.join(text.split()))}</li>" for name, text in attributes)
    return code(" ".join(first.split())), f"<ul>{carried}</ul>" if carried else ""


if __name__ == "__main__":
    for one in cards():
        for template, names in one.variants:
            print(f"{one.group:<10} {'/'.join(one.errors)}: {flat(template)}\n{'':11}{', '.join(names)}")
