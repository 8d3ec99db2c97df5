"""The public names: a snapshot, a docstring for each, and one place for each in the API reference.

After a change that is meant: `python -m tests.test_public_api` writes tests/public_api.txt anew. Removing or renaming
something follows the deprecation policy in CONTRIBUTING.md; everything else gets a line in CHANGELOG.md.
"""

import ast
import importlib
import inspect
import itertools
import pathlib
import pkgutil
import re
import types
from collections import Counter

import pytest

import mlpjax

ROOT = pathlib.Path(__file__).parents[1]
SNAPSHOT = ROOT / "tests" / "public_api.txt"
UPDATE = "If this is meant, run `python -m tests.test_public_api` and note it in CHANGELOG.md."
DIRECTIVE = re.compile(r"^::: (\S+)\n((?:[ \t]+.*\n|\n(?=[ \t]))*)", re.M)


def public_modules():
    """Names of the modules whose path has no leading underscore."""
    found = (info.name for info in pkgutil.walk_packages(mlpjax.__path__, "mlpjax."))
    return ["mlpjax", *sorted(name for name in found if "._" not in name)]


def exported():
    """`{module: __all__}`; a public module without `__all__` stands there with None."""
    return {name: getattr(importlib.import_module(name), "__all__", None) for name in public_modules()}


def public_names():
    """Every public name with its dots, module by module."""
    return [f"{module}.{name}" for module, names in exported().items() for name in sorted(names or ())]


def resolve(path):
    """The object of a public path; a module need not have been imported by its parent."""
    module, _, name = path.rpartition(".")
    parent = importlib.import_module(module)
    return getattr(parent, name) if hasattr(parent, name) else importlib.import_module(path)


def home(path):
    """What two public paths to one object have in common: where it is defined."""
    value = resolve(path)
    if isinstance(value, types.ModuleType):
        return value.__name__
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return path if isinstance(value, int | str) else f"object {id(value)}"  # equal numbers are one object


def directives(text):
    """`(path, members)` of every `:::` block of a page; members is None (all), or a set, empty for a heading only."""
    for path, options in DIRECTIVE.findall(text):
        if re.search(r"^\s*members: (false|\[\])\s*$", options, re.M):
            yield path, set()
        elif block := re.search(r"^\s*members:\n((?:\s*- .*\n)+)", options, re.M):
            yield path, set(re.findall(r"- (\S+)", block[1]))
        else:
            yield path, None


def documented(path, members, modules):
    """The public paths that one directive shows."""
    if path not in modules:
        return [path]
    names = [name for name in modules[path] or () if members is None or name in members]
    return [path, *(f"{path}.{n}" for n in names if f"{path}.{n}" not in modules)]


def places():
    """How often the API pages show each object, by its home."""
    pages = (file.read_text("utf-8") for file in sorted((ROOT / "docs" / "api").glob("*.md")))
    modules = exported()
    return Counter(
        home(p) for page in pages for d in directives(page) for p in documented(*d, modules) if p != "mlpjax"
    )


def attribute_docstrings(package=ROOT / "mlpjax"):
    """Names that some module of the package assigns and documents by the string below."""
    for file in package.rglob("*.py"):
        body = ast.parse(file.read_text("utf-8")).body
        for node, after in itertools.pairwise(body):
            targets = getattr(node, "targets", [getattr(node, "target", None)])
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


ASSIGNED = set(attribute_docstrings())


def complaint(path):
    """What a public object's documentation lacks, or the empty string."""
    value, name = resolve(path), path.rpartition(".")[2]
    if not (isinstance(value, types.ModuleType) or inspect.isroutine(value) or inspect.isclass(value)):
        return "" if name in ASSIGNED else "has no string below its assignment"
    doc = value.__doc__ or ""
    if not doc.strip() or doc.startswith(f"{name}("):
        return "has no docstring"
    parameters = list(inspect.signature(value).parameters) if inspect.isroutine(value) else []
    if parameters and "Args:" not in doc:
        return "takes arguments but its docstring has no `Args:`"
    silent = [p for p in parameters if not re.search(rf"^\s+\*{{0,2}}{p}\b[^\n]*:", doc, re.M)]
    return f"does not document {silent}" if silent else ""


def test_every_public_module_exports_deliberately():
    assert not [name for name, names in exported().items() if names is None], "public modules define `__all__`"


def test_exports_exist():
    assert all(hasattr(importlib.import_module(m), n) for m, names in exported().items() for n in names or ())


def test_snapshot():
    before, now = set(SNAPSHOT.read_text("utf-8").split()), set(public_names())
    assert now == before, f"gone: {sorted(before - now)}; new: {sorted(now - before)}. {UPDATE}"


@pytest.mark.parametrize("path", public_names())
def test_is_documented(path):
    assert not (lack := complaint(path)), f"{path} {lack}"


def test_stands_once_in_the_reference():
    count = places()
    wrong = {path: count[home(path)] for path in public_names() if count[home(path)] != 1}
    assert not wrong, f"each public name needs exactly one `:::` in docs/api/*.md; found: {wrong}"


def test_the_reference_shows_nothing_else():
    pages = (file.read_text("utf-8") for file in sorted((ROOT / "docs" / "api").glob("*.md")))
    known = {*public_names(), *public_modules()}
    assert not [path for page in pages for path, _ in directives(page) if path not in known]


def test_reading_of_directives():
    options = "\n    options:\n      members:"
    text = f"# A\n\n::: a.b{options} false\n\n::: a.b.c\n\n::: a.d{options}\n        - e\n"
    assert list(directives(text)) == [("a.b", set()), ("a.b.c", None), ("a.d", {"e"})]


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(public_names()) + "\n", "utf-8")
