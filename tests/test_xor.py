"""CHK4: the demonstration on XOR: gradients that check, a loss that falls like 1/t, and how often it succeeds."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import backprop, data, gradcheck, losses, mlp, training
from mlpjax.activations import sigmoid
from mlpjax.training import recipes

LOSS = losses.sigmoid_squared_error
APPLY = functools.partial(mlp.apply, activation=sigmoid)
OBJECTIVE = training.supervised(APPLY, LOSS)
BY_HAND = backprop.supervised(activation=sigmoid, loss=LOSS)
SUM = 4  # the recipe's rate is for the mean of four losses, the source's loss is their sum


def learn(key, sizes=(2, 4, 1), rate=10.0, steps=2000):
    """One whole run; the sum of the four losses at every step, and whether all four answers are right at the end."""
    optimizer = recipes.optimizer("sgd", SUM * rate)
    state = training.start(key, recipes.xor.make_params(key, sizes), optimizer=optimizer)
    xor = data.toy.xor()
    state, history = training.run(
        state, xor, objective=OBJECTIVE, value_and_grad=BY_HAND, optimizer=optimizer, steps=steps
    )
    right = (jax.vmap(functools.partial(APPLY, state.params))(xor.x) > 0) == (xor.y > 0.5)
    return SUM * history.loss, jnp.all(right)


@pytest.mark.x64
@pytest.mark.ledger("CHK4", "CHK2")
@pytest.mark.parametrize(("step", "tolerance"), [(None, 1e-9), (1e-7, 1e-6)], ids=["best step", "1e-7"])
def test_gradient_checks(step, tolerance, key, measured):
    params, xor = recipes.xor.make_params(key, (2, 4, 1)), data.toy.xor()
    _, grads = BY_HAND(params, xor, None)
    error = gradcheck.relative_error(lambda p: OBJECTIVE(p, xor, None), grads, params, eps=step)
    measured(error, tolerance, oracle="central differences")


@pytest.mark.ledger("CHK4")
def test_success_over_a_thousand_seeds_at_once(key, measured):
    keys = jax.random.split(key, 1000)
    losses_4, right_4 = jax.jit(jax.vmap(learn))(keys)
    _, right_2 = jax.jit(jax.vmap(functools.partial(learn, sizes=(2, 2, 1))))(keys)
    four, two = float(right_4.mean()), float(right_2.mean())
    measured(1 - four, 0.03, oracle="failures of [2,4,1] in 1,000 runs of 2,000 steps")
    measured(abs(two - 0.65), 0.08, oracle="success of [2,2,1] in 1,000 runs, about 65 %")
    assert abs(float(jnp.median(losses_4[:, 0])) - 0.52) < 0.05
    assert 1e-4 < float(jnp.median(losses_4[:, -1])) < 1.6e-4


@pytest.mark.ledger("CHK4")
@pytest.mark.parametrize(("rate", "expected"), [(1.0, 1.5e-3), (3.0, 4.1e-4), (10.0, 1.3e-4)])
def test_the_learning_rate_that_reaches_the_loss(rate, expected, key, measured):
    run = jax.jit(jax.vmap(functools.partial(learn, rate=rate)))
    final = jnp.median(run(jax.random.split(key, 64))[0][:, -1])
    measured(abs(float(final) / expected - 1), 0.35, oracle=f"median of 64 runs at rate {rate} for the sum")


@pytest.mark.x64
@pytest.mark.ledger("CHK4")
def test_the_tail_falls_like_one_over_t_not_exponentially(key, measured):
    curves, right = jax.jit(jax.vmap(functools.partial(learn, steps=40_000)))(jax.random.split(key, 32))
    late = np.asarray(curves)[np.asarray(right)][:, [10_000, 20_000, 39_999]]
    slope = np.median(np.log(late[:, 2] / late[:, 1]) / np.log(39_999 / 20_000))
    measured(abs(slope + 1), 0.05, oracle="slope −1 of log loss against log t")
