"""Every error, warning and note that the use of a function can make, read from the code.

A walk over the syntax trees follows calls by name, through helpers that check or make an exception, and fills in what
the callers fix, so that `_check.count("steps", …)` becomes the message that a user meets. What a handler turns into
another message is kept as a reason of that one.
"""

import ast
import functools
from dataclasses import dataclass, replace

from docs._ext import modules
from docs._ext.templates import Scope, arguments, bound, evaluate, words
from docs._ext.thrown import MessageError, Place, ancestors, exceptions, mentions, named, place

SIGNALS = {"KeyboardInterrupt", "SystemExit"}  # carry no text of ours
AT_ONCE = ("__init__", "__post_init__", "__new__", "__call__")


@dataclass(frozen=True)
class Message:
    """A message: how it comes (`raise`, `warn`, `note`, `print`), its class, its text, where, and what quotes it."""

    kind: str
    error: str
    template: tuple
    place: Place
    quoted: Place | None = None


@dataclass(frozen=True)
class Guard:
    """A `try` around a statement, and where it stands."""

    handlers: tuple
    scope: Scope

    def passed(self, message):
        """What becomes of an exception that meets these handlers."""
        if message.kind != "raise" or message.quoted:
            return [message]
        for handler in self.handlers:
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            caught = {named(k, self.scope.module, self.scope.function) for k in kinds if k} or {"BaseException"}
            if caught & ancestors(message.error):
                return self.handled(message, handler)
        return [message]

    def handled(self, message, handler):
        """Raised on, given another class, quoted in another message, or dropped."""
        raised = [n for n in ast.walk(handler) if isinstance(n, ast.Raise)]
        if any(n.exc is None for n in raised):
            return [message]
        users = [n for n in raised if mentions(n, handler.name)]
        for node in users:
            error, template = exceptions(node.exc, self.scope)[0]
            if not words(template):
                return [replace(message, error=error)]
            return [replace(message, quoted=place(node, self.scope))]
        if raised or not any(mentions(n, handler.name) for n in handler.body):
            return []
        told = Walk(self.scope)
        for node in handler.body:
            told.visit(node)
        later = [n for n in modules.own(self.scope.function) if isinstance(n, ast.Raise)]
        homes = [m.place for m in told.found] or [place(n, self.scope) for n in later[-1:]]  # kept, and told at the end
        return [replace(message, quoted=homes[0])] if homes else [message]


class Walk:
    """The messages of one function."""

    def __init__(self, scope):
        self.scope, self.found = scope, []

    def emit(self, message, guards):
        """Send a message through the handlers around it, the innermost first."""
        messages = [message]
        for guard in reversed(guards):
            messages = [kept for one in messages for kept in guard.passed(one)]
        self.found += messages

    def visit(self, node, guards=()):
        """Everything that a statement or an expression can bring about."""
        match node:
            case ast.Try():
                for child in node.body:
                    self.visit(child, (*guards, Guard(tuple(node.handlers), self.scope)))
                for child in [*node.handlers, *node.orelse, *node.finalbody]:
                    self.visit(child, guards)
            case ast.With():
                inner = guards
                for item in node.items:
                    self.visit(item.context_expr, inner)
                    inner = (*inner, *self.manager(item.context_expr))
                for child in node.body:
                    self.visit(child, inner)
            case ast.Lambda() if self.scope.function is None:
                inner = Walk(Scope(self.scope.module, node))
                inner.visit(node)
                self.found += inner.found
            case ast.FunctionDef() | ast.Lambda():
                for child in node.body if isinstance(node.body, list) else [node.body]:
                    self.visit(child, guards)
            case ast.AnnAssign():
                self.visit(node.value, guards) if node.value else None
            case ast.Raise():
                self.raised(node, guards)
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
                self.reference(node, guards)
            case _:
                if isinstance(node, ast.Call) and self.scope.function is not None:  # else it ran on import
                    self.call(node, guards)
                for child in ast.iter_child_nodes(node):
                    if not (isinstance(node, ast.Call) and child is node.func and self.target(child)):
                        self.visit(child, guards)

    def target(self, node):
        """The function or class of the package that an expression names."""
        name = modules.resolve(node, self.scope.module, self.scope.function)
        if name is None and isinstance(node, ast.Attribute):
            return modules.methods().get(node.attr)
        return name if name and name not in modules.files() else None

    def manager(self, node):
        """The handlers that a context manager of the package puts around a block."""
        name = self.target(node.func) if isinstance(node, ast.Call) else None
        function = modules.definition(name) if name else None
        for one in ast.walk(function) if isinstance(function, ast.FunctionDef) else ():
            if isinstance(one, ast.Try) and any(isinstance(n, ast.Yield) for s in one.body for n in ast.walk(s)):
                yield Guard(tuple(one.handlers), Scope(name.rpartition(".")[0], function))

    def raised(self, node, guards):
        """A `raise`; what a handler only gives another class is no message of its own."""
        for child in ast.iter_child_nodes(node.exc) if node.exc else ():
            if not (isinstance(node.exc, ast.Call) and child is node.exc.func):
                self.visit(child, guards)
        for error, template in exceptions(node.exc, self.scope) if node.exc else ():
            if words(template):
                self.emit(Message("raise", error, template, place(node, self.scope)), guards)
            elif error not in SIGNALS and not self.relays(node):
                raise MessageError(
                    f"{place(node, self.scope)}: the text of this {error} cannot be read from the code. Write it "
                    f"there, or in a name, a constant or a function of the package that the call uses."
                )

    def relays(self, node):
        """Whether a `raise` passes on the text of the exception that its handler caught."""
        around = [n for n in ast.walk(self.scope.function) if isinstance(n, ast.ExceptHandler)]
        return any(node in ast.walk(h) and mentions(node.exc, h.name) for h in around)

    def call(self, node, guards):
        """A warning, a note, a line on standard error; or a call of a function of the package."""
        written = ast.unparse(node.func)
        stderr = any(k.arg == "file" and ast.unparse(k.value) == "sys.stderr" for k in node.keywords)
        kinds = {"warnings.warn": "warn", "print": "print" if stderr else None}
        kind = "note" if written.endswith(".add_note") else kinds.get(written)
        if kind:
            template = evaluate(node.args[0], self.scope)
            if kind != "print" or str(template[:1]).startswith("('mlpjax: "):
                self.emit(Message(kind, "", template, place(node, self.scope)), guards)
        elif name := self.target(node.func):
            self.follow(name, node, guards)

    def reference(self, node, guards):
        """A function that is named and not called here: somebody will."""
        if name := self.target(node):
            self.follow(name, None, guards)
        elif isinstance(node, ast.Attribute):
            self.visit(node.value, guards)

    def follow(self, name, call, guards):
        """The messages of a function that is called, with what the call fixes."""
        function = modules.definition(name)
        values = arguments(call, function, self.scope) if call and isinstance(function, ast.FunctionDef) else {}
        for message in of(name):
            self.emit(replace(message, template=bound(message.template, values)), guards)


_running = []


@functools.cache
def of(name):
    """The messages that the use of a canonical name can bring about."""
    node = modules.definition(name)
    if node is None or name in _running:
        return ()
    _running.append(name)
    try:
        return tuple(dict.fromkeys(_of(name, node)))
    finally:
        _running.pop()


def _of(name, node):
    module = next(m for m in _outward(name) if m in modules.files())
    if isinstance(node, ast.ClassDef):
        shown = name in modules.public().values()
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and (method.name in AT_ONCE or not shown):
                yield from of(f"{name}.{method.name}")
        return
    function = node if isinstance(node, ast.FunctionDef) else None
    walk = Walk(Scope(module, function))
    if function is not None or getattr(node, "value", None) is not None:
        walk.visit(function or node.value)
    yield from walk.found


def _outward(name):
    while name:
        name = name.rpartition(".")[0]
        yield name
