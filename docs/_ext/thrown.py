"""What a `raise` gives: which class of exception, and which text."""

import ast
import builtins
import functools
from dataclasses import dataclass

from docs._ext import modules, sources
from docs._ext.templates import Scope, arguments, bound, evaluate


class MessageError(ValueError):
    """A message that cannot be read from the code."""


@dataclass(frozen=True)
class Place:
    """Where a message is made."""

    module: str
    function: str
    line: int

    def __str__(self):
        return f"{modules.files()[self.module].relative_to(sources.ROOT)}:{self.line}"


@functools.cache
def ancestors(error):
    """The names of an exception class and of those it derives from."""
    known = getattr(builtins, error.rpartition(".")[2], None)
    if isinstance(known, type) and "." not in error:
        return {c.__name__ for c in known.__mro__}
    bases = [named(base, error.rpartition(".")[0]) for base in getattr(modules.definition(error), "bases", ())]
    return {error}.union(*(ancestors(base) for base in bases))


def named(node, module, function=None):
    """The canonical name of a class of exceptions: one of the package, or Python's own."""
    return modules.resolve(node, module, function) or ast.unparse(node)


def place(node, scope):
    """Where a statement stands."""
    return Place(scope.module, getattr(scope.function, "name", ""), node.lineno)


def exceptions(node, scope):
    """`[(class, template)]` of what a `raise` gives: a class, a call of one, or of a function that returns one.

    Such a call may have been given a name first.
    """
    if isinstance(node, ast.Name) and scope.function is not None:
        given = [value for value, *_ in modules.assigned(scope.function).get(node.id, ())]
        node = given[0] if len(given) == 1 else node
    if isinstance(node, ast.Name | ast.Attribute) and not (isinstance(node, ast.Name) and scope.local(node.id)):
        return [(named(node, scope.module, scope.function), ())]
    if not isinstance(node, ast.Call):
        raise MessageError(f"{place(node, scope)}: raise a call of an exception class, not `{ast.unparse(node)}`")
    name = named(node.func, scope.module, scope.function)
    defined = modules.definition(name)
    if isinstance(defined, ast.FunctionDef):
        inner, values = Scope(name.rpartition(".")[0], defined), arguments(node, defined, scope)
        returned = [n.value for n in modules.own(defined) if isinstance(n, ast.Return)]
        return [(c, bound(t, values)) for value in returned for c, t in exceptions(value, inner)]
    if isinstance(defined, ast.ClassDef) and (start := sources.definition(defined.body, "__init__")):
        given = [n for n in ast.walk(start) if isinstance(n, ast.Call) and ast.unparse(n.func) == "super().__init__"]
        inner = Scope(name.rpartition(".")[0], start)
        return [(name, bound(evaluate(given[0].args[0], inner), arguments(node, start, scope, skip=1)))]
    texts = node.args[1:2] if len(node.args) > 1 else node.args
    return [(name, evaluate(texts[0], scope) if texts else ())]


def mentions(node, name):
    """Whether a name is used in a statement."""
    return name is not None and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))
