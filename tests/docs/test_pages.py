"""Every Python block on README.md and on the pages of the site runs; their shell commands name what exists."""

import doctest
import os
import re
import subprocess
import sys

import jax
import pytest

from docs._ext import execute
from docs._ext.sources import ROOT, pages

PAGES = [ROOT / "README.md", *pages()]
FENCE = re.compile(r"^```python[^\n]*\n(.*?)^```", re.S | re.M)
SHELL = re.compile(r"^```(?:bash|sh|shell|console)\n(.*?)^```", re.S | re.M)


def readme_blocks(file):
    """The Python blocks of a page, in order, moved to their line so that a traceback names it."""
    text = file.read_text("utf-8")
    return ["\n" * text.count("\n", 0, m.start(1)) + m[1] for m in FENCE.finditer(text)]


def run(block, name, scope):
    """Run a block: as a doctest if it has prompts, as a program if not."""
    if ">>> " not in block:
        exec(compile(block, name, "exec"), scope)  # the page's own code, as a reader would run it
        return
    case = doctest.DocTestParser().get_doctest(block, scope, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(case, clear_globs=False)
    scope.update(case.globs)
    assert not runner.failures


SITE = [file for file in pages() if execute.blocks(file.read_text("utf-8"))]


def test_readme_blocks(tmp_path, monkeypatch):
    """A reader's settings, not the suite's strict ones: default promotion, default precision."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    file = ROOT / "README.md"
    scope, before = {"__name__": "__page__"}, jax.config.jax_enable_x64
    with jax.enable_x64(False), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        for block in readme_blocks(file):
            run(block, str(file), scope)
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("file", SITE, ids=lambda file: file.stem)
def test_code_on_the_site(file):
    """As the build runs it: in order, in one scope, in a process of its own; kept for the build."""
    execute.page_outputs(file)


def test_pages_have_code():
    """The list above is not empty by accident."""
    assert {"getting-started", "precision-and-gpus", "backpropagation"} <= {file.stem for file in SITE}


def test_code_fits_the_page():
    wide = [
        f"{f.name}:{n} {line}"
        for f in SITE
        for n, c in execute.blocks(f.read_text())
        for line in c.splitlines()
        if len(line) > 100
    ]
    assert not wide


def commands(file):
    """`{mlpjax subcommand}` that the page's shell blocks use."""
    text = "\n".join(SHELL.findall(file.read_text("utf-8")))
    return set(re.findall(r"\bmlpjax ([a-z]+)\b", text))


def test_commands_exist():
    named = set().union(*(commands(file) for file in PAGES if file.exists()))
    assert named, "no page shows the command line"
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "NO_COLOR": "1"}
    start = [sys.executable, "-c", "from mlpjax.cli import main; raise SystemExit(main())", "--help"]
    shown = subprocess.run(start, capture_output=True, text=True, env=environment, cwd=ROOT, check=True).stdout
    assert not [name for name in sorted(named) if not re.search(rf"\b{name}\b", shown)]


@pytest.mark.parametrize("block", ["raise ValueError", ">>> 1 + 1\n3\n", "assert 1 == 2"])
def test_a_wrong_block_fails(block):
    with pytest.raises((ValueError, AssertionError)):
        run(block, "page", {})
