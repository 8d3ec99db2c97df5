"""Run the command line in this process: a `Result` of exit code, output and errors."""

import contextlib
import io
import pathlib
from typing import NamedTuple

import pytest

from mlpjax.cli import main


class Result(NamedTuple):
    code: int
    out: str
    err: str


def run(*args):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(arg) for arg in args])
    return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """What is downloaded and compiled goes to a directory of this session, never to that of whoever runs the tests."""
    path = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLPJAX_CACHE", str(path))
        yield path


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """The command line, in a directory of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return run


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory):
    """A run on the digits: short, but good enough to be asked. Do not write into it."""
    path = tmp_path_factory.mktemp("runs") / "digits"
    network = ("--hidden", "64", "--activation", "relu", "--dropout", "0", "--loss", "softmax_cross_entropy")
    steps = ("--epochs", "20", "--batch-size", "64", "--schedule", "one-cycle", "--learning-rate", "0.02")
    optimizer = ("--optimizer", "adam", "--weight-decay", "0", "--validation", "0", "--shift", "1")
    result = run("train", *network, *steps, *optimizer, "--run-dir", path)
    assert result.code == 0, result.err
    return path, result


@pytest.fixture(scope="session")
def xor_run(tmp_path_factory):
    """A run on xor. Do not write into it."""
    path = tmp_path_factory.mktemp("runs") / "xor"
    result = run("train", "xor", "--epochs", "600", "--run-dir", path)
    assert result.code == 0, result.err
    return path, result


@pytest.fixture
def copied(digits_run, tmp_path):
    """A copy of the digits run, to spoil."""
    import shutil

    return pathlib.Path(shutil.copytree(digits_run[0], tmp_path / "copy"))
