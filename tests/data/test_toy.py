"""Small problems."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from mlpjax.data import Dataset, toy


def test_xor_is_exclusive_or():
    data = toy.xor()
    assert isinstance(data, Dataset) and data.weight is None
    assert data.x.shape == (4, 2) and data.y.shape == (4, 1)
    assert data.x.dtype == data.y.dtype == jnp.result_type(float)
    assert data.x.tolist() == [list(corner) for corner in itertools.product([0, 1], repeat=2)]
    assert data.y.ravel().tolist() == [a ^ b for a, b in itertools.product([0, 1], repeat=2)]


def test_xor_is_not_linearly_separable():
    x, y, _ = map(lambda a: None if a is None else np.asarray(a), toy.xor())
    same_mean = x[y.ravel() == 1].mean(0), x[y.ravel() == 0].mean(0)
    np.testing.assert_array_equal(*same_mean)  # so no affine function is positive on one and not on the other


@pytest.mark.ledger("NEU8")
def test_mushrooms_are_distinct_plausible_and_separated():
    x, y, _ = toy.mushrooms()
    assert x.shape == (24, 2) and y.shape == (24, 1) and y.sum() == 12 and x.dtype == y.dtype == jnp.result_type(float)
    x, y = np.asarray(x, float), np.asarray(y)[:, 0]
    whole = np.rint(10 * x)
    np.testing.assert_allclose(10 * x, whole, atol=1e-5)
    assert len({*map(tuple, whole)}) == 24
    assert whole.min(0).tolist() == [0, 3] and whole.max(0).tolist() == [29, 17]  # spots, centimeters
    side = x @ [1 / 1.4, 1 / 0.8] - 2.375
    assert ((side > 0) == (y == 1)).all() and np.abs(side).min() > 0.2
    rising = [np.corrcoef(column, y)[0, 1] for column in x.T]
    assert min(rising) > 0.5  # many spots and long stems are poisonous


@pytest.fixture(scope="module")
def drawn():
    """Every drawn problem, with and without noise, from one compiled call."""

    def draw(key):
        return {
            "moons": toy.moons(key, 301, noise=0.0),
            "noisy moons": toy.moons(key, 301, noise=0.1),
            "spirals": toy.spirals(key, 1000),
            "noisy spirals": toy.spirals(key, 1000, noise=0.05),
            "blobs": toy.blobs(key, 501, margin=0.4),
            "wide": toy.blobs(key, 501, margin=0.4, inputs=30),
        }

    return jax.tree.map(np.asarray, jax.jit(draw)(jax.random.key(7)))


def test_drawn_problems_are_balanced(drawn):
    for x, y, weight in drawn.values():
        assert weight is None and y.shape == (len(x), 1) and y.dtype == x.dtype == jnp.result_type(float)
        assert (y[:, 0] == np.arange(len(x)) % 2).all()


def test_moons_are_half_circles(drawn):
    x, y, _ = drawn["moons"]
    upper, lower = x[y[:, 0] == 0], np.array([1, 0.5]) - x[y[:, 0] == 1]  # the lower one, turned onto the upper
    for moon in (upper, lower):
        np.testing.assert_allclose(np.hypot(*moon.T), 1, rtol=1e-5)
        assert moon[:, 1].min() >= -1e-6
        angles = np.sort(np.arctan2(moon[:, 1], moon[:, 0])) / np.pi
        assert np.abs(angles - np.linspace(0, 1, len(angles))).max() < 0.12
    noise = drawn["noisy moons"].x - x
    assert abs(noise.std() / 0.1 - 1) < 0.1 and abs(noise.mean()) < 0.01


def test_spirals_wind_and_mirror(drawn):
    x, y, _ = drawn["spirals"]
    s = np.hypot(*x.T)
    assert 0.1 <= s.min() < 0.2 and 0.99 < s.max() <= 1 + 1e-6
    turned = (np.arctan2(x[:, 1], x[:, 0]) - 2 * np.pi * 1.5 * s - np.pi * y[:, 0]) / (2 * np.pi)
    np.testing.assert_allclose(turned, np.rint(turned), atol=1e-5)
    length = lambda t: np.interp(t, line, np.cumsum(np.hypot(1, 3 * np.pi * line)))
    line = np.linspace(0.1, 1, 1000)
    share = np.sort((length(s) - length(0.1)) / (length(1) - length(0.1)))
    assert np.abs(share - np.linspace(0, 1, len(share))).max() < 0.1  # about equally dense along the arm
    assert abs((drawn["noisy spirals"].x - x).std() / 0.05 - 1) < 0.1


@pytest.mark.ledger("NEU6")
@pytest.mark.parametrize("name", ["blobs", "wide"])
def test_blobs_keep_their_margin(name, drawn):
    x, y, _ = drawn[name]
    along = (2 * y[:, 0] - 1) * x.sum(1) / np.sqrt(x.shape[1])
    assert 0.4 * (1 - 1e-5) <= along.min() < 0.7
    assert abs(along.mean() - 2.4) < 0.15 and abs(along.std() - 1) < 0.1
    across = x - (x.sum(1, keepdims=True) / x.shape[1])
    assert abs((across**2).sum(1).mean() / (x.shape[1] - 1) - 1) < 0.15


def test_only_mushrooms_and_blobs_are_separable(drawn):
    for name, (x, y, _) in drawn.items():
        hull = np.vstack([(2 * y - 1).T * np.c_[x, np.ones(len(x))].T, np.ones(len(x))])
        _, rest = scipy.optimize.nnls(hull, np.eye(len(hull))[-1])
        assert (rest > 1e-6) == (name in ("blobs", "wide")), name  # the hull of the signed examples contains 0


def test_the_margin_may_be_traced():
    margins = jnp.array([0.1, 1.0])
    x = jax.vmap(lambda margin: toy.blobs(jax.random.key(0), 50, margin=margin).x)(margins)
    assert (x[1] != x[0]).any() and x.shape == (2, 50, 2)


def test_errors_say_what_to_do(unchecked):
    key = jax.random.key(0)
    wrong = [
        (lambda: toy.moons(key, 1), "`n` must be an integer ≥ 2; got 1"),
        (lambda: toy.spirals(key, 10.0), "`n` must be an integer ≥ 2; got 10.0"),
        (lambda: toy.moons(key, 10, noise=-1.0), "`noise` must be a finite number ≥ 0; got -1.0"),
        (lambda: toy.spirals(key, 10, turns=-1.0), "`turns` must be"),
        (lambda: toy.blobs(key, 10, margin=np.inf), "`margin` must be a finite number"),
        (lambda: toy.blobs(key, 10, inputs=0), "`inputs` must be an integer ≥ 1; got 0"),
    ]
    for call, message in wrong:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="`key` must be a typed key"):
        toy.moons(0, 10)
