"""OPT1, OPT2, OPT3, OPT6: optax's updates against the equations, and the mathematics of what wraps them."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax import data, deep, losses, mlp, training
from mlpjax.layers import Dense
from mlpjax.training import checkpoint, recipes
from tests import optimizers as rules
from tests.helpers import FAST_TO_COMPILE, assert_trees_close, assert_trees_equal, eps

STEPS = 1000
LOSS = losses.binary_cross_entropy
OBJECTIVE = training.supervised(mlp.apply, LOSS)

NAMED = {
    "sgd": (0.1, {}, functools.partial(rules.heavy_ball, mu=0.0)),
    "momentum": (0.03, {}, rules.heavy_ball),
    "nesterov": (0.03, {}, rules.nesterov),
    "rmsprop": (0.001, {}, rules.rmsprop),
    "adam": (0.003, {}, rules.adam),
    "adamw": (0.003, {"weight_decay": 0.1}, functools.partial(rules.adam, decay=0.1)),
    "schedule_free": (0.003, {}, rules.schedule_free),
}


def net(theta, x, y):
    """The loss of a net of tanh units, whose biases are the weights of a constant input: smooth, and of one array."""
    z = jnp.tanh(x @ theta[:24].reshape(3, 8)) @ theta[24:]
    return jnp.mean(jax.vmap(LOSS)(z[:, None], y))


def trajectory(update, start, batches):
    """Parameters after a rule's steps on the batches."""

    def body(carry, batch):
        theta, state = carry
        with jax.numpy_dtype_promotion("standard"):
            return update(theta, state, jax.grad(net)(theta, *batch)), None

    return jax.lax.scan(body, start, batches)[0][0]


def through_optax(optimizer):
    """A transformation of optax in the form of the reference. One row: what has one axis is a bias, and spared."""

    def update(theta, state, g):
        updates, state = optimizer.update(g[None], state, theta[None])
        return optax.apply_updates(theta[None], updates)[0], state

    return lambda theta: optimizer.init(theta[None]), update


@pytest.fixture(scope="module")
def trajectories():
    """`{name: (by optax, by the reference)}`, and where they began: one compiled program for all."""
    k1, k2 = jax.random.split(jax.random.key(3))
    theta, xor = jax.random.normal(k1, (32,)), data.toy.xor()

    def every(theta):
        # noise in the inputs: a loss without any would be at its flat bottom soon, where rounding decides
        x = jnp.broadcast_to(jnp.pad(xor.x, [(0, 0), (0, 1)], constant_values=1), (STEPS, 4, 3))
        x = x + 0.1 * jax.random.normal(k2, x.shape)
        batches, found = (x, jnp.broadcast_to(xor.y, (STEPS, 4, 1))), {}
        for name, (rate, settings, rule) in NAMED.items():
            pairs = through_optax(recipes.optimizer(name, rate, **settings)), rule(rate)
            found[name] = [trajectory(update, (theta, init(theta)), batches) for init, update in pairs]
        return found

    return jax.jit(every, compiler_options=FAST_TO_COMPILE)(theta), theta


@pytest.mark.x64
@pytest.mark.ledger("OPT1", "OPT2", "OPT3", "OPT6")
@pytest.mark.parametrize("name", NAMED)
def test_a_thousand_steps(name, trajectories, measured):
    found, start = trajectories
    ours, expected = map(np.asarray, found[name])
    assert np.linalg.norm(expected - start) > 0.1 * np.linalg.norm(start)  # it went somewhere
    measured(
        np.linalg.norm(ours - expected) / np.linalg.norm(expected), 1e-12, oracle="the rule in a few lines, 1,000 steps"
    )


# clipping


@jax.jit
def clipped(grads):
    optimizer = recipes.optimizer("sgd", 1.0, clip=0.3)
    return optimizer.update(grads, optimizer.init(grads), grads)[0]


@hypothesis.settings(max_examples=20, deadline=None)
@hypothesis.given(st.integers(0, 2**32 - 1), st.floats(-6, 6))
def test_clipping_bounds_the_norm_and_keeps_the_direction(seed, exponent):
    g = 10.0**exponent * np.random.default_rng(seed).normal(size=(4, 3))
    g = g.astype(jnp.zeros(()).dtype)
    updates = clipped({"W": g[:3], "b": g[3]})
    got, norm = -np.concatenate([updates["W"], updates["b"][None]]), np.linalg.norm(g)
    np.testing.assert_allclose(got, g * min(1, 0.3 / norm), rtol=100 * eps(got.dtype))


# averages


def means(decay, after, thetas):
    """The weighted mean as its definition says."""
    weights = decay ** np.arange(len(thetas) - after)[::-1]
    return weights @ thetas[after:] / weights.sum()


@pytest.mark.ledger("OPT6")
@pytest.mark.parametrize(("decay", "after"), [(0.9, 0), (0.9, 7), (1.0, 0), (1.0, 7)])
def test_averages_are_weighted_means(decay, after, measured):
    g = jnp.asarray(np.random.default_rng(0).normal(size=(40, 5)))
    optimizer = recipes.averaged(optax.sgd(0.1), decay, after=after)

    def body(carry, g):
        theta, state = carry
        updates, state = optimizer.update(g, state, theta)
        theta = optax.apply_updates(theta, updates)
        return (theta, state), (theta, state.mean)

    theta = jnp.ones(5)
    _, (thetas, got) = jax.jit(lambda g: jax.lax.scan(body, (theta, optimizer.init(theta)), g))(g)
    assert jnp.array_equal(got[: after + 1], thetas[: after + 1])  # until then the parameters themselves
    expected = np.stack([means(decay, after, np.asarray(thetas[:t])) for t in range(after + 1, 41)])
    error = np.linalg.norm(got[after:] - expected) / np.linalg.norm(expected)
    measured(error, 30 * eps(thetas.dtype), oracle="Σ dᵗ⁻ᵏ θ_k / Σ dᵗ⁻ᵏ")


def test_averages_of_half_precision_are_kept_in_single():
    """Steps of 1/100 would be lost in eight bits."""
    theta = jnp.ones(3, jnp.bfloat16)
    optimizer = recipes.averaged(optax.sgd(1.0), 1.0)
    state = training.start(jax.random.key(0), theta, optimizer=optimizer)
    _, opt_state = optimizer.update(jnp.full_like(theta, 0.5), state.opt_state, theta)
    assert opt_state.mean.dtype == jnp.float32
    assert recipes.eval_params(state._replace(opt_state=opt_state)).dtype == jnp.bfloat16


# SAM


def test_sam_takes_the_gradient_a_little_uphill(measured):
    f = lambda theta: jnp.sum(jnp.sin(theta["a"])) * jnp.sum(theta["b"] ** 2)
    optimizer = recipes.sam(optax.sgd(1.0), 0.3)

    @jax.jit
    def update(theta):
        g = jax.grad(f)(theta)
        return g, optimizer.update(g, optimizer.init(theta), theta, value_fn=f)[0]

    theta = {"a": jnp.asarray([0.3, -1.2]), "b": jnp.asarray([0.5, 2.0])}
    g, updates = jax.tree.map(np.asarray, update(theta))
    norm = np.sqrt(np.sum(g["a"] ** 2) + np.sum(g["b"] ** 2))
    a, b = (np.asarray(theta[name]) + 0.3 * g[name] / norm for name in "ab")
    expected = np.concatenate([np.cos(a) * np.sum(b**2), 2 * np.sin(a).sum() * b])
    error = np.linalg.norm(np.concatenate([updates["a"], updates["b"]]) + expected) / np.linalg.norm(expected)
    measured(error, 1e-5, oracle="∇f(θ + ρ g/‖g‖) by hand")
    g, updates = update(jax.tree.map(jnp.zeros_like, theta))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves((g, updates)))  # g = 0: no 0/0


# Muon


def test_muon_makes_matrices_nearly_orthogonal(measured):
    """Times 0.2 √max(in, out), whatever the singular values of the gradient; biases go by Adam."""
    optimizer, adam = recipes.optimizer("muon", 0.1), optax.adam(0.1, nesterov=True)
    random, dtype = np.random.default_rng(0), jnp.zeros(()).dtype
    U, V = (np.linalg.qr(random.normal(size=(n, 8)))[0] for n in (24, 8))
    grads = Dense(*(jnp.asarray(g, dtype) for g in (50 * U * np.logspace(0, -1.5, 8) @ V.T, U[:, 0])))

    @functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)
    def update(grads):
        with jax.numpy_dtype_promotion("standard"):
            updates, _ = optimizer.update(grads, optimizer.init(grads), grads)
            expected, _ = adam.update(grads.b, adam.init(grads.b))
        return updates.W / (-0.1 * 0.2 * 24**0.5), rules.newton_schulz(grads.W.T).T, updates.b, expected

    W, expected, b, by_adam = map(np.asarray, update(grads))
    measured(np.linalg.norm(W - expected) / np.linalg.norm(expected), 1e-5, oracle="the iteration in a few lines")
    singular = np.linalg.svd(W, compute_uv=False)
    assert 0.68 < singular.min() and singular.max() < 1.21
    np.testing.assert_allclose(b, by_adam, rtol=1e-5)


def test_decay_and_muon_know_stacked_layers(key):
    """What `deep` stacks is trained as if it were not: each matrix by itself, biases by Adam and without decay."""
    layers = mlp.init(key, (5, 5, 5, 5, 5))
    layers = tuple(Dense(layer.W, layer.b + 1) for layer in layers)

    def updated(params, name):
        optimizer = recipes.optimizer(name, 0.1, weight_decay=0.5)
        with jax.numpy_dtype_promotion("standard"):
            return optimizer.update(params, optimizer.init(params), params)[0]

    for name in ("muon", "adamw", "schedule_free"):
        both = lambda params, name=name: (deep.unstack(updated(deep.stack(params), name)), updated(params, name))
        stacked, plain = jax.jit(both, compiler_options=FAST_TO_COMPILE)(layers)
        assert_trees_close(stacked, plain, rtol=1e-5)


# all of them in a run


WRAPPED = {
    "schedule_free": lambda: recipes.optimizer("schedule_free", 0.03, clip=1.0),
    "muon": lambda: recipes.averaged(recipes.sam(recipes.optimizer("muon", 0.03, clip=1.0), 0.1), 0.9, after=2),
}


def trainer(optimizer, steps):
    """A run on XOR, from a state."""
    settings = dict(objective=OBJECTIVE, optimizer=optimizer, steps=steps, batch_size=3)
    return lambda state: training.run(state, data.toy.xor(), **settings)[0]


@pytest.mark.ledger("OPT6")
@pytest.mark.parametrize("name", WRAPPED)
def test_a_run_resumed_from_a_file_is_the_same_run(name, key, tmp_path):
    """To the bit; and what is to be evaluated is not what is trained."""
    optimizer = WRAPPED[name]()
    start = lambda key: training.start(key, mlp.init(key, (2, 5, 5, 1)), optimizer=optimizer)
    compiled = functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)
    begin, half = compiled(start)(key), compiled(trainer(optimizer, 5))
    checkpoint.save(tmp_path / "half", half(begin))
    rest = half(checkpoint.load(tmp_path / "half", like=begin))
    assert_trees_equal(rest, compiled(trainer(optimizer, 10))(begin))
    assert not jnp.array_equal(recipes.eval_params(rest)[0].W, rest.params[0].W)


def test_an_ensemble_over_what_may_be_traced(key, unchecked):
    """Rates, the decay of a mean and the radius of SAM in one compiled program, of which one can be taken out."""

    def train(key, rate, decay, radius):
        optimizer = recipes.averaged(recipes.sam(optax.sgd(rate), radius), decay)
        state = training.start(key, mlp.init(key, (2, 4, 1)), optimizer=optimizer)
        return trainer(optimizer, 3)(state)

    values = jnp.asarray([0.01, 0.1]), jnp.asarray([0.5, 0.9]), jnp.asarray([0.0, 0.2])
    states = jax.jit(jax.vmap(train), compiler_options=FAST_TO_COMPILE)(jax.random.split(key, 2), *values)
    means = jax.vmap(recipes.eval_params)(states)
    one = recipes.eval_params(jax.tree.map(lambda leaf: leaf[1], states))
    assert_trees_equal(jax.tree.map(lambda leaf: leaf[1], means), one)
    assert not jnp.array_equal(one[0].W, states.params[0].W[1])


def test_the_host_loop_evaluates_the_mean(key):
    optimizer, xor = recipes.optimizer("schedule_free", 0.1), data.toy.xor()
    state = training.start(key, mlp.init(key, (2, 4, 1)), optimizer=optimizer)
    settings = dict(objective=OBJECTIVE, optimizer=optimizer, eval_params=recipes.eval_params, progress=False)
    state, history = training.fit(state, xor, validation=xor, steps=2, chunk=2, **settings)
    at_mean, at_last = (float(OBJECTIVE(p, xor, None)) for p in (recipes.eval_params(state), state.params))
    assert float(history.validation["loss"][-1]) == pytest.approx(at_mean, rel=1e-5)
    assert abs(at_mean - at_last) > 1e-4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: recipes.averaged(optax.sgd(0.1), 0.0), r"`decay` must lie in \(0, 1\]; got 0.0"),
        (lambda: recipes.averaged(optax.sgd(0.1), 1.5), r"`decay` must lie in \(0, 1\]; got 1.5"),
        (lambda: recipes.averaged(optax.sgd(0.1), after=-1), "`after` must be a finite number ≥ 0"),
        (lambda: recipes.sam(optax.sgd(0.1), -0.1), "`radius` must be a finite number ≥ 0"),
        (lambda: recipes.averaged(optax.sgd(0.1)).update(1.0, None), "`params` must be given"),
        (lambda: recipes.sam(optax.sgd(0.1)).update(1.0, None, 1.0), "`value_fn` must be given"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
