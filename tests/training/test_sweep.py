"""Many runs as one program: `training.run` under `vmap` over whatever differs between them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax import losses, metrics, mlp, training, trees
from mlpjax.data import Dataset
from mlpjax.training import recipes, stopping
from tests.helpers import assert_trees_close

LOSS = losses.softmax_cross_entropy
OBJECTIVE = training.supervised(mlp.apply, LOSS)
SIZES = (4, 5, 3)
APART = training.TrainState(0, 0, 0, 0, 0, step=None)
"""The axes of many states that are all at one step."""


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


def dataset(seed, n=24):
    """Three clusters in four dimensions."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    x = (rng.normal(size=(3, 4))[y] + rng.normal(size=(n, 4))).astype(jnp.zeros(()).dtype)
    return Dataset(jnp.asarray(x), jnp.asarray(y.astype(np.int32)))


def begin(key, optimizer, spread=1.0, **more):
    """A state whose first weights are uniform, which compiles sooner than normal ones."""
    init_key, run_key = jax.random.split(key)
    uniform = lambda key, shape, dtype: spread * jax.random.uniform(key, shape, dtype, -1.0)
    return training.start(run_key, mlp.init(init_key, SIZES, weight_init=uniform), optimizer=optimizer, **more)


def one_run(key, rate, decay, spread, data, batch_size=8):
    """A run as a function of all that may differ between the members of a sweep."""
    optimizer = optax.chain(optax.add_decayed_weights(decay), optax.sgd(rate))
    settings = dict(objective=OBJECTIVE, optimizer=optimizer, steps=12, batch_size=batch_size)
    state, history = training.run(begin(key, optimizer, spread), data, **settings)
    return state.params, history.loss


@pytest.fixture(scope="module")
def alone():
    """One run by itself, compiled once for this file."""
    return jax.jit(one_run)


@pytest.fixture(scope="module")
def values():
    """Three of everything, with the names of `one_run`."""
    keys = jax.random.split(jax.random.key(5), 3)
    rates, decays, spreads = (jnp.asarray(v) for v in ([0.03, 0.1, 0.3], [0.0, 0.1, 1.0], [0.1, 0.5, 1.0]))
    data = trees.stack([dataset(seed) for seed in range(3)])
    return dict(key=keys, rate=rates, decay=decays, spread=spreads, data=data)


def member(tree, *place):
    return jax.tree.map(lambda leaf: leaf[place], tree)


def assert_members_differ(tree, axis):
    for leaf in jax.tree.leaves(tree):
        assert np.all(np.std(np.asarray(leaf), axis=axis).max() > 1e-3)


@pytest.mark.ledger("OPT5")
@pytest.mark.parametrize("name", ["key", "rate", "decay", "spread", "data"])
def test_each_member_is_the_run_by_itself(name, values, alone, compiled):
    fixed = {other: member(value, 1) for other, value in values.items() if other != name}
    sweep = jax.jit(jax.vmap(lambda value, fixed: one_run(**{name: value}, **fixed), (0, None)))
    compiled.clear()
    together = jax.block_until_ready(sweep(values[name], fixed))
    assert len(compiled) == 1, compiled
    assert_members_differ(together, axis=0)
    for i in range(3):
        assert_trees_close(member(together, i), alone(**{name: member(values[name], i)}, **fixed))


@pytest.mark.ledger("OPT5")
def test_a_product_of_keys_and_rates_compiles_once(values, alone, compiled):
    fixed = {name: member(values[name], 1) for name in ("decay", "spread", "data")}
    one = lambda key, rate: one_run(key=key, rate=rate, **fixed)
    sweep = jax.jit(jax.vmap(jax.vmap(one, (None, 0)), (0, None)))
    keys, rates = values["key"], values["rate"]
    other = keys[::-1], 2 * rates
    compiled.clear()
    together = jax.block_until_ready(sweep(keys, rates))
    jax.block_until_ready(sweep(*other))
    assert len(compiled) == 1, compiled
    for axis in (0, 1):
        assert_members_differ(together, axis)
    for i, j in np.ndindex(3, 3):
        assert_trees_close(member(together, i, j), alone(key=keys[i], rate=rates[j], **fixed))


def test_rates_in_the_state_are_rates_in_a_closure(values, alone):
    """With `optax.inject_hyperparams` a rate is a number in the state: one optimizer for all members."""
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=1.0)
    fixed = {name: member(values[name], 1) for name in ("key", "spread", "data")}

    def one(rate):
        state = begin(fixed["key"], optimizer, fixed["spread"])
        state.opt_state.hyperparams["learning_rate"] = rate
        settings = dict(objective=OBJECTIVE, optimizer=optimizer, steps=12, batch_size=8)
        state, history = training.run(state, fixed["data"], **settings)
        return state.params, history.loss

    together = jax.jit(jax.vmap(one))(values["rate"])
    for i in range(3):
        assert_trees_close(member(together, i), alone(rate=values["rate"][i], decay=jnp.zeros(()), **fixed))


def test_full_batch_of_many_data_sets(values):
    """Every step takes all of a member's own examples."""
    fixed = {name: member(values[name], 1) for name in ("key", "rate", "decay", "spread")}
    one = functools.partial(one_run, batch_size=None, **fixed)
    together = jax.jit(jax.vmap(lambda data: one(data=data)))(values["data"])
    by_itself = jax.jit(one)
    for i in range(3):
        assert_trees_close(member(together, i), by_itself(data=member(values["data"], i)))


@pytest.mark.ledger("REG6")
def test_each_member_stops_for_itself_and_keeps_its_best(key):
    """And evaluations stay rare: their condition is not mapped over, so `cond` is not turned into a choice."""
    train, test = dataset(0), dataset(1)
    stop, looked = stopping.patience(2), []

    def look(params, batch):
        jax.debug.callback(lambda: looked.append(None))
        return jnp.sum(params[0].W)

    def one(rate):
        optimizer = optax.sgd(rate)
        settings = dict(validation=test, metrics={"seen": look}, evaluate_every=3, stop=stop)
        state = begin(key, optimizer, stop=stop)
        return training.run(
            state, train, objective=OBJECTIVE, optimizer=optimizer, steps=60, batch_size=8, **settings
        )

    rates = jnp.asarray([0.003, 0.3, 3.0])
    state, history = jax.block_until_ready(jax.jit(jax.vmap(one))(rates))
    jax.effects_barrier()
    assert len(looked) in (20, 3 * 20), len(looked)
    seen = np.asarray(history.validation["loss"])
    evaluated = [np.flatnonzero(~np.isnan(row)) for row in seen]
    assert len({len(at) for at in evaluated}) > 1, "all members stopped after the same step"
    kept = training.best_params(state, stop)
    alone = jax.jit(one)
    for i, at in enumerate(evaluated):
        best = at[np.argmin(seen[i, at])]
        assert int(state.stop_state.rule.step[i]) == best + 1
        assert np.isnan(history.loss[i, at[-1] + 1 :]).all() or at[-1] == 59
        assert float(OBJECTIVE(member(kept, i), test, None)) == pytest.approx(seen[i, best], rel=1e-5)
        state_alone, history_alone = alone(rates[i])
        assert_trees_close(member(state.stop_state.rule, i), state_alone.stop_state.rule)
        assert_trees_close(member(history, i), history_alone)


def test_what_a_run_carries_is_carried_for_each_member(values, unchecked):
    """Dropout, model state, a schedule: mapped over states that were made before, with traced numbers for all of it."""

    def settings(rate, decay, dropout_rate):
        apply = functools.partial(mlp.apply, dropout_rate=dropout_rate)
        supervised = training.supervised(apply, LOSS)
        averaged = lambda params, mean, batch, key: (supervised(params, batch, key), 0.9 * mean + 0.1 * batch.x.mean(0))
        optimizer = recipes.optimizer("adamw", recipes.cosine(rate, 10), weight_decay=decay)
        return dict(objective=averaged, optimizer=optimizer)

    def first(key, *numbers):
        return begin(key, settings(*numbers)["optimizer"], model_state=jnp.zeros(4))

    def go(state, data, *numbers):
        return training.run(state, data, steps=8, batch_size=8, **settings(*numbers))[0]

    numbers = values["rate"], values["decay"], jnp.asarray([0.0, 0.2, 0.5])
    data = member(values["data"], 0)
    states = jax.jit(jax.vmap(first, out_axes=APART))(values["key"], *numbers)
    together = jax.jit(jax.vmap(go, (APART, None, 0, 0, 0), APART))(states, data, *numbers)
    assert together.step.shape == () and together.model_state.shape == (3, 4)
    assert_members_differ((together.params, together.model_state), axis=0)
    alone = jax.jit(go)
    for i in range(3):
        begun = jax.tree.map(lambda leaf: leaf[i] if leaf.ndim else leaf, states)
        ended = jax.tree.map(lambda leaf: leaf[i] if leaf.ndim else leaf, together)
        by_itself = alone(begun, data, *(number[i] for number in numbers))
        assert_trees_close(ended._replace(key=None), by_itself._replace(key=None))
