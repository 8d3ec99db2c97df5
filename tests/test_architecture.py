"""The house: imports go down the floors, files and functions stay short, `__init__` only re-exports."""

import ast
import pathlib
import statistics

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "mlpjax"

FLOORS = {
    0: ("activations",),
    1: ("losses", "initializers", "gradcheck", "metrics", "trees", "data"),
    2: ("derivatives", "neuron", "layers", "regularizers"),
    3: ("mlp",),
    4: ("models", "backprop", "theory"),
    5: ("deep", "gradflow", "training"),  # `deep` is BP1 to BP4 of `backprop`, in a scan
    6: ("export", "plots"),
    7: ("__init__",),  # the face of the package; the command line asks it for its version
    8: ("cli",),
    9: ("__main__",),
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
LINES, BODY = 250, 8


def modules(package=PACKAGE):
    """Every module of the package: `{dotted name: file}`."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = (package.name, *file.relative_to(package).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = modules()
TREES = {name: ast.parse(file.read_text("utf-8")) for name, file in MODULES.items()}


def room(module):
    """The room of `mlpjax.training._run` is `training`, that of `mlpjax._cli.train` is `cli`."""
    parts = module.split(".")
    return parts[1].removeprefix("_") if len(parts) > 1 and module != "mlpjax.__main__" else parts[-1]


def floor(module):
    """Its room's floor; private helpers at the top level that belong to no room are the ground on which all stands."""
    if module == "mlpjax":
        return FLOOR["__init__"]
    private = module.split(".")[1].startswith("_")
    return FLOOR.get(room(module), 0 if private else None)


def imported(module, tree, names):
    """The modules of the package that a module imports, at its head or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom):
            package = module if names[module].name == "__init__.py" else module.rpartition(".")[0]
            base = package.rsplit(".", node.level - 1)[0] + "." if node.level else ""
            source = (base + (node.module or "")).rstrip(".")
            for alias in node.names:
                full = f"{source}.{alias.name}"
                yield from [full] if full in names else [source] if source in names else []


def allowed(importer, target):
    """A lower floor, one's own folder, or within the ground."""
    below, above = floor(target), floor(importer)
    return below < above or room(importer) == room(target) or below == above == 0


def circle(graph):
    """Some circle in `{node: successors}` as a list, or None."""
    state, path = {}, []

    def visit(node):
        state[node] = "open"
        path.append(node)
        for other in graph.get(node, ()):
            if state.get(other) == "open":
                return [*path[path.index(other) :], other]
            if other not in state and (found := visit(other)):
                return found
        state[node] = path.pop() and "closed"

    return next((found for node in graph if node not in state and (found := visit(node))), None)


def functions(tree):
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function):
    """Lines of a function's body without its docstring."""
    body = function.body[ast.get_docstring(function, clean=False) is not None :]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def only_reexports(node):
    """A docstring, an import of other modules' names, `__all__` or `__version__`."""
    if isinstance(node, ast.Assign):
        return [getattr(t, "id", None) for t in node.targets] in (["__all__"], ["__version__"])
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or isinstance(node, ast.Import | ast.ImportFrom)


def test_every_module_has_a_floor():
    assert not [m for m in MODULES if floor(m) is None], "give the new room a floor (design: the house)"


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module):
    targets = set(imported(module, TREES[module], MODULES)) - {module}
    wrong = [t for t in sorted(targets) if not allowed(module, t)]
    assert not wrong, f"{module} (floor {floor(module)}) imports {[(t, floor(t)) for t in wrong]}"


def test_no_circles():
    graph = {m: sorted(set(imported(m, tree, MODULES)) - {m}) for m, tree in TREES.items()}
    assert not (found := circle(graph)), " → ".join(found)


@pytest.mark.parametrize("module", MODULES)
def test_file_is_short(module):
    lines = len(MODULES[module].read_text("utf-8").splitlines())
    assert lines <= LINES, f"{module} has {lines} lines: it holds more than one idea"


def test_functions_are_short():
    bodies = [body_lines(f) for tree in TREES.values() for f in functions(tree)]
    assert statistics.median(bodies) <= BODY


@pytest.mark.parametrize("module", MODULES)
def test_no_star_import(module):
    stars = [n for n in ast.walk(TREES[module]) if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]
    assert not stars


# the package itself imports its rooms at their first use, which takes a function
@pytest.mark.parametrize("module", [m for m, f in MODULES.items() if f.name == "__init__.py" and m != "mlpjax"])
def test_init_only_reexports(module):
    tree = TREES[module]
    logic = [ast.unparse(node) for node in tree.body if not only_reexports(node)]
    assert not logic, f"{module} holds logic: {logic}"
    relative = [n for n in tree.body if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("mlpjax")]
    silent = [a.name for n in relative for a in n.names if a.asname is None]
    assert not silent, f"write `{silent[0]} as {silent[0]}`, so that the re-export is meant"


def test_the_rules_can_fail():
    """Planted breaches: each is seen."""
    names = {**MODULES, "mlpjax.mlp": PACKAGE / "mlp.py", "mlpjax.training.fit": PACKAGE / "training" / "fit.py"}
    up = ast.parse("def f():\n    from mlpjax.training import fit")
    assert list(imported("mlpjax.mlp", up, names)) == ["mlpjax.training.fit"]
    assert not allowed("mlpjax.mlp", "mlpjax.training.fit") and allowed("mlpjax.training.fit", "mlpjax.mlp")
    assert not allowed("mlpjax.losses", "mlpjax.metrics") and allowed("mlpjax.layers.norm", "mlpjax.layers.dense")
    names["mlpjax.training.run"] = PACKAGE / "training" / "run.py"
    assert list(imported("mlpjax.training.run", ast.parse("from ..mlp import init"), names)) == ["mlpjax.mlp"]
    assert circle({"a": ["b"], "b": ["c"], "c": ["a"]}) == ["a", "b", "c", "a"]
    assert circle({"a": ["b"], "b": []}) is None
    long = ast.parse('def f():\n    """Doc."""\n' + "    x = 1\n" * 9).body[0]
    assert body_lines(long) == 9
    assert not only_reexports(ast.parse("print(1)").body[0]) and only_reexports(ast.parse("__all__ = []").body[0])
