"""From networks back to knots and slopes: `cpwa.from_network`."""

import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax import mlp
from mlpjax.layers import Dense
from mlpjax.theory import calculus, cpwa, regions
from tests.theory.test_regions import by_numpy, network, normal, scan


@pytest.mark.ledger("DEP2")
def test_knots_are_those_of_rational_arithmetic(measured):
    rng = np.random.default_rng(0)
    draw = lambda rng, shape: rng.integers(-6, 7, shape) / 2
    worst = 0.0
    for widths in [(3,), (3, 3), (4, 2), (2, 2, 2)] * 4:
        params = network(rng, (1, *widths, 1), draw)
        ends, pieces, bends = scan(params, [0], [1])
        knots = [t for t, bend in zip(ends, bends, strict=True) if bend] or [0]
        slopes = [pieces[0][1][0][1], *(p[1][0][1] for p, bend in zip(pieces[1:], bends, strict=True) if bend)]
        found = cpwa.from_network(params)
        assert len(found.knots) == len(knots) and len(found.slopes) == len(knots) + 1
        expected = np.array([*knots, *(slopes if len(slopes) > 1 else slopes * 2)], float)
        error = np.abs(np.concatenate([found.knots, found.slopes]) - expected).max() / max(1, np.abs(expected).max())
        values = by_numpy(params, found.knots[:, None])[:, 0]
        worst = max(worst, error, np.abs(found.values - values).max() / max(1, np.abs(values).max()))
    measured(worst, 1e-12, oracle="rational arithmetic; values by the forward pass in NumPy")


@pytest.mark.ledger("DEP2")
def test_there_and_back_again():
    """Spline → network → spline; a random deep network and the shallow one of its knots are one function."""
    x, y = np.array([-1.0, 0.25, 0.5, 2.0, 4.0]), np.array([1.0, 3.0, -2.0, 0.0, 0.5])
    found = cpwa.from_network(cpwa.from_samples(jnp.asarray(x), jnp.asarray(y)))
    np.testing.assert_allclose(found.knots, x[1:-1], rtol=1e-6)
    np.testing.assert_allclose(found.values, y[1:-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.slopes, np.diff(y) / np.diff(x), rtol=1e-5, atol=1e-6)
    deep = network(np.random.default_rng(1), (1, 5, 5, 5, 1), normal)
    knots, values, slopes = cpwa.from_network(deep)
    assert len(knots) <= regions.upper_bound((5, 5, 5), 1) - 1
    t = np.linspace(-20, 20, 999)
    inner = np.interp(t, knots, values)
    outer = np.where(t < knots[0], slopes[0] * (t - knots[0]), slopes[-1] * np.maximum(t - knots[-1], 0))
    np.testing.assert_allclose(inner + outer, by_numpy(deep, t[:, None])[:, 0], rtol=1e-10, atol=1e-10)


@pytest.mark.ledger("DEP2")
def test_equal_functions_have_equal_splines():
    """Padding with identities adds states of units, and no bends; nor does a sum with its own negative."""
    params = tuple(
        Dense(jnp.asarray(W), jnp.asarray(b)) for W, b in network(np.random.default_rng(2), (1, 4, 3, 1), normal)
    )
    padded = calculus.pad(params, 6)
    assert mlp.sizes(padded) != mlp.sizes(params)
    for ours, theirs in zip(cpwa.from_network(padded), cpwa.from_network(params), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    nothing = cpwa.from_network(calculus.add(params, calculus.scale(params, -1.0)))
    assert nothing.knots.tolist() == [0] and nothing.slopes.tolist() == [0, 0] and abs(nothing.values[0]) < 1e-4


def test_from_network_says_what_is_wrong(unchecked):
    for sizes, shapes in (((2, 3, 1), r"\[\(3, 2\), \(1, 3\)\]"), ((1, 3, 2), r"\[\(3, 1\), \(2, 3\)\]")):
        with pytest.raises(ValueError, match=f"one input and one output; got weights of shapes {shapes}"):
            cpwa.from_network(network(np.random.default_rng(0), sizes, normal))
    with pytest.raises(ValueError, match="one input and one output"):
        cpwa.from_network(())
    assert cpwa.from_network(network(np.random.default_rng(0), (1, 1), normal)).knots.tolist() == [0]
