"""Derivatives beyond the gradient: products with the Hessian, the matrix itself, both ends of its spectrum."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from mlpjax import derivatives, losses, mlp
from mlpjax.activations import tanh
from tests.helpers import eps, tolerance


def risk(params, x, y):
    z = jax.vmap(functools.partial(mlp.apply, activation=tanh), (None, 0))(params, x)
    return jnp.mean(jax.vmap(losses.softmax_cross_entropy.value)(z, y))


def problem(key, sizes=(3, 4, 2), n=5):
    """A risk on random data as a function of parameters alone, parameters, and a direction like them."""
    k1, k2, k3, k4 = jax.random.split(key, 4)
    f = functools.partial(risk, x=jax.random.normal(k1, (n, sizes[0])), y=jax.random.randint(k2, (n,), 0, sizes[-1]))
    params = mlp.init(k3, sizes)
    theta, unravel = ravel_pytree(params)
    return f, params, unravel(jax.random.normal(k4, theta.shape, theta.dtype))


def flat(tree):
    return np.asarray(ravel_pytree(tree)[0], np.float64)


@pytest.mark.ledger("GD6")
@pytest.mark.x64
def test_hvp_is_the_difference_of_gradients(key, measured):
    f, params, v = problem(key)
    shifted = lambda t: jax.tree.map(lambda p, v: p + t * v, params, v)
    step = eps("float64") ** (1 / 3)
    oracle = jax.jit(
        lambda: jax.tree.map(lambda a, b: (a - b) / (2 * step), *map(jax.grad(f), map(shifted, (step, -step))))
    )()
    product = flat(jax.jit(functools.partial(derivatives.hvp, f))(params, v))
    error = np.abs(product - flat(oracle)).max() / np.abs(product).max()
    measured(error, 1e-8, oracle="central difference of the gradient along v")


@pytest.mark.ledger("GD6")
def test_hvp_is_a_column_of_the_second_derivatives(key, measured):
    """Against reverse mode over reverse mode, ∇⟨∇F, v⟩, which shares no rule of second order with hvp."""
    f, params, v = problem(key)
    inner = lambda params: jnp.vdot(ravel_pytree(jax.grad(f)(params))[0], ravel_pytree(v)[0])
    product, oracle = map(flat, jax.jit(lambda p: (derivatives.hvp(f, p, v), jax.grad(inner)(p)))(params))
    error = np.abs(product - oracle).max() / np.abs(oracle).max()
    measured(error, tolerance(params[0].W.dtype), oracle="∇⟨∇F, v⟩ by reverse over reverse mode")


@pytest.mark.ledger("GD4")
def test_hessian_of_a_closed_form(measured):
    """F = ½ log²(1 + |w|²) + b³: by hand."""
    w, b = jnp.asarray([0.5, -1.0, 2.0]), jnp.asarray(1.5)
    H = derivatives.hessian(lambda p: jnp.log1p(p["w"] @ p["w"]) ** 2 / 2 + p["b"] ** 3, {"b": b, "w": w})
    u, s = np.asarray(w, np.float64), 1 + float(w @ w)
    block = 4 * np.outer(u, u) / s**2 * (1 - np.log(s)) + 2 * np.log(s) / s * np.eye(3)
    expected = np.block([[np.full((1, 1), 6 * 1.5), np.zeros((1, 3))], [np.zeros((3, 1)), block]])
    measured(
        np.abs(H - expected).max() / np.abs(expected).max(), tolerance(H.dtype), oracle="second derivatives by hand"
    )


@pytest.mark.ledger("GD4")
def test_hessian_is_symmetric_and_gives_the_products(key):
    f, params, v = problem(key)
    H, product = jax.jit(lambda p, v: (derivatives.hessian(f, p), derivatives.hvp(f, p, v)))(params, v)
    H = np.asarray(H, np.float64)
    limit = 64 * eps(params[0].W.dtype) * np.abs(H).max()
    assert H.shape == (26, 26) and np.abs(H - H.T).max() <= limit
    assert np.abs(H @ flat(v) - flat(product)).max() <= limit * 26


@pytest.mark.ledger("GD6")
def test_extreme_eigenvalues_of_a_network(key, measured):
    f, params, _ = problem(key, (4, 8, 3), n=12)
    both = lambda p: (derivatives.extreme_eigenvalues(f, p, key=key, steps=40), derivatives.hessian(f, p))
    (least, greatest), H = jax.jit(both)(params)
    oracle = np.linalg.eigvalsh(np.asarray(H, np.float64))
    assert oracle[0] < -1e-3 < 1e-3 < oracle[-1]
    error = max(abs(least - oracle[0]), abs(greatest - oracle[-1])) / np.abs(oracle).max()
    measured(error, 8 * tolerance(params[0].W.dtype), oracle="numpy's eigenvalues of the whole matrix")


def quadratic(values):
    return lambda w: jnp.sum(jnp.asarray(values, w.dtype) * w**2) / 2


@pytest.mark.parametrize(
    "values",
    [(3.0,), (4.0, 4.0), (2.0,) * 8, (0.0, 0.0), (-4.0, 1.0, 1.0, 0.0), (100.0, -3.0, *[1.0] * 38), (2.0, *[0.0] * 19)],
    ids=lambda values: f"{values[:3]} of {len(values)}",
)
def test_extreme_eigenvalues_where_the_space_ends_early(values, key):
    """More steps than dimensions, eigenvalues that are equal or zero: rounding is no new direction."""
    ends = jax.jit(
        jax.vmap(lambda key: derivatives.extreme_eigenvalues(quadratic(values), jnp.ones(len(values)), key=key))
    )(jax.random.split(key, 50))
    for found, value in zip(ends, (min(values), max(values)), strict=True):
        np.testing.assert_allclose(found, value, atol=64 * eps(found.dtype) * max(map(abs, values)))


def test_the_ends_are_approached_from_within(key):
    """Ritz values lie in the numerical range, and more steps reach further."""
    f = quadratic(np.linspace(-1, 1, 100) ** 3)
    least, greatest = np.transpose(
        [derivatives.extreme_eigenvalues(f, jnp.zeros(100), key=key, steps=k) for k in (1, 4, 16)]
    )
    assert -1 - 1e-6 < least[2] < least[1] < least[0] <= greatest[0] < greatest[1] < greatest[2] < 1 + 1e-6


def test_transformations(key):
    """jit, vmap over parameters, grad through the product; the dtype stays."""
    cubes = lambda w: jnp.sum(w**3)
    w, v = jnp.asarray([[1.0, 2.0], [3.0, 5.0]]), jnp.ones(2)
    batched = jax.jit(jax.vmap(functools.partial(derivatives.hvp, cubes), (0, None)))(w, v)
    np.testing.assert_array_equal(batched, 6 * np.asarray(w))
    np.testing.assert_array_equal(jax.grad(lambda w: jnp.sum(derivatives.hvp(cubes, w, v)))(w[0]), [6, 6])
    whole = jax.jit(jax.vmap(functools.partial(derivatives.hessian, cubes)))(w)
    np.testing.assert_array_equal(whole, [np.diag(6 * row) for row in np.asarray(w)])
    assert derivatives.hessian(cubes, jnp.ones(3, jnp.bfloat16)).dtype == jnp.bfloat16


def test_errors_say_what_to_do(key):
    f, params, v = problem(key)
    with pytest.raises(ValueError, match=r"`v` must be a tree like `params`.*float\d\d\[4, 3\].*got.*Make one by"):
        derivatives.hvp(f, params, v[:1])
    with pytest.raises(ValueError, match=r"`v` must be a tree like"):
        derivatives.hvp(jnp.sum, jnp.ones(3), jnp.ones(4))
    with pytest.raises(ValueError, match=r"`steps` must be at least 1; got 0"):
        derivatives.extreme_eigenvalues(jnp.sum, jnp.ones(3), key=key, steps=0)
