"""`training.run` as a value: pure, resumable to the bit, under jit and grad; and what it refuses."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax import activations, backprop, data, losses, metrics, mlp, regularizers, training
from mlpjax.data import Dataset
from mlpjax.training import stopping
from tests.helpers import assert_trees_close, assert_trees_equal

LOSS = losses.softmax_cross_entropy
OBJECTIVE = training.supervised(mlp.apply, LOSS)
SIZES = (6, 16, 3)
ACCURACY = {"accuracy": training.metric(mlp.apply, metrics.accuracy)}


@pytest.fixture(scope="module")
def clusters():
    """Three clusters in six dimensions, 90 examples; and 40 more to validate on."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(3, 6)) * 2
    y = rng.integers(0, 3, 130).astype(np.int32)
    x = (centers[y] + rng.normal(size=(130, 6))).astype(jnp.zeros(()).dtype)
    return jax.tree.map(jnp.asarray, (Dataset(x[:90], y[:90]), Dataset(x[90:], y[90:])))


def begin(key, optimizer, stop=None, sizes=SIZES):
    return training.start(key, mlp.init(key, sizes), optimizer=optimizer, stop=stop)


def trainer(dataset, optimizer, **settings):
    settings = {"objective": OBJECTIVE, "optimizer": optimizer, "batch_size": 16} | settings
    return lambda state, steps: training.run(state, dataset, steps=steps, **settings)


@pytest.mark.ledger("OPT5")
def test_it_learns(clusters, key, measured):
    train, test = clusters
    optimizer = optax.adam(1e-2)
    go = trainer(train, optimizer, validation=test, metrics=ACCURACY, evaluate_every=50)
    state, history = jax.jit(go, static_argnums=1)(begin(key, optimizer), 200)
    accuracy = history.validation["accuracy"]
    steps, at = history.evaluations()
    assert steps.tolist() == [50, 100, 150, 200] and at["accuracy"].tolist() == accuracy[steps - 1].tolist()
    assert history.loss[-20:].mean() < 0.3 * history.loss[:5].mean()
    logits = jax.vmap(mlp.apply, in_axes=(None, 0))(state.params, test.x)
    measured(1 - accuracy[-1], 0.1, oracle="error rate on 40 held-out examples of three clusters")
    assert float(accuracy[-1]) == pytest.approx(np.mean(np.argmax(np.asarray(logits), 1) == np.asarray(test.y)))
    loss = np.mean(-np.asarray(jax.nn.log_softmax(logits))[np.arange(40), test.y])
    assert float(history.validation["loss"][-1]) == pytest.approx(loss, rel=1e-5)


@pytest.mark.ledger("OPT5")
@pytest.mark.parametrize("optimizer", [optax.sgd(0.1, 0.9), optax.adam(1e-2)], ids=["momentum", "adam"])
def test_a_run_in_two_parts_is_the_same_run_to_the_bit(optimizer, clusters, key):
    train, test = clusters
    apply = functools.partial(mlp.apply, dropout_rate=0.2)
    noise = lambda batch, k: (
        batch if k is None else batch._replace(x=batch.x + 0.1 * jax.random.normal(k, batch.x.shape))
    )
    go = trainer(
        train,
        optimizer,
        objective=training.supervised(apply, LOSS),
        transform=noise,
        validation=test,
        evaluate_every=7,
    )
    go = jax.jit(go, static_argnums=1)
    whole, history = go(begin(key, optimizer), 40)
    half, first = go(begin(key, optimizer), 17)
    rest, second = go(half, 23)
    assert_trees_equal(rest, whole)
    assert_trees_equal(jax.tree.map(lambda *parts: jnp.concatenate(parts), first, second), history)


@pytest.mark.parametrize("optimizer", [optax.adam(0.05), optax.rmsprop(0.05)], ids=["adam", "rmsprop"])
@pytest.mark.parametrize("activation", [activations.relu, activations.tanh], ids=str)
def test_runs_of_one_step_are_the_same_bits_in_full_batch_too(optimizer, activation, clusters, key):
    """XLA unrolls a loop of one turn and rounds otherwise; `run` must not let that be seen."""
    objective = training.supervised(functools.partial(mlp.apply, activation=activation), LOSS)
    settings = dict(objective=objective, optimizer=optimizer)
    go = jax.jit(lambda s, data, steps: training.run(s, data, steps=steps, **settings), static_argnums=2)
    whole, history = go(begin(key, optimizer), clusters[0], 12)
    state, losses_seen = begin(key, optimizer), []
    for _ in range(12):
        state, one = go(state, clusters[0], 1)
        losses_seen.append(one.loss)
    assert_trees_equal(state, whole)
    assert_trees_equal(jnp.concatenate(losses_seen), history.loss)


@pytest.mark.ledger("BP8")
@pytest.mark.parametrize("penalty", [None, regularizers.l2(0.01)], ids=str)
@pytest.mark.parametrize("dropout_rate", [0.0, 0.3])
def test_by_hand_and_by_autodiff_give_the_same_run(penalty, dropout_rate, clusters, key):
    train, _ = clusters
    optimizer = optax.adam(1e-2)
    apply = functools.partial(mlp.apply, activation=activations.tanh, dropout_rate=dropout_rate)
    objective = training.supervised(apply, LOSS, penalty=penalty)
    hand = backprop.supervised(activation=activations.tanh, loss=LOSS, dropout_rate=dropout_rate, penalty=penalty)
    state = begin(key, optimizer)
    results = [
        jax.jit(trainer(train, optimizer, objective=objective, value_and_grad=fn), static_argnums=1)(state, 60)
        for fn in (None, hand)
    ]
    assert_trees_close(results[0][0].params, results[1][0].params, rtol=1e-3 if train.x.dtype == np.float32 else 1e-10)


@pytest.mark.x64
def test_differentiable_in_the_learning_rate(clusters, key, measured):
    train, test = clusters

    def validation_loss(rate):
        optimizer = optax.sgd(rate)
        stop = stopping.patience(100)
        go = trainer(train, optimizer, validation=test, evaluate_every=5, stop=stop, value_and_grad=None)
        state, _ = go(begin(key, optimizer, stop), 10)
        return OBJECTIVE(state.params, test, None)

    slope = jax.jit(jax.grad(validation_loss))(0.05)
    f = jax.jit(validation_loss)
    finite = (f(0.05 + 1e-6) - f(0.05 - 1e-6)) / 2e-6
    measured(abs(slope - finite) / abs(finite), 1e-6, oracle="central difference in the learning rate")


@pytest.mark.ledger("REG6")
def test_early_stopping_keeps_the_best_and_then_nothing_moves(clusters, key):
    train, test = clusters
    optimizer, stop = optax.adam(0.3), stopping.patience(3, min_delta=0.01)
    go = trainer(train, optimizer, validation=test, metrics=ACCURACY, evaluate_every=5, stop=stop)
    state, history = jax.jit(go, static_argnums=1)(begin(key, optimizer, stop), 200)
    seen = np.asarray(history.validation["loss"])
    evaluated = np.flatnonzero(~np.isnan(seen))
    # the rule, replayed in Python on what the history says
    best, best_step, waited = np.inf, None, 0
    for i in evaluated:
        best, best_step, waited = (seen[i], i + 1, 0) if seen[i] < best - 0.01 else (best, best_step, waited + 1)
    assert waited == 3 and evaluated[-1] < 199, "it should have stopped early"
    assert int(state.stop_state.rule.step) == best_step
    assert np.isnan(history.loss[evaluated[-1] + 1 :]).all() and int(state.step) == 200
    kept = training.best_params(state, stop)
    assert float(OBJECTIVE(kept, test, None)) == pytest.approx(best, rel=1e-6)
    again, more = jax.jit(go, static_argnums=1)(state, 20)
    assert_trees_equal(again.params, state.params)
    assert np.isnan(more.loss).all()


def test_maximize_and_unknown_monitor(clusters, key):
    train, test = clusters
    optimizer = optax.adam(1e-2)
    stop = stopping.patience(2, monitor="accuracy", maximize=True)
    go = trainer(train, optimizer, validation=test, metrics=ACCURACY, evaluate_every=10, stop=stop)
    state, history = go(begin(key, optimizer, stop), 60)
    assert float(state.stop_state.rule.value) == pytest.approx(float(np.nanmax(history.validation["accuracy"])))
    wrong = stopping.patience(2, monitor="f1")
    with pytest.raises(ValueError, match="`monitor` must be one of the validation metrics"):
        trainer(train, optimizer, validation=test, stop=wrong)(begin(key, optimizer, wrong), 6)


@pytest.mark.parametrize("where", ["params", "label", "rate"])
def test_a_non_finite_step_changes_nothing_and_ends_the_run(where, clusters, key):
    train, _ = clusters
    optimizer = optax.adam(1e-2)
    if where == "rate":  # the sixth step overflows
        optimizer = optax.sgd(optax.piecewise_constant_schedule(0.1, {5: 1e38}))
    state = begin(key, optimizer)
    if where == "params":
        state = state._replace(params=jax.tree.map(lambda p: p.at[0].set(jnp.nan), state.params))
    if where == "label":
        train = train._replace(y=jnp.where(jnp.arange(90) == 40, 3, train.y))
    go = jax.jit(lambda state, train: trainer(train, optimizer)(state, 30))
    ended, history = go(state, train)
    bad = int(ended.stop_state.first_bad_step)
    assert bad < 30 and np.isnan(history.loss[bad + 1 :]).all() and int(ended.step) == 30
    before = state if bad == 0 else jax.jit(lambda s, t: trainer(t, optimizer)(s, bad))(state, train)[0]
    assert_trees_equal(ended.params, before.params)
    assert_trees_equal(ended.opt_state, before.opt_state)


@pytest.mark.parametrize(
    "optimizer", [optax.clip(1.0), optax.sign_sgd(0.1), optax.MultiSteps(optax.sgd(0.1), 2).gradient_transformation()]
)
def test_a_non_finite_gradient_is_seen_even_where_the_optimizer_hides_it(optimizer, key):
    slope = lambda params, batch, k: jnp.sum(params * jnp.where(batch[0] == 7, jnp.inf, 1.0))
    state = training.start(key, jnp.ones(3), optimizer=optimizer)
    settings = dict(objective=slope, optimizer=optimizer, batch_size=1, steps=12)
    with jax.numpy_dtype_promotion("standard"):
        state, history = jax.jit(lambda s: training.run(s, jnp.arange(12), **settings))(state)
    assert int(state.stop_state.first_bad_step) == np.flatnonzero(~np.isfinite(history.loss))[0]
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((state.params, state.opt_state)))


@pytest.mark.parametrize("steps", [41, 70])
def test_an_update_that_breaks_the_parameters_is_taken_back(steps, key):
    """Gradient and loss are finite throughout; step 40 divides by zero. What was kept at step 32 comes back."""
    rate = lambda step: jnp.where(step == 40, jnp.inf, 0.01)
    objective = lambda params, batch, k: jnp.sum(jnp.where(jnp.isfinite(params), params, 0.0) ** 2)
    optimizer = optax.sgd(rate)
    settings = dict(objective=objective, optimizer=optimizer)
    begin = training.start(key, jnp.ones(3), optimizer=optimizer)
    state, _ = training.run(begin, jnp.ones(4), steps=steps, **settings)
    before, _ = training.run(begin, jnp.ones(4), steps=32, **settings)
    assert int(state.step) == steps and int(state.stop_state.first_bad_step) == 32
    assert_trees_equal((state.params, state.opt_state), (before.params, before.opt_state))
    many = jax.vmap(lambda key: training.run(begin._replace(key=key), jnp.ones(4), steps=steps, **settings)[0])
    assert_trees_equal(many(jax.random.split(key, 2)).params, jnp.stack([before.params] * 2))


def test_broken_parameters_are_never_the_best(key):
    """A step to minus infinity lowers this loss, and the rule looks at it before 32 steps have passed."""
    objective = lambda params, batch, k: jnp.sum(jnp.maximum(params, -1.0))
    optimizer, stop = optax.sgd(lambda step: jnp.where(step == 5, jnp.inf, 0.01)), stopping.patience(50)
    begin = training.start(key, jnp.ones(3), optimizer=optimizer, stop=stop)
    settings = dict(objective=objective, optimizer=optimizer, stop=stop, validation=jnp.ones(4), evaluate_every=2)
    state, _ = training.run(begin, jnp.ones(4), steps=12, **settings)
    assert int(state.stop_state.first_bad_step) == 4
    assert np.isfinite(training.best_params(state, stop)).all() and np.isfinite(state.params).all()


@pytest.mark.parametrize(("maximize", "infinity"), [(False, -jnp.inf), (True, jnp.inf)])
def test_an_infinite_evaluation_is_no_improvement(maximize, infinity):
    """Log-likelihoods reach it where parameters break: what was best before stays, and the rule waits."""
    stop = stopping.patience(2, maximize=maximize)
    rule = stop.update(stop.init(jnp.zeros(2)), jnp.ones(2), jnp.uint32(1), {"loss": jnp.asarray(3.0)})
    rule = stop.update(rule, jnp.full(2, 7.0), jnp.uint32(2), {"loss": jnp.asarray(infinity)})
    assert float(rule.value) == 3 and int(rule.waited) == 1 and int(rule.step) == 1
    assert_trees_equal(stop.best(rule), jnp.ones(2))


@pytest.mark.parametrize("length", [5])
def test_a_gradient_through_a_run_in_pieces(length, clusters, key):
    """Scanning over checkpointed pieces of a run gives the gradient of the whole, from less memory."""
    train, test = clusters

    def final_loss(rate, pieces):
        optimizer = optax.sgd(rate)
        go = trainer(train, optimizer)
        state = begin(key, optimizer)
        if pieces:
            piece = jax.checkpoint(lambda state: go(state, length)[0])
            state, _ = jax.lax.scan(lambda state, _: (piece(state), None), state, length=40 // length)
        else:
            state, _ = go(state, 40)
        return OBJECTIVE(state.params, test, None)

    slope = [jax.jit(jax.grad(functools.partial(final_loss, pieces=p))).lower(0.05).compile() for p in (True, False)]
    assert float(slope[0](0.05)) == pytest.approx(float(slope[1](0.05)), rel=1e-5)
    memory = [s.memory_analysis().temp_size_in_bytes for s in slope]
    assert memory[0] < memory[1]


def test_a_model_state_that_is_not_finite_is_not_kept(key):
    objective = lambda params, seen, batch, k: (jnp.sum(params**2), seen / (seen - 3))
    optimizer = optax.sgd(0.1)
    state = training.start(key, jnp.ones(3), optimizer=optimizer, model_state=jnp.asarray(3.0))
    state, _ = training.run(state, jnp.ones(4), objective=objective, optimizer=optimizer, steps=3)
    assert int(state.stop_state.first_bad_step) == 0 and float(state.model_state) == 3.0


def test_a_run_that_ended_badly_goes_on_from_before_that_step(clusters, key):
    train, _ = clusters
    wild, calm = optax.sgd(optax.piecewise_constant_schedule(0.1, {5: jnp.inf})), optax.sgd(0.1)
    ended, _ = trainer(train, wild)(begin(key, wild), 30)
    with pytest.raises(ValueError, match=r"which was not finite: nothing would move. Go on from `training.revive"):
        trainer(train, wild)(ended, 5)
    good = training.revive(ended)
    assert int(good.step) == int(ended.stop_state.first_bad_step)
    assert_trees_equal(good.params, ended.params)
    again = training.start(key, good.params, optimizer=calm)._replace(step=good.step)
    state, history = trainer(train, calm)(again, 5)
    assert np.isfinite(history.loss).all() and int(state.step) == int(good.step) + 5
    assert_trees_equal(training.revive(state), state)


def test_full_batch_takes_the_data_as_they_are(clusters, key):
    train, _ = clusters
    optimizer = optax.sgd(0.1)
    state, history = trainer(train, optimizer, batch_size=None)(begin(key, optimizer), 3)
    params = mlp.init(key, SIZES)
    for step in range(3):
        value, grads = jax.value_and_grad(OBJECTIVE)(params, train, None)
        assert float(history.loss[step]) == pytest.approx(float(value), rel=1e-5)
        params = jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)
    assert_trees_close(state.params, params)


@pytest.mark.ledger("OPT5")
def test_every_example_once_per_epoch(key):
    """A model that counts: its gradient says which examples were in the batch."""
    n = 50
    seen = lambda counts, batch, k: -jnp.sum(counts[batch])
    optimizer = optax.sgd(1.0)
    go = lambda steps: training.run(
        training.start(key, jnp.zeros(n), optimizer=optimizer),
        jnp.arange(n),
        objective=seen,
        optimizer=optimizer,
        steps=steps,
        batch_size=10,
    )
    assert go(5)[0].params.tolist() == [1.0] * n
    assert go(15)[0].params.tolist() == [3.0] * n
    assert sorted(go(2)[0].params.tolist()) == [0.0] * 30 + [1.0] * 20


def test_any_pytree_of_data_and_any_objective(key):
    """Not an MLP: a polynomial, on data in a dictionary, with a model state that counts its calls."""
    x = jnp.linspace(-1.0, 1.0, 64)
    dataset = {"x": x, "y": 1 + 2 * x - 3 * x**2}

    def objective(c, calls, batch, key):
        del key
        fit = c[0] + c[1] * batch["x"] + c[2] * batch["x"] ** 2
        return jnp.mean((fit - batch["y"]) ** 2), calls + 1

    optimizer = optax.sgd(0.3)
    state = training.start(key, jnp.zeros(3), optimizer=optimizer, model_state=jnp.int32(0))
    settings = dict(objective=objective, optimizer=optimizer, steps=600, batch_size=16)
    state, _ = jax.jit(lambda s: training.run(s, dataset, **settings))(state)
    np.testing.assert_allclose(state.params, [1, 2, -3], atol=1e-3)
    assert int(state.model_state) == 600


def test_regression_end_to_end(key):
    x = jnp.linspace(-1, 1, 128)[:, None]
    train = Dataset(x, jnp.concatenate([jnp.sin(3 * x), x**2], axis=1))
    optimizer = optax.adam(1e-2)
    objective = training.supervised(
        functools.partial(mlp.apply, activation=activations.tanh), losses.half_squared_error
    )
    state = begin(key, optimizer, sizes=(1, 32, 2))
    go = trainer(train, optimizer, objective=objective, batch_size=32)
    state, _ = jax.jit(go, static_argnums=1)(state, 1500)
    assert float(objective(state.params, train, None)) < 1e-2


def test_class_weights_move_the_decision(clusters, key):
    train, test = clusters
    heavy = train._replace(weight=jnp.where(train.y == 0, 50.0, 1.0))
    optimizer = optax.adam(1e-2)
    overlap = lambda d: d._replace(x=d.x * 0.15)
    rate = []
    for dataset in (train, heavy):
        state, _ = trainer(overlap(dataset), optimizer)(begin(key, optimizer), 60)
        logits = jax.vmap(mlp.apply, in_axes=(None, 0))(state.params, overlap(test).x)
        rate.append(float(jnp.mean(jnp.argmax(logits, 1) == 0)))
    assert rate[1] > rate[0]


def test_transform_runs_inside_and_evaluation_gets_its_deterministic_part(key):
    images = Dataset(jnp.full((20, 4), 255, jnp.uint8), jnp.zeros(20, jnp.int32))
    keys = []

    def transform(batch, k):
        keys.append(k)
        x = batch.x.astype(jnp.zeros(()).dtype) / 255
        return batch._replace(x=x if k is None else x + jax.random.normal(k, x.shape))

    measure = {"mean": lambda params, batch: jnp.mean(batch.x)}
    optimizer = optax.sgd(0.1)
    settings = dict(transform=transform, validation=images, metrics=measure, evaluate_every=1, batch_size=5)
    _, history = trainer(images, optimizer, **settings)(begin(key, optimizer, sizes=(4, 3)), 3)
    assert history.validation["mean"].tolist() == [1.0] * 3
    assert any(k is None for k in keys) and any(k is not None for k in keys)


def test_evaluate_in_chunks_equals_evaluate_at_once(clusters, key):
    train, _ = clusters
    params = mlp.init(key, SIZES)
    for weight in (None, jnp.arange(90.0)):
        dataset = train._replace(weight=weight)
        evaluate = functools.partial(training.evaluate, params, dataset, objective=OBJECTIVE, metrics=ACCURACY)
        whole = evaluate(batch_size=1000)
        for size in (1, 7, 45, 89, 90):
            assert_trees_close(jax.jit(functools.partial(evaluate, batch_size=size))(), whole)


def test_metrics_are_numbers_and_weights_count_in_any_container(clusters, key):
    train, _ = clusters
    params = mlp.init(key, SIZES)
    evaluate = functools.partial(training.evaluate, params, batch_size=40)
    whole = {"largest label": lambda params, batch: jnp.max(batch.y)}
    assert 0 < float(evaluate(train, metrics=whole)["largest label"]) <= 2
    with pytest.raises(ValueError, match=r"metric 'classes' must return one number.* got shape \(3,\)"):
        evaluate(train, metrics={"classes": lambda params, batch: jnp.bincount(batch.y, length=3)})
    nothing = evaluate(train._replace(weight=jnp.zeros(90)), objective=OBJECTIVE)
    assert np.isnan(nothing["loss"])
    named = {"x": train.x, "weight": jnp.arange(90.0)}
    mean = lambda params, batch: jnp.average(batch["x"][:, 0], weights=batch["weight"])
    expected = np.average(np.asarray(train.x)[:, 0], weights=np.arange(90.0))
    assert float(evaluate(named, metrics={"mean": mean})["mean"]) == pytest.approx(expected, rel=1e-5)


def test_hyperparameters_may_be_traced(clusters, key, unchecked):
    train, _ = clusters

    def loss(rate, decay, dropout_rate):
        schedule = training.recipes.cosine(rate, 10)
        optimizer = training.recipes.optimizer("adamw", schedule, weight_decay=decay)
        apply = functools.partial(mlp.apply, dropout_rate=dropout_rate)
        go = trainer(train, optimizer, objective=training.supervised(apply, LOSS))
        return go(begin(key, optimizer), 5)[1].loss[-1]

    values = jax.jit(jax.vmap(loss))(jnp.asarray([1e-3, 1e-2]), jnp.asarray([0.0, 0.1]), jnp.asarray([0.1, 0.5]))
    assert np.isfinite(values).all()


def test_optimizers_that_need_more_than_the_gradient(clusters, key):
    """A line search evaluates the objective; reduce-on-plateau reads the loss; averaging keeps its own parameters."""
    train, test = clusters
    lbfgs = optax.lbfgs()
    state, history = jax.jit(trainer(train, lbfgs, batch_size=None), static_argnums=1)(begin(key, lbfgs), 15)
    assert history.loss[-1] < 0.2 * history.loss[0]
    plateau = training.recipes.reduce_on_plateau(optax.sgd(1e-3), factor=0.5, patience=1, cooldown=0, rtol=0.5)
    state, _ = trainer(train, plateau)(begin(key, plateau), 10)
    assert float(state.opt_state[1].scale) < 1
    averaged = optax.chain(optax.sgd(0.1))
    doubled = lambda state: jax.tree.map(lambda p: 2 * p, state.params)
    settings = dict(validation=test, evaluate_every=5)
    state, history = trainer(train, averaged, eval_params=doubled, **settings)(begin(key, averaged), 5)
    expected = OBJECTIVE(doubled(state), test, None)
    assert float(history.validation["loss"][-1]) == pytest.approx(float(expected), rel=1e-5)


class TestRefusals:
    """What `tests.reliability.silent_mistakes` does not try: each is found before the first step."""

    @pytest.fixture
    def attempt(self, clusters, key, unchecked):
        def attempt(dataset=None, sizes=SIZES, objective=OBJECTIVE, steps=3, **settings):
            optimizer = settings.pop("optimizer", optax.sgd(0.1))
            dataset = clusters[0] if dataset is None else dataset
            state = begin(key, optimizer, sizes=sizes)
            return trainer(dataset, optimizer, objective=objective, **settings)(state, steps)

        return attempt

    @pytest.mark.parametrize("name", ["batch_size", "steps", "evaluate_every"])
    @pytest.mark.parametrize("value", [0, -3, 2.5])
    def test_counts(self, name, value, attempt):
        with pytest.raises(ValueError, match=f"`{name}` must be a positive integer"):
            attempt(**{name: value})

    def test_a_seed_is_not_a_key_and_a_name_is_not_a_function(self, clusters, key, unchecked):
        with pytest.raises(TypeError, match=r"`key` must be a typed key such as `jax.random.key\(0\)`; got int"):
            mlp.init(0, SIZES)
        with pytest.raises(TypeError, match=r"`key` must be a typed key .* got ArrayImpl of dtype uint32"):
            training.start(jax.random.PRNGKey(0), mlp.init(key, SIZES), optimizer=optax.sgd(0.1))
        with pytest.raises(TypeError, match=r"`activation` must be a function; got 'relu': `activations.by_name`"):
            mlp.apply(mlp.init(key, SIZES), jnp.ones(6), activation="relu")
        with pytest.raises(TypeError, match=r"`loss` must be a `losses.Loss`; got 'mse'"):
            training.supervised(mlp.apply, "mse")

    def test_a_tuple_is_not_a_dataset(self, clusters, attempt):
        with pytest.raises(TypeError, match=r"`data` must be a `Dataset\(x, y\)`; got a tuple"):
            attempt(tuple(clusters[0])[:2])

    def test_stopping_needs_a_validation_set_and_the_same_rule_at_the_start(self, clusters, attempt):
        with pytest.raises(ValueError, match="give it a `validation` set"):
            attempt(stop=stopping.patience(2))
        with pytest.raises(ValueError, match="`stop` must be the same for `start` and for the run"):
            attempt(stop=stopping.patience(2), validation=clusters[1])

    def test_labels_that_the_transform_changes_are_not_judged_before_it(self, clusters, attempt):
        parity = lambda batch, k: batch._replace(y=batch.y % 2)
        assert np.isfinite(attempt(transform=parity, sizes=(6, 4, 2))[1].loss).all()
        with pytest.raises(ValueError, match=r"from 0 to 1 .* got 2"):
            attempt(transform=lambda batch, k: batch._replace(x=batch.x / 2), sizes=(6, 4, 2))


def test_what_cannot_be_hashed_is_evaluated_too(clusters, key):
    class Mean(list):
        def __call__(self, params, batch):
            return jnp.mean(batch.x)

    measured = training.evaluate(mlp.init(key, SIZES), clusters[0], metrics={"mean": Mean()})
    assert float(measured["mean"]) == pytest.approx(float(clusters[0].x.mean()), abs=1e-6)


def test_xor_data_is_what_the_book_says():
    assert data.toy.xor().y.ravel().tolist() == [0.0, 1.0, 1.0, 0.0]
