"""Initial weights: variances, bounds, orientation, and what they are for: symmetry, gradients, signals."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import activations, backprop, initializers, losses, mlp, training
from mlpjax.data import Dataset
from mlpjax.initializers import (
    constant,
    he_normal,
    he_uniform,
    lecun_normal,
    normal,
    orthogonal,
    variance_scaling,
    xavier_normal,
    xavier_uniform,
    zeros,
)
from mlpjax.layers import Dense
from tests.helpers import eps

OUT, IN = 600, 150  # far from square: a mistaken orientation changes the variance fourfold

VARIANCES = {
    xavier_normal: 2 / (IN + OUT),
    xavier_uniform: 2 / (IN + OUT),
    he_normal: 2 / IN,
    he_uniform: 2 / IN,
    lecun_normal: 1 / IN,
    orthogonal: 1 / OUT,  # unit columns of length OUT
}
ROWS = {"xavier_normal": "INI2", "xavier_uniform": "INI2"}


def every(table=VARIANCES):
    return [pytest.param(f, id=f.__name__, marks=pytest.mark.ledger(ROWS.get(f.__name__, "INI3"))) for f in table]


@pytest.mark.parametrize("initializer", every())
def test_variance(initializer, key, measured):
    """Mean and variance within five standard errors, for weights of shape (out, in)."""
    W = np.float64(initializer(key, (OUT, IN), jnp.float32))
    variance, n = VARIANCES[initializer], W.size
    assert W.shape == (OUT, IN)
    measured(abs(W.mean()) / math.sqrt(variance / n), 5, oracle="mean 0, in standard errors")
    # the variance of a square is at most twice the square of the variance, as for a normal distribution
    measured(abs(W.var() / variance - 1) / math.sqrt(2 / n), 5, oracle="variance stated, in standard errors")


def variance(initializer, key, shape):
    """Of sixteen weights of one shape: with 16 million entries, four standard errors are a thousandth of it."""
    draw = jax.jit(lambda key: jnp.mean(jnp.square(initializer(key, shape, jnp.float32))))
    return float(np.mean([np.float64(draw(key)) for key in jax.random.split(key, 16)]))


@pytest.mark.ledger("INI2")
@pytest.mark.parametrize("initializer", [xavier_normal, xavier_uniform])
def test_xavier(initializer, key, measured):
    """The variance stated, to a thousandth; the mean is 0 by the symmetry that `test_variance` sees."""
    expected = 2 / (2000 + 500)
    measured(abs(variance(initializer, key, (500, 2000)) / expected - 1), 1.2e-3, oracle="2/(n_in + n_out)")


@pytest.mark.ledger("INI3")
@pytest.mark.parametrize(
    ("initializer", "expected"), [(he_normal, 2 / 2000), (he_uniform, 2 / 2000), (lecun_normal, 1 / 2000)]
)
def test_he_and_lecun(initializer, expected, key, measured):
    measured(abs(variance(initializer, key, (500, 2000)) / expected - 1), 1.2e-3, oracle="2/n_in, or 1/n_in for LeCun")


@pytest.mark.ledger("INI3")
@pytest.mark.parametrize("alpha", [0.1, 0.5])
def test_he_for_leaky_relu(alpha, key, measured):
    """That this variance keeps the second moment is what `test_gain_for_leaky_relu` measures."""
    got = variance(variance_scaling(2 / (1 + alpha**2)), key, (500, 2000))
    measured(abs(got / (2 / ((1 + alpha**2) * 2000)) - 1), 1.2e-3, oracle="2/((1 + α²) n_in)")


@pytest.mark.parametrize(("initializer", "bound"), [(xavier_uniform, 6 / (IN + OUT)), (he_uniform, 6 / IN)])
@pytest.mark.ledger("INI2", "INI3")
def test_bounds_of_uniform_weights(initializer, bound, key):
    W = np.abs(initializer(key, (OUT, IN), jnp.float32))
    assert math.sqrt(bound) * 0.999 < W.max() <= math.sqrt(bound) * (1 + 1e-6)


@pytest.mark.ledger("INI2", "INI3")
@pytest.mark.parametrize("initializer", [xavier_normal, he_normal, lecun_normal])
def test_normal_weights_are_truncated_at_two_standard_deviations(initializer, key):
    """Before the truncation, that is, which takes 12 % off the standard deviation."""
    W = initializer(key, (OUT, IN), jnp.float32)
    spread = math.sqrt(VARIANCES[initializer]) / 0.87962566
    assert 1.99 * spread < jnp.abs(W).max() <= 2 * spread * (1 + 1e-6)


@pytest.mark.ledger("INI3")
def test_defaults_of_jax_have_the_other_orientation(key):
    """The documented trap: JAX's He on (10, 1000) as (out, in) has ten times the standard deviation."""
    ours, theirs = he_normal(key, (10, 1000)), jax.nn.initializers.he_normal()(key, (10, 1000))
    np.testing.assert_allclose(ours.std(), math.sqrt(2 / 1000), rtol=0.05)
    np.testing.assert_allclose(theirs.std(), math.sqrt(2 / 10), rtol=0.05)
    for f, g in ((xavier_normal, "glorot_normal"), (he_uniform, "he_uniform"), (lecun_normal, "lecun_normal")):
        transposed = getattr(jax.nn.initializers, g)()(key, (1000, 10))
        np.testing.assert_allclose(f(key, (10, 1000)).std(), transposed.std(), rtol=0.05)


@pytest.mark.ledger("INI3")
@pytest.mark.parametrize("shape", [(40, 40), (60, 20), (20, 60), (1, 7), (7, 1)])
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.x64)])
def test_orthogonal(shape, dtype, key, measured):
    W = orthogonal(key, shape, dtype)
    product = W @ W.T if shape[0] <= shape[1] else W.T @ W
    assert W.shape == shape and W.dtype == dtype
    error = np.abs(np.float64(product) - np.eye(min(shape))).max()
    measured(error / eps(dtype), 16, oracle="the identity matrix, in eps")


@pytest.mark.ledger("INI3")
def test_orthogonal_is_uniform(key):
    """Every entry of a rotation-invariant W has mean 0 and variance 1/n; both determinants occur."""
    W = jax.vmap(lambda key: orthogonal(key, (3, 3)))(jax.random.split(key, 4000))
    np.testing.assert_allclose(W.mean(0), 0, atol=5 / math.sqrt(3 * 4000))
    np.testing.assert_allclose((W**2).mean(0), 1 / 3, atol=0.025)
    assert 0.45 < (np.linalg.det(W) > 0).mean() < 0.55


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", pytest.param("float64", marks=pytest.mark.x64)])
def test_dtype(dtype, key):
    everything = [*VARIANCES, zeros, constant(0.1), normal(0.02), variance_scaling(1.0, "fan_out", "normal")]
    for W in jax.jit(lambda key: [initializer(key, (64, 32), dtype) for initializer in everything])(key):
        assert W.dtype == dtype and W.shape == (64, 32) and bool(jnp.isfinite(W).all())
    for initializer in everything:
        default = jax.eval_shape(lambda key, f=initializer: (f(key, (3, 2)), f(key, (3, 2), None)), key)
        assert {W.dtype for W in default} == {jnp.zeros(()).dtype}
    assert all(leaf.dtype == dtype for leaf in jax.tree.leaves(mlp.init(key, (3, 4, 2), dtype=dtype)))
    np.testing.assert_allclose(np.float64(he_normal(key, (OUT, IN), dtype)).var(), 2 / IN, rtol=0.03)


def test_plain_ones(key):
    assert not zeros(key, (3,)).any() and (constant(0.25)(key, (3, 2)) == 0.25).all()
    W = normal(0.02)(key, (300, 300))
    assert abs(float(W.std()) / 0.02 - 1) < 0.02 and abs(float(W.mean())) < 5 * 0.02 / 300


@pytest.mark.ledger("INI3")
@pytest.mark.parametrize("distribution", ["normal", "truncated_normal", "uniform"])
@pytest.mark.parametrize(("mode", "n"), [("fan_in", IN), ("fan_out", OUT), ("fan_avg", (IN + OUT) / 2)])
def test_variance_scaling(mode, n, distribution, key):
    W = np.float64(variance_scaling(1.7, mode, distribution)(key, (OUT, IN)))
    assert abs(W.var() * n / 1.7 - 1) < 5 * math.sqrt(2 / W.size)


def test_mistaken_modes(key, unchecked):
    for wrong in (("fan_inn", "normal"), ("fan_in", "gauss")):
        with pytest.raises(ValueError, match=r"invalid .* for variance scaling initializer: "):
            variance_scaling(1.0, *wrong)(key, (2, 2))


def test_all_are_listed():
    assert set(initializers.__all__) == {f.__name__ for f in VARIANCES} | {
        "constant",
        "normal",
        "variance_scaling",
        "zeros",
    }


# INI1: symmetry


def train(params, data, gradient, steps=5):
    for _ in range(steps):
        grads = gradient(params, data)
        params = jax.tree.map(lambda p, g: p - jnp.asarray(0.5, p.dtype) * g, params, grads)
    return params


@pytest.mark.ledger("INI1")
@pytest.mark.parametrize("value", [0.0, 0.3])
@pytest.mark.parametrize("by", ["autodiff", "backprop"])
def test_constant_weights_never_break_symmetry(value, by, key, measured):
    """All units of a hidden layer stay equal to rounding; from random weights they do not."""
    sizes, sigma, loss = (3, 6, 5, 2), activations.tanh, losses.softmax_cross_entropy
    x = jax.random.normal(key, (20, 3))
    data = Dataset(x, (jnp.arange(20) % 3 == 0).astype(int))
    apply = lambda params, x: mlp.apply(params, x, activation=sigma)
    autodiff = lambda params, data: jax.grad(training.supervised(apply, loss))(params, data, None)
    by_hand = lambda params, data: backprop.value_and_grad(params, data.x, data.y, activation=sigma, loss=loss)[1]
    gradient = jax.jit(autodiff if by == "autodiff" else by_hand)
    spread = lambda params: max(float(jnp.ptp(layer.W, 0).max() + jnp.ptp(layer.b)) for layer in params[:-1])
    start = mlp.init(key, sizes, weight_init=constant(value))
    end = train(start, data, gradient)
    assert float(jnp.abs(end[-1].b - start[-1].b).max()) > 1e-3  # it did learn something
    measured(spread(end) / eps(x.dtype), 16, oracle="units identical, in eps")
    assert spread(train(mlp.init(key, sizes, weight_init=xavier_normal), data, gradient)) > 0.1


@pytest.mark.ledger("INI1")
def test_zero_weights_stop_the_error():
    """From zeros nothing but the last bias ever moves: BP2 multiplies by W = 0, BP3 by a = 0."""
    params = mlp.init(jax.random.key(0), (2, 4, 1), weight_init=zeros)
    x, y = jnp.asarray([[1.0, 2.0], [-1.0, 0.5]]), jnp.asarray([[1.0], [0.0]])
    gradient = lambda params, data: backprop.value_and_grad(
        params, *data[:2], activation=activations.tanh, loss=losses.half_squared_error
    )[1]
    end = train(params, Dataset(x, y), gradient, steps=10)
    assert not any(bool(leaf.any()) for leaf in (*end[0], end[1].W)) and bool(end[1].b.any())


# INI2 and INI3: what becomes of signals and gradients through many layers


def gradient_factor(key, activation, weight_init, width=256, depth=30, n=64):
    """The geometric mean, over layers, of ‖δ⁽ˡ⁾‖/‖δ⁽ˡ⁺¹⁾‖, for a random error at the end."""
    params = mlp.init(key, (width,) * (depth + 1), weight_init=weight_init)
    x, end = jax.random.normal(jax.random.fold_in(key, 1), (2, n, width))

    def back(x, delta):
        z = mlp.trace(params, x, activation=activation).z
        for l in reversed(range(depth - 1)):
            delta = backprop.bp2(params[l + 1].W, delta, z[l], activation=activation)
        return delta

    start = jax.jit(jax.vmap(back))(x, end)
    return float(jnp.linalg.norm(start) / jnp.linalg.norm(end)) ** (1 / (depth - 1))


@pytest.mark.ledger("INI2")
def test_xavier_is_for_tanh_not_for_the_sigmoid(key, measured):
    """The factor of gradients per layer: near 1 for tanh; a little under σ′(0) = 1/4 for the sigmoid."""
    measured(abs(gradient_factor(key, activations.tanh, xavier_normal) - 0.94), 0.015, oracle="0.94 a layer")
    measured(abs(gradient_factor(key, activations.sigmoid, xavier_normal) - 0.235), 0.005, oracle="0.235 a layer")


@pytest.mark.ledger("INI2")
def test_xavier_is_the_compromise(key):
    """Var W · n is 1 for signals and for gradients only where sizes are equal; otherwise they err in opposite ways."""
    for n_out, n_in in ((300, 300), (400, 200), (100, 500)):
        W = xavier_normal(key, (n_out, n_in))
        k1, k2 = jax.random.split(key)
        a, delta = jax.random.normal(k1, (200, n_in)), jax.random.normal(k2, (200, n_out))
        forward, backward = (jnp.var(jax.vmap(lambda v, M=M: M @ v)(u)) for M, u in ((W, a), (W.T, delta)))
        np.testing.assert_allclose(forward, 2 * n_in / (n_in + n_out), rtol=0.1)
        np.testing.assert_allclose(backward, 2 * n_out / (n_in + n_out), rtol=0.1)


def second_moments(key, activation, weight_init, width=256, depth=30, n=64, nets=8):
    """Mean z² in every layer, averaged over networks, relative to the first."""

    def layer(a, keys):
        W = jax.vmap(lambda key: weight_init(key, (width, width)))(keys)
        z = a @ jnp.swapaxes(W, 1, 2)
        return activation(z), jnp.mean(z**2)

    x = jax.random.normal(jax.random.fold_in(key, 1), (nets, n, width))
    moments = jax.jit(lambda x, keys: jax.lax.scan(layer, x, keys)[1])(x, jax.random.split(key, (depth, nets)))
    return np.asarray(moments / moments[0])


@pytest.mark.ledger("INI3")
def test_he_preserves_the_second_moment_through_thirty_relu_layers(key, measured):
    """LeCun's and Xavier's variance halve it in every layer."""
    he = second_moments(key, activations.relu, he_normal)
    # each layer multiplies by 1 + O(1/√width) of its own: a random walk of relative width about √(5·30/256/8) ≈ 0.27
    measured(np.abs(np.log(he)).max(), 0.8, oracle="E z² constant; logarithm of the ratio")
    halved = second_moments(key, activations.relu, xavier_normal)
    measured(abs(math.log2(halved[-1]) / 29 + 1), 0.05, oracle="halved in each of 29 layers")


@pytest.mark.ledger("INI3")
def test_gain_for_leaky_relu(key, measured):
    alpha = 0.5
    kept = second_moments(key, activations.leaky_relu(alpha), variance_scaling(2 / (1 + alpha**2)))
    measured(np.abs(np.log(kept)).max(), 0.9, oracle="E z² constant; logarithm of the ratio")
    lost = second_moments(key, activations.leaky_relu(alpha), lecun_normal)
    measured(abs(lost[-1] ** (1 / 29) - (1 + alpha**2) / 2), 0.05, oracle="factor (1 + α²)/2 a layer")


@pytest.mark.ledger("INI3")
def test_orthogonal_layers_keep_lengths_exactly(key, measured):
    params = mlp.init(key, (50,) * 31, weight_init=orthogonal)
    x = jax.random.normal(key, (50,))
    z = mlp.apply(params, x, activation=activations.identity)
    ratio = jnp.linalg.norm(z) / jnp.linalg.norm(x)
    measured(abs(ratio - 1) / eps(x.dtype), 64, oracle="‖z‖ = ‖x‖ through 30 layers, in eps")


def test_an_initializer_of_the_wrong_orientation_is_seen(key):
    """What the variance test is for: JAX's default on (out, in)."""
    W = np.float64(jax.nn.initializers.he_normal()(key, (OUT, IN)))
    assert abs(W.var() / (2 / IN) - 1) / math.sqrt(2 / W.size) > 50
    assert isinstance(mlp.init(key, (2, 3))[0], Dense)
