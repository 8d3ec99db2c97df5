"""Nothing that a file holds is executed: not in the source of the package, and not while it reads planted files."""

import ast
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from tests.reliability.experiments import Claim

TITLE = "Nothing in a file is executed"
HOW = (
    "The source of the package is searched for what in Python runs code that it reads. Then pickles, marshalled code, "
    "source, YAML and PostScript that would make a directory are put, as they are and inside every format, before each "
    "reader and command. An audit hook sees each unpickling, `exec`, import and process, also those of dependencies."
)
FULL, QUICK = 108, 27
ROOT = pathlib.Path(__file__).parents[2]
MODULES = (
    "pickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "yaml", "torch", "pandas", "runpy",
    "code", "codeop", "subprocess", "pty", "ctypes", "multiprocessing", "copyreg", "msgpack", "h5py",
)  # fmt: skip
BUILTINS = ("eval", "exec", "compile", "__import__")
OF_OS = ("system", "popen", "startfile", "fork", "forkpty", "posix_spawn", "posix_spawnp")
FIXED = {
    "mlpjax/__init__.py": "a submodule, by the name of an attribute that stands in a list",
    "mlpjax/cli/_main.py": "a command, by a name that stands in a table",
}
"""The imports whose names are no literals, and where the names come from."""


def measure(count, seed):
    """What the source holds, and what happened while planted files were read."""
    sources = sorted((ROOT / "mlpjax").rglob("*.py"))
    found = [line for source in sources for line in executing(source.read_text("utf-8"), str(source.relative_to(ROOT)))]
    with tempfile.TemporaryDirectory() as directory:
        env = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "MLPJAX_CACHE": directory}
        command = [sys.executable, "-m", "tests.reliability._planted", directory, str(count)]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return {"sources": len(sources), "calls": found, **json.loads(done.stdout.splitlines()[-1])}


def executing(source, name):
    """Lines of a source that run what they read, or could."""
    for node in ast.walk(ast.parse(source)):
        if why := reason(node, name):
            yield f"{name}:{node.lineno}: {why}"


def reason(node, name):
    """Why a part of a source is not welcome, if it is not."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        if names == ["os"] and any(runs(alias.name) for alias in node.names):
            return "imports what runs others from os"
        return next((f"imports {n}" for n in names if n.partition(".")[0] in MODULES), None)
    if isinstance(node, ast.Name) and node.id in BUILTINS:
        return f"names {node.id}"
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
        return f"names os.{node.attr}" if runs(node.attr) else None
    return of_call(node, name) if isinstance(node, ast.Call) else None


def runs(name):
    """Whether a function of `os` starts another program."""
    return name in OF_OS or name.startswith(("exec", "spawn"))


def of_call(node, name):
    called = ast.unparse(node.func)
    pickles = [keyword.value for keyword in node.keywords if keyword.arg == "allow_pickle"]
    if any(not isinstance(value, ast.Constant) or value.value is not False for value in pickles):
        return "allows pickles"
    if called in ("np.load", "numpy.load", "jnp.load", "np.lib.format.read_array") and not pickles:
        return f"{called} does not forbid pickles"
    literal = node.args and isinstance(node.args[0], ast.Constant)
    return "imports what it is told" if called.endswith("import_module") and not literal and name not in FIXED else None


def claims(found):
    """What is promised, beside what was found."""
    planted = [name for name in found["imports"] if name.startswith("planted")]
    asked, careless, seen = sum(found["asked"].values()), found["careless"], sum(found["events"].values())
    unpickled = sum(n for name, n in careless["events"].items() if name.startswith("pickle.find_class"))
    executed = {True: "executed", False: "not executed"}
    readings = f"in {asked:,} readings of {found['files']} files"
    lines = f"lines that do, in {found['sources']} files: {len(found['calls'])}"
    return [
        Claim("no source of the package runs what it reads", lines, not found["calls"]),
        Claim(
            "no planted code is executed",
            f"{executed[found['executed']]} {readings}",
            not found["executed"] and asked > 0,
        ),
        Claim("no unpickling, `exec`, process or connection", f"{seen} seen", not seen),
        Claim("no module is imported that a file names", f"{len(planted)} imported", not planted),
        Claim(
            "the hook sees what `numpy.load(…, allow_pickle=True)` does",
            f"{unpickled} unpicklings seen, the code {executed[careless['executed']]}",
            careless["executed"] and unpickled > 0,
        ),
    ]
