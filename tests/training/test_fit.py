"""`training.fit`: the bits of `run`, and effects that lose nothing: logs, checkpoints, signals, failures."""

import functools
import json
import math
import os
import pickle
import signal
import threading
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax import activations, backprop, data, deep, losses, metrics, mlp, training
from mlpjax.training import _chunks, _effects, _step, checkpoint, stopping
from mlpjax.training._loop import batch_of_step
from mlpjax.training._saving import Saver
from tests.helpers import assert_trees_equal

LOSS = losses.softmax_cross_entropy
SQUARED = losses.half_squared_error
OBJECTIVE = training.supervised(mlp.apply, LOSS)
SIZES = (64, 16, 10)
TRANSFORM = data.augment.scale(16)


@pytest.fixture(scope="module")
def digits():
    return data.digits.load("train"), data.digits.load("test")


def begin(key, optimizer, stop=None):
    return training.start(key, mlp.init(key, SIZES), optimizer=optimizer, stop=stop)


def settings(optimizer, **more):
    return dict(objective=OBJECTIVE, optimizer=optimizer, batch_size=32, transform=TRANSFORM) | more


def test_same_bits_as_run(digits, key):
    train, test = digits
    optimizer = optax.adam(1e-3)
    common = settings(
        optimizer,
        validation=test,
        metrics={"accuracy": training.metric(mlp.apply, metrics.accuracy)},
        evaluate_every=25,
        value_and_grad=backprop.supervised(loss=LOSS),
    )
    state = begin(key, optimizer)
    fitted, told = training.fit(state, train, steps=70, **common)
    ran, history = jax.jit(lambda s: training.run(s, train, steps=70, **common))(state)
    assert_trees_equal(fitted, ran)
    assert_trees_equal(told, jax.tree.map(np.asarray, history))
    for chunk in (1, 7, 70):
        again, _ = training.fit(state, train, steps=70, chunk=chunk, **common)
        assert_trees_equal(again.params, fitted.params)


def test_logs_records_and_tensorboard(digits, key, tmp_path):
    train, test = digits
    optimizer = optax.adam(1e-3)
    records = []
    sinks = [training.log_jsonl(tmp_path / "log.jsonl"), training.log_tensorboard(tmp_path / "tb"), records.append]
    training.fit(
        begin(key, optimizer), train, steps=50, validation=test, evaluate_every=20, log=sinks, **settings(optimizer)
    )
    assert [r["step"] for r in records] == [20, 40, 50]
    assert [list(r["validation"]) for r in records] == [["loss"], ["loss"], []]
    assert all(np.isfinite(r["loss"]) for r in records)
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == records
    assert any(f.name.startswith("events.out") for f in (tmp_path / "tb").iterdir())


def test_the_log_of_a_resumed_run_has_every_step_once(digits, key, tmp_path):
    """Also after a kill that left records of steps that no checkpoint has, and half a line."""
    optimizer, path = optax.adam(1e-3), tmp_path / "log.jsonl"
    more = dict(log=path, **settings(optimizer))
    whole = training.fit(begin(key, optimizer), digits[0], steps=60, chunk=10, **more)[0]
    expected = [(r["step"], r["loss"]) for r in map(json.loads, path.read_text().splitlines())]
    path.unlink()
    state, _ = training.fit(begin(key, optimizer), digits[0], steps=30, chunk=10, **more)
    with open(path, "a") as log:
        log.write('{"step": 40, "loss": 77.0}\n{"step": 50, "lo')
    state, _ = training.fit(state, digits[0], steps=30, chunk=10, **more)
    assert [(r["step"], r["loss"]) for r in map(json.loads, path.read_text().splitlines())] == expected
    assert_trees_equal(state, whole)


def test_a_run_that_begins_anew_leaves_what_the_log_holds(digits, key, tmp_path):
    (tmp_path / "log.jsonl").write_text('{"step": 40, "loss": 77.0}\n')
    optimizer = optax.adam(1e-3)
    training.fit(begin(key, optimizer), digits[0], steps=4, chunk=4, log=tmp_path / "log.jsonl", **settings(optimizer))
    assert [json.loads(r)["step"] for r in (tmp_path / "log.jsonl").read_text().splitlines()] == [40, 4]


def test_no_step_is_the_number_of_never(digits, key):
    optimizer = optax.adam(1e-3)
    late = begin(key, optimizer)._replace(step=jnp.uint32(2**32 - 3))
    state, _ = training.fit(late, digits[0], steps=1, **settings(optimizer))
    assert int(state.step) == stopping.NEVER - 1
    for take in (training.fit, training.run):
        with pytest.raises(
            ValueError, match=r"`steps` must keep .* below 4,294,967,295.*got 2 from step 4,294,967,293"
        ):
            take(late, digits[0], steps=2, **settings(optimizer))


def test_a_log_is_json_even_where_a_number_is_not_finite(tmp_path):
    training.log_jsonl(tmp_path / "log.jsonl")({"step": 1, "loss": float("inf"), "validation": {"loss": float("nan")}})
    assert json.loads((tmp_path / "log.jsonl").read_text()) == {"step": 1, "loss": None, "validation": {"loss": None}}


def test_a_line_of_the_log_that_was_cut_off_does_not_swallow_the_next(tmp_path):
    log = training.log_jsonl(tmp_path / "log.jsonl")
    log({"step": 1})
    with open(tmp_path / "log.jsonl", "a") as file:
        file.write('{"step": 2, "lo')
    log({"step": 3})
    log({"step": 4})
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert lines == ['{"step": 1}', '{"step": 2, "lo', '{"step": 3}', '{"step": 4}']


def test_a_log_may_be_a_pipe():
    reader, writer = os.pipe()
    training.log_jsonl(f"/proc/self/fd/{writer}")({"step": 1})
    assert os.read(reader, 99) == b'{"step": 1}\n'
    os.close(reader)
    os.close(writer)


@pytest.mark.ledger("REG6")
def test_stops_early(digits, key):
    train, test = digits
    optimizer, stop = optax.adam(0.1), stopping.patience(2)
    state, history = training.fit(
        begin(key, optimizer, stop),
        train,
        steps=3000,
        validation=test,
        evaluate_every=20,
        stop=stop,
        **settings(optimizer),
    )
    assert int(state.step) < 3000 and len(history.loss) == int(state.step)
    best = np.nanmin(history.validation["loss"])
    kept = TRANSFORM(test, None)
    assert float(OBJECTIVE(training.best_params(state, stop), kept, None)) == pytest.approx(best, rel=1e-5)


class TestCheckpoints:
    def test_a_bad_place_is_found_before_the_first_step(self, digits, key, tmp_path):
        (tmp_path / "file").write_text("not a directory")
        records, optimizer = [], optax.adam(1e-3)
        with pytest.raises(OSError, match="file"):
            bad = tmp_path / "file" / "c.npz"
            training.fit(
                begin(key, optimizer), digits[0], steps=9, checkpoint=bad, log=records.append, **settings(optimizer)
            )
        assert records == []

    def test_a_disk_that_fails_on_the_way_costs_nothing(self, digits, key):
        calls = []

        def save(state):
            calls.append(int(state.step))
            if 0 < len(calls) - 1 < 3:
                raise OSError("no space left on device")

        optimizer = optax.adam(1e-3)
        with pytest.warns(UserWarning, match="could not be saved, training goes on: no space left"):
            training.fit(
                begin(key, optimizer),
                digits[0],
                steps=40,
                chunk=10,
                checkpoint=save,
                save_every=0,
                **settings(optimizer),
            )
        assert calls[0] == 0 and calls[-1] == 40

    @pytest.mark.parametrize("what", ["last save", "log"])
    def test_whatever_is_raised_carries_what_was_learned(self, what, digits, key):
        def save(state):
            if what == "last save" and int(state.step) == 40:
                raise OSError("no space left on device")

        def log(record):
            if what == "log" and record["step"] == 30:
                raise ValueError("a mistake in somebody's log")

        optimizer = optax.adam(1e-3)
        with pytest.raises((OSError, ValueError)) as caught:
            more = dict(chunk=10, checkpoint=save, log=log)
            training.fit(begin(key, optimizer), digits[0], steps=40, **more, **settings(optimizer))
        assert int(caught.value.state.step) == len(caught.value.history.loss) >= 30
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(caught.value.state.params))

    def test_what_a_saver_keeps_is_not_taken_away(self, digits, key):
        kept, optimizer = [], optax.adam(1e-3)
        more = dict(chunk=5, checkpoint=kept.append, save_every=0)
        training.fit(begin(key, optimizer), digits[0], steps=20, **more, **settings(optimizer))
        assert [int(state.step) for state in kept] == [0, 5, 10, 15, 20]
        assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(kept[1].params))
        again, _ = training.fit(kept[1], digits[0], steps=15, **settings(optimizer))
        assert_trees_equal(jax.tree.map(np.asarray, again.params), kept[-1].params)

    def test_training_goes_on_while_a_state_is_written(self, digits, key, monkeypatch):
        """The first is written while the first chunk is traced, the next until the log has seen the last chunk."""
        monkeypatch.setattr(Saver, "_due", lambda self: True)
        traced, logged, saved = threading.Event(), threading.Event(), []

        def objective(params, batch, key):
            traced.set()
            return OBJECTIVE(params, batch, key)

        def save(state):
            assert {0: traced, 1: logged, 50: logged}[int(state.step)].wait(60)
            saved.append(int(state.step))

        log = lambda record: logged.set() if record["step"] == 50 else None
        optimizer = optax.adam(1e-3)
        more = settings(optimizer, objective=objective, chunk=10, checkpoint=save, log=log)
        training.fit(begin(key, optimizer), digits[0], steps=50, **more)
        assert saved == [0, 1, 50]

    def test_a_log_that_fails_on_the_way_costs_nothing(self, digits, key, tmp_path):
        optimizer = optax.adam(1e-3)
        with pytest.warns(UserWarning, match="log could not be written"):
            state, _ = training.fit(
                begin(key, optimizer), digits[0], steps=4, log=tmp_path / "none" / "log.jsonl", **settings(optimizer)
            )
        assert int(state.step) == 4


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_finish_the_chunk_save_and_say_so(self, number, digits, key, tmp_path):
        optimizer = optax.adam(1e-3)
        send = lambda record: os.kill(os.getpid(), number) if record["step"] == 20 else None
        with pytest.raises(
            training.Interrupted, match=f"stopped by {signal.Signals(number).name} at step 20"
        ) as caught:
            training.fit(
                begin(key, optimizer),
                digits[0],
                steps=60,
                chunk=10,
                log=send,
                checkpoint=tmp_path / "c.npz",
                **settings(optimizer),
            )
        assert len(caught.value.history.loss) == 20 and caught.value.signal == number
        saved = checkpoint.load(tmp_path / "c.npz", jax.eval_shape(lambda: begin(key, optimizer)))
        assert_trees_equal(saved, caught.value.state)

    def test_one_in_the_last_save_is_not_swallowed(self, digits, key):
        save = lambda state: os.kill(os.getpid(), signal.SIGINT) if int(state.step) == 20 else None
        optimizer = optax.adam(1e-3)
        with pytest.raises(training.Interrupted, match="at step 20"):
            training.fit(begin(key, optimizer), digits[0], steps=20, chunk=10, checkpoint=save, **settings(optimizer))

    def test_a_second_one_is_obeyed_at_once(self, digits, key, monkeypatch):
        monkeypatch.setattr(_effects, "AGAIN", 0.0)
        optimizer = optax.adam(1e-3)

        def send(record):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt) as caught:
            training.fit(begin(key, optimizer), digits[0], steps=60, chunk=10, log=send, **settings(optimizer))
        assert not isinstance(caught.value, training.Interrupted)

    def test_two_at_once_are_one(self, digits, key, tmp_path):
        """Ctrl-C reaches a launcher too, which passes it on."""
        optimizer = optax.adam(1e-3)

        def send(record):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                os.kill(os.getpid(), number)

        more = dict(chunk=10, log=send, checkpoint=tmp_path / "c.npz", **settings(optimizer))
        with pytest.raises(training.Interrupted, match="at step 10"):
            training.fit(begin(key, optimizer), digits[0], steps=60, **more)
        assert int(checkpoint.read(tmp_path / "c.npz")["step"]) == 10

    def test_one_while_compiling_takes_no_step_and_leaves_the_checkpoint(self, digits, key, tmp_path):
        optimizer, path = optax.adam(1e-3), tmp_path / "c.npz"
        state, _ = training.fit(begin(key, optimizer), digits[0], steps=5, checkpoint=path, **settings(optimizer))
        before = path.read_bytes()

        def objective(params, batch, key):
            os.kill(os.getpid(), signal.SIGTERM)
            return OBJECTIVE(params, batch, key)

        with pytest.raises(training.Interrupted, match="SIGTERM at step 5") as caught:
            more = settings(optimizer, objective=objective)
            training.fit(state, digits[0], steps=60, checkpoint=path, **more)
        assert path.read_bytes() == before and len(caught.value.history.loss) == 0
        assert_trees_equal(caught.value.state, state)

    def test_one_within_a_chunk_of_slow_steps_does_not_wait_for_its_end(self, digits, key, monkeypatch):
        monkeypatch.setattr(_chunks, "LISTENING", 0.0)
        monkeypatch.setattr(Saver, "_due", lambda self: True)
        save = lambda state: os.kill(os.getpid(), signal.SIGTERM) if 3 <= int(state.step) < 1000 else None
        optimizer, records = optax.adam(1e-3), []
        with pytest.raises(training.Interrupted) as caught:
            more = dict(chunk=1000, checkpoint=save, log=records.append, **settings(optimizer))
            training.fit(begin(key, optimizer), digits[0], steps=1000, **more)
        step = int(caught.value.state.step)
        assert 3 <= step < 1000 and len(caught.value.history.loss) == step and [r["step"] for r in records] == [step]

    def test_one_that_is_ignored_stays_ignored(self, digits, key):
        """As Ctrl-C is for what `nohup` or a script's `&` started."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            send = lambda record: os.kill(os.getpid(), signal.SIGINT)
            optimizer = optax.adam(1e-3)
            training.fit(begin(key, optimizer), digits[0], steps=4, chunk=2, log=send, **settings(optimizer))
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGINT, before)

    def test_what_is_raised_passes_between_processes(self, key):
        state = begin(key, optax.adam(1e-3))
        history = training.History(np.ones(3), {})
        errors = training.Interrupted(state, history, 15), training.NonFiniteError(3, "here", state, history)
        for error in errors:
            again = pickle.loads(pickle.dumps(error))
            assert type(again) is type(error) and str(again) == str(error)
            assert_trees_equal(again.state, state)
        full = pickle.loads(pickle.dumps(checkpoint.CheckpointError(28, "the disk is full")))
        assert full.errno == 28 and "the disk is full" in str(full)

    def test_handlers_are_put_back_and_other_threads_are_left_alone(self, digits, key):
        optimizer, before = optax.adam(1e-3), signal.getsignal(signal.SIGINT)
        results = []
        target = lambda: results.append(training.fit(begin(key, optimizer), digits[0], steps=2, **settings(optimizer)))
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
        assert len(results) == 1 and signal.getsignal(signal.SIGINT) is before


class TestNonFinite:
    def test_a_search_that_fails_does_not_hide_what_happened(self, key, digits, monkeypatch):
        monkeypatch.setattr("mlpjax.training._fit.diagnose", lambda *_, **__: 1 / 0)
        optimizer = optax.sgd(0.1)
        state = begin(key, optimizer)
        state = state._replace(params=jax.tree.map(lambda leaf: leaf.at[0].set(jnp.nan), state.params))
        with pytest.raises(training.NonFiniteError, match=r"place could not be found \(ZeroDivisionError\)") as caught:
            training.fit(state, digits[0], steps=5, **settings(optimizer))
        assert caught.value.step == 0 and len(caught.value.history.loss) == 1

    def test_an_update_that_breaks_the_parameters_is_found_to_the_step(self, key, tmp_path):
        """Loss and gradient are finite throughout; step 40 of 70, in a chunk of its own size, divides by zero."""
        objective = lambda params, batch, k: jnp.sum(jnp.where(jnp.isfinite(params), params, 0.0) ** 2)
        optimizer = optax.sgd(lambda step: jnp.where(step == 40, jnp.inf, 0.01))
        start = training.start(key, jnp.ones(3), optimizer=optimizer)
        keywords = dict(objective=objective, optimizer=optimizer)
        with pytest.raises(training.NonFiniteError, match="the optimizer's update is not, in ``") as caught:
            training.fit(start, jnp.ones(4), steps=70, chunk=70, checkpoint=tmp_path / "state", **keywords)
        before, _ = training.run(start, jnp.ones(4), steps=40, **keywords)
        assert caught.value.step == 40 == int(caught.value.state.step)
        assert_trees_equal(caught.value.state.params, before.params)
        saved = training.checkpoint.load(tmp_path / "state", start)
        assert int(saved.stop_state.first_bad_step) == 40
        assert_trees_equal(training.revive(saved).params, before.params)

    def test_a_large_gradient_is_found_to_the_step_though_not_looked_at(self, key, monkeypatch):
        """One example makes the gradient NaN, the loss finite; the run goes back and takes its steps again."""
        begin, found = training.start(key, jnp.ones(3), optimizer=optax.adam(1e-3)), []
        for large in (_step.LARGE, 2):
            monkeypatch.setattr(_step, "LARGE", large)
            objective = lambda params, batch, k: jnp.sum(jnp.sqrt(params**2 * jnp.where(batch[0] == 7, 0.0, 1.0)))
            settings = dict(objective=objective, optimizer=optax.adam(1e-3), batch_size=1, steps=90)
            with pytest.raises(training.NonFiniteError, match="gradient") as caught:
                training.fit(begin, jnp.arange(90), chunk=90, **settings)
            found.append(caught.value)
        assert found[0].step == found[1].step and found[0].step % 32
        assert_trees_equal(found[0].state, found[1].state)
        state, _ = training.run(begin, jnp.arange(90), **settings)
        assert int(state.stop_state.first_bad_step) == found[0].step // 32 * 32

    @pytest.mark.parametrize("large", [2**17, 2])
    @pytest.mark.parametrize(("bad", "every"), [(19, 10), (19, 1), (5, 7)])
    def test_a_step_that_breaks_is_not_evaluated(self, large, bad, every, key, monkeypatch):
        """The rule has seen what a run up to the bad step shows it, and nothing else; trained on, it goes on."""
        monkeypatch.setattr(_step, "LARGE", large)
        keywords = self.broken_at(key, bad) | dict(
            evaluate_every=every, validation=jnp.ones(4), stop=stopping.patience(2)
        )
        begin = training.start(key, jnp.ones(3), optimizer=keywords["optimizer"], stop=keywords["stop"])
        with pytest.raises(training.NonFiniteError) as caught:
            training.fit(begin, jnp.ones(4), steps=60, chunk=60, **keywords)
        before, _ = training.run(begin, jnp.ones(4), steps=bad, **keywords)
        assert caught.value.step == bad
        assert_trees_equal(training.revive(caught.value.state), before)

    def test_what_reaches_only_the_optimizers_state_is_found(self, key, monkeypatch):
        """Layers that are frozen behind Adam take the gradient in and stay: its moments tell."""
        monkeypatch.setattr(_step, "LARGE", 2)
        keywords = self.broken_at(key, 20) | dict(optimizer=optax.chain(optax.adam(0.1), optax.set_to_zero()))
        begin = training.start(key, jnp.ones(3), optimizer=keywords["optimizer"])
        state, _ = training.run(begin, jnp.ones(4), steps=25, **keywords)
        assert int(state.stop_state.first_bad_step) == 0
        with pytest.raises(training.NonFiniteError) as caught:
            training.fit(begin, jnp.ones(4), steps=70, chunk=25, **keywords)
        assert caught.value.step == 20
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(caught.value.state.opt_state))

    def broken_at(self, key, bad):
        """An objective that falls, with a gradient that is NaN at one step, known by its key."""
        optimizer = optax.sgd(0.01)
        objective = lambda params, batch, k: jnp.sum(params**2)
        _, bad_key = batch_of_step(key, jnp.uint32(bad), jnp.ones(4), 4, None, None)

        def value_and_grad(params, batch, k):
            value, grads = jax.value_and_grad(objective)(params, batch, k)
            same = (jax.random.key_data(k) == jax.random.key_data(bad_key)).all()
            return value, jnp.where(same, jnp.nan, grads)

        return dict(objective=objective, optimizer=optimizer, value_and_grad=value_and_grad)


class TestPlaces:
    """What `diagnose` says beyond `tests.reliability.non_finite`."""

    def where(self, objective, params, batch=None, model_state=None, **more):
        state = training.start(jax.random.key(0), params, optimizer=optax.sgd(0.1), model_state=model_state)
        return training.diagnose(state, jnp.ones(2) if batch is None else batch, None, objective=objective, **more)

    def test_a_turn_of_a_loop_over_layers(self, key):
        params = deep.init(key, (2, 4, 4, 4, 4, 1))
        W = params.hidden.W.at[1].set(jnp.finfo(params.hidden.W.dtype).max)
        broken = params._replace(hidden=params.hidden._replace(W=W, b=params.hidden.b + 1))
        dataset = data.Dataset(jnp.ones((3, 2)), jnp.zeros((3, 1)))
        objective = training.supervised(functools.partial(deep.apply, activation=activations.softplus), SQUARED)
        assert self.where(objective, broken, dataset) == "the forward pass overflows in the layer of `hidden/W[1]`"

    def test_where_minus_infinity_began_and_not_a_mask(self):
        def objective(params, batch, key):
            scores = jax.nn.softmax(jnp.where(jnp.arange(2) == 0, params["b"], -jnp.inf))
            return jnp.sum(scores * jnp.log(params["a"]) * params["c"])

        params = {"a": jnp.zeros(2), "b": jnp.ones(2), "c": jnp.ones(2)}
        assert self.where(objective, params) == "the forward pass overflows in the layer of `a`"

    def test_a_label_that_a_transform_spoils(self, key):
        batch = data.Dataset(jnp.ones((2, 2)), jnp.asarray([0, 3]))
        assert "is a label out of range?" in self.where(OBJECTIVE, mlp.init(key, (2, 3)), batch)

    def test_a_model_state_and_a_value_of_another_function(self):
        counted = lambda params, seen, batch, key: (jnp.sum(params**2), {"mean": 1 / seen["mean"]})
        said = self.where(counted, jnp.ones(2), model_state={"mean": jnp.zeros(())})
        assert said == "loss and gradient are finite, the new model state is not, in `mean`"
        other = lambda params, batch, key: (jnp.asarray(jnp.nan), params)
        said = self.where(lambda params, batch, key: jnp.sum(params), jnp.ones(2), value_and_grad=other)
        assert said == "`value_and_grad` returns the loss nan, where `objective` is finite"


def test_quiet_when_not_a_terminal(digits, key, capfd):
    optimizer = optax.adam(1e-3)
    training.fit(begin(key, optimizer), digits[0], steps=2, progress=True, **settings(optimizer))
    assert capfd.readouterr() == ("", "")


def test_shows_a_bar_on_a_terminal(digits, key, capfd, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    optimizer = optax.adam(1e-3)
    training.fit(begin(key, optimizer), digits[0], steps=4, progress=True, **settings(optimizer))
    content = capfd.readouterr().err
    assert "compiling" in content and "4/4 steps" in content and "epoch 1" in content


def test_one_program_for_runs_of_every_length(digits, key):
    optimizer = optax.adam(1e-3)
    common = settings(optimizer)
    programs = _chunks.program.cache_info().misses
    for steps, chunk in ((25, 10), (7, 1), (1, None), (1200, 1100)):
        state, history = training.fit(begin(key, optimizer), digits[0], steps=steps, chunk=chunk, **common)
        assert int(state.step) == len(history.loss) == steps and np.isfinite(history.loss).all()
    assert _chunks.program.cache_info().misses - programs == 1


@pytest.mark.parametrize(
    ("steps", "every", "chunk"),
    [
        (4690, None, 335),  # of a twentieth, 235, the nearest divisor
        (4691, None, 235),  # a prime number
        (4690, 469, 469),
        (2000, 1, 20),
        (14, 1, 2),
        (1, 1, 2),
        (469 * 300, 469, 938),
        (1875 * 10, 1875, 625),  # not across evaluations
        (10**6, 1, 1000),
        (10**6, 2 * 10**6, 1000),
        (400, 100, 100),
        (430, 100, 100),
    ],
)
def test_chunks(steps, every, chunk):
    assert _chunks.chunk_size(steps, every) == chunk


def test_a_run_is_equal_chunks_where_it_can_be_and_each_ends_with_an_evaluation():
    for every in (1, 2, 7, 100, 469):
        for looks in [*range(1, 60), *range(60, 1000, 37)]:
            chunk = _chunks.chunk_size(every * looks, every)
            most = 1000 // every
            wished = min(max(math.ceil(looks / 100), math.ceil(2 / every)), most)
            assert chunk % every == 0 and wished / 2 < chunk / every < 2 * wished and chunk <= 1000
            equal = [d for d in range(wished, min(2 * wished, most + 1)) if looks % d == 0]
            assert looks % (chunk // every) == 0 or not equal


def test_a_network_of_ones_own(key):
    """Not an MLP: a dictionary of parameters, and a function."""

    def init(key):
        return {"scale": jnp.ones(64), "out": mlp.init(key, (64, 10))}

    def apply(params, x):
        return mlp.apply(params["out"], jnp.sin(x * params["scale"]))

    optimizer = optax.adam(3e-3)
    state = training.start(key, init(key), optimizer=optimizer)
    state, history = training.fit(
        state,
        data.digits.load("train"),
        objective=training.supervised(apply, LOSS),
        optimizer=optimizer,
        steps=300,
        batch_size=64,
        transform=TRANSFORM,
        progress=False,
    )
    assert history.loss[-20:].mean() < 0.5 < history.loss[0]


def test_no_warnings(digits, key):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer = optax.adam(1e-3)
        training.fit(begin(key, optimizer), digits[0], steps=2, **settings(optimizer))
