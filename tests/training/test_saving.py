"""Saves beside training: one at a time, at most 3 % of the time, and no error lost."""

import concurrent.futures
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax.training import _saving
from tests.helpers import assert_trees_equal


@pytest.fixture(autouse=True)
def texts_for_states(monkeypatch):
    """Any object may stand for a state here, except where the copy itself is tested."""
    copy = _saving.on_host
    monkeypatch.setattr(_saving, "on_host", lambda state: state if isinstance(state, str) else copy(state))


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Slow:
    """A saver that writes as long as the test wants, and notices a second one beside it."""

    def __init__(self):
        self.free, self.begun, self.saved, self.writers = threading.Event(), threading.Event(), [], 0

    def __call__(self, state):
        self.writers += 1
        assert self.writers == 1
        self.begun.set()
        assert self.free.wait(60)
        self.saved.append(state)
        self.writers -= 1


def test_one_at_a_time_and_nobody_waits():
    save, clock = Slow(), Clock()
    with _saving.Saver(save, 1.0, clock=clock) as saver:
        saver.begin("first")
        assert save.begun.wait(60)
        for i in range(3):  # all of them in time, but the first is not on the disk yet
            clock.now += 10
            saver.offer(f"skipped {i}")
        save.free.set()
        saver.wait()
        saver.offer("second")
        saver.finish("last")
    assert save.saved == ["first", "second", "last"]


@pytest.mark.parametrize(
    ("copying", "writing", "period"), [(0.0, 0.0, 60.0), (2.0, 1.0, 100.0), (0.0, 3.0, 100.0), (0.3, 0.3, 60.0)]
)
def test_never_more_than_three_percent(monkeypatch, copying, writing, period):
    clock, processor, saved = Clock(), Clock(), []

    def copy(state):
        clock.now += copying
        return state

    def save(state):
        processor.now += writing
        saved.append(state)

    monkeypatch.setattr(_saving, "on_host", copy)
    with _saving.Saver(save, 60.0, clock=clock, busy=processor) as saver:
        for i in range(1, 4):
            began = clock.now
            saver.begin(f"{i}")
            saver.wait()
            clock.now = began + period - 0.01
            saver.offer("too early")
            clock.now = began + period + 0.01
            saver.offer(f"{i}, in time")
            saver.wait()
    assert saved == ["1", "1, in time", "2", "2, in time", "3", "3, in time"]


def test_every_chunk_if_asked_for():
    saved = []
    with _saving.Saver(saved.append, 0, clock=Clock()) as saver:
        for i in range(20):
            saver.offer(f"{i}")
    assert saved == [f"{i}" for i in range(20)]


def failing(error):
    def save(state):
        raise error

    return save


def test_an_error_of_the_disk_is_a_warning_at_the_next_look():
    clock = Clock()
    with _saving.Saver(failing(OSError("full")), 1.0, clock=clock) as saver:
        saver.begin("a")
        concurrent.futures.wait([saver._writing])
        with pytest.warns(UserWarning, match="could not be saved, training goes on: full"):
            saver.offer("b")  # not in time for another, but in time for its warning
        saver.offer("c")


@pytest.mark.parametrize("error", [OSError("full"), ValueError("a mistake")])
def test_an_error_at_the_end_is_raised(error):
    with _saving.Saver(failing(error), 1.0) as saver, pytest.raises(type(error), match=str(error)):
        saver.finish("a")


def test_a_mistake_is_raised_at_the_next_look():
    with pytest.raises(ValueError, match="a mistake"), _saving.Saver(failing(ValueError("a mistake")), 0) as saver:
        saver.offer("a")
        saver.offer("b")


def test_what_ends_a_run_is_not_hidden_and_leaves_no_writer():
    save = Slow()
    threading.Timer(0.1, save.free.set).start()
    with pytest.raises(KeyError, match="the run"), _saving.Saver(save, 1.0) as saver:
        saver.begin("a")
        raise KeyError("the run")
    assert save.saved == ["a"]
    with pytest.raises(KeyError, match="the run"), pytest.warns(UserWarning, match="could not be saved: full"):
        with _saving.Saver(failing(OSError("full")), 1.0) as saver:
            saver.begin("a")
            raise KeyError("the run")


def test_a_wait_may_be_short():
    save = Slow()
    with _saving.Saver(save, 1.0) as saver:
        saver.begin("a")
        saver.wait(0.001)
        assert save.saved == []
        save.free.set()
        saver.wait()
        assert save.saved == ["a"]


def test_no_saver_no_thread():
    before = threading.active_count()
    with _saving.Saver(None, 0) as saver:
        saver.begin("a")
        saver.offer("a")
        saver.finish("a")
        assert threading.active_count() == before


def test_a_copy_outlives_donation():
    """Also where the host's memory is the device's, so that a view would be of what is overwritten."""
    change = jax.jit(lambda tree: jax.tree.map(lambda a: -a, tree), donate_argnums=0)
    arrays = change({"W": jnp.arange(1000.0), "b": jnp.ones(3, jnp.bfloat16), "n": jnp.int32(3)})
    key = jax.random.key(3)
    copy = _saving.on_host({"arrays": arrays, "key": key})
    expected = jax.tree.map(lambda a: np.array(a), arrays)
    for _ in range(3):
        arrays = change(arrays)
    assert_trees_equal(copy["arrays"], expected)
    assert all(isinstance(a, np.ndarray) and a.flags.owndata for a in jax.tree.leaves(copy["arrays"]))
    jax.jit(lambda k: jax.random.fold_in(k, 1), donate_argnums=0)(key)
    assert jax.random.key_data(copy["key"]).tolist() == [0, 3]
