"""What the chapter on a layer states: what one neuron cannot do, what hidden units change, strokes and squares."""

import itertools
import math
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linprog

from docs.figures import layer_shapes
from mlpjax import data, mlp, neuron
from mlpjax.activations import sigmoid, tanh
from mlpjax.layers import Dense, dense
from mlpjax.theory import gates
from tests.helpers import eps

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "book" / "layer.md").read_text("utf-8")


def certificate(ones, zeros):
    """Weights that show a common point of the two convex hulls, by linear programming; `None` if there is none."""
    if not len(ones) or not len(zeros):
        return None
    A = np.vstack([np.hstack([ones.T, -zeros.T]), np.repeat(np.eye(2), (len(ones), len(zeros)), axis=1)])
    found = linprog(np.zeros(A.shape[1]), A_eq=A, b_eq=np.r_[np.zeros(ones.shape[1]), 1, 1])
    return found.x if found.success else None


@pytest.mark.ledger("LAY1")
def test_no_neuron_computes_xor(measured):
    """A certificate for all weights at once; and of 68,921 neurons on a grid none gets more than three right."""
    x, y = (np.asarray(leaf, float) for leaf in data.toy.xor()[:2])
    ones, zeros = x[y[:, 0] == 1], x[y[:, 0] == 0]
    weights = certificate(ones, zeros)
    apart = np.abs(weights[:2] @ ones - weights[2:] @ zeros).max()
    measured(apart, 1e-12, oracle="common point of the hulls, by linear programming")
    grid = jnp.linspace(-2.0, 2.0, 41)
    units = neuron.Neuron(jnp.stack(jnp.meshgrid(grid, grid), -1).reshape(-1, 2).repeat(41, 0), jnp.tile(grid, 41 * 41))
    everywhere = jax.jit(jax.vmap(jax.vmap(neuron.apply, (None, 0)), (0, None)))
    right = np.sum(np.asarray(everywhere(units, jnp.asarray(x, grid.dtype))) == y[:, 0], axis=1)
    assert right.max() == 3


@pytest.mark.ledger("LAY1")
@pytest.mark.parametrize(("n", "count"), [(2, 14), (3, 104)])
def test_how_many_functions_a_neuron_computes(n, count):
    """The perceptron rule settles on exactly those that have no certificate against them."""
    x = np.array(list(itertools.product((0.0, 1.0), repeat=n)))
    tables = np.array(list(itertools.product((0.0, 1.0), repeat=2**n)))

    def mistakes(y):
        _, history = neuron.learn(neuron.zeros(n), data.Dataset(jnp.asarray(x, float), y), epochs=60)
        return jnp.sum(jnp.abs(history.errors[-1]))

    learned = np.asarray(jax.jit(jax.vmap(mistakes))(jnp.asarray(tables, float))) == 0
    possible = [certificate(x[y == 1], x[y == 0]) is None for y in tables]
    np.testing.assert_array_equal(learned, possible)
    assert learned.sum() == count


@pytest.mark.ledger("LAY2")
def test_the_truth_table_is_the_network():
    rows = [
        line.split("|")[1:-1] for line in PAGE.splitlines() if re.match(r" {4}\| (bland|spicy|sweet|both) \|", line)
    ]
    assert [row[0].strip() for row in rows] == ["bland", "spicy", "sweet", "both"]
    number = lambda text: float(text.strip().strip("$").replace(r"\tfrac12", "0.5"))
    table = np.array([[number(cell) for cell in row[1:]] for row in rows])
    for x1, x2, total, h1, h2, z, answer in table:
        a, pre, _ = mlp.trace(gates.xor(), jnp.asarray([x1, x2]), activation=neuron.heaviside)
        np.testing.assert_array_equal([x1 + x2, *a[1], pre[1][0]], [total, h1, h2, z])
        assert float(neuron.heaviside(pre[1])[0]) == answer
    np.testing.assert_array_equal(table[:, -1], data.toy.xor().y[:, 0])


@pytest.mark.ledger("LAY2")
@pytest.mark.parametrize("activation", [neuron.heaviside, tanh], ids=str)
def test_one_cook_per_flavor_is_one_neuron(activation, key, measured):
    """Whatever each reports of its flavor: the sum that the output sees is affine on the corners."""
    W = jnp.eye(2)[None] * jax.random.normal(key, (200, 1, 2))
    b, v = jax.random.normal(jax.random.key(1), (2, 200, 2))
    output = lambda W, b, v, x: mlp.apply((Dense(W, b), Dense(v[None], b[:1])), x, activation=activation)[0]
    each = jax.vmap(jax.vmap(output, (None, None, None, 0)), (0, 0, 0, None))
    z = jax.jit(each)(W, b, v, data.toy.xor().x)
    gap = jnp.abs(z[:, 0] + z[:, 3] - z[:, 1] - z[:, 2]) / jnp.abs(z).sum(1)
    measured(gap.max(), 8 * eps(z.dtype), oracle="z₀₀ + z₁₁ = z₀₁ + z₁₀")
    y = data.toy.xor().y[:, 0] == 1
    assert int(jnp.sum((z >= 0) == y[None, :], axis=1).max()) == 3


@pytest.mark.ledger("LAY3")
def test_a_layer_is_its_neurons(key, measured):
    """Row by row; on z instead of H(z) the output neuron is affine again."""
    k1, k2, k3 = jax.random.split(key, 3)
    layer = Dense(jax.random.normal(k1, (3, 2)), jax.random.normal(k2, (3,)))
    x = jax.random.normal(k3, (2,))
    rows = [math.fsum([float(w[0] * x[0]), float(w[1] * x[1]), float(b)]) for w, b in zip(*layer, strict=True)]
    scale = np.abs(layer.W) @ np.abs(x) + np.abs(layer.b)
    error = np.max(np.abs(np.asarray(dense.apply(layer, x), float) - rows) / scale)
    measured(error, 4 * eps(x.dtype), oracle="each neuron by itself, in Python")
    units = [neuron.Neuron(w, b) for w, b in zip(*layer, strict=True)]
    np.testing.assert_allclose(dense.apply(layer, x), [neuron.pre_activation(unit, x) for unit in units], rtol=1e-5)
    hidden, output = gates.xor()
    passed_on = jax.vmap(lambda x: dense.apply(output, dense.apply(hidden, x)))(data.toy.xor().x)[:, 0]
    assert float(passed_on[0] + passed_on[3]) == float(passed_on[1] + passed_on[2])
    assert dense.apply(hidden, jnp.ones(2)).tolist() == [1.5, 0.5]


@pytest.mark.ledger("LAY4")
def test_layers_in_a_chain(key, measured):
    """The output of a layer is the input of the next, by numpy; the last layer's is the network's."""
    params = mlp.init(key, (4, 6, 5, 3), bias_init=lambda key, shape, dtype: jnp.ones(shape, dtype))
    x = jax.random.normal(jax.random.key(1), (4,))
    found, a = mlp.trace(params, x, activation=tanh), np.asarray(x, float)
    for l, (W, b) in enumerate(params):
        np.testing.assert_allclose(found.a[l], a, rtol=1e3 * eps(x.dtype))
        z = np.asarray(W, float) @ a + np.asarray(b, float)
        a = np.tanh(z)
    error = np.max(np.abs(np.asarray(found.z[-1], float) - z)) / np.abs(z).max()
    measured(error, 16 * eps(x.dtype), oracle="one layer after the other, by numpy")


@pytest.mark.ledger("LAY4")
def test_strokes_corners_squares():
    """The figure's three layers against loops over the picture: strokes, where they meet, and two squares."""
    image = layer_shapes.picture()
    (across, down), corners, square = jax.tree.map(np.asarray, layer_shapes.layers(jnp.asarray(image)))
    on = {(int(i), int(j)) for i, j in np.argwhere(image)}
    wide = {(i, j) for i, j in on if {(i, j - 1), (i, j + 1)} <= on}
    tall = {(i, j) for i, j in on if {(i - 1, j), (i + 1, j)} <= on}
    meet = [{(i, j) for i, j in on if (i, j + q) in wide and (i + p, j) in tall} for p in (1, -1) for q in (1, -1)]
    marked = lambda found: {(int(i), int(j)) for i, j in np.argwhere(found)}
    assert (marked(across), marked(down)) == (wide, tall)
    assert [marked(c) for c in corners] == meet
    assert marked(square) == {(2, 3), (12, 21)}
    assert len(set.union(*meet)) == 10  # four for each square, the L, the middle of the cross


@pytest.mark.x64
@pytest.mark.ledger("LAY2")
def test_how_steep_a_sigmoid_must_be(measured):
    """Exercise 5: all four right from s = 2 ln 3 on."""
    xor = data.toy.xor()

    def margin(s):
        steep = jax.tree.map(lambda p: s * p, gates.xor())
        z = jax.vmap(lambda x: mlp.apply(steep, x, activation=sigmoid)[0])(xor.x)
        return jnp.min(z * (2 * xor.y[:, 0] - 1))

    low, high = 1.0, 4.0
    margin = jax.jit(margin)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if margin(middle) > 0 else (middle, high)
    measured(abs(low / (2 * math.log(3)) - 1), 1e-12, oracle="2 ln 3, by bisection")
