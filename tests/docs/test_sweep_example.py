"""OPT5, REG6: the sweep of the how-to page, run as a reader runs it, with fewer seeds and rates."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import data, mlp
from tests.docs.test_examples import as_a_reader, example  # noqa: F401  (the first is a fixture for every test here)

RATES = (1e-4, 1e-2, 0.3)


@pytest.fixture(scope="module")
def swept():
    script = example("sweep")
    everything = data.digits.load("train")
    parts = script.hold_out(everything, len(everything.x) // 5)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        results = script.sweep(jax.random.split(jax.random.key(1), 2), jnp.asarray(RATES), *parts)
    return script, parts, jax.device_get(results)


@pytest.mark.ledger("OPT5", "REG6")
def test_one_program_finds_the_rate(swept, measured):
    script, _, (_, step, found) = swept
    assert script.sweep._cache_size() == 1
    assert found["accuracy"].shape == step.shape == (2, 3)
    low, middle, high = found["accuracy"].max(axis=0)
    assert middle > max(low, high) + 0.1
    measured(1 - middle, 0.06, oracle="error rate on 287 held-out digits, the better of two seeds")
    assert np.all(step % 18 == 0) and np.all(step[:, 0] == 720) and np.all(step[:, 1:] < 720), step


def test_what_is_reported_is_what_the_kept_parameters_do(swept):
    _, (_, watched), (params, _, found) = swept
    for place in np.ndindex(2, 3):
        kept = jax.tree.map(lambda leaf, place=place: jnp.asarray(leaf[place]), params)
        logits = np.asarray(jax.vmap(mlp.apply, (None, 0))(kept, watched.x / 16.0))
        assert found["accuracy"][place] == pytest.approx(np.mean(logits.argmax(axis=1) == np.asarray(watched.y)))


def test_the_table_has_a_line_for_each_rate(swept, capsys):
    script, *_ = swept
    accuracy = np.linspace(0, 1, 10).reshape(5, 2)
    script.table(jnp.asarray([0.01, 0.1]), accuracy, np.full((5, 2), 36))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["rate", "best", "median", "quartiles", "at", "step"]
    assert lines[1].split() == ["1.0e-02", "88.9%", "44.4%", "22.2%", "–", "66.7%", "36"]
    assert len(lines) == 3


def test_the_choice_never_sees_the_test_set():
    script = example("sweep")
    for function in (script.train, script.sweep, script.table):
        assert not [name for name in inspect.signature(function).parameters if "test" in name]
