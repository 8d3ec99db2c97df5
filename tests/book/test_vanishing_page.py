"""What the chapter on vanishing gradients claims beyond the functions: lower bounds, thresholds, memory, the runs."""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import backprop, gradflow, losses, mlp
from mlpjax.activations import leaky_relu, relu, sigmoid
from mlpjax.layers import Dense
from tests.helpers import FAST_TO_COMPILE, tolerance

DATA = pathlib.Path(__file__).parents[2] / "docs" / "figures" / "data" / "gradient_flow.json"


def sigma(z):
    return 1 / (1 + np.exp(-z))


def quadrature(n=4001):
    z = np.linspace(-8, 8, n)
    share = np.exp(-(z**2) / 2)
    return z, share / share.sum()


@pytest.mark.ledger("VAN1")
def test_the_sigmoid_explodes_from_a_scale_of_ten_on(measured):
    """Where the mean-field factor is 1, in NumPy; there 59 % of the units are flat."""
    z, share = quadrature()

    def factor(g, q=1.0):
        for _ in range(60):
            q = g**2 * (share @ sigma(np.sqrt(q) * z) ** 2)
        slope = sigma(np.sqrt(q) * z) * (1 - sigma(np.sqrt(q) * z))
        return g * np.sqrt(share @ slope**2), share @ (slope < 0.025)

    low, high = 1.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if factor(middle)[0] < 1 else (low, middle)
    measured(abs(low / 10.15 - 1), 1e-3, oracle="bisection on the recursion, by quadrature")
    assert abs(factor(low)[1] - 0.59) < 0.005


@pytest.mark.ledger("VAN1")
def test_a_step_is_rounded_away():
    """What the erratum says of rounding: below half of the spacing at w, w − ηg is w."""
    for dtype, bits in ((np.float32, 24), (np.float64, 53)):
        w = np.random.default_rng(0).uniform(0.01, 1, 10_000).astype(dtype)
        assert np.all(w - (dtype(2.0 ** -(bits + 2)) * w) == w)
        assert np.all(w - (dtype(1.01 * 2.0**-bits) * w) != w)


@pytest.mark.ledger("VAN2")
def test_leaky_relu_with_orthogonal_weights_is_bounded_on_both_sides():
    """(αg)ᵏ ≤ ‖δ⁽ˡ⁾‖/‖δ⁽ˡ⁺ᵏ⁾‖ ≤ gᵏ for every input, where normal weights leave the interval."""
    n, k, alpha = 8, 6, 0.5
    rng = np.random.default_rng(1)

    def ratio(W, x, delta):
        _, z = jax.lax.scan(lambda a, W: (leaky_relu(alpha)(W @ a), W @ a), x, W)
        down = lambda d, layer: (backprop.bp2(layer[0], d, layer[1], activation=leaky_relu(alpha)), None)
        return gradflow.norms(jax.lax.scan(down, delta, (W, z), reverse=True)[0]) / gradflow.norms(delta)

    draws = rng.normal(size=(2, 200, n))
    many = jax.jit(jax.vmap(ratio, (None, 0, 0)), compiler_options=FAST_TO_COMPILE)
    cast = lambda v: jnp.asarray(v, jnp.zeros(()).dtype)
    for g in (0.7, 1.5, 3.0):
        W = g * np.linalg.qr(rng.normal(size=(k, n, n)))[0]
        found = np.asarray(many(cast(W), *cast(draws)))
        assert (alpha * g) ** k < found.min() < found.max() < g**k
    loose = np.asarray(many(cast(rng.normal(size=(k, n, n)) * 1.5 / np.sqrt(n)), *cast(draws)))
    assert loose.min() < (alpha * 1.5) ** k


@pytest.mark.ledger("VAN2")
def test_relu_layers_share_one_product(measured):
    """⟨W, ∂C/∂W⟩ is ⟨δ⁽ᴸ⁾, z⁽ᴸ⁾⟩ in every layer of a ReLU network without biases, and not for sigmoids."""
    rng, loss = np.random.default_rng(2), losses.half_squared_error
    cast = lambda v: jnp.asarray(v, jnp.zeros(()).dtype)
    params = tuple(Dense(cast(rng.normal(size=(6, 6)) / 2), cast(np.zeros(6))) for _ in range(5))
    x, y = cast(rng.normal(size=(2, 6)))
    for activation in (relu, sigmoid):
        grads = jax.grad(lambda p, a=activation: loss.value(mlp.apply(p, x, activation=a), y))(params)
        inner = np.array([float(jnp.vdot(p.W, g.W)) for p, g in zip(params, grads, strict=True)])
        z = mlp.apply(params, x, activation=activation)
        error = np.abs(inner / float(jnp.vdot(z - y, z)) - 1)
        if activation == relu:
            measured(error.max(), 64 * tolerance(x.dtype), oracle="⟨δ⁽ᴸ⁾, z⁽ᴸ⁾⟩; gradients of autodiff")
        else:
            assert error.max() > 0.1


@pytest.mark.ledger("VAN2")
def test_the_radius_decides_in_the_long_run():
    """[[0.9, 5], [0, 0.9]]: powers grow to 19 before they vanish; their closed form has k·0.9ᵏ⁻¹."""
    W = np.array([[0.9, 5.0], [0.0, 0.9]])
    for k in (1, 5, 10, 50, 400):
        closed = np.array([[0.9**k, 5 * k * 0.9 ** (k - 1)], [0, 0.9**k]])
        np.testing.assert_allclose(np.linalg.matrix_power(W, k), closed, rtol=1e-10)
    norms = [np.linalg.norm(np.linalg.matrix_power(W, k), 2) for k in range(1, 401)]
    assert 19 < max(norms) < 20 and 9 <= 1 + int(np.argmax(norms)) <= 11 and norms[-1] < 1e-13
    assert abs(norms[-1] ** (1 / 400) - 0.9) < 0.02 and 5.1 < norms[0] < 5.2


@pytest.mark.ledger("VAN5")
@pytest.mark.parametrize("w", [1.1, 1.5, 3.0])
def test_a_stored_bit_has_a_vanishing_gradient(w, measured):
    """a ← tanh(w a), w > 1: the two stored states keep the sign for ever, and forget how they came by it."""

    def state(a, steps):
        return jax.lax.fori_loop(0, steps, lambda _, a: jnp.tanh(w * a), a)

    starts = jnp.asarray([-0.9, -0.2, 0.05, 0.4, 2.0])
    late = jax.jit(jax.vmap(lambda a: state(a, 400)))(starts)
    np.testing.assert_array_equal(np.sign(late), np.sign(starts))
    fixed = float(late[-1])
    u = w * fixed
    slope = float(jax.grad(lambda a: jnp.tanh(w * a))(jnp.asarray(fixed)))
    measured(abs(slope / (2 * u / np.sinh(2 * u)) - 1), 1e3 * tolerance(late.dtype), oracle="2u/sinh 2u < 1")
    gradients = jax.jit(jax.vmap(jax.jacfwd(lambda a: state(a, 150))))(starts)
    assert slope < 1 and float(jnp.abs(gradients).max()) < 1e-5


@pytest.mark.ledger("VAN5")
def test_the_layers_of_the_residual_network():
    """152: one convolution, blocks of three in four stages, one dense layer."""
    assert 1 + 3 * sum((3, 8, 36, 3)) + 1 == 152


@pytest.mark.ledger("VAN3")
def test_what_the_chapter_says_of_the_runs():
    """The sentences and captions about benchmarks/gradient_flow.py, against what it wrote."""
    found = json.loads(DATA.read_text("utf-8"))
    nets = found["nets"]
    assert (found["steps"], found["layers"], found["width"]) == (2000, 20, 64)
    first = {name: np.array(net["first"]) for name, net in nets.items()}
    assert first["sigmoid"][0] < 2e-12 and first["sigmoid"][-1] > 0.1
    assert all(0.1 < first[name].min() < first[name].max() < 1 for name in ("tanh", "relu"))
    assert nets["sigmoid"]["changed"][0] == nets["sigmoid"]["moved"][0] == 0
    assert all(min(nets[name]["moved"]) > 0.05 for name in ("tanh", "relu"))
    logs = {name: np.array(net["log10_norms"]) for name, net in nets.items()}
    assert np.min(logs["sigmoid"][19] - logs["sigmoid"][0]) > 10
    assert np.min((logs["tanh, rate 0.1"][19] - logs["tanh, rate 0.1"][0])[7:]) > 6
    assert all(np.max(np.abs(logs[name][19] - logs[name][0])) < 2 for name in ("tanh", "relu"))
    assert all(nets[name]["accuracy"] > 0.95 for name in ("tanh", "relu"))
    assert all(nets[name]["accuracy"] < 0.15 for name in ("sigmoid", "tanh, rate 0.1"))
    flat = {name: np.array(net["flat"]) for name, net in nets.items()}
    assert flat["tanh, rate 0.1"][:, 0].max() < 0.01 < 0.4 < np.median(flat["tanh, rate 0.1"][:, 10])
    assert flat["tanh"].max() < 0.3
    assert 0 < found["broke"]["relu, rate 0.1"] < 500
