"""What only a process of its own can show: signals, limits of the system, exit codes."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from mlpjax.training import checkpoint

ROOT = pathlib.Path(__file__).parents[2]
ENDLESS = ("train", "xor", "--epochs", "200000000", "--run-dir", "run")


def start(directory, *args):
    env = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mlpjax", *args]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=directory, env=env, stdout=pipe, stderr=pipe, text=True)


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None and time.monotonic() < end, process.communicate()[1]
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_saves_and_says_how_to_go_on(tmp_path, number, code):
    process = start(tmp_path, *ENDLESS)
    log = tmp_path / "run" / "log.jsonl"
    wait_for(lambda: log.exists() and log.stat().st_size > 0, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert "mlpjax train --resume run" in err and signal.Signals(number).name in err and "Traceback" not in err
    assert checkpoint.read_meta(tmp_path / "run" / "checkpoint.npz")["steps"] == 200_000_000


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
