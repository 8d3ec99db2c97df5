"""What a text in the code says before its values are known: fixed words, placeholders, and parts that may be left out.

A template is a tuple of pieces: `str`, `Hole`, `Param` (a parameter, which a caller may fix) and `Choice`.
"""

import ast
import re
from dataclasses import dataclass, replace

from docs._ext import modules

DEEPEST = 6  # functions within functions that make a text
AS_IT_IS = {f"{modules.PACKAGE}._text.{name}" for name in ("brief", "printable")}  # give back the words they are given


@dataclass(frozen=True)
class Hole:
    """A value that only the moment knows."""

    label: str


@dataclass(frozen=True)
class Param(Hole):
    """A placeholder whose text the callers may give, by this parameter."""

    name: str


@dataclass(frozen=True)
class Choice:
    """One of several templates; an empty one means that the words may be missing."""

    options: tuple


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: its module, the function around it, and what that one's names are."""

    module: str
    function: ast.AST | None = None
    depth: int = 0
    busy: frozenset = frozenset()

    def local(self, name):
        """Whether a name belongs to the function and not to its module."""
        return self.function is not None and name in modules.local_names(self.function)


def words(template):
    """Whether any fixed word is in a template."""
    flat = (p for p in template if not isinstance(p, Hole))
    return any(re.search(r"\w", p) if isinstance(p, str) else any(map(words, p.options)) for p in flat)


def joined(pieces):
    """Pieces as a template, neighboring texts made one."""
    found = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        elif piece != "":
            found.append(piece)
    return tuple(found)


def choice(options):
    """One of several templates, or the only one there is."""
    nested = (o[0].options if len(o) == 1 and isinstance(o[0], Choice) else (o,) for o in options)
    options = tuple(dict.fromkeys(option for inner in nested for option in inner))
    plain = all(len(option) == 1 and isinstance(option[0], Hole) for option in options)
    return options[0] if len(options) == 1 or plain else (Choice(options),)


def bound(template, values):
    """A template in which a call has fixed the parameters whose values have words."""
    found = []
    for piece in template:
        if isinstance(piece, Choice):
            found += choice(bound(option, values) for option in piece.options)
        elif isinstance(piece, Param):
            value = values.get(piece.name, ())
            passed = len(value) == 1 and isinstance(value[0], Param)
            given = replace(piece, name=value[0].name) if passed else Hole(piece.label)
            is_value = bool(found) and str(found[-1]).endswith("got ")
            found += value if words(value) and not is_value else (given,)
        else:
            found.append(piece)
    return joined(found)


def label(node):
    """A few letters that say what a placeholder stands for."""
    match node:
        case ast.Name(name):
            return name.strip("_")
        case ast.Attribute(ast.Call(ast.Name("type")), "__name__"):
            return "type"
        case ast.Attribute(value, "__name__"):
            return label(value)
        case ast.Attribute(value, name):
            return f"{label(value)}.{name}" if isinstance(value, ast.Name | ast.Attribute) else label(value)
        case ast.Call(ast.Name("len"), [argument]):
            return f"len({label(argument)})"
        case ast.Call(ast.Name("getattr")):
            return "value"
        case ast.Call(ast.Name("map"), [_, argument]) | ast.Call(_, [argument, *_]):
            return label(argument)
        case ast.Call(ast.Attribute(value), []) | ast.Subscript(value) | ast.Starred(value):
            return label(value)
        case ast.BinOp() | ast.Compare() if len(ast.unparse(node)) < 16:
            return ast.unparse(node)
        case ast.BoolOp(_, [value, *_]) | ast.BinOp(value) | ast.IfExp(_, value) | ast.UnaryOp(_, value):
            return label(value)
        case ast.GeneratorExp(_, [comprehension, *_]) | ast.ListComp(_, [comprehension, *_]):
            return label(comprehension.iter)
        case ast.SetComp(_, [comprehension, *_]):
            return label(comprehension.iter)
    return "…"


def evaluate(node, scope):
    """The template of an expression."""
    match node:
        case ast.Constant(str() | int() | float() as value) if len(str(value)) < 64 or " " in value:
            return (str(value),) if value != "" else ()
        case ast.JoinedStr(values):
            return joined(piece for value in values for piece in evaluate(value, scope))
        case ast.FormattedValue(value, conversion):
            return (Hole(label(value)),) if conversion == ord("r") else evaluate(value, scope)
        case ast.BinOp(left, ast.Add(), right) if any(isinstance(getattr(n, "value", 0), str) for n in ast.walk(node)):
            return joined([*evaluate(left, scope), *evaluate(right, scope)])
        case ast.BinOp(left, ast.Div(), right) if words(name := evaluate(right, scope)):  # a file in a directory
            return joined([*evaluate(left, scope), "/", *name])
        case ast.BinOp(ast.Constant(str()) as text, ast.Mult(), _) | ast.BinOp(ast.JoinedStr() as text, ast.Mult(), _):
            return choice([evaluate(text, scope), ()])
        case ast.IfExp(_, yes, no):
            return choice([evaluate(yes, scope), evaluate(no, scope)])
        case ast.BoolOp(ast.Or(), options) if isinstance(options[-1], ast.Constant):
            return choice(evaluate(option, scope) for option in options)
        case ast.NamedExpr(_, value):
            return evaluate(value, scope)
        case ast.Name(name) if scope.local(name):
            return local(node, scope)
        case ast.Name() | ast.Attribute():
            return constant(node, scope)
        case ast.Call():
            return called(node, scope)
    return (Hole(label(node)),)


def local(node, scope):
    """A parameter, or what a name was given, where that has words."""
    name, line = node.id, node.lineno
    known = name in scope.busy or scope.depth >= DEEPEST
    inner = replace(scope, depth=scope.depth + 1, busy=scope.busy | {name})
    values = [v for v, a, z in modules.assigned(scope.function).get(name, ()) if a <= line <= z]
    found = [] if known else [evaluate(value, inner) for value in values]
    if found and words(choice(found)):
        return choice(found)
    given = name in modules.parameters(scope.function) and not found
    return (Param(name.strip("_"), name) if given else Hole(name.strip("_")),)


def constant(node, scope):
    """A text or number that a module of the package defines."""
    found = modules.resolve(node, scope.module, scope.function)
    defined = modules.definition(found) if found else None
    if isinstance(defined, ast.Assign | ast.AnnAssign) and scope.depth < DEEPEST:
        inner = Scope(found.rpartition(".")[0], None, scope.depth + 1)
        value = evaluate(defined.value, inner)
        if all(isinstance(p, str) for p in value) or words(value):
            return value
    return (Hole(label(node)),)


def arguments(call, function, scope, skip=0):
    """`{parameter: template}` of a call of a function of the package."""
    given = [*function.args.posonlyargs, *function.args.args][skip:]
    found = {
        p.arg: evaluate(a, scope) for p, a in zip(given, call.args, strict=False) if not isinstance(a, ast.Starred)
    }
    return found | {k.arg: evaluate(k.value, scope) for k in call.keywords if k.arg}


def called(node, scope):
    """What a call returns: of a function of the package what its returns say; a few methods of texts and dicts."""
    match node:
        case ast.Call(ast.Attribute(value, "format"), _, keywords) if words(text := evaluate(value, scope)):
            return formatted(text, {k.arg: evaluate(k.value, scope) for k in keywords})
        case ast.Call(ast.Attribute(value, "get"), [_, default]):
            table = modules.definition(modules.resolve(value, scope.module, scope.function) or "")
            if isinstance(getattr(table, "value", None), ast.Dict):
                return choice(evaluate(v, scope) for v in [*table.value.values, default])
        case ast.Call(ast.Name("str" | "repr" | "Path"), [value]):
            return evaluate(value, scope)
        case ast.Call(ast.Attribute(ast.Constant(str() as between), "join"), [values]) if texts := listed(
            values, scope
        ):
            return (between.join(texts),)
    name = modules.resolve(node.func, scope.module, scope.function)
    if name in AS_IT_IS:
        return evaluate(node.args[0], scope)
    function = modules.definition(name) if name else None
    if isinstance(function, ast.FunctionDef) and scope.depth < DEEPEST:
        inner = Scope(name.rpartition(".")[0], function, scope.depth + 1)
        returned = [n.value for n in modules.own(function) if isinstance(n, ast.Return) and n.value]
        found = choice(evaluate(value, inner) for value in returned) if returned else ()
        if words(found):
            return bound(found, arguments(node, function, scope))
    return (Hole(label(node)),)


def listed(node, scope):
    """The texts of a constant that lists some, as they are or each as `repr` shows it."""
    match node:
        case ast.Call(ast.Name("map"), [ast.Name("repr"), values]):
            return [repr(text) for text in listed(values, scope)]
        case ast.Name() | ast.Attribute():
            value = getattr(
                modules.definition(modules.resolve(node, scope.module, scope.function) or ""), "value", None
            )
            found = value.keys if isinstance(value, ast.Dict) else getattr(value, "elts", [])
            return [n.value for n in found if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return []


def formatted(text, values):
    """`"… {name} …".format(name=…)`."""
    pieces = re.split(r"\{(\w+)\}", "".join(p for p in text if isinstance(p, str)))
    filled = [p for i, piece in enumerate(pieces) for p in (values.get(piece, (Hole(piece),)) if i % 2 else (piece,))]
    return joined(filled)
