"""What the chapter on one neuron claims beyond the functions: its tables, its lines, its bounds, its rates."""

import importlib.util
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from mlpjax import backprop, neuron
from mlpjax.data import Dataset, toy
from mlpjax.layers import Dense
from mlpjax.losses import binary_cross_entropy
from mlpjax.neuron import Neuron

DOCS = pathlib.Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "book" / "neuron.md").read_text("utf-8")


def table(head):
    """The numbers of the rows under a heading of the page: the last of each cell, after its last equals sign."""
    rows = PAGE.split(head)[1].split("\n\n")[0].splitlines()[1:]
    text = [row.replace("−", "-").replace("$", "").strip()[1:-1].split("|") for row in rows]
    return [[[float(v) for v in re.findall(r"-?\d+\.?\d*", c.split("=")[-1])] for c in cells] for cells in text]


@pytest.mark.ledger("NEU1")
def test_the_drawing_shows_what_the_model_computes():
    """1·0.8 − 0·0.5 + 1·0.6 − 1 = 0.4, so it fires; and every part of the cell has its counterpart in the table."""
    spec = importlib.util.spec_from_file_location("neuron_model", DOCS / "figures" / "neuron_model.py")
    figure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figure)
    params, x = (jax.tree.map(lambda leaf: leaf.astype(float), a) for a in (figure.PARAMS, figure.X))
    assert isinstance(params, Neuron) and params.w.shape == x.shape == (3,) and params.b.shape == ()
    assert float(neuron.pre_activation(params, x)) == pytest.approx(0.4, rel=1e-6)
    assert float(neuron.apply(params, x)) == 1 and "give 0.4, and the output 1" in figure.ALT
    rows = re.findall(r"^    \| ([a-z ()]+) \| .* \| .* \|$", PAGE, re.M)
    assert rows == ["dendrites", "synapses", "cell body (soma)", "firing threshold", "firing", "axon"]


@pytest.mark.ledger("NEU5")
def test_three_updates_by_hand():
    data = toy.mushrooms()
    _, history = neuron.learn(neuron.zeros(2), data, epochs=1)
    rows = table("| Example | $y$ | $z$ | $\\hat y$ | $e$ | $w$ after it | $b$ after it |\n")
    assert len(rows) == 4
    before = neuron.zeros(2)
    for i, (x, y, z, answer, e, w, b) in enumerate(rows):
        np.testing.assert_allclose(data.x[i], x, rtol=1e-5)
        assert float(data.y[i, 0]) == y[0] and float(history.errors[0, i]) == e[0] == y[0] - answer[0]
        np.testing.assert_allclose(neuron.pre_activation(before, data.x[i]), z[-1], rtol=1e-5, atol=1e-6)
        before = jax.tree.map(lambda leaf, i=i: leaf[0, i], history.params)
        np.testing.assert_allclose([*before.w, before.b], [*w, *b], rtol=1e-5, atol=1e-5)


@pytest.mark.ledger("NEU6")
def test_the_circle_of_xor():
    start, *rows = table("| Example | $y$ | $z$ | $e$ | $w$ after it | $b$ after it |\n")
    params = Neuron(jnp.array(start[4]), jnp.array(start[5][0]))
    for x, y, (_, target, z, e, w, b) in zip(toy.xor().x, toy.xor().y[:, 0], rows, strict=True):
        assert [float(y), float(neuron.pre_activation(params, x))] == [target[0], z[0]]
        params, error = neuron.update(params, x, y)
        assert [float(error), *params.w.tolist(), float(params.b)] == [*e, *w, *b]
    assert [*params.w.tolist(), float(params.b)] == [*start[4], *start[5]]


@pytest.fixture(scope="module")
def learned():
    return jax.jit(lambda data: neuron.learn(neuron.zeros(2), data, epochs=6))(toy.mushrooms())


@pytest.mark.ledger("NEU7")
def test_some_line_but_not_the_widest(learned, measured):
    """The line learned keeps 0.044; a linear program knows the widest: 0.251 along its normal, and no more in any."""
    data = toy.mushrooms()
    x, y = np.asarray(data.x, np.float64), np.asarray(data.y)[:, 0]
    between = (x[y == 1][:, None] - x[y == 0][None]).reshape(-1, 2)
    weights, _ = scipy.optimize.nnls(np.vstack([between.T, np.ones(len(between))]), [0, 0, 1])
    widest = np.linalg.norm(weights @ between) / weights.sum() / 2
    ours = np.linalg.norm(neuron.nearest_point(jnp.asarray(between, float), steps=500)) / 2
    measured(abs(ours / widest - 1), 1e-4, oracle="scipy.optimize.nnls")
    kept = np.min((2 * y - 1) * np.asarray(jax.vmap(neuron.distance, (None, 0))(learned[0], data.x)))
    assert round(widest, 3) == 0.251 and round(float(kept), 3) == 0.044
    angle = np.linspace(0, 2 * np.pi, 20_000)
    along = np.stack([np.cos(angle), np.sin(angle)]).T @ x.T
    gap = along[:, y == 1].min(1) - along[:, y == 0].max(1)
    assert widest - 1e-3 < gap.max() / 2 < widest + 1e-6  # every direction tried


@pytest.mark.ledger("NEU6")
def test_units_and_starts():
    """Exercises 2 and 4: the bounds and the mistakes stated there."""
    data = toy.mushrooms()
    best = neuron.separator(data)
    raw = data._replace(x=10 * data.x)
    v = np.asarray(neuron.signed(raw), np.float64)
    weights, _ = scipy.optimize.nnls(np.vstack([v.T, np.ones(24)]), [0, 0, 0, 1])
    largest = np.linalg.norm(weights @ v) / weights.sum()
    bound = float(neuron.mistake_bound(Neuron(best.w / 10, best.b), raw))
    assert bound == pytest.approx((v @ v.T).max() / largest**2, rel=1e-4) == pytest.approx(39_283, rel=1e-3)

    R, gamma = float(neuron.radius(data)), float(neuron.margin(best, data))
    starts = jax.random.normal(jax.random.key(0), (50, 3)) * 2.0
    run = lambda s: neuron.learn(Neuron(s[:2], s[2]), data, epochs=60)[1].errors
    errors = np.asarray(jax.jit(jax.vmap(run))(starts))
    limit = (R / gamma) ** 2 + 2 * np.linalg.norm(starts, axis=1) / gamma
    assert ((errors != 0).sum((1, 2)) <= limit).all() and not errors[:, -1].any()


@pytest.mark.ledger("NEU6")
def test_any_classes_on_a_simplex():
    """Exercise 5: whatever the classes, the largest margin is 1 and the bound n."""
    n = 12
    values, vectors = np.linalg.eigh(n * np.eye(n) - 1)
    x = jnp.asarray(vectors * np.sqrt(np.maximum(values, 0)), float)
    classes = jax.random.bernoulli(jax.random.key(1), shape=(5, n)).astype(float)
    bounds = jax.vmap(lambda y: neuron.mistake_bound(neuron.separator(Dataset(x, y), steps=200), Dataset(x, y)))
    np.testing.assert_allclose(jax.jit(bounds)(classes), n, rtol=1e-4)


@pytest.mark.ledger("NEU9")
def test_a_high_rate_swings_and_wins_only_where_a_line_separates():
    data = toy.mushrooms()
    swapped = data._replace(y=data.y.at[10].set(0))  # a safe mushroom amid the poisonous ones

    def losses(y, rate):
        def step(params, _):
            value, grads = backprop.value_and_grad(params, data.x, y, activation=(), loss=binary_cross_entropy)
            return jax.tree.map(lambda p, g: p - rate * g, params, grads), value

        return jax.lax.scan(step, (Dense(jnp.zeros((1, 2)), jnp.zeros(1)),), length=300)[1]

    both = jax.jit(jax.vmap(jax.vmap(losses, (None, 0)), (0, None)))
    values = np.asarray(both(jnp.stack([data.y, swapped.y]), jnp.array([0.02, 2.0, 20.0])))
    slow, good, fast = values[0]
    assert (np.diff(slow) < 0).all() and slow[-1] > 0.5 and (fast[:26] > 1).sum() > 10 and 13 < fast.max() < 14
    assert (np.diff(fast[40:]) < 0).all() and fast[-1] < good[-1] / 10
    settled, swinging = values[1, 1, -50:], values[1, 2, -50:]  # overlapping
    assert (np.diff(settled) < 0).all() and np.ptp(settled) < 0.01 and np.ptp(swinging) > 0.5
