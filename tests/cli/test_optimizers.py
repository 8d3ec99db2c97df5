"""The command line with an optimizer that keeps more than parameters."""

import numpy as np

from mlpjax import mlp
from mlpjax.cli import _model, _report
from mlpjax.training import checkpoint


def test_schedule_free_is_used_at_its_mean(cli, tmp_path, monkeypatch):
    """By `train` at its end, and by whatever loads the run later."""
    tested = []
    monkeypatch.setattr(_report, "finish", lambda ending: (tested.append(ending.params), None))
    options = ("--epochs", "4", "--learning-rate", "0.1", "--optimizer", "schedule_free")
    result = cli("train", "xor", *options, "--quiet", "--run-dir", "run")
    assert result.code == 0, result.err
    leaves = checkpoint.read(tmp_path / "run" / "checkpoint.npz")
    y, z = (mlp.from_paths(leaves, prefix)[0].W for prefix in ("params/", "opt_state/z/"))
    b1 = leaves["opt_state/b1"]
    x = (y - (1 - b1) * z) / b1
    assert not np.allclose(x, y, rtol=1e-4)
    for params in (tested[0], _model.load(tmp_path / "run").params):
        np.testing.assert_allclose(params[0].W, x, rtol=1e-5)
