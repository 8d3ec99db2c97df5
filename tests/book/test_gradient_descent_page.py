"""What the chapter on gradient descent claims beyond the room's functions: noise, escape, cycles, epochs, costs."""

import functools
import itertools
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import backprop, data, losses, mlp
from mlpjax.activations import tanh
from mlpjax.layers import Dense
from mlpjax.theory import convex
from tests.helpers import FAST_TO_COMPILE

fast = functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)

DATA = pathlib.Path(__file__).parents[2] / "docs" / "figures" / "data" / "batch_cost.json"


@pytest.mark.ledger("GD1")
def test_an_epoch_of_the_digits():
    assert -(-len(data.digits.load("train").y) // 64) == 23


@pytest.mark.ledger("GD2")
def test_too_large_and_yet_not_lost(measured):
    """On ln cosh with τ > 2 the path ends in the cycle 2θ = τ tanh θ."""
    rates = jnp.asarray([2.1, 2.5, 4.0])
    last = jax.vmap(lambda rate: convex.descend(jnp.tanh, 0.5, rate=rate, steps=2000)[-2:])(rates)
    a, b = np.abs(np.asarray(last)).T
    measured(np.abs(2 * a / (np.asarray(rates) * np.tanh(b)) - 1).max(), 1e-4, oracle="2θ = τ tanh θ")
    assert (np.prod(np.asarray(last), 1) < 0).all()


@pytest.mark.ledger("OPT1")
def test_the_heavy_ball_in_a_loop(measured):
    """A convex function with μ = 1 and L = 25 on which the best tuning for quadratics never arrives."""
    slope = lambda v: jnp.where(v < 1, 25 * v, jnp.where(v < 2, v + 24, 25 * v - 24))
    path = convex.heavy_ball(slope, 3.3, **convex.heavy_ball_tuning(1.0, 25.0)._asdict(), steps=300)
    cycle = np.array([-2208, 792, 2592]) / 1225
    measured(np.abs(np.sort(path[-3:]) / cycle - 1).max(), 1e-5, oracle="Lessard, Recht, Packard (2016)")
    other = convex.nesterov(slope, 3.3, **convex.nesterov_tuning(1.0, 25.0)._asdict(), steps=300)
    assert abs(float(other[-1])) < 1e-6


@pytest.mark.ledger("GD5")
def test_noise_on_the_digits(key, measured):
    """Weighted gradients of a real network for random batches, against the formula for gradients of examples."""
    digits = data.digits.load("train")
    x, y = (digits.x[:200] / data.digits.MAXIMUM).astype(jnp.zeros(()).dtype), digits.y[:200]
    params, loss = mlp.init(key, (64, 8, 10)), losses.softmax_cross_entropy
    one = jax.grad(lambda p, x, y: loss.value(mlp.apply(p, x), y))
    flat = lambda tree: jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(tree)])

    def squared(key, batch, replacement):
        anyone, order = jax.random.randint(key, (200,), 0, 200), jax.random.permutation(key, 200)
        chosen = jnp.where(replacement, anyone, order)
        weight = jnp.zeros(200, x.dtype).at[chosen].add((jnp.arange(200) < batch).astype(x.dtype))
        g = backprop.value_and_grad(params, x, y, loss=loss, weight=weight)[1]
        full = backprop.value_and_grad(params, x, y, loss=loss)[1]
        return jnp.sum((flat(g) - flat(full)) ** 2)

    each = fast(jax.vmap(one, (None, 0, 0)))(params, x, y)
    cases = [(1, True), (10, True), (10, False), (150, False)]
    every = fast(jax.vmap(jax.vmap(squared, (0, None, None)), (None, 0, 0)))
    found = every(jax.random.split(key, 300), *(jnp.asarray(column) for column in zip(*cases, strict=True)))
    expected = [float(convex.batch_noise(each, b, replacement=again)) for b, again in cases]
    error = np.abs(np.sqrt(np.asarray(found).mean(1)) / expected - 1).max()
    measured(error, 0.08, oracle="300 batches of each kind drawn at random")


def stuck(scale=0.0, w=(0.0, 0.0)):
    """No first layer; or two units of it moved by ε so that the linear parts of the logit cancel."""
    v = jnp.asarray([[1.0, 0.5, -0.7, 0.2]])
    W = jnp.zeros((4, 2)).at[0].set(jnp.asarray(w)).at[1].set(-2 * jnp.asarray(w))
    return Dense(scale * W, jnp.zeros(4)), Dense(v, jnp.zeros(1))


XOR_GRADIENT = backprop.supervised(activation=tanh, loss=losses.binary_cross_entropy)


@pytest.mark.x64
@pytest.mark.ledger("GD8")
def test_the_point_is_a_saddle(measured):
    """Its gradient is exactly 0, and the loss falls with the third power of the distance in the direction stated."""
    xor = data.toy.xor()
    value, grads = XOR_GRADIENT(stuck(), xor, None)
    assert not any(bool(leaf.any()) for leaf in jax.tree.leaves(grads))
    w, epsilon = (-0.6, -0.8), 0.05
    change = float(XOR_GRADIENT(stuck(epsilon, w), xor, None)[0] - value) / epsilon**3
    expected = -1 / 8 * 1.0 * (1 - (1.0 / 0.5) ** 2) * w[0] * w[1] * (w[0] + w[1])
    assert change < 0
    measured(abs(change / expected - 1), 0.05, oracle="−v₁(1 − v₁²/v₂²)w₁w₂(w₁ + w₂)/8")


@pytest.mark.ledger("GD8")
def test_batches_leave_the_saddle(key):
    """Mini-batches of one leave it, the full batch does not move by a bit; equal units stay equal all the same."""
    xor = data.toy.xor()

    def run(key, start, batch):
        def gradient(params, key):
            order = jax.random.permutation(key, 4)
            weight = (jnp.arange(4) < batch).astype(xor.x.dtype)
            return XOR_GRADIENT(params, jax.tree.map(lambda v: v[order], xor)._replace(weight=weight), None)[1]

        path = convex.stochastic_descend(key, gradient, start, rate=1.0, steps=1000)
        params = jax.tree.map(lambda v: v[-1], path)
        return XOR_GRADIENT(params, xor, None)[0], params

    run = fast(jax.vmap(run, (0, None, 0)))
    batches = jnp.asarray([1] * 12 + [4] * 4)
    values, params = run(jax.random.split(key, 16), stuck(), batches)
    assert np.mean(values[:12] < 0.3) > 0.7
    assert not np.asarray(params[0].W[12:]).any() and (np.asarray(values[12:]) == np.asarray(values[12])).all()
    twins = (Dense(jnp.full((4, 2), 0.3), jnp.zeros(4)), Dense(jnp.full((1, 4), 0.3), jnp.zeros(1)))
    _, params = run(jax.random.split(key, 16), twins, batches)
    assert float(jnp.ptp(params[0].W, axis=1).max()) < 1e-5 * float(jnp.abs(params[0].W).max())


@pytest.mark.ledger("GD8")
def test_escape_from_a_shallow_minimum(key, measured):
    """Share of seeds against that of Kramers, for the batch sizes between all and none."""
    deep, top, shallow = np.sort(np.roots([1, 0, -1, 0.1]).real)
    F = lambda v: v**4 / 4 - v**2 / 2 + 0.1 * v
    assert [round(float(v), 2) for v in (deep, shallow)] == [-1.05, 0.95] and abs(F(top) - F(shallow) - 0.158) < 5e-4
    curvature = lambda v: abs(3 * v**2 - 1)
    pre = np.sqrt(curvature(shallow) * curvature(top)) / (2 * np.pi)
    rate, steps, sizes = 0.1, 3000, np.array([2, 3, 4, 8])

    def end(key, batch):
        def gradient(theta, key):
            slopes = 1.5 * jax.random.rademacher(key, (8,), theta.dtype)
            mean = jnp.sum(jnp.where(jnp.arange(8) < batch, slopes, 0.0)) / batch.astype(theta.dtype)
            return theta**3 - theta + 0.1 + mean

        return convex.stochastic_descend(key, gradient, float(shallow), rate=rate, steps=steps)[-1]

    every = fast(jax.vmap(jax.vmap(end, (0, None)), (None, 0)))
    share = np.asarray(every(jax.random.split(key, 100), jnp.asarray(sizes)) < top).mean(1)
    temperature = rate * 1.5**2 / (2 * sizes)
    kramers = 1 - np.exp(-pre * np.exp(-(F(top) - F(shallow)) / temperature) * rate * steps)
    assert (np.diff(share) < 0).all() and share[0] > 0.9 and share[-1] < 0.03
    measured(np.abs(share - kramers).max(), 0.2, oracle="Kramers (1940), a limit for small rates")


@pytest.mark.x64
@pytest.mark.ledger("GD8")
def test_an_epoch_follows_the_penalized_flow(key, measured):
    """Mean over all orders of three batches against gradient flow on F + τ/(4m) Σ‖∇F_j‖²: an error of third order."""
    rows, targets = jnp.asarray([[1.0, 0.5], [-0.3, 1.2], [0.8, -1.0]]), jnp.asarray([1.0, -1.0, 0.5])
    one = lambda v, j: (rows[j] @ v - targets[j]) ** 2 / 2 + (rows[j] @ v) ** 4 / 4
    every = jax.vmap(jax.grad(one), (None, 0))
    start, orders = jnp.asarray([0.3, -0.2]), jnp.asarray(list(itertools.permutations(range(3))))

    @fast
    def gap(rate, penalty):
        batch = lambda v, j: (v - rate * jax.grad(one)(v, j), None)
        epochs = jax.vmap(lambda order: jax.lax.scan(batch, start, order)[0])(orders)
        mean = lambda v: jnp.mean(jax.vmap(one, (None, 0))(v, jnp.arange(3)))
        modified = lambda v: mean(v) + penalty * rate / 12 * jnp.sum(every(v, jnp.arange(3)) ** 2)
        field, h = (lambda v: -jax.grad(modified)(v)), 3 * rate / 50

        def runge_kutta(v, _):
            k1 = field(v)
            k2 = field(v + h / 2 * k1)
            k3 = field(v + h / 2 * k2)
            return v + h / 6 * (k1 + 2 * k2 + 2 * k3 + field(v + h * k3)), None

        return jnp.linalg.norm(epochs.mean(0) - jax.lax.scan(runge_kutta, start, length=50)[0])

    order = lambda penalty: float(jnp.log2(gap(0.01, penalty) / gap(0.005, penalty)))
    measured(abs(order(1.0) / 3 - 1), 0.03, oracle="third order")
    assert abs(order(0.0) - 2) < 0.1


@pytest.mark.ledger("GD5")
def test_the_mean_is_stochastic_descent(key, measured):
    """Rates 1/(k + 1) give the mean of the samples; a constant rate leaves the variance σ²τ/(2 − τ)."""
    samples = jax.random.normal(key, (300, 200))

    @fast
    @functools.partial(jax.vmap, in_axes=(0, None))
    def run(samples, rates):
        update = lambda theta, turn: (theta - turn[0] * (theta - turn[1]), None)
        return jax.lax.scan(update, jnp.asarray(7.0, samples.dtype), (rates, samples))[0]

    mean = run(samples, 1 / jnp.arange(1.0, 201))
    measured(float(jnp.abs(mean - samples.mean(1)).max()), 1e-5, oracle="mean of the samples")
    assert abs(float(run(samples, jnp.full(200, 0.1)).var()) / (0.1 / 1.9) - 1) < 0.3


@pytest.mark.ledger("GD8")
def test_what_the_page_says_of_costs():
    """Read from the measurement that the figure shows."""
    report = json.loads(DATA.read_text("utf-8"))
    assert report["machine"]["cores"] == 2 and report["device"] == "CPU" and report["sizes"] == [784, 128, 10]
    each = {row["batch"]: row["microseconds"]["median"] / row["batch"] for row in report["rows"]}
    assert set(each) == {2**k for k in range(13)}
    assert 5 < each[1] / each[64] < 7 and 0.8 < each[64] / each[4096] < 1.25 and each[2] > each[8] > each[64]
