"""What only a process of its own can show: limits of the system, exit codes."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def start(directory, *args):
    env = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mlpjax", *args]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=directory, env=env, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_directory_that_is_read_only(tmp_path):
    (tmp_path / "run").mkdir(mode=0o555)
    process = start(tmp_path, "train", "--run-dir", "run")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1 and "write" in err and "Traceback" not in err


def test_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    process = start(tmp_path, "train", "--run-dir", "file/run")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1 and "file/run: Not a directory." in err and err.count("\n") == 1
