"""OPT3, OPT4: optax's updates and schedules against the equations, and the recipes built from them."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax import activations, losses, mlp, training
from mlpjax.training import recipes

STEPS = 1000


def gradients(count):
    """A gradient that wanders over scales: what an adaptive optimizer is for."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, 5)) * 10.0 ** rng.uniform(-3, 1, size=(1, 5)) + 0.1


def adam(g, rate, decay=0.0, b1=0.9, b2=0.999, eps=1e-8):
    """Adam as its equations say, in NumPy; with a decay it is AdamW."""
    theta, m, v = np.ones(5), np.zeros(5), np.zeros(5)
    for t, g_t in enumerate(g, start=1):
        m, v = b1 * m + (1 - b1) * g_t, b2 * v + (1 - b2) * g_t**2
        m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
        theta = theta - rate(t - 1) * (m_hat / (np.sqrt(v_hat) + eps) + decay * theta)
    return theta


def sgd(g, rate, momentum=0.0, nesterov=False):
    theta, velocity = np.ones(5), np.zeros(5)
    for t, g_t in enumerate(g):
        velocity = momentum * velocity + g_t
        theta = theta - rate(t) * (g_t + momentum * velocity if nesterov else velocity)
    return theta


def rmsprop(g, rate, decay=0.9, eps=1e-8):
    theta, v = np.ones(5), np.zeros(5)
    for t, g_t in enumerate(g):
        v = decay * v + (1 - decay) * g_t**2
        theta = theta - rate(t) * g_t / np.sqrt(v + eps)
    return theta


REFERENCES = {
    "sgd": (sgd, {}),
    "momentum": (lambda g, rate: sgd(g, rate, 0.9), {}),
    "nesterov": (lambda g, rate: sgd(g, rate, 0.9, True), {}),
    "rmsprop": (rmsprop, {}),
    "adam": (adam, {}),
    "adamw": (lambda g, rate: adam(g, rate, decay=0.1), {"weight_decay": 0.1}),
}


def apply_optax(optimizer, g, theta):
    def body(carry, g_t):
        theta, state = carry
        with jax.numpy_dtype_promotion("standard"):
            updates, state = optimizer.update(g_t, state, theta)
            return (optax.apply_updates(theta, updates), state), None

    return jax.jit(lambda: jax.lax.scan(body, (theta, optimizer.init(theta)), g)[0][0])()


@pytest.mark.x64
@pytest.mark.ledger("OPT3")
@pytest.mark.parametrize("name", REFERENCES)
def test_update_rules_follow_a_schedule_over_1000_steps(name, measured):
    reference, options = REFERENCES[name]
    cycle = recipes.one_cycle(0.01, STEPS)
    rate = lambda t: cycle(jnp.asarray(t, float))  # of an int32 it is a float32, rounded as the compiler likes
    g = gradients(STEPS)
    with jax.numpy_dtype_promotion("standard"):
        rates = np.broadcast_to(jax.jit(jax.vmap(rate))(jnp.arange(STEPS, dtype=jnp.int32)), STEPS)
    expected = reference(g, lambda t: rates[t])
    # one row: decay spares what has one axis, which is a bias
    got = apply_optax(recipes.optimizer(name, rate, **options), jnp.asarray(g)[:, None, :], jnp.ones((1, 5)))[0]
    measured(np.max(np.abs(got - expected) / np.abs(expected)), 1e-9, oracle="the update rule in NumPy")


@pytest.mark.ledger("OPT3")
def test_adamw_spares_biases_and_clipping_bounds_the_gradient():
    params = {"W": jnp.ones((2, 2)), "b": jnp.ones(2)}
    zeros = jax.tree.map(jnp.zeros_like, params)
    optimizer = recipes.optimizer("adamw", 0.1, weight_decay=0.5)
    with jax.numpy_dtype_promotion("standard"):
        updates, _ = optimizer.update(zeros, optimizer.init(params), params)
    assert updates["W"] == pytest.approx(np.full((2, 2), -0.05)) and not np.any(updates["b"])
    clipped = recipes.optimizer("sgd", 1.0, clip=1.0)
    updates, _ = clipped.update(params, clipped.init(params), params)
    assert float(optax.tree.norm(updates)) == pytest.approx(1.0)


SCHEDULES = {
    "constant": (recipes.constant(0.3), lambda t: 0.3),
    "step": (recipes.step_decay(0.3, every=30, factor=0.5), lambda t: 0.3 * 0.5 ** (t // 30)),
    "exponential": (recipes.exponential(0.3, every=30, factor=0.5), lambda t: 0.3 * 0.5 ** (t / 30)),
    "cosine": (
        recipes.cosine(0.3, 80, final=0.03),
        lambda t: 0.03 + 0.27 * (1 + math.cos(math.pi * min(t, 80) / 80)) / 2,
    ),
    "one-cycle": (recipes.one_cycle(0.3, 100), lambda t: 0.3 * max(0.0, min(t / 20, (100 - t) / 80))),
    "one-cycle without warm-up": (recipes.one_cycle(0.3, 100, warmup=0.0), lambda t: 0.3 * max(0.0, (100 - t) / 100)),
    "warm-up": (recipes.warm_up(recipes.constant(0.3), 10), lambda t: 0.3 * min(1.0, t / 10)),
    "warm-up and decay": (
        recipes.warm_up(recipes.exponential(0.3, every=30, factor=0.5), 10),
        lambda t: 0.03 * t if t < 10 else 0.3 * 0.5 ** ((t - 10) / 30),
    ),
}


@pytest.mark.ledger("OPT4")
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_agree_with_their_formulas(name, measured):
    schedule, formula = SCHEDULES[name]
    error = max(abs(float(schedule(t)) - formula(t)) for t in range(131))
    measured(error, 1e-7, oracle="closed form")


@pytest.mark.ledger("OPT4")
def test_plateau_halves_the_rate_when_the_loss_stops_falling():
    optimizer = recipes.reduce_on_plateau(optax.sgd(1.0), factor=0.5, patience=3, cooldown=0)
    params = jnp.ones(2)
    state, scales = optimizer.init(params), []
    for value in [5.0, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]:
        with jax.numpy_dtype_promotion("standard"):
            _, state = optimizer.update(params, state, params, value=jnp.asarray(value))
        scales.append(float(state[1].scale))
    assert scales[:5] == [1.0] * 5 and scales[-1] == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: recipes.optimizer("adamm"), "Unknown optimizer 'adamm'. Did you mean 'adam'"),
        (lambda: recipes.optimizer("adam", -1e-3), "`learning_rate` must be a finite number ≥ 0; got -0.001"),
        (lambda: recipes.one_cycle(-1.0, 10), "`learning_rate` must be a finite number ≥ 0"),
        (lambda: recipes.one_cycle(1.0, 10, warmup=2.0), "`warmup` must be a fraction of the steps, from 0 to 1"),
        (lambda: recipes.cosine(float("nan"), 10), "`learning_rate` must be a finite number ≥ 0"),
        (lambda: recipes.optimizer("adamw", weight_decay=-1.0), "`weight_decay` must be"),
        (lambda: recipes.optimizer("sgd", weight_decay=0.1), "acts with 'adamw', 'muon', 'schedule_free' only"),
        (lambda: recipes.optimizer("sgd", momentum=0.9), "`momentum` acts with 'momentum', 'nesterov' only; got 'sgd'"),
        (lambda: recipes.optimizer("sgd", clip=-1.0), "`clip` must be a positive norm; got -1.0"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("recipe", [recipes.digits, recipes.mnist, recipes.xor], ids=lambda r: r.data)
def test_recipes_name_what_exists(recipe, key):
    assert str(activations.by_name(recipe.activation)) == recipe.activation
    assert str(losses.by_name(recipe.loss)) == recipe.loss
    params = recipe.make_params(key, (4, *recipe.hidden, 3))
    state = training.start(key, params, optimizer=recipe.make_optimizer(100))
    assert mlp.sizes(state.params) == (4, *recipe.hidden, 3)


def test_initial_weights_suit_the_activation(key):
    wide = (500, 700)
    he = recipes.mnist.make_params(key, wide)[0].W
    xavier = recipes.xor.make_params(key, wide)[0].W
    assert float(he.var()) == pytest.approx(2 / 500, rel=0.03)
    assert float(xavier.var()) == pytest.approx(2 / 1200, rel=0.03)
