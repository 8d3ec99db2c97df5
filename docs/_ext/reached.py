"""Which public names of the package can bring which message about."""

import ast
import functools
from dataclasses import replace

from docs._ext import modules, raises, thrown
from docs._ext.templates import Scope, bound, words


def closed(template):
    """A template for readers: parameters that nothing has fixed are placeholders."""
    return bound(template, {})


def _said(kind, template):
    """A template without the name of the program in front."""
    return (template[0].rpartition(": ")[2], *template[1:]) if kind == "print" else template


@functools.cache
def messages():
    """`{message: public names}` of all that can be met."""
    found = {}
    for name, home in modules.public().items():
        for message in raises.of(home):
            template = closed(message.template)
            if words(_said(message.kind, template)):
                found.setdefault(replace(message, template=template), []).append(name)
    return found


def unreached():
    """The places of messages in the package that no public name was seen to reach."""
    seen = {(message.place.module, message.place.line) for message in messages()}
    for module in modules.files():
        for function in (n for n in ast.walk(modules.tree(module)) if isinstance(n, ast.FunctionDef)):
            scope = Scope(module, function)
            for node in modules.own(function):
                ours = isinstance(node, ast.Raise) and node.exc and (module, node.lineno) not in seen
                if ours and any(words(text) for _, text in thrown.exceptions(node.exc, scope)):
                    yield thrown.place(node, scope)
