"""Many runs as one program: `training.run` under `vmap`, over whatever differs between them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax import losses, mlp, training
from mlpjax.data import Dataset
from mlpjax.layers import Dense
from mlpjax.training import stopping
from tests.helpers import assert_trees_close

LOSS = losses.softmax_cross_entropy
OBJECTIVE = training.supervised(mlp.apply, LOSS)
SIZES = (4, 5, 3)


@pytest.fixture
def compiled():
    """Names of the programs that XLA has compiled since the list was last cleared."""
    programs = []

    def listen(event, seconds, **about):
        if event == "/jax/core/compile/backend_compile_duration":
            programs.append(about["fun_name"])

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield programs
    jax.monitoring.unregister_event_duration_listener(listen)


def numbers(values):
    return np.asarray(values, jnp.zeros(()).dtype)


def dataset(seed, n=24):
    """Three clusters in four dimensions, on the host."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n).astype(np.int32)
    return Dataset(numbers(rng.normal(size=(3, 4))[y] + rng.normal(size=(n, 4))), y)


def weights(seed):
    """First parameters from NumPy: there is nothing to compile."""
    rng = np.random.default_rng(seed)
    shapes = zip(SIZES[1:], SIZES[:-1], strict=True)
    return tuple(Dense(numbers(rng.normal(size=(m, n))), numbers(np.zeros(m))) for m, n in shapes)


def stack(items):
    return jax.tree.map(lambda *leaves: np.stack(leaves), *items)


def member(tree, *place):
    return jax.tree.map(lambda leaf: leaf[place], tree)


def assert_members_differ(tree, axis=0):
    for leaf in jax.tree.leaves(tree):
        assert np.std(leaf, axis=axis).max() > 1e-4


@pytest.mark.ledger("OPT5")
def test_keys_rates_decays_scales_and_data_sets_in_one_program(compiled):
    """One `vmap` for each, one compilation for all 32 runs and for 32 others, and every run is the run by itself."""

    def one(key, rate, decay, scale, data):
        init_key, run_key = jax.random.split(key)
        uniform = lambda key, shape, dtype: scale * jax.random.uniform(key, shape, dtype, -1.0)
        optimizer = optax.chain(optax.add_decayed_weights(decay), optax.sgd(optax.cosine_decay_schedule(rate, 15)))
        state = training.start(run_key, mlp.init(init_key, SIZES, weight_init=uniform), optimizer=optimizer)
        settings = dict(objective=OBJECTIVE, optimizer=optimizer, steps=12, batch_size=8)
        state, history = training.run(state, data, **settings)
        return state.params, history.loss

    sweep = one
    for argument in reversed(range(5)):
        sweep = jax.vmap(sweep, [0 if i == argument else None for i in range(5)])
    sweep, alone = jax.jit(sweep), jax.jit(one)
    keys, data = jax.random.split(jax.random.key(5), 4), stack([dataset(0), dataset(1)])
    values = [keys[:2], numbers([0.1, 0.3]), numbers([0.0, 0.5]), numbers([0.3, 1.0]), data]
    others = [keys[2:], numbers([0.2, 0.4]), numbers([0.1, 0.3]), numbers([0.5, 0.9]), data]

    compiled.clear()
    together, again = jax.device_get((sweep(*values), sweep(*others)))
    assert len(compiled) == 1, compiled
    for axis in range(5):
        assert_members_differ(together, axis)
    for place in np.ndindex(2, 2, 2, 2, 2):
        arguments = (member(value, i) for value, i in zip(values, place, strict=True))
        assert_trees_close(member(together, *place), alone(*arguments))
    last = (member(value, 1) for value in others)
    assert_trees_close(member(again, 1, 1, 1, 1, 1), alone(*last))


def test_full_batch_takes_all_of_each_data_set(key):
    optimizer = optax.sgd(0.1)

    def one(data):
        state = training.start(key, weights(0), optimizer=optimizer)
        return training.run(state, data, objective=OBJECTIVE, optimizer=optimizer, steps=4)[0].params

    @jax.jit
    def descend(params, data):
        return jax.tree.map(lambda p, g: p - 0.1 * g, params, jax.grad(OBJECTIVE)(params, data, None))

    data = stack([dataset(seed) for seed in range(3)])
    together = jax.device_get(jax.jit(jax.vmap(one))(data))
    assert_members_differ(together)
    for i in range(3):
        params = weights(0)
        for _ in range(4):
            params = descend(params, member(data, i))
        assert_trees_close(member(together, i), params)


@pytest.mark.ledger("REG6")
def test_each_member_stops_for_itself_and_keeps_its_best(key):
    train, test = jax.tree.map(jnp.asarray, (dataset(0), dataset(1)))
    stop = stopping.patience(2)

    def one(rate):
        optimizer = optax.sgd(rate)
        settings = dict(validation=test, evaluate_every=3, stop=stop, batch_size=8)
        state = training.start(key, weights(0), optimizer=optimizer, stop=stop)
        state, history = training.run(state, train, objective=OBJECTIVE, optimizer=optimizer, steps=60, **settings)
        kept = training.best_params(state, stop)
        return kept, OBJECTIVE(kept, test, None), state.stop_state.rule.step, history

    rates, alone = numbers([0.003, 0.3, 3.0]), jax.jit(one)
    together = jax.device_get(jax.jit(jax.vmap(one))(rates))
    _, kept_loss, step, history = together
    lengths = np.sum(~np.isnan(history.loss), axis=1)
    assert len(set(lengths)) == 3 and min(lengths) < 60, lengths
    for i, seen in enumerate(history.validation["loss"]):
        assert np.flatnonzero(~np.isnan(seen)).tolist() == list(range(2, lengths[i], 3))
        assert step[i] == np.nanargmin(seen) + 1
        assert kept_loss[i] == pytest.approx(np.nanmin(seen), rel=1e-5)
        by_itself = alone(rates[i])
        assert step[i] == by_itself[2]
        assert_trees_close(member(together, i)[:2], by_itself[:2])
        np.testing.assert_allclose(history.loss[i], by_itself[3].loss, rtol=1e-5)


def test_what_a_run_carries_is_carried_for_each_member(unchecked):
    """Dropout, model state and an injected rate, over states that were made before and are all at one step.

    That step is not mapped over, so evaluations stay behind their condition: one condition for each member would become
    a choice, after measuring at every step.
    """
    data, looked = dataset(0), []
    apart = training.TrainState(0, 0, 0, 0, 0, step=None)
    injected = optax.inject_hyperparams(optax.sgd)(learning_rate=1.0, momentum=0.9)

    def look(params, model_state, batch):
        jax.debug.callback(lambda: looked.append(None))
        return jnp.sum(model_state)

    def begin(key, params, rate, optimizer):
        return training.start(key, params, optimizer=optimizer, model_state=jnp.zeros(4))

    def begin_injected(key, params, rate):
        state = begin(key, params, rate, injected)
        state.opt_state.hyperparams["learning_rate"] = rate
        return state

    def go(state, dropout_rate, optimizer, **watch):
        loss = training.supervised(functools.partial(mlp.apply, dropout_rate=dropout_rate), LOSS)
        averaging = lambda params, mean, batch, key: (loss(params, batch, key), 0.9 * mean + 0.1 * batch.x.mean(0))
        settings = dict(objective=averaging, optimizer=optimizer, steps=8, batch_size=8)
        state, history = training.run(state, data, **settings, **watch)
        return state.params, state.model_state, history.loss

    @jax.jit
    def alone(key, params, rate, dropout_rate):
        optimizer = optax.sgd(rate, momentum=0.9)
        return go(training.start(key, params, optimizer=optimizer, model_state=jnp.zeros(4)), dropout_rate, optimizer)

    keys, params = jax.random.split(jax.random.key(3), 3), stack([weights(seed) for seed in range(3)])
    rates, dropout_rates = numbers([0.03, 0.1, 0.3]), numbers([0.0, 0.2, 0.5])
    states = jax.jit(jax.vmap(begin_injected, out_axes=apart))(keys, params, rates)
    watching = functools.partial(go, validation=data, evaluate_every=4, metrics={"mean": look}, optimizer=injected)
    together = jax.device_get(jax.jit(jax.vmap(watching, (apart, 0)))(states, dropout_rates))
    jax.effects_barrier()
    assert len(looked) == 2, "not once per evaluation"
    assert_members_differ(together)
    for i in range(3):
        assert_trees_close(member(together, i), alone(keys[i], member(params, i), rates[i], dropout_rates[i]))
