"""The package as its code says it: modules, definitions, imports, and what a name in a function means."""

import ast
import functools
import io
import pathlib
import types

from docs._ext import sources

PACKAGE = "mlpjax"
COMMANDS = "mlpjax.cli._{}.run"
COMMON = (str, bytes, dict, list, set, tuple, int, io.BytesIO, pathlib.Path, types.SimpleNamespace)


@functools.cache
def files():
    """`{dotted name: file}` of every module of the package."""
    root = sources.ROOT
    found = {".".join(f.relative_to(root).with_suffix("").parts): f for f in sorted((root / PACKAGE).rglob("*.py"))}
    return {name.removesuffix(".__init__"): file for name, file in found.items()}


def tree(module):
    """The syntax tree of a module."""
    return sources.module(files()[module])[1]


@functools.cache
def own(function):
    """The nodes of a function, without those of classes and functions inside it that return for themselves."""
    found, new = [], list(ast.iter_child_nodes(function))
    while new:
        node = new.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            new += ast.iter_child_nodes(node)
    return sorted((n for n in found if hasattr(n, "lineno")), key=lambda n: (n.lineno, n.col_offset))


@functools.cache
def parameters(function):
    """The names of a function's parameters."""
    given = function.args
    return {a.arg for a in [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg] if a}


@functools.cache
def local_names(function):
    """What a function and those inside it bind: parameters and assigned names."""
    inside = nodes(function)
    bound = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    caught = {n.name for n in inside if isinstance(n, ast.ExceptHandler) and n.name}
    inner = {n.name for n in inside if isinstance(n, ast.FunctionDef)} - {getattr(function, "name", None)}
    return bound | caught | inner | {n.arg for n in inside if isinstance(n, ast.arg)}


@functools.cache
def nodes(function):
    """All nodes of a function, those of functions inside it included."""
    return list(ast.walk(function))


@functools.cache
def assigned(function):
    """`{name: [(expression, first line, last line)]}` of what a function gives its names, and where that holds."""
    found = {}
    for node in nodes(function):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            pairs, span = [(target, node.value) for target in targets], (0, function.end_lineno)
        elif isinstance(node, ast.For):
            pairs, span = list(looped(node)), (node.lineno, node.end_lineno)
        else:
            continue
        for target, value in pairs:
            both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            for one, given in zip(target.elts, value.elts, strict=False) if both else [(target, value)]:
                if isinstance(one, ast.Name):
                    found.setdefault(one.id, []).append((given, *span))
    return found


def looped(node):
    """What a loop over a literal gives its target; of the items of a dict, the keys."""
    match node:
        case ast.For(ast.Tuple([target, *_]), ast.Call(ast.Attribute(ast.Dict(keys), "items"))):
            yield from ((target, key) for key in keys)
        case ast.For(target, ast.Tuple(values) | ast.List(values)):
            yield from ((target, value) for value in values)


@functools.cache
def imports(node):
    """`{name: dotted}` of the imports that stand in a module, or in a function."""
    inside = nodes(node) if isinstance(node, ast.FunctionDef) else node.body
    found = {}
    for one in inside:
        if isinstance(one, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{one.module}.{alias.name}" for alias in one.names}
        elif isinstance(one, ast.Import):
            found |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in one.names if alias.asname}
    return found


@functools.cache
def names(module):
    """`{name: statement}` of what a module defines at its top."""
    found = {name: node for node in tree(module).body for name in sources.names(node)}
    pairs = [n for n in tree(module).body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Tuple)]
    for node in pairs:
        if isinstance(node.targets[0], ast.Tuple):  # `A, B = 1, 2`
            for target, value in zip(node.targets[0].elts, node.value.elts, strict=True):
                found[target.id] = ast.copy_location(ast.Assign([target], value), node)
    return found


@functools.cache
def canonical(dotted):
    """The dotted name of a definition, behind all re-exports; `None` if the package has none."""
    if dotted in files():
        return dotted
    module, _, name = dotted.rpartition(".")
    if not module:
        return None
    home = canonical(module)
    if home is None:
        return None
    if home in files():
        if name in names(home):
            return f"{home}.{name}"
        origin = imports(tree(home)).get(name)
        return canonical(origin) if origin and origin != dotted else None
    return f"{home}.{name}" if definition(f"{home}.{name}") is not None else None


def definition(dotted):
    """The statement that defines a canonical name: of a module, or of a class in it."""
    module, _, name = dotted.rpartition(".")
    if module in files():
        return names(module).get(name)
    outer = definition(module) if module else None
    return sources.definition(outer.body, name) if isinstance(outer, ast.ClassDef) else None


def resolve(node, module, function=None):
    """The canonical name that an expression such as `_check.count` means, or `None`."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    inside = imports(function) if isinstance(function, ast.FunctionDef) else {}
    if node.id not in inside and function is not None and node.id in local_names(function):
        return None
    root = inside.get(node.id) or imports(tree(module)).get(node.id) or f"{module}.{node.id}"
    return canonical(".".join([root, *parts]))


@functools.cache
def methods():
    """`{name: canonical name}` of the methods that one class of the package alone has, and no common type."""
    found = {}
    for module in files():
        for outer in (n for n in tree(module).body if isinstance(n, ast.ClassDef)):
            for node in outer.body:
                if isinstance(node, ast.FunctionDef) and not any(hasattr(t, node.name) for t in COMMON):
                    found.setdefault(node.name, []).append(f"{module}.{outer.name}.{node.name}")
    return {name: homes[0] for name, homes in found.items() if len(homes) == 1}


@functools.cache
def public():
    """`{public name: canonical name}`: what the reference lists, methods of public classes, and the commands."""
    listed = (sources.ROOT / "tests" / "public_api.txt").read_text("utf-8").split()
    found = {name: canonical(name) for name in listed}
    found = {name: home for name, home in found.items() if home and home not in files()}
    for name, home in list(found.items()):
        node = definition(home)
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                found[f"{name}.{method.name}"] = f"{home}.{method.name}"
    table = definition("mlpjax.cli._main.COMMANDS").value
    commands = [key.value for key in table.keys]
    found |= {f"mlpjax {command}": COMMANDS.format(command) for command in commands}
    return found | {"mlpjax": "mlpjax.__getattr__"}
