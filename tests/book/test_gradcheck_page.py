"""What the chapter on gradient checking claims beyond the functions: blind spots, rounding, tails, directions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from mlpjax import backprop, data, gradcheck, initializers, losses, mlp, training
from mlpjax.activations import sigmoid, tanh
from mlpjax.training import recipes

XOR, LOSS = data.toy.xor(), losses.sigmoid_squared_error
APPLY = functools.partial(mlp.apply, activation=sigmoid)
OBJECTIVE = training.supervised(APPLY, LOSS)
BY_HAND = backprop.supervised(activation=sigmoid, loss=LOSS)


def flat(tree):
    return ravel_pytree(tree)[0]


def network(key, n=8):
    bias_init = initializers.normal(0.3)
    params = mlp.init(key, (4, 4, 4, 4), weight_init=initializers.xavier_normal, bias_init=bias_init)
    k1, k2 = jax.random.split(key)
    return params, jax.random.normal(k1, (n, 4)), jax.random.normal(k2, (n, 4))


def risk(params, x, y):
    logits = jax.vmap(lambda x: mlp.apply(params, x, activation=tanh))(x)
    return jax.vmap(losses.half_squared_error)(logits, y).mean()


@pytest.mark.x64
@pytest.mark.ledger("CHK2")
def test_zero_weights_are_blind_to_how_errors_travel(key):
    """At zero weights BP2 passes nothing on, so a wrong transpose or a missing σ′ changes no gradient at all."""
    params, x, y = network(key)
    wrong = lambda W, delta, z: W @ delta  # no transpose, no σ′
    for zero, same in ((jax.tree.map(jnp.zeros_like, params), True), (params, False)):
        z = jax.vmap(lambda x, p=zero: mlp.trace(p, x, activation=tanh).z)(x)
        delta = jax.vmap(losses.half_squared_error.delta)(z[-1], y)
        right = jax.vmap(functools.partial(backprop.bp2, activation=tanh), (None, 0, 0))(zero[-1].W, delta, z[-2])
        assert bool(jnp.allclose(right, jax.vmap(wrong, (None, 0, 0))(zero[-1].W, delta, z[-2]))) is same


@pytest.mark.x64
@pytest.mark.ledger("CHK1")
def test_noise_floor(key, measured, unchecked):
    """√P u|C|/(2ε‖g‖) is what rounding leaves, within a factor of five either way, for every step below the best."""
    params, x, y = network(key)
    f = lambda p: risk(p, x, y)
    grads = jax.grad(f)(params)
    g, u = flat(grads), np.finfo("float64").eps
    error = jax.jit(lambda eps: gradcheck.relative_error(f, grads, params, eps=eps))
    ratios = [
        float(error(eps)) / float(np.sqrt(g.size) * u * f(params) / (2 * eps * jnp.linalg.norm(g)))
        for eps in (1e-7, 1e-8, 1e-9, 1e-10)
    ]
    measured(np.abs(np.log(ratios)).max(), np.log(5), oracle="√P u|C|/(2ε‖g‖), as a logarithm of the ratio")


@pytest.mark.x64
@pytest.mark.ledger("CHK3")
def test_an_unlucky_direction_is_rare(key, measured):
    """|⟨e, v⟩| ≤ t‖e‖ with probability at most t√(2/π), and close to it for small t."""
    w = jnp.linspace(1.0, 2.0, 50)
    wrong = (2 * w).at[7].add(1.0)
    f = lambda w: jnp.sum(w**2)
    along = lambda key: gradcheck.directional(f, wrong, w, key=key) * jnp.linalg.norm(wrong)
    seen = np.asarray(jax.jit(jax.vmap(along))(jax.random.split(key, 20_000)))
    for t in (0.05, 0.2):
        bound, spread = t * np.sqrt(2 / np.pi), np.sqrt(t / 20_000)
        measured(abs((seen <= t).mean() - bound) / spread, 5, oracle="t√(2/π), in standard errors")


@pytest.mark.x64
@pytest.mark.ledger("CHK4")
def test_the_reciprocal_of_the_loss_grows_at_a_bounded_rate(key, measured):
    """λ(1 − e_max)² ≤ ‖∇C‖²/C² ≤ 4G² at every point where all four answers are right."""

    def bounds(params):
        z = jax.vmap(functools.partial(APPLY, params))(XOR.x)
        missing = jnp.abs(sigmoid(z) - XOR.y)
        J = jax.vmap(lambda x: flat(jax.grad(lambda p: APPLY(p, x)[0])(params)))(XOR.x)
        K, C = J @ J.T, jnp.sum(missing**2) / 2
        g = 4 * flat(BY_HAND(params, XOR, None)[1])
        low = jnp.linalg.eigvalsh(K)[0] * (1 - missing.max()) ** 2
        return low, g @ g / C**2, 4 * jnp.diag(K).max(), missing.max(), C

    def run(key):
        optimizer = recipes.optimizer("sgd", 40.0)
        state = training.start(key, recipes.xor.make_params(key, (2, 4, 1)), optimizer=optimizer)
        settings = dict(objective=OBJECTIVE, value_and_grad=BY_HAND, optimizer=optimizer, steps=1000)
        advance = lambda state, _: (training.run(state, XOR, **settings)[0],) * 2
        states = jax.lax.scan(advance, state, length=4)[1]
        return jax.vmap(bounds)(states.params)

    low, rate, high, missing, C = jax.jit(jax.vmap(run))(jax.random.split(key, 20))
    right = missing < 0.5
    assert int(right.sum()) > 60
    assert bool(jnp.all((low <= rate)[right]) and jnp.all((rate <= high)[right]))
    late = np.asarray(right[:, 2] & right[:, 3])
    growth = (1 / C[:, 3] - 1 / C[:, 2]) / (10 * 1000)  # of 1/C over a thousand steps at η = 10
    error = np.asarray(jnp.abs(growth / ((rate[:, 2] + rate[:, 3]) / 2) - 1))[late]
    measured(np.median(error), 0.02, oracle="d(1/C)/dt = ‖∇C‖²/C²")


@pytest.mark.ledger("CHK4")
def test_a_linear_output_has_an_exponential_tail_and_cross_entropy_has_not(key):
    def tail(loss, rate):
        optimizer = recipes.optimizer("sgd", rate)
        start = training.start(
            jax.random.key(1), recipes.xor.make_params(jax.random.key(1), (2, 4, 1)), optimizer=optimizer
        )
        objective = training.supervised(APPLY, loss)
        run = lambda s: training.run(s, XOR, objective=objective, optimizer=optimizer, steps=16_000)
        return np.asarray(jax.jit(run)(start)[1].loss)

    linear, entropy = tail(losses.half_squared_error, 0.5), tail(losses.binary_cross_entropy, 10.0)
    assert linear[-1] < 1e-9 * linear[0]
    assert 1.8 < entropy[7_999] / entropy[-1] < 2.2


@pytest.mark.ledger("CHK4")
def test_plateaus_of_xor():
    """Loss ¼ where two examples share the output ½, ⅓ where three share the mean of their targets."""
    y = np.array([0.0, 1, 1, 0])
    assert 0.5 * np.sum((np.array([0.5, 0.5, 1, 0]) - y) ** 2) == 0.25
    np.testing.assert_allclose(0.5 * np.sum((np.array([1 / 3, 1 / 3, 1, 1 / 3]) - np.array([0, 1, 1, 0])) ** 2), 1 / 3)


@pytest.mark.ledger("CHK4")
def test_the_bias_of_one_example_trains_all_the_same(key):
    """A wrong gradient that no loss curve gives away."""

    def wrong(params, batch, key):
        value, grads = BY_HAND(params, batch, key)
        _, first = BY_HAND(params, jax.tree.map(lambda v: v[:1], batch), key)
        hidden = grads[0]._replace(b=first[0].b / 4)
        return value, (hidden, grads[1])

    def learn(key):
        optimizer = recipes.optimizer("sgd", 40.0)
        state = training.start(key, recipes.xor.make_params(key, (2, 4, 1)), optimizer=optimizer)
        state, _ = training.run(state, XOR, objective=OBJECTIVE, value_and_grad=wrong, optimizer=optimizer, steps=2000)
        z = jax.vmap(functools.partial(APPLY, state.params))(XOR.x)
        return jnp.all((z > 0) == (XOR.y > 0.5))

    assert float(jax.jit(jax.vmap(learn))(jax.random.split(key, 100)).mean()) > 0.98
    params = recipes.xor.make_params(key, (2, 4, 1))
    error = gradcheck.distance(wrong(params, XOR, None)[1], BY_HAND(params, XOR, None)[1])
    assert float(error) > 1e-2
