"""Every message of the package as a card: its text with placeholders, its class, who can bring it about.

One card for each place in the code that makes a message. `python -m docs._ext.messages` prints them as plain text, and
`messages_html.py` makes the page of them. Nothing is kept by hand: see `raises.py`.
"""

import re
from dataclasses import dataclass

from docs._ext import modules, raises, reached, sources
from docs._ext.templates import Choice, Hole, joined

MOST = 0.8  # of the functions that lead to a shared check are of one group: then its message is, too

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
    for pattern in (r"(?<=[.?])\s", r"\n(?=[A-Z])", r":(?= [a-z`])"):
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
    text = reached.closed(found[0].template) if found and len(messages) > 1 else first.template
    i = argument(text)
    return joined([*text[:i], Hole("argument"), *text[i + 1 :]]) if i else text


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


def spread(template):
    """The variants of a template whose argument has one of several names."""
    i = argument(template)
    options = template[i].options if i else ()
    return [joined([*template[:i], *option, *template[i + 1 :]]) for option in options] or [template]


def argument(template):
    """Where a template has the names of several arguments to choose from, or 0."""
    for i, piece in enumerate(template[1:], 1):
        if isinstance(piece, Choice) and str(template[i - 1])[-1:] == "`":
            if all(len(option) == 1 and isinstance(option[0], str) for option in piece.options):
                return i
    return 0


def card(group, place, entries, reasons):
    """The card of one place."""
    errors = tuple(dict.fromkeys(m.error.rpartition(".")[2] or KINDS[m.kind] for m, _ in entries))
    variants = {}
    for message, names in entries:
        for template in spread(message.template):
            variants.setdefault(template, {}).update(dict.fromkeys(names))
    text = general(list(dict.fromkeys(message for message, _ in entries)))
    wide = variants.get(text, {}).keys()  # who can make any of them needs no other line
    named = tuple((t, tuple(names)) for t, names in variants.items() if t == text or not names.keys() <= wide)
    text = text if len(named) > 1 else named[0][0]
    return Card(anchor(group, place, text), group, errors, text, named, reasons, why(place))


def lacks(template, why=""):
    """What a message owes its reader: a subject, and a remedy, if not in the text then in the comment beside it."""
    wrong, remedy = parts(template)
    if not re.search(r"[`⟨]|mlpjax|needs?\b", flat(wrong)) and not why:
        return "what it is about"
    return "" if remedy or why else "what to do"


if __name__ == "__main__":
    for one in cards():
        for template, names in one.variants:
            print(f"{one.group:<10} {'/'.join(one.errors)}: {flat(template)}\n{'':11}{', '.join(names)}")
