"""Mean-field recursions against adaptive integration, closed forms, and networks."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from mlpjax.activations import elu, gelu, hard_tanh, identity, leaky_relu, relu, sigmoid, silu, tanh
from mlpjax.theory import meanfield
from tests.helpers import tolerance


def expectation(f, q):
    """E f(√q Z), by SciPy's adaptive quadrature, cut where the activations have their kinks."""
    density = lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    cuts = [-12, *sorted({-min(1 / np.sqrt(q), 11), 0.0, min(1 / np.sqrt(q), 11)}), 12]
    integrand = lambda z: float(f(np.float64(np.sqrt(q) * z))) * density(z)
    pieces = itertools.pairwise(cuts)
    return sum(integrate.quad(integrand, a, b, epsabs=0, epsrel=1e-11, limit=200)[0] for a, b in pieces)


NUMPY = {  # σ and σ′ once more, in NumPy
    sigmoid: (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    tanh: (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    elu(): (lambda z: z if z > 0 else np.expm1(z), lambda z: 1.0 if z > 0 else np.exp(z)),
    hard_tanh: (lambda z: np.clip(z, -1, 1), lambda z: float(abs(z) < 1)),
}


@pytest.mark.x64
@pytest.mark.ledger("INI4")
@pytest.mark.parametrize("activation", NUMPY, ids=str)
def test_against_adaptive_quadrature(activation, measured):
    """Three layers with biases, and the factors of all three."""
    fn, prime = NUMPY[activation]
    s, b = 1.7, 0.1
    q = [s * 0.8 + b]
    for _ in range(2):
        q.append(s * expectation(lambda z: fn(z) ** 2, q[-1]) + b)
    got = meanfield.second_moments(activation, weight_variance=s, bias_variance=b, start=0.8, depth=3)
    error = np.abs(got / np.array(q) - 1).max()
    expected = np.array([s * expectation(lambda z: prime(z) ** 2, value) for value in q])
    factors = meanfield.gradient_factors(activation, jnp.asarray(q), weight_variance=s)
    errors = error, np.abs(factors / expected - 1).max()
    if activation is hard_tanh:  # a kink away from 0 lies inside a piece of the rule
        assert errors[0] < 3e-3 and errors[1] < 3e-2
    else:
        measured(max(errors), 1e-10, oracle="SciPy's adaptive quadrature")


@pytest.mark.ledger("INI4")
@pytest.mark.parametrize("alpha", [0.0, 0.2, 1.0])
def test_closed_form_of_the_rectifiers(alpha, measured):
    """E σ² = ½(1 + α²) q and E σ′² = ½(1 + α²), whatever q is: kept for ever where n Var W is the reciprocal of it."""
    activation = relu if alpha == 0 else identity if alpha == 1 else leaky_relu(alpha)
    for s in (0.5, 2 / (1 + alpha**2)):
        q = meanfield.second_moments(activation, weight_variance=s, start=3.0, depth=20)
        rate = s * (1 + alpha**2) / 2
        limit = 20 * tolerance(q.dtype)
        measured(np.abs(q / (3 * s * rate ** np.arange(20)) - 1).max(), limit, oracle="(s (1 + α²)/2)ˡ")
        chi = meanfield.gradient_factors(activation, q, weight_variance=s)
        measured(np.abs(chi / rate - 1).max(), limit, oracle="s (1 + α²)/2")


@pytest.mark.ledger("INI4")
def test_under_jit_vmap_and_grad():
    """Variances may be traced; shapes and precision are kept; dq/ds is what a difference quotient says."""
    last = lambda s: meanfield.second_moments(gelu, weight_variance=s, depth=6)[-1]
    h = 1e-2
    s = 1.5 + h * jnp.arange(-2.0, 3.0)
    q, slopes = jax.jit(jax.vmap(jax.value_and_grad(last)))(s)
    np.testing.assert_allclose(q[2], last(1.5), rtol=tolerance(s.dtype))
    quotient = (8 * (q[3] - q[1]) - (q[4] - q[0])) / (12 * h)
    np.testing.assert_allclose(slopes[2], quotient, rtol=1e-3)
    chi = meanfield.gradient_factors(silu, jnp.ones((2, 3), "float32"), weight_variance=1.0)
    assert chi.shape == (2, 3) and chi.dtype == jnp.float32
    short = meanfield.second_moments(silu, weight_variance=jnp.float32(1), start=jnp.float32(1), depth=2)
    assert short.dtype == jnp.float32


def test_mistakes_are_said(unchecked):
    for depth in (0, 2.5):
        with pytest.raises(ValueError, match=r"`depth` must be an integer ≥ 1; got .* It is the number of layers"):
            meanfield.second_moments(relu, weight_variance=1.0, depth=depth)
