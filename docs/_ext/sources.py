"""Where a name of the package or a test is defined, found by reading the code, so that no line number can go stale."""

import ast
import functools
import hashlib
import pathlib
import textwrap
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).parents[2]
FACTS = {"Activation", "Loss"}  # values that carry facts beside what computes …
SHOWN = {"fn", "prime", "value", "delta", "output"}  # … of which these keywords are shown


def pages():
    """The sources of the site's pages; the tables in docs/figures are parts of pages."""
    docs = ROOT / "docs"
    inside = lambda file: file.relative_to(docs).parts[0]
    return sorted(file for file in docs.rglob("*.md") if inside(file) != "figures" and inside(file)[0] != "_")


class SourceError(LookupError):
    """A name that is not defined where it should be."""


@dataclass(frozen=True)
class Source:
    """One definition: the file it stands in, its text, and the text a reader is shown."""

    file: str
    text: str
    shown: str

    @property
    def sha256(self):
        """Changes with every character of the definition."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@functools.cache
def module(file):
    """The text and the syntax tree of one file."""
    text = file.read_text("utf-8")
    return text, ast.parse(text)


def module_file(dotted):
    """The file of a dotted module name, or `None`."""
    path = ROOT.joinpath(*dotted.split("."))
    return next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.is_file()), None)


def names(node):
    """What a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {t.id for t in node.targets if isinstance(t, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    return set()


def definition(body, name):
    """The statement in `body` that defines `name`, or `None`."""
    return next((node for node in body if name in names(node)), None)


def imported_from(body, name):
    """The dotted name that `name` is a re-export of, or `None`."""
    for node in body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else []:
            if (alias.asname or alias.name) == name:
                return f"{node.module}.{alias.name}"
    return None


def locate(name):
    """`(file, node)` of a public name such as `mlpjax.activations.relu`, through its re-exports."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        file = module_file(".".join(parts[:cut]))
        if file is None:
            continue
        body = module(file)[1].body
        if origin := imported_from(body, parts[cut]):
            return locate(".".join([origin, *parts[cut + 1 :]]))
        node = definition(body, parts[cut])
        for part in parts[cut + 1 :]:
            node = definition(getattr(node, "body", []), part)
        if node is not None:
            return file, node
    raise SourceError(f"there is no {name} in the package")


def segment(file, node):
    """The text of a statement, decorators included."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return textwrap.dedent("\n".join(module(file)[0].splitlines()[first - 1 : node.end_lineno]))


def signature(node):
    """`def f(x, *, y=0):` without its annotations: they stand in the reference, the equation needs none."""
    plain = ast.parse(ast.unparse(ast.FunctionDef(node.name, node.args, [ast.Pass()], [], None, None, lineno=0))).body[
        0
    ]
    for arg in ast.walk(plain.args):
        if isinstance(arg, ast.arg):
            arg.annotation = None
    return ast.unparse(plain).splitlines()[0].replace("'", '"')


def body_lines(file, node):
    """The lines of a function below its signature and docstring, comments kept."""
    lines = module(file)[0].splitlines()
    hints = [a.annotation for a in ast.walk(node.args) if isinstance(a, ast.arg) and a.annotation]
    above = [node.lineno, *(n.end_lineno for n in [*hints, node.returns, *node.args.defaults] if n)]
    start = next(n for n in range(max(above), node.end_lineno) if lines[n - 1].rstrip().endswith(":"))
    if ast.get_docstring(node) is not None:
        start = node.body[0].end_lineno
    return lines[start : node.end_lineno]


def bare(file, node):
    """The text of a statement without docstring, annotations and, in a long call, without what computes nothing."""
    if isinstance(node, ast.FunctionDef):
        indent = " " * node.col_offset
        return textwrap.dedent("\n".join([indent + signature(node), *body_lines(file, node)]))
    if isinstance(node, ast.ClassDef) and ast.get_docstring(node) is not None:
        start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        head, doc = segment(file, node).splitlines(), node.body[0]
        return "\n".join(head[: doc.lineno - start] + head[doc.end_lineno - start + 1 :])
    call = getattr(node, "value", None)
    if isinstance(call, ast.Call) and ast.unparse(call.func) in FACTS and call.keywords:
        kept = [f"{k.arg}={ast.unparse(k.value)}" for k in call.keywords if k.arg in SHOWN]
        kept = ", ".join([*map(ast.unparse, call.args), *kept, "…"])
        return f"{', '.join(names(node))} = {ast.unparse(call.func)}({kept})".replace("'", '"')
    return segment(file, node)


def helpers(file, node):
    """The functions of the same module that a definition is made of: private ones, and those whose call defines it."""
    body, found, new = module(file)[1].body, [], [node]
    while new:
        one = new.pop()
        used = {n.id for n in ast.walk(one) if isinstance(n, ast.Name)}
        for other in body:
            mine = any(n.startswith("_") for n in names(other)) or isinstance(one, ast.Assign)
            if mine and names(other) & used and other not in [*found, node] and isinstance(other, ast.FunctionDef):
                found.append(other)
                new.append(other)
    return sorted(found, key=lambda n: n.lineno)


@functools.cache
def of(name):
    """The source of a public name, the private functions that it is made of included."""
    file, node = locate(name)
    parts = [*helpers(file, node), node]
    text, shown = ("\n\n\n".join(f(file, n) for n in parts) for f in (segment, bare))
    return Source(str(file.relative_to(ROOT)), text, shown.replace("\n\n\n", "\n\n"))


@functools.cache
def of_test(node_id):
    """The source of a test, from an id such as `tests/test_mlp.py::test_apply[relu]`."""
    path, *names_ = node_id.partition("[")[0].split("::")
    file = ROOT / path
    node = module(file)[1] if file.is_file() else None
    for name in names_:
        node = definition(getattr(node, "body", []), name)
    if not isinstance(node, ast.FunctionDef):
        raise SourceError(f"there is no test {node_id}")
    return Source(path, segment(file, node), segment(file, node))


def oracles(node_id):
    """What a test measures against: the literal `oracle=` of its calls of `measured`, those of its helpers included."""
    body = module(ROOT / node_id.partition("::")[0])[1].body
    test = ast.parse(of_test(node_id).text)
    called = {n.func.id for n in ast.walk(test) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    calls = (n for tree in [test, *(b for b in body if names(b) & called)] for n in ast.walk(tree))
    keywords = (k for call in calls if isinstance(call, ast.Call) for k in call.keywords if k.arg == "oracle")
    return sorted({k.value.value for k in keywords if isinstance(k.value, ast.Constant)})
