"""`mlpjax train`: what it leaves, what it says, and what it refuses."""

import contextlib
import datetime
import errno
import hashlib
import io
import json
import pathlib
import re
import signal
import tomllib
import types

import numpy as np
import pytest

from mlpjax import training
from mlpjax.cli import _model, _problem, _progress, _report, _run_dir, main
from mlpjax.data import idx
from mlpjax.training import _effects, checkpoint, recipes

PNG = b"\x89PNG\r\n\x1a\n"
XOR = ("train", "xor", "--epochs", "40")


def records(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def sha256_of_params(run):
    leaves = checkpoint.read(run / "checkpoint.npz")
    content = b"".join(np.asarray(a).tobytes() for name, a in leaves.items() if name.startswith("params/"))
    return hashlib.sha256(content).hexdigest()


def test_leaves_a_run_directory(digits_run):
    run, _ = digits_run
    names = {"config.toml", "log.jsonl", "checkpoint.npz", "learning-curve.png", "confusion-matrix.png"}
    assert {path.name for path in run.iterdir()} == names
    assert all((run / name).read_bytes().startswith(PNG) for name in names if name.endswith("png"))


def test_reports(digits_run):
    run, result = digits_run
    test = records(run)[-1]["test"]
    assert test["accuracy"] > 0.93 and test["n"] == 359
    assert f"{100 * test['accuracy']:.2f} %" in result.out
    assert all(word in result.out for word in ("import", "compile", "run", "4,810 (64-64-10)", "checkpoint.npz"))
    assert "training accuracy" in result.err  # the lines that stand for the bar where there is no terminal


def test_config_is_the_recipe(digits_run):
    run, _ = digits_run
    config = tomllib.loads((run / "config.toml").read_text())
    recipe = _run_dir.recipe(config["recipe"], "here")
    assert recipe.hidden == (64,) and recipe.epochs == 20 and recipe.optimizer == "adam"
    assert config["preprocessing"]["maximum"] == 16 and config["run"]["jax"]
    meta = checkpoint.read_meta(run / "checkpoint.npz")
    assert _run_dir.recipe(meta["recipe"], "there") == recipe and meta["steps"] == config["run"]["steps"]


def test_log_counts_epochs(digits_run):
    run, _ = digits_run
    log = records(run)
    assert [record["epoch"] for record in log[:-1]] == list(range(1, 21))
    assert log[-2]["loss"] < log[0]["loss"] and set(log[0]["training"]) == {"loss", "accuracy"}


def test_xor_draws_its_boundary(xor_run):
    run, result = xor_run
    assert (run / "decision-boundary.png").read_bytes().startswith(PNG)
    assert re.search(r"accuracy on the four points +100.00 % \(4 of 4\)", result.out)


def test_losses_are_told_with_three_digits():
    record = {"loss": 0.00001234, "validation": {"loss": 0.5, "accuracy": 0.12345}}
    assert _progress.words(record, "validation") == [
        "loss 1.23e-05",
        "validation loss 0.5",
        "validation accuracy 12.35 %",
    ]
    assert _progress.words(record, "training") == ["loss 1.23e-05", "training accuracy 12.35 %"]


def test_terminal_is_drawn_on_and_gets_no_plain_lines(cli, tmp_path):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    with contextlib.redirect_stderr(Terminal()) as err, contextlib.redirect_stdout(io.StringIO()):
        assert main([*XOR, "--run-dir", str(tmp_path / "run")]) == 0
    content = err.getvalue()
    assert "compiling" in content and "40/40 steps" in content and "training accuracy" in content
    assert "validation" not in content and "epoch" not in content


def test_least_loss_of_smoothed_labels():
    """0.91 of the true class, 0.01 of each of nine others."""
    least = _problem.least_loss(_problem.make(recipes.digits))
    np.testing.assert_allclose(least, -0.91 * np.log(0.91) - 0.09 * np.log(0.01), rtol=1e-5)
    assert _problem.least_loss(_problem.make(recipes.xor)) == 0


def test_log_is_json_proper():
    assert _effects.as_json({"a": float("nan"), "b": {"c": float("inf"), "d": 1.5}}) == (
        '{"a": null, "b": {"c": null, "d": 1.5}}'
    )


def test_gradients_are_interchangeable(cli, tmp_path):
    """Same losses to rounding; that two programs ran shows in the last bits, or not at all."""
    for kind in ("bp", "autodiff"):
        assert cli(*XOR, "--gradients", kind, "--run-dir", tmp_path / kind).code == 0
    bp, autodiff = (records(tmp_path / kind) for kind in ("bp", "autodiff"))
    np.testing.assert_allclose([r["loss"] for r in bp[:-1]], [r["loss"] for r in autodiff[:-1]], rtol=1e-4)


def test_gradients_reach_the_run(monkeypatch):
    import dataclasses

    made = {kind: _problem.make(dataclasses.replace(recipes.xor, gradients=kind)) for kind in ("bp", "autodiff")}
    assert made["bp"].value_and_grad is not None and made["autodiff"].value_and_grad is None


def test_quiet_says_where(cli):
    code, out, err = cli(*XOR, "--quiet")
    assert code == 0 and err == ""
    run = pathlib.Path(out.strip())
    assert run.parent == pathlib.Path("runs") and run.name.startswith("xor-") and (run / "checkpoint.npz").exists()


def test_early_stopping_keeps_the_best(cli, tmp_path):
    network = ("--hidden", "16", "--activation", "relu", "--dropout", "0")
    steps = ("--epochs", "60", "--learning-rate", "0.02", "--schedule", "constant")
    stopping = ("--validation", "0.2", "--patience", "1")
    code, _, err = cli("train", *network, *steps, *stopping, "--run-dir", tmp_path / "run")
    assert code == 0, err
    log = records(tmp_path / "run")
    losses = [record["validation"]["loss"] for record in log[:-1]]
    assert len(losses) < 60 and losses[-1] > min(losses) and "validation accuracy" in err
    leaves = checkpoint.read(tmp_path / "run" / "checkpoint.npz")
    assert int(leaves["stop_state/rule/step"]) == log[int(np.argmin(losses))]["step"]
    model = _model.load(tmp_path / "run")
    np.testing.assert_array_equal(model.params[0].W, leaves["stop_state/rule/params/0/W"])
    assert not np.array_equal(model.params[0].W, leaves["params/0/W"])
    assert f"{100 * log[-1]['test']['accuracy']:.2f} %" in cli("evaluate", tmp_path / "run").out
    assert cli("train", "--resume", tmp_path / "run").out.startswith(("run is complete", f"{tmp_path}"))


def test_hold_out_is_stratified():
    problem = _problem.make(recipes.digits)
    data = _problem.load(problem, "train", None)
    kept, held = _problem.hold_out(data, 0.1, seed=3, classes=10)
    assert len(kept.x) + len(held.x) == len(data.x)
    share = np.bincount(held.y, minlength=10) / np.bincount(data.y, minlength=10)
    assert np.all((share >= 0.1) & (share < 0.11))
    both = np.concatenate([kept.x, held.x])
    assert sorted(map(bytes, both)) == sorted(map(bytes, np.asarray(data.x)))


def interrupt_after(count, monkeypatch):
    """A signal to ourselves when the log has seen so many records."""
    seen = []
    original = _progress.lines

    def lines(*args, **about):
        show = original(*args, **about)

        def noticing(record):
            seen.append(record)
            if len(seen) == count:
                signal.raise_signal(signal.SIGINT)
            show(record)

        return noticing

    monkeypatch.setattr(_progress, "lines", lines)


def test_resumes_to_the_same_bits(cli, tmp_path, monkeypatch):
    options = (*XOR, "--optimizer", "adam", "--learning-rate", "0.05", "--schedule", "cosine")
    assert cli(*options, "--run-dir", tmp_path / "whole").code == 0
    with monkeypatch.context() as patch:
        interrupt_after(13, patch)
        result = cli(*options, "--run-dir", tmp_path / "parts")
    assert re.search(r"status +interrupted at step 26 of 40", cli("info", tmp_path / "parts").out)
    assert result.code == 130 and "mlpjax train --resume parts" in result.err and "after step 26 of 40" in result.err
    assert "Traceback" not in result.err and not (tmp_path / "parts" / "learning-curve.png").exists()
    note = "mlpjax: note: parts is not finished: interrupted at step 26 of 40."
    assert note in cli("evaluate", tmp_path / "parts").err and note not in cli("evaluate", tmp_path / "whole").err
    # what a run killed after its checkpoint would leave behind it
    with open(tmp_path / "parts" / "log.jsonl", "a") as log:
        log.write('{"step": 27, "loss": 77.0}\n{"step": 28, "lo')
    assert cli("train", "--resume", tmp_path / "parts").code == 0
    assert sha256_of_params(tmp_path / "parts") == sha256_of_params(tmp_path / "whole")
    assert (tmp_path / "parts" / "checkpoint.npz").read_bytes() == (tmp_path / "whole" / "checkpoint.npz").read_bytes()
    whole, parts = records(tmp_path / "whole"), records(tmp_path / "parts")
    assert [{**r, "seconds": 0} for r in parts] == [{**r, "seconds": 0} for r in whole]


@pytest.mark.parametrize("where", ["fit", "finish"])
def test_a_signal_that_ends_it_at_once_is_told_from_the_other(where, cli, tmp_path, monkeypatch):
    """A second SIGTERM while training, a first one in the test at the end: what is left to do is done by `--resume`."""

    def stop(*args, **more):
        if where == "fit":
            fit(*args, **{**more, "steps": 20})
        signal.raise_signal(signal.SIGTERM)

    fit = training.fit
    with monkeypatch.context() as patch:
        patch.setattr(*((training, "fit", stop) if where == "fit" else (_report, "finish", stop)))
        result = cli(*XOR, "--run-dir", tmp_path / "run")
    assert result.code == 143 and "stopped by SIGTERM" in result.err and "train --resume run" in result.err
    assert ("not tested yet" in result.err) == (where == "finish") and "Traceback" not in result.err
    assert "test" not in records(tmp_path / "run")[-1]
    assert cli("train", "--resume", tmp_path / "run").code == 0
    assert "test" in records(tmp_path / "run")[-1] and (tmp_path / "run" / "learning-curve.png").exists()
    assert "is complete: 40 steps" in cli("train", "--resume", tmp_path / "run").out


def test_sigterm_before_there_is_a_run(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(_problem, "load", lambda *args, **more: signal.raise_signal(signal.SIGTERM))
    assert cli(*XOR, "--run-dir", tmp_path / "run") == (143, "", "mlpjax: stopped by SIGTERM.\n")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL and not (tmp_path / "run").exists()


def test_resume_of_a_finished_run(cli, xor_run):
    code, out, _ = cli("train", "--resume", xor_run[0])
    assert code == 0 and "is complete: 600 steps" in out


def test_resume_takes_no_options(cli, xor_run):
    code, _, err = cli("train", "--resume", xor_run[0], "--epochs", "7")
    assert code == 2 and "leave out --epochs" in err


@pytest.mark.parametrize(
    ("given", "refused"),
    [(("mnist",), "leave out mnist"), (("--epochs", "2000"), "leave out --epochs"), (("--run-dir", "x"), "--run-dir")],
)
def test_resume_refuses_what_differs_from_the_run(cli, xor_run, given, refused):
    """2000 epochs are the default for xor, but not what this run was given."""
    code, _, err = cli("train", "--resume", xor_run[0], *given)
    assert code == 2 and refused in err and err.count("\n") == 1


def test_resume_takes_what_the_run_has_anyway(cli, xor_run):
    code, out, _ = cli("train", "xor", "--resume", xor_run[0] / "checkpoint.npz", "--epochs", "600")
    assert code == 0 and "is complete" in out


def test_run_that_never_took_a_step(cli, tmp_path):
    assert cli(*XOR, "--run-dir", tmp_path / "run").code == 0
    for name in ("checkpoint.npz", "log.jsonl"):
        (tmp_path / "run" / name).unlink()
    code, _, err = cli("train", "--resume", tmp_path / "run")
    assert code == 2 and "never took a step: start it anew with `mlpjax train xor --epochs 40 --run-dir run`" in err
    assert cli(*XOR, "--run-dir", tmp_path / "run").code == 0
    assert cli("info", tmp_path / "run" / "checkpoint.npz").code == 0


def test_advice_offers_nothing_that_is_in_use(cli):
    options = ("--optimizer", "sgd", "--learning-rate", "1e25", "--loss", "half_squared_error", "--activation", "relu")
    assert "with `--schedule one-cycle`, which" in cli(*XOR, *options).err
    err = cli(*XOR, *options, "--schedule", "one-cycle").err
    assert "lower `--learning-rate`." in err and "one-cycle" not in err


def test_edited_configuration(cli, copied):
    config = (copied / "config.toml").read_text()
    (copied / "config.toml").write_text(config.replace("epochs = 20", "epochs = 21"))
    code, _, err = cli("train", "--resume", copied)
    assert code == 2 and "disagree in epochs" in err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epochs = 20", 'epochs = "many"'), "`epochs` must be of type int"),
        (("[recipe]", "[receipt]"), "lacks its tables"),
        (("epochs = 20", "epocs = 20"), "lacks ['epochs'] and has unknown ['epocs']"),
        (("epochs = 20", "epochs = "), "not valid TOML"),
        (("    64,", '    "64",'), "`hidden` must be a list of integers"),
    ],
)
def test_broken_configuration(cli, copied, change, message):
    (copied / "config.toml").write_text((copied / "config.toml").read_text().replace(*change, 1))
    code, _, err = cli("evaluate", copied)
    assert code == 2 and message in err


def test_not_finite_and_not_saved(cli, tmp_path, monkeypatch):
    """The disk became full on the way: what broke the run is said, and that the checkpoint is an older one."""
    saves, save = [], checkpoint.save

    def full(path, tree, **more):
        saves.append(int(tree.step))
        if len(saves) > 1:
            raise checkpoint.CheckpointError(errno.ENOSPC, f"could not write {path}: it is full. Free some space.")
        save(path, tree, **more)

    monkeypatch.setattr(checkpoint, "save", full)
    options = ("--optimizer", "sgd", "--learning-rate", "1e25", "--loss", "half_squared_error", "--hidden", "4")
    code, _, err = cli(*XOR, *options, "--activation", "relu", "--quiet", "--run-dir", tmp_path / "run")
    assert code == 1 and err.count("\n") == 1 and re.search(r"step \d+ is not finite: .*--learning-rate", err)
    assert "run/checkpoint.npz is of an earlier state, for the last good one could not be saved: could not write" in err
    assert int(checkpoint.read(tmp_path / "run" / "checkpoint.npz")["step"]) == 0


def test_resume_reads_past_what_a_power_failure_made_of_the_log(tmp_path):
    whole = b'{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 0.25}\n'
    (tmp_path / "log.jsonl").write_bytes(whole + b'{"step": 3, \xff\x80' + bytes(20))
    assert [record["step"] for record in _run_dir.read_log(tmp_path)] == [1, 2]
    _run_dir.rewind_log(tmp_path, 2)
    assert (tmp_path / "log.jsonl").read_bytes() == whole


def test_not_finite(cli, tmp_path):
    run = tmp_path / "run"
    options = ("--optimizer", "sgd", "--learning-rate", "1e25", "--loss", "half_squared_error", "--hidden", "4")
    code, _, err = cli(*XOR, *options, "--activation", "relu", "--quiet", "--run-dir", run)
    assert code == 1 and re.search(r"step \d+ is not finite: .*`[01]/[Wb]`", err) and "--learning-rate" in err
    assert err.count("\n") == 1
    leaves = checkpoint.read(run / "checkpoint.npz")
    assert all(np.isfinite(a).all() for name, a in leaves.items() if name.startswith("params/"))
    code, _, err = cli("train", "--resume", run)
    assert code == 2 and "was not finite" in err
    for command in (("evaluate", run), ("export", run, tmp_path / "m.safetensors"), ("predict", "x", "--run-dir", run)):
        code, _, err = cli(*command)
        assert code == 2 and re.search(r"run diverged at step \d+: .*--learning-rate", err) and err.count("\n") == 1
    assert re.search(r"status +diverged at step \d+\n", cli("info", run).out)
    assert not re.search("NaN|Infinity", (run / "log.jsonl").read_text())


BAD = [
    (("train", "cifar"), "Unknown data set 'cifar'. Known: digits, mnist, xor."),
    (("train", "--activation", "rleu"), "Unknown activation 'rleu'. Did you mean 'relu'?"),
    (("train", "--loss", "mse"), "Unknown loss 'mse'"),
    (("train", "--optimizer", "adm"), "Did you mean 'adam'?"),
    (("train", "--schedule", "linear"), "Unknown schedule 'linear'"),
    (("train", "--gradients", "auto"), "Did you mean 'autodiff'?"),
    (("train", "--learning-rate", "-1"), "`--learning-rate` must be a finite number ≥ 0; got -1.0"),
    (("train", "--hidden", "64", "0"), "`--hidden` must be positive integers"),
    (("train", "--hidden=-3"), "positive integers"),
    (("train", "--epochs", "0"), "`--epochs` must be at least 1; got 0"),
    (("train", "--batch-size", "5000"), "`--batch-size` must not exceed the number of training examples, 1"),
    (("train", "--batch-size", "-1"), "`--batch-size` must be at least 0"),
    (("train", "--dropout", "1"), "`--dropout` must lie in [0, 1); got 1.0"),
    (("train", "--weight-decay", "0.1", "--optimizer", "adam"), "acts with 'adamw', 'muon', 'schedule_free' only"),
    (("train", "--l2", "-1"), "`--l2` must be a finite number ≥ 0"),
    (("train", "--shift", "8"), "`--shift` must be at least 0 and less than"),
    (("train", "--validation", "1"), "fraction in [0, 1)"),
    (("train", "--patience", "3", "--validation", "0"), "hold something out"),
    (("train", "--seed", "-1"), "`--seed` must be at least 0"),
    (("train", "xor", "--batch-size", "9"), "number of training examples, 4; got 9"),
    (("train", "xor", "--shift", "1"), "xor has four points"),
    (("train", "--validation", "0.9999"), "`--validation` 0.9999 of 1438 examples leaves nothing to train on"),
    (("train", "--epochs", "2147483647"), "steps per epoch must stay below 2^31"),
    (("train", "xor", "--epochs", "2147483648"), "`--epochs` must be less than 2^31; got 2147483648"),
    (("train", "--resume", "nowhere"), "`nowhere` is no run directory"),
    (
        ("train", "mnist", "--data-dir", "nowhere"),
        "`--data-dir` must hold the IDX files of MNIST; `nowhere` is not a directory",
    ),
    (("train", "--data-dir", "x"), "digits come with the package"),
    (("train", "xor", "--data-dir", "x"), "`--data-dir` is for mnist"),
]


@pytest.mark.parametrize(("args", "message"), BAD, ids=[" ".join(args[1:]) for args, _ in BAD])
def test_bad_input_is_one_clear_line_before_anything_is_made(cli, tmp_path, args, message):
    code, out, err = cli(*args)
    assert code in (1, 2) and message in err and err.startswith("mlpjax: error: ") and out == ""
    assert err.count("\n") == 1 and not list(tmp_path.iterdir())


def test_run_directory_that_holds_a_run(cli, xor_run):
    before = sha256_of_params(xor_run[0])
    code, _, err = cli(*XOR, "--run-dir", xor_run[0])
    assert code == 2 and "--resume" in err and sha256_of_params(xor_run[0]) == before


def test_a_thousand_runs_of_one_second(cli, tmp_path, monkeypatch):
    class Still(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, 3, 4, 5, tzinfo=tz)

    monkeypatch.setattr(_run_dir, "datetime", types.SimpleNamespace(datetime=Still, UTC=datetime.UTC))
    made = [_run_dir.create(None, "xor").name for _ in range(999)]
    assert made[:2] == ["xor-20260102-030405", "xor-20260102-030405-2"] and len(set(made)) == 999
    code, _, err = cli(*XOR)
    assert code == 1 and "`runs` holds a thousand runs of this second. Name one with `--run-dir`." in err


def write_mnist(directory, *, n=60):
    random = np.random.default_rng(0)
    for part in ("train", "t10k"):
        y = np.arange(n, dtype=np.uint8) % 10
        x = random.integers(0, 60, (n, 28, 28)).astype(np.uint8)
        x[np.arange(n), 2 * y] = 255  # a line whose height says the class
        idx.write(directory / f"{part}-images-idx3-ubyte.gz", x)
        idx.write(directory / f"{part}-labels-idx1-ubyte", y)


def test_mnist_from_a_directory(cli, tmp_path):
    (tmp_path / "data").mkdir()
    write_mnist(tmp_path / "data")
    options = ("--hidden", "16", "--batch-size", "20", "--epochs", "5", "--shift", "0", "--learning-rate", "0.01")
    code, out, err = cli("train", "mnist", "--data-dir", "data", *options, "--loss", "sigmoid_squared_error")
    assert code == 0, err
    (run,) = (tmp_path / "runs").iterdir()
    assert "(60)" not in out and "of 60)" in out
    assert cli("evaluate", run).code == 0  # the data directory is remembered


def spoil(directory, name, change):
    path = directory / name
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b[:-5], "is truncated"),
        (lambda b: b + b"x", "trailing bytes"),
        (lambda b: b"PK" + b[2:], "is not an IDX file"),
        (lambda b: b[:4] + b"\xff\xff\xff\xff" + b[8:], "promises"),
        (lambda b: b[:8] + bytes([200]) + b[9:], "labels 0 to 9"),
    ],
)
def test_mnist_files_that_are_wrong(cli, tmp_path, change, message):
    write_mnist(tmp_path)
    spoil(tmp_path, "train-labels-idx1-ubyte", change)
    code, _, err = cli("train", "mnist", "--data-dir", tmp_path)
    assert code == 2 and message in err and "train-labels" in err and err.count("\n") == 1


def test_mnist_without_a_network(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("MLPJAX_CACHE", str(tmp_path / "cache"))
    from mlpjax.data import _download

    def refuse(*_):
        raise OSError("no network")

    monkeypatch.setattr(_download, "_get", refuse)
    code, _, err = cli("train", "mnist")
    assert code == 1 and "no mirror gave" in err and "--data-dir DIR" in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda b: b[:-100], "damaged"),
        (lambda b: b[:900] + bytes([b[900] ^ 1]) + b[901:], "damaged"),
        (lambda b: b"", ""),
    ],
)
@pytest.mark.parametrize("command", [("evaluate",), ("train", "--resume")])
def test_damaged_checkpoint(cli, copied, spoil, message, command):
    path = copied / "checkpoint.npz"
    path.write_bytes(spoil(path.read_bytes()))
    code, _, err = cli(*command, copied)
    assert code == 1 and message in err and "checkpoint.npz" in err and "Traceback" not in err


def test_checkpoint_of_another_architecture(cli, copied):
    meta = checkpoint.read_meta(copied / "checkpoint.npz")
    leaves = checkpoint.read(copied / "checkpoint.npz")
    layers = [{"W": leaves["params/0/W"][:9], "b": leaves["params/0/b"][:9]}]
    tree = {"params": layers, "step": leaves["step"]}
    checkpoint.save(copied / "checkpoint.npz", tree, meta=meta)
    code, _, err = cli("evaluate", copied)
    assert code == 2 and "(64, 9)" in err and "(64, 64, 10)" in err
    code, _, err = cli("train", "--resume", copied)
    assert code == 1 and "params/0/W" in err and "missing" in err


def test_no_tensorboard(cli, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    code, _, err = cli(*XOR, "--tensorboard")
    assert code == 2 and "pip install tensorboardX" in err and not list(tmp_path.iterdir())


def test_tensorboard(cli, tmp_path):
    pytest.importorskip("tensorboardX")
    assert cli(*XOR, "--tensorboard", "--run-dir", tmp_path / "run").code == 0
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))
