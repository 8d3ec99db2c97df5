"""The entry point: help that teaches, errors in one line, nothing heavy before it is needed."""

import importlib.metadata
import os
import pathlib
import subprocess
import sys
import time

import pytest

from mlpjax.cli import _clock, _main
from mlpjax.training import recipes

ROOT = pathlib.Path(__file__).parents[2]


def python(*lines, **environment):
    env = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, env=env, cwd=ROOT)


def test_overview_has_every_command_with_an_example(cli):
    code, out, _ = cli("--help")
    assert code == 0
    for name, command in _main.COMMANDS.items():
        assert command.about in out and f"$ {command.example}" in out and f"mlpjax {name}" in command.example


@pytest.mark.parametrize("command", _main.COMMANDS)
def test_help_of_a_command_teaches(cli, command):
    code, out, _ = cli(command, "--help")
    assert code == 0 and "Example" in out and f"\n  mlpjax {command}" in out and "--help" in out
    assert "options options" not in out


def test_help_shows_the_defaults_of_the_data_set(cli):
    for name in ("digits", "mnist", "xor"):
        out = cli("train", name, "--help").out
        hidden = " ".join(map(str, getattr(recipes, name).hidden))
        assert f"(default: {hidden})" in out and f"the recipe for {name}" in out


def test_help_needs_neither_jax_nor_a_heavy_library():
    """What the command line itself imports; the package around it is put aside."""
    run = python(
        "import sys, types",
        "package = types.ModuleType('mlpjax'); package.__path__ = ['mlpjax']; sys.modules['mlpjax'] = package",
        "from mlpjax.cli import main",
        "assert main(['--help']) == 0 and main(['--version']) == 0",
        "print(sorted({'jax', 'jaxlib', 'optax', 'numpy', 'matplotlib'} & set(sys.modules)))",
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("[]\n")


@pytest.mark.parametrize("missing", ["tyro", "rich", "tomli_w", "PIL"])
def test_without_the_extra_says_what_installs_it(missing):
    code = f"import sys; sys.modules[{missing!r}] = None; from mlpjax.cli import main; sys.exit(main(['train']))"
    run = python(code)
    assert run.returncode == 2 and run.stdout == ""
    assert f"needs {missing}" in run.stderr and "pip install 'mlpjax[cli]'" in run.stderr
    assert "Traceback" not in run.stderr


def test_module_runs():
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-m", "mlpjax", "--version"], capture_output=True, text=True, env=env)
    assert run.returncode == 0 and run.stdout.startswith("mlpjax ")


def test_version(cli, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "9.8.7")
    assert cli("--version") == (0, "mlpjax 9.8.7\n", "")


def test_without_a_command_shows_what_there_is(cli):
    code, out, _ = cli()
    assert code == 2 and "usage: mlpjax COMMAND" in out


def test_unknown_command(cli):
    assert cli("trian") == (
        2,
        "",
        "mlpjax: error: there is no command 'trian'. Did you mean 'train'? See `mlpjax --help`.\n",
    )


def test_unknown_option(cli):
    result = cli("train", "--hiden", "3")
    assert result.code == 2 and "--hidden" in result.out + result.err


def test_traceback_on_demand(cli, monkeypatch):
    assert cli("evaluate", "nowhere").code == 1
    with pytest.raises(FileNotFoundError):
        cli("evaluate", "nowhere", "--debug")
    monkeypatch.setenv("MLPJAX_TRACEBACK", "1")
    with pytest.raises(FileNotFoundError):
        cli("evaluate", "nowhere")


def test_unforeseen_error_is_one_line(cli, monkeypatch):
    monkeypatch.setattr(_main, "_dispatch", lambda args: 1 / 0)
    code, _, err = cli("info")
    assert code == 1 and "ZeroDivisionError: division by zero" in err and "MLPJAX_TRACEBACK=1" in err
    assert err.count("\n") == 1


def test_ctrl_c_between_chunks_of_work_is_one_line(cli, monkeypatch):
    def interrupted(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_main, "_dispatch", interrupted)
    code, out, err = cli("info")
    assert code == 130 and out == "" and "stopped by SIGINT." in err and err.count("\n") == 1


def test_time_since_the_start_where_the_system_does_not_tell(monkeypatch):
    def missing(*_):
        raise FileNotFoundError

    told = _clock.since_start()
    monkeypatch.setattr(_clock, "open", missing, raising=False)
    assert 0 < _clock.since_start() <= time.process_time() and told > 0


def test_closed_pipe_is_no_error():
    script = f"{sys.executable} -m mlpjax --help | true; exit ${{PIPESTATUS[0]}}"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=env)
    assert run.returncode == 0 and run.stderr == ""
