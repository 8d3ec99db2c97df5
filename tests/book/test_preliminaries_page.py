"""What the chapter of preliminaries states: products, the chain rule, gradients, convexity."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import backprop, gradcheck, losses
from mlpjax.activations import sigmoid, tanh
from mlpjax.layers import Dense, dense
from tests.helpers import eps, tolerance

DIFFERENCES = {8: 1e-8, 4: 3e-3}  # what central differences can tell, by the size of a number in bytes


@pytest.mark.ledger("PRE1")
def test_a_vector_is_its_entries(key, measured):
    """Entries, sums and multiples entry by entry, and the length by Pythagoras, one coordinate at a time."""
    u, v = jax.random.normal(key, (2, 7))
    np.testing.assert_array_equal(sum(v[i] * jnp.eye(7, dtype=v.dtype)[i] for i in range(7)), v)
    wanted = [2 * float(a) + float(b) for a, b in zip(u, v, strict=True)]
    np.testing.assert_allclose(2 * u + v, wanted, rtol=4 * eps(v.dtype))
    hypotenuse = 0.0
    for entry in np.asarray(v, float):
        hypotenuse = math.hypot(hypotenuse, entry)
    measured(abs(float(jnp.linalg.norm(v)) / hypotenuse - 1), 4 * eps(v.dtype), oracle="Pythagoras, n − 1 times")
    assert float(jnp.linalg.norm(jnp.asarray([2.0, 1.0]))) == pytest.approx(5**0.5)


@pytest.mark.ledger("PRE2")
def test_transpose(key, measured):
    """(Aᵀ)ᵢⱼ = Aⱼᵢ, w·(Ax) = (Aᵀw)·x, (AB)ᵀ = BᵀAᵀ; an array with one axis is its own transpose."""
    k1, k2, k3, k4 = jax.random.split(key, 4)
    A, B = jax.random.normal(k1, (4, 6)), jax.random.normal(k2, (6, 3))
    w, x = jax.random.normal(k3, (4,)), jax.random.normal(k4, (6,))
    assert all(A.T[i, j] == A[j, i] for i in range(6) for j in range(4))
    scale = jnp.abs(w) @ jnp.abs(A) @ jnp.abs(x)
    measured(jnp.abs(w @ (A @ x) - (A.T @ w) @ x) / scale, 8 * eps(A.dtype), oracle="w·(Ax) = (Aᵀw)·x")
    np.testing.assert_allclose((A @ B).T, B.T @ A.T, rtol=0, atol=tolerance(A.dtype) * float(jnp.abs(A).max()))
    assert x.T.shape == x.shape


@pytest.mark.ledger("PRE3")
def test_a_matrix_times_a_vector_row_by_row(key, measured):
    """Each entry is the exactly rounded dot product of a row with the vector."""
    k1, k2 = jax.random.split(key)
    W, x = jax.random.normal(k1, (5, 9)), jax.random.normal(k2, (9,))
    found = np.asarray(dense.apply(Dense(W, jnp.zeros(5)), x), float)
    exact = [math.fsum(float(w) * float(v) for w, v in zip(row, x, strict=True)) for row in W]
    scale = np.asarray(jnp.abs(W) @ jnp.abs(x), float)
    measured(np.max(np.abs(found - exact) / scale), 8 * eps(W.dtype), oracle="row by row, sums without rounding error")
    by_columns = sum(x[j] * W[:, j] for j in range(9))
    np.testing.assert_allclose(by_columns, exact, atol=8 * eps(W.dtype) * scale.max())


@pytest.mark.ledger("PRE3")
def test_the_dot_product_is_a_shadow(measured):
    """‖w‖‖x‖cos θ for vectors made from their angles; and Cauchy–Schwarz with its case of equality."""
    angles = np.linspace(0, 2 * np.pi, 25)
    w = 3 * np.array([math.cos(0.4), math.sin(0.4)])
    x = 2 * np.stack([np.cos(0.4 + angles), np.sin(0.4 + angles)], 1)
    error = np.abs(np.asarray(jnp.asarray(x, float) @ jnp.asarray(w, float)) - 6 * np.cos(angles))
    measured(error.max() / 6, 8 * eps(jnp.zeros(()).dtype), oracle="‖w‖‖x‖cos θ")
    assert np.argmax(x @ w) in (0, 24)  # equality at θ = 0 only


@pytest.mark.ledger("PRE4")
def test_chain_rule_for_one_variable(measured):
    """f(σ(z)) with f(a) = ½(a − y)²: the product of the slopes against central differences."""
    loss = losses.activated_squared_error(tanh)
    z, y = jnp.linspace(-2.0, 2.0, 9), jnp.full(1, 0.3)
    slope = jax.vmap(lambda z: loss.delta(z, y)[0])(z[:, None])
    value = lambda z: (jnp.tanh(z) - 0.3) ** 2 / 2
    differences = jax.vmap(lambda z: gradcheck.central_difference(value, z))(z)
    error = jnp.max(jnp.abs(slope - differences)) / jnp.max(jnp.abs(slope))
    limit = {8: 1e-9, 4: 9e-4}[z.dtype.itemsize]
    measured(error, limit, oracle="central differences")


@pytest.mark.ledger("PRE4")
def test_chain_rule_as_a_product_of_jacobians(key, measured):
    """Through u = Wσ(z): the row ∂C/∂u times ∂u/∂z, against central differences of the composition."""
    k1, k2 = jax.random.split(key)
    W, z = jax.random.normal(k1, (3, 4)), jax.random.normal(k2, (4,))
    C = lambda u: u[0] * u[1] + jnp.exp(u[2] / 2)
    u = lambda z: W @ sigmoid(z)
    row = jax.grad(C)(u(z))
    found = backprop.bp2(W, row, z, activation=sigmoid)
    differences = gradcheck.central_difference(lambda z: C(u(z)), z)
    limit = {8: 1e-8, 4: 9e-4}[z.dtype.itemsize]
    measured(gradcheck.distance(found, differences), limit, oracle="central differences of the composition")
    product = row @ (W * sigmoid.prime(z)[None, :])
    np.testing.assert_allclose(found, product, rtol=tolerance(z.dtype))
    np.testing.assert_allclose(jax.jacobian(u)(z), W * sigmoid.prime(z)[None, :], rtol=tolerance(z.dtype))


def surface(x):
    """Not symmetric in anything."""
    return x[0] ** 2 / 4 + x[1] ** 2 / 2 + jnp.exp((x[0] + x[1]) / 2) / 4


@pytest.mark.ledger("PRE5")
def test_the_gradient_is_perpendicular_to_the_level_set(measured):
    """On ellipses, whose velocity is known in closed form."""
    t, a, b = jnp.linspace(0.0, 6.0, 25), 3.0, 0.7
    ellipse = jnp.stack([a * jnp.cos(t), b * jnp.sin(t)], 1)
    velocity = jnp.stack([-a * jnp.sin(t), b * jnp.cos(t)], 1)
    gradient = jax.vmap(jax.grad(lambda x: (x[0] / a) ** 2 + (x[1] / b) ** 2))(ellipse)
    length = jnp.linalg.norm(gradient, axis=1) * jnp.linalg.norm(velocity, axis=1)
    cosines = jnp.sum(gradient * velocity, axis=1) / length
    measured(jnp.abs(cosines).max(), 8 * eps(t.dtype), oracle="velocity of an ellipse, cosine of the angle")


@pytest.mark.x64
@pytest.mark.ledger("PRE5")
def test_no_direction_is_steeper_than_the_gradient(measured):
    """Difference quotients in 720 directions: a cosine, greatest where the gradient points."""
    point = jnp.asarray([1.6, 0.7])
    gradient = jax.grad(surface)(point)
    angles = jnp.arctan2(gradient[1], gradient[0]) + jnp.linspace(-jnp.pi, jnp.pi, 721)
    u = jnp.stack([jnp.cos(angles), jnp.sin(angles)], 1)
    h = 1e-5
    slopes = jax.vmap(lambda u: (surface(point + h * u) - surface(point - h * u)) / (2 * h))(u)
    length = jnp.linalg.norm(gradient)
    measured(jnp.abs(slopes / length - u @ gradient / length).max(), 1e-9, oracle="‖∇F‖cos θ, by difference quotients")
    assert int(slopes.argmax()) == 360 and float(slopes.max()) <= float(length) * (1 + 1e-9)
    assert abs(float(slopes[180])) < 1e-9 * float(length)


def ridge(X, labels, strength):
    """Logistic regression with an L2 penalty."""
    return lambda w: jnp.logaddexp(0.0, -labels * (X @ w)).mean() + strength / 2 * w @ w


@pytest.mark.ledger("PRE6")
def test_constants_of_logistic_regression(key, measured):
    """μ and L by the formulas bound every quotient; the three inequalities of PRE6 and the descent lemma hold."""
    k1, k2 = jax.random.split(key)
    X = jax.random.normal(k1, (40, 3))
    F = ridge(X, jnp.sign(X[:, 0] + 0.4), 0.1)
    mu, L = 0.1, 0.1 + float(np.linalg.norm(np.asarray(X, float), 2)) ** 2 / 160
    x, y = 2 * jax.random.normal(k2, (2, 300, 3))

    @jax.jit
    def compare(x, y):
        (Fx, gx), (Fy, gy) = (jax.vmap(jax.value_and_grad(F))(p) for p in (x, y))
        d, square = y - x, jnp.sum((y - x) ** 2, 1)
        above = (Fy - Fx - jnp.sum(gx * d, 1)) / square  # between μ/2 and L/2
        chord = jax.vmap(F)(0.7 * x + 0.3 * y) - (0.7 * Fx + 0.3 * Fy)
        return jnp.sum((gy - gx) * d, 1) / square, jnp.linalg.norm(gy - gx, axis=1) / jnp.sqrt(square), above, chord

    strong, smooth, above, chord = map(np.asarray, compare(x, y))
    slack = 1e3 * eps(x.dtype)
    violation = max(mu - strong.min(), smooth.max() - L, mu / 2 - above.min(), above.max() - L / 2, 0.0)
    measured(violation / L, slack, oracle="μ = λ, L = λ + ‖X‖²/4n, by LAPACK")
    assert chord.max() <= slack and strong.max() > 1.5 * mu


@pytest.mark.x64
@pytest.mark.ledger("PRE6")
def test_strong_convexity_has_one_minimizer(key, measured):
    """From everywhere gradient descent arrives at one point, inside the ball of the proof and of Exercise 3."""
    k1, k2 = jax.random.split(key)
    X, mu = jax.random.normal(k1, (40, 3)), 0.1
    F = ridge(X, jnp.sign(X[:, 0] + 0.4), mu)
    starts = 5 * jax.random.normal(k2, (20, 3))
    step = lambda _, w: w - 2.0 * jax.grad(F)(w)
    ends = jax.jit(jax.vmap(lambda w: jax.lax.fori_loop(0, 400, step, w)))(starts)
    spread = jnp.abs(ends - ends[:1]).max() / jnp.abs(ends[0]).max()
    measured(spread, 1e-12, oracle="one minimizer from 20 starts")
    slopes = jax.vmap(jax.grad(F))(starts)
    far = jnp.linalg.norm(starts - ends[:1], axis=1)
    assert bool((far <= jnp.linalg.norm(slopes, axis=1) / mu).all())
    assert float(jnp.linalg.norm(ends[0])) <= 2 / mu * float(jnp.linalg.norm(jax.grad(F)(jnp.zeros(3))))
    height = jax.vmap(F)(starts) - F(ends[0])
    assert bool((height >= mu / 2 * far**2).all())


@pytest.mark.x64
@pytest.mark.ledger("PRE6")
def test_erratum_of_the_lost_constant_and_of_the_name():
    """x²/20 is 0.1-strongly convex and fails without μ; x² is smooth and not Lipschitz, √ the other way."""
    x, y = jax.random.normal(jax.random.key(0), (2, 100))
    flat = jax.grad(lambda x: x**2 / 20)
    quotient = (jax.vmap(flat)(y) - jax.vmap(flat)(x)) / (y - x)
    np.testing.assert_allclose(quotient, 0.1, rtol=1e-9)
    assert bool((quotient < 1).all())
    square = jax.grad(jnp.square)
    assert float(square(1e6)) == 2e6 and float(square(1e6) - square(0.0)) / 1e6 == 2
    h = np.array([1e-2, 1e-4, 1e-6])
    root = lambda x: np.sign(x) * np.minimum(1, np.sqrt(np.abs(x)))
    assert np.all(np.abs(root(np.linspace(-9, 9, 99))) <= 1) and np.all(np.diff(root(np.linspace(-2, 2, 99))) >= 0)
    np.testing.assert_allclose(root(h) / h, h**-0.5)


@pytest.mark.x64
@pytest.mark.ledger("PRE7")
def test_lipschitz_constant_of_an_affine_map(key, measured):
    """Attained along the first singular vector, and never exceeded."""
    k1, k2, k3 = jax.random.split(key, 3)
    layer = Dense(jax.random.normal(k1, (5, 4)), jax.random.normal(k2, (5,)))
    x, y = jax.random.normal(k3, (2, 200, 4))
    outputs = jax.vmap(dense.apply, (None, 0))
    ratio = lambda x, y: jnp.linalg.norm(outputs(layer, x) - outputs(layer, y), axis=1) / jnp.linalg.norm(x - y, axis=1)
    _, values, V = np.linalg.svd(np.asarray(layer.W))
    assert float(ratio(x, y).max()) <= values[0]
    along = ratio(x[:1] + jnp.asarray(V[0])[None, :], x[:1])
    measured(abs(float(along[0]) / values[0] - 1), 1e-14, oracle="σ₁ by LAPACK, along v₁")
