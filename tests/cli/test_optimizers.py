"""The command line with optimizers that keep more than parameters."""

import numpy as np
import pytest

from mlpjax import mlp
from mlpjax.cli import _model
from mlpjax.training import checkpoint

XOR = ("train", "xor", "--epochs", "30", "--learning-rate", "0.1", "--quiet")


@pytest.mark.parametrize("patience", [False, True])
def test_schedule_free_is_tested_at_its_mean(cli, tmp_path, patience):
    """By `train` at its end, and by whatever loads the run later."""
    more = ("--validation", "0.2", "--patience", "3", "--epochs", "2", "--hidden", "8") if patience else ()
    options = ("train", "digits", *XOR[4:], *more) if patience else XOR
    result = cli(*options, "--optimizer", "schedule_free", "--schedule", "constant", "--run-dir", "run")
    assert result.code == 0, result.err
    model = _model.load(tmp_path / "run")
    leaves = checkpoint.read(tmp_path / "run" / "checkpoint.npz")
    y = mlp.from_paths(leaves, "params/")
    z, b1 = mlp.from_paths(leaves, "opt_state/z/"), leaves["opt_state/b1"]
    x = (y[0].W - (1 - b1) * z[0].W) / b1
    assert not np.allclose(x, y[0].W, rtol=1e-4)
    if patience:
        x = leaves["stop_state/rule/params/0/W"]
    np.testing.assert_allclose(model.params[0].W, x, rtol=1e-5)
    assert cli("evaluate", "run").code == 0
