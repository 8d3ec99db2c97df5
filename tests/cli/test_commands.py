"""`evaluate`, `gradcheck`, `info`, `export`."""

import json
import re

import jax
import numpy as np
import pytest

from mlpjax import activations, backprop, export, losses
from mlpjax.cli import _assess, _clock, _gradcheck, _model


def test_evaluate_agrees_with_training(cli, digits_run):
    run, trained = digits_run
    code, out, _ = cli("evaluate", run)
    assert code == 0
    accuracy = re.search(r"test accuracy +(\S+ % \(\d+ of 359\))", trained.out)[1]
    assert accuracy in out and "calibration error" in out and "confusion-matrix.png" in out
    assert len(re.findall(r"^ +\d +3\d( +\S+ %){3}", out, re.M)) == 10


def test_evaluate_xor(cli, xor_run):
    code, out, _ = cli("evaluate", xor_run[0])
    assert code == 0 and "decision-boundary.png" in out and "4 of 4" in out and "precision" not in out


def test_evaluate_takes_the_checkpoint_for_its_run(cli, digits_run):
    assert cli("evaluate", digits_run[0] / "checkpoint.npz").out == cli("evaluate", digits_run[0]).out


def test_evaluate_refuses_a_data_directory_for_what_is_in_the_package(cli, digits_run):
    code, _, err = cli("evaluate", digits_run[0], "--data-dir", "x")
    assert code == 2 and "digits come with the package" in err


def test_assessment_against_numpy(digits_run):
    """Loss and confusions worked out once more, without JAX."""
    from mlpjax.cli import _problem

    model = _model.load(digits_run[0])
    test = _problem.load(model.problem, "test", None)
    found = _assess.assess(model.problem, model.params, test)
    z = np.asarray(test.x, float) / 16
    for i, (W, b) in enumerate(model.params):
        z = z @ np.asarray(W, float).T + np.asarray(b, float)
        z = np.maximum(z, 0) if i < len(model.params) - 1 else z
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = np.asarray(test.y)
    assert found.accuracy == (p.argmax(axis=1) == y).mean() and found.right == (p.argmax(axis=1) == y).sum()
    np.testing.assert_allclose(found.loss, -np.log(p[np.arange(len(y)), y]).mean(), rtol=1e-4)
    for k, n, precision, recall, f1 in _assess.per_class(found.matrix):
        hits = ((p.argmax(axis=1) == k) & (y == k)).sum()
        np.testing.assert_allclose([precision, recall], [hits / (p.argmax(axis=1) == k).sum(), hits / n])
        np.testing.assert_allclose(f1, 2 * precision * recall / (precision + recall))


@pytest.mark.parametrize("command", [("evaluate",), ("info",), ("train", "--resume")])
def test_no_run_directory(cli, tmp_path, command):
    code, _, err = cli(*command, tmp_path)
    assert code == 1 and "is no run directory" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "options", [(), ("--sizes", "3,6,6,2", "--activation", "gelu", "--loss", "squared_error"), ("--sizes", "3", "1")]
)
def test_gradcheck_passes(cli, options):
    code, out, _ = cli("gradcheck", *options)
    assert code == 0 and "FAILS" not in out and "BP1" in out and "BP4" in out and re.search(r"All \d+ pass", out)


PLANTED = {
    "BP1": ("bp1", lambda z, y, *, loss: 1.001 * loss.delta(z, y)),
    "BP2": ("bp2", lambda W, delta, z, *, activation: W.T @ delta),
    "BP3": ("bp3", lambda delta, a: (delta * 1.00001).T @ a),
    "BP4": ("bp4", lambda delta: delta.sum(axis=0) + 1e-5),
}


@pytest.mark.parametrize("equation", PLANTED)
def test_gradcheck_finds_a_planted_bug(cli, monkeypatch, equation):
    monkeypatch.setattr(backprop, *PLANTED[equation])
    code, out, _ = cli("gradcheck")
    assert code == 1 and re.search(rf"{equation} .* FAILS", out)


CHECKED = ("relu", "gelu", "sigmoid", "hard_silu", "softplus", "identity")


def test_gradcheck_of_every_loss():
    """No false alarm anywhere."""
    with jax.enable_x64(True):
        for activation, loss in zip(map(activations.by_name, CHECKED), losses.ALL, strict=True):
            options = _gradcheck.Options(sizes=(3, 4, 2), activation=activation.name, loss=loss.name, examples=3)
            assert all(row.passes for row in _gradcheck.check(options)), (activation, loss)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sizes", "4"), "at least two positive integers"),
        (("--sizes", "4", "0"), "positive integers"),
        (("--activation", "tan"), "Did you mean 'tanh'?"),
        (("--loss", "mse"), "Unknown loss"),
        (("--examples", "0"), "`--examples`"),
    ],
)
def test_gradcheck_bad_input(cli, options, message):
    code, _, err = cli("gradcheck", *options)
    assert code == 2 and message in err


def test_info(cli):
    code, out, _ = cli("info")
    assert code == 0
    assert all(
        name in out
        for name in ("mlpjax", "jax ", "jaxlib", "optax", "Python", "devices", "data cache", jax.__version__)
    )


def test_info_of_a_run(cli, digits_run):
    code, out, _ = cli("info", digits_run[0])
    assert re.search(r"status +complete\n", out)
    assert code == 0 and "64-64-10" in out and "4,810" in out and "460 of 460" in out
    assert re.search(r"optimizer +adam", out) and re.search(r"accuracy +9\d\.\d\d %", out)


def test_export(cli, tmp_path, digits_run):
    code, out, _ = cli("export", digits_run[0], tmp_path / "m.safetensors")
    assert code == 0 and "4,810 parameters" in out
    model = _model.load(digits_run[0])
    for mine, theirs in zip(model.params, export.from_safetensors(tmp_path / "m.safetensors"), strict=True):
        np.testing.assert_array_equal(mine.W, theirs.W)
        np.testing.assert_array_equal(mine.b, theirs.b)
    metadata = export.read_metadata(tmp_path / "m.safetensors")
    assert metadata["activation"] == "relu" and json.loads(metadata["preprocessing"])["maximum"] == 16


def test_export_bad_input(cli, tmp_path, digits_run):
    assert "must end in .safetensors" in cli("export", digits_run[0], tmp_path / "m.pt").err
    code, _, err = cli("export", digits_run[0], tmp_path / "nowhere" / "m.safetensors")
    assert code == 1 and err.startswith("mlpjax: error: could not write") and ".." not in err


def test_union_of_intervals():
    assert _clock._union([(0.0, 4.0), (1.0, 2.0), (6.0, 7.0), (6.5, 8.0)]) == 6.0
    assert _clock._union([]) == 0.0


def test_clock_sees_a_compilation():
    with _clock.watch() as clock:
        assert clock.imported > 0 and clock.compiled() == 0.0
        jax.jit(lambda x: x * 3.0 + 1.0)(1.0)
        seen = clock.compiled()
    assert seen > 0
    jax.jit(lambda x: x * 5.0 + 1.0)(1.0)
    assert clock.compiled() == seen  # nothing listens any more


def test_a_hostile_run_directory_does_not_lead_elsewhere(cli, copied, tmp_path):
    """What `evaluate` draws takes the place of a link, and is not written to where it points."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (copied / "confusion-matrix.png").unlink()
    (copied / "confusion-matrix.png").symlink_to(victim)
    assert cli("evaluate", copied).code == 0
    assert victim.read_text() == "mine" and (copied / "confusion-matrix.png").read_bytes().startswith(b"\x89PNG")
    (copied / "checkpoint.npz").rename(tmp_path / "elsewhere.npz")
    (copied / "checkpoint.npz").symlink_to(tmp_path / "elsewhere.npz")
    assert cli("info", copied).code == 0
    code, _, err = cli("train", "--resume", copied)
    assert code == 2 and "checkpoint.npz is a link" in err


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("epochs = 20", "epochs = 0x" + "f" * 400, "`epochs` must have 64 bits at most"),
        ("learning_rate = 0.02", "learning_rate = 1" + "0" * 400, "`learning_rate` must have 64 bits at most"),
        ("epochs = 20", "epochs = 1000000000000000000", "config.toml: `epochs` must be less than 2^31"),
        ('data = "digits"', 'data = "Recipe"', "Unknown data set 'Recipe'"),
        ('data = "digits"', 'data = "digits; rm -rf ~"', "Unknown data set 'digits; rm -rf ~'"),
        ("height = 8", "height = 1000000000", "wrong are height"),
        ("box = 8", 'box = "8"', "wrong are box"),
        ("steps = 460", 'steps = "460"', "`steps` must be a number"),
        ("[run]", "[run]\na = " + "[" * 20_000, "is not valid TOML"),
        ("[run]", "# " + "x" * 200_000 + "\n[run]", "more than 131,072 bytes"),
        ("[preprocessing]", "[other]", "lacks its tables"),
    ],
    ids=lambda value: value[:20],
)
def test_a_hostile_configuration_is_told_in_a_line(cli, copied, old, new, says):
    text = (copied / "config.toml").read_text()
    assert old in text
    (copied / "config.toml").write_text(text.replace(old, new))
    for missing in (False, True):
        if missing:
            (copied / "checkpoint.npz").unlink()
        code, _, err = cli("info", copied)
        assert (
            code == 2
            and says in err
            and err.startswith("mlpjax: error: ")
            and err.count("\n") == 1
            and "rm -rf ~ " not in err
        )


def test_a_hostile_log_is_passed_over(cli, copied):
    lines = [
        "[" * 100_000,
        '{"step": ' + "9" * 5000 + "}",
        "null",
        '{"step": 1, "test": {"accuracy": "\x1b"}}',
        '{"step": 1, "test": {}}',
    ]
    (copied / "log.jsonl").write_text("\n".join(lines))
    code, out, _ = cli("info", copied)
    assert code == 0 and "not yet tested" in out
    (copied / "log.jsonl").write_bytes(b"\xff")
    code, _, err = cli("info", copied)
    assert code == 2 and "log.jsonl is not the log of a run" in err


def test_names_do_not_reach_the_terminal(cli, copied, tmp_path):
    codes = "\x1b[31m\u202e"
    hostile = copied.rename(tmp_path / f"run{codes}")
    (tmp_path / f"{codes}.png").write_bytes(b"no picture")
    lines = (
        ("info", hostile), ("info", f"no{codes}"), ("predict", f"{codes}.png", "--run-dir", hostile),
        ("info", hostile, codes), (codes,), ("export", hostile, f"{codes}.safetensors"),
    )  # fmt: skip
    for line in lines:
        _, out, err = cli(*line)
        assert (out + err).replace("\n", "").isprintable() and out + err, line
