"""Runs the Python blocks of a page in order, in one scope and one fresh process, and keeps what they print.

`python -m docs._ext.execute docs/book/forward.md` prints the blocks' outputs. A block that raises fails the build.
What a page's code prints is cached by the page's code and the package's.
"""

import argparse
import ast
import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import traceback

from docs._ext.cache import cached
from docs._ext.compiling import xla_flags
from docs._ext.sources import ROOT

try:
    from markdown import Extension
    from markdown.preprocessors import Preprocessor

    from docs._ext.equations import autorefs
except ImportError:  # the process that runs a page's code, and the tests, need no Markdown
    Extension = Preprocessor = object

FENCE = re.compile(r"^(?P<indent>[ ]*)```python(?P<options>[^\n]*)\n(?P<code>.*?)^(?P=indent)```[ ]*$", re.S | re.M)
SETTINGS = {"JAX_PLATFORMS": "cpu", "MPLBACKEND": "Agg", "JAX_ENABLE_X64": "0", "XLA_FLAGS": xla_flags()}


class ExecutionError(RuntimeError):
    """A block of code on a page raised."""


def blocks(text):
    """`[(line, code)]` of a page's blocks that are to be run, without their indentation."""
    found = filter(runs, FENCE.finditer(text))
    return [(text.count("\n", 0, m.start("code")) + 1, textwrap.dedent(m["code"])) for m in found]


def runs(match):
    """Whether a fence is to be run: not if it says so, nor if it is a session with prompts."""
    return ".no-run" not in match["options"] and not match["code"].lstrip().startswith(">>>")


def run(cells, name):
    """Execute `[(line, code)]` in one scope; what each printed."""
    scope, outputs = {"__name__": "__page__"}, []
    for line, code in cells:
        printed = io.StringIO()
        tree = ast.increment_lineno(ast.parse(code, name), line - 1)
        with contextlib.redirect_stdout(printed):
            exec(compile(tree, name, "exec"), scope)
        outputs.append(printed.getvalue())
    return outputs


def in_process(name, cells):
    """The outputs of a page's blocks, from a process of their own, as JSON."""
    environment = {**os.environ, **SETTINGS, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "docs._ext.execute", "--cells", name]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command, input=json.dumps(cells), capture_output=True, text=True, env=environment, cwd=folder
        )
    if done.returncode:
        raise ExecutionError(f"the code on {name} failed:\n{done.stderr.strip()}")
    return done.stdout


def outputs(name, text):
    """What each block of a page prints, in order; computed once for each content."""
    cells = blocks(text)
    if not cells:
        return []
    key = json.dumps([code for _, code in cells])
    return json.loads(cached("code", name.replace("/", "-"), [key], lambda: in_process(name, cells)))


def page_outputs(file):
    """The outputs of the page in a file."""
    file = pathlib.Path(file).resolve()
    docs = ROOT / "docs"
    return outputs(str(file.relative_to(docs if file.is_relative_to(docs) else ROOT)), file.read_text("utf-8"))


class _Execute(Preprocessor):
    """Puts below each block what it prints; docstrings, whose examples are doctests, are left alone."""

    def run(self, lines):
        if "mkdocstrings_ids" in self.md.treeprocessors:
            return lines
        text = "\n".join(lines)
        printed = iter(outputs(self.page(), text))

        def below(match):
            if not runs(match):
                return match[0]
            output = next(printed).rstrip()
            shown = f"\n\n``` {{.text .mx-output}}\n{output}\n```\n" if output else ""
            return match[0] + textwrap.indent(shown, match["indent"], lambda line: bool(line.strip()))

        return FENCE.sub(below, text).split("\n")

    def page(self):
        """The page that is read, as MkDocs (`file`) or Zensical (`path`) names it."""
        page = getattr(autorefs(self.md), "current_page", None)
        return getattr(getattr(page, "file", None), "src_uri", None) or getattr(page, "path", "page")


class ExecuteExtension(Extension):
    """Registers the step before fences are read."""

    def extendMarkdown(self, md):
        """Called by Python-Markdown."""
        md.preprocessors.register(_Execute(md), "mx-execute", 31)


def makeExtension(**options):
    """The entry point that Python-Markdown looks for."""
    return ExecuteExtension(**options)


def main(arguments=None):
    """The process that runs the blocks, and the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=pathlib.Path, nargs="+", help="a page such as docs/book/forward.md")
    parser.add_argument("--cells", action="store_true", help="run the blocks that stand on the standard input, as JSON")
    given = parser.parse_args(arguments)
    if given.cells:
        try:
            print(json.dumps(run(json.load(sys.stdin), str(given.page[0]))))
        except Exception:
            raise SystemExit(traceback.format_exc(limit=-3)) from None
        return
    for file in given.page:
        if not file.is_file():
            parser.error(f"there is no page {file}")
        for (line, _), text in zip(blocks(file.read_text("utf-8")), page_outputs(file), strict=True):
            print(f"-- {file}:{line}\n{text}", end="")


if __name__ == "__main__":
    main()
