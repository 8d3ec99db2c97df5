"""One neuron: the step, the sum, the rule, the bound, and where the learning rate matters."""

import fractions
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from mlpjax import backprop, mlp, neuron
from mlpjax.activations import identity
from mlpjax.data import Dataset, toy
from mlpjax.layers import Dense
from mlpjax.losses import binary_cross_entropy, half_squared_error
from mlpjax.neuron import Neuron
from tests.helpers import assert_trees_close, assert_trees_equal, eps, tolerance

CORNERS = np.array(list(itertools.product([0.0, 1.0], repeat=2)))


def exact(w, x, b=0.0):
    """wᵀx + b without rounding, and the sum of the absolute values of its terms."""
    terms = [fractions.Fraction(float(p)) * fractions.Fraction(float(q)) for p, q in zip(w, x, strict=True)]
    terms.append(fractions.Fraction(float(b)))
    return float(sum(terms)), float(sum(map(abs, terms)))


def integers(key, n, inputs, bound=9):
    """Random integer inputs and targets, on which every float computes without rounding."""
    x_key, y_key = jax.random.split(key)
    x = jax.random.randint(x_key, (n, inputs), -bound, bound + 1).astype(float)
    return Dataset(x, jax.random.bernoulli(y_key, shape=(n, 1)).astype(float))


# the unit


@pytest.mark.ledger("NEU4")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_step_is_one_from_zero_on(dtype):
    tiny = float(jnp.finfo(dtype).smallest_normal)
    z = jnp.array([-math.inf, -3, -tiny, -0.0, 0.0, tiny, 3, math.inf], dtype)
    assert neuron.heaviside(z).tolist() == [0, 0, 0, 1, 1, 1, 1, 1] and neuron.heaviside(z).dtype == z.dtype
    slope = jax.vmap(jax.grad(neuron.heaviside.fn))(z)
    assert not slope.any() and not neuron.heaviside.prime(z).any() and slope.dtype == z.dtype
    assert jnp.isnan(neuron.heaviside(jnp.array(jnp.nan, dtype)))


@pytest.mark.ledger("NEU2")
def test_weighted_sum(key, measured):
    w, x = jax.random.normal(key, (2, 20, 7))
    z = jax.vmap(neuron.weighted_sum)(w, x)
    error = [abs(float(a) - exact(*p)[0]) / exact(*p)[1] for a, *p in zip(z, w, x, strict=True)]
    measured(max(error) / eps(x.dtype), 8, oracle="exact fractions, in eps of Σ|wᵢxᵢ|")
    two = neuron.weighted_sum(jnp.array([2.0, -0.5]), jnp.array([3.0, 4.0]))
    assert float(two) == 4  # 2·3 − ½·4


@pytest.mark.ledger("NEU3")
def test_pre_activation(key, measured):
    w, x = jax.random.normal(key, (2, 20, 7))
    b = jnp.linspace(-2.0, 2.0, 20)
    z = jax.vmap(neuron.pre_activation)(Neuron(w, b), x)
    error = [abs(float(a) - exact(*p)[0]) / exact(*p)[1] for a, *p in zip(z, w, x, b, strict=True)]
    measured(max(error) / eps(x.dtype), 8, oracle="exact fractions, in eps of Σ|wᵢxᵢ| + |b|")


@pytest.mark.ledger("NEU3")
def test_the_bias_moves_the_threshold_to_its_negative(key):
    x = jax.random.randint(key, (500, 3), -4, 5).astype(float)
    w = jnp.array([2.0, -1.0, 3.0])
    for b in (-5.0, 0.0, 7.0):
        fires = jax.vmap(neuron.apply, (None, 0))(Neuron(w, jnp.array(b)), x)
        np.testing.assert_array_equal(fires, np.asarray(x) @ np.asarray(w) >= -b)


@pytest.mark.ledger("NEU4")
def test_gates_and_a_network_of_them():
    both, either = CORNERS.all(1), CORNERS.any(1)
    gates = {neuron.and_gate: both, neuron.or_gate: either, neuron.nand_gate: ~both, neuron.nor_gate: ~either}
    for gate, table in gates.items():
        np.testing.assert_array_equal(jax.vmap(neuron.apply, (None, 0))(gate(), jnp.asarray(CORNERS, float)), table)
        params, words = gate(5), jnp.array(list(itertools.product([0.0, 1.0], repeat=5)))
        answers = jax.vmap(neuron.apply, (None, 0))(params, words)
        assert int(answers.sum()) in (1, 31) and bool(answers[0]) == bool(table[0])
    np.testing.assert_array_equal(
        jax.vmap(neuron.apply, (None, 0))(neuron.not_gate(), jnp.array([[0.0], [1.0]])), [1, 0]
    )
    first, last = (neuron.or_gate(), neuron.nand_gate()), (neuron.and_gate(),)
    network = tuple(Dense(jnp.stack([u.w for u in units]), jnp.stack([u.b for u in units])) for units in (first, last))
    z = jax.vmap(lambda x: mlp.apply(network, x, activation=neuron.heaviside))(toy.xor().x)
    np.testing.assert_array_equal(neuron.heaviside(z), toy.xor().y)


@pytest.mark.ledger("NEU7")
def test_distance(key, measured):
    """The shortest way to the hyperplane, as the least-squares solution of wᵀt = −z; its sign is the side."""
    w, x = np.asarray(jax.random.normal(key, (2, 20, 3)), np.float64)
    b = np.linspace(-2, 2, 20)
    params = Neuron(jnp.asarray(w, float), jnp.asarray(b, float))
    d = np.asarray(jax.vmap(neuron.distance)(params, jnp.asarray(x, float)))
    ways = [np.linalg.lstsq(u[None], [-(u @ p + c)], rcond=None)[0] for u, p, c in zip(w, x, b, strict=True)]
    side = np.sign((w * x).sum(1) + b)
    error = np.abs(d - side * np.linalg.norm(ways, axis=1)).max() / np.abs(d).max()
    measured(error, tolerance(params.w.dtype), oracle="least squares")
    cosine = (w * np.array(ways)).sum(1) / np.linalg.norm(w, axis=1) / np.linalg.norm(ways, axis=1)
    np.testing.assert_allclose(cosine, -side, rtol=1e-5)  # w is the normal: the shortest way runs along it


# the rule


def by_hand(x, y, epochs, rate=1):
    """The rule in plain Python, with whole numbers."""
    w, b, steps = [0] * len(x[0]), 0, []
    for point, target in list(zip(x, y, strict=True)) * epochs:
        e = target - (sum(p * q for p, q in zip(w, point, strict=True)) + b >= 0)
        w, b = [p + rate * e * q for p, q in zip(w, point, strict=True)], b + rate * e
        steps.append((*w, b, e))
    return np.array(steps, float)


@pytest.mark.ledger("NEU5")
def test_update(key, measured):
    """All four cases of target and answer, on whole numbers: right to the last bit."""
    data = integers(key, 40, 3)
    params = Neuron(jnp.array([2.0, -3.0, 1.0]), jnp.array(-1.0))
    rate = 3.0
    new, e = jax.vmap(lambda x, y: neuron.update(params, x, y[0], rate=rate))(*data[:2])
    new, e = jax.tree.map(np.asarray, (new, e))
    x, y = (np.asarray(a, np.int64) for a in data[:2])
    answer = (x @ [2, -3, 1] - 1 >= 0).astype(int)
    expected = y[:, 0] - answer
    assert {*zip(y[:, 0].tolist(), answer.tolist(), strict=True)} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    w = np.array([2, -3, 1]) + 3 * expected[:, None] * x
    worst = max(
        np.abs(new.w - w).max() / np.abs(w).max(), np.abs(new.b - (3 * expected - 1)).max(), np.abs(e - expected).max()
    )
    measured(worst, 0, oracle="whole numbers")


@pytest.mark.ledger("NEU5")
def test_the_error_is_positive_where_the_answer_is_too_low():
    """And never larger than 1, however far off the example lies (erratum)."""
    far = jnp.array([1e6])
    for w, y, expected in ((-1.0, 1, 1), (1.0, 0, -1), (1.0, 1, 0), (-1.0, 0, 0)):
        new, e = neuron.update(Neuron(jnp.array([w]), jnp.array(0.0)), far, jnp.array(y))
        assert float(e) == expected and float(new.b) == expected


@pytest.mark.ledger("NEU5")
def test_learn_is_the_rule_again_and_again(key):
    data = integers(key, 15, 3)
    params, history = jax.jit(lambda data: neuron.learn(neuron.zeros(3), data, epochs=8))(data)
    steps = by_hand(np.asarray(data.x, int).tolist(), np.asarray(data.y, int).ravel().tolist(), 8)
    found = np.concatenate([history.params.w, history.params.b[..., None], history.errors[..., None]], axis=2)
    np.testing.assert_array_equal(found.reshape(-1, 5), steps)
    assert_trees_equal(params, jax.tree.map(lambda leaf: leaf[-1, -1], history.params))


@pytest.mark.ledger("NEU8")
def test_mushrooms_are_learned(measured):
    """Twenty-five mistakes in four epochs, none in the fifth; the numbers of the chapter."""
    data = toy.mushrooms()
    params, history = jax.jit(lambda data: neuron.learn(neuron.zeros(2), data, epochs=6))(data)
    assert (np.asarray(history.errors) != 0).sum(1).tolist() == [9, 8, 5, 3, 0, 0]
    tenths = np.rint(10 * np.asarray(data.x)).astype(int)  # whole numbers: spots and centimeters, and 10 for the bias
    w = np.zeros(3, int)
    for v, y in list(zip(np.c_[tenths, np.full(24, 10)], np.asarray(data.y, int).ravel(), strict=True)) * 6:
        w = w + (y - (w @ v >= 0)) * v
    measured(np.abs(np.append(params.w, params.b) / (w / 10) - 1).max(), 1e-5, oracle="whole numbers")
    assert w.tolist() == [12, 27, -50]


# the bound


@pytest.fixture(scope="module")
def problems():
    """Separable problems of three margins, 20 of each, in 2 and 20 dimensions: mistakes, bounds, and what is left."""

    def run(key, margin, inputs):
        data = toy.blobs(key, 40, margin=margin, inputs=inputs)
        _, history = neuron.learn(neuron.zeros(inputs), data, epochs=60)
        axis = Neuron(jnp.ones(inputs), jnp.zeros(()))
        best = neuron.separator(data, steps=300)
        wrong = history.errors != 0
        known = (neuron.radius(data) / margin) ** 2  # (1, …, 1) separates with at least this margin
        return wrong.sum(), neuron.mistake_bound(axis, data), neuron.mistake_bound(best, data), wrong[-1].sum(), known

    def several(inputs):
        keys = jax.random.split(jax.random.key(inputs), (3, 20))
        margins = jnp.array([0.05, 0.3, 1.0])
        each = jax.vmap(jax.vmap(lambda key, margin: run(key, margin, inputs), (0, None)))
        return np.array(jax.jit(each)(keys, margins))

    return {inputs: several(inputs) for inputs in (2, 20)}


@pytest.mark.ledger("NEU6")
def test_never_more_mistakes_than_the_bound(problems, measured):
    for mistakes, axis, best, left, known in problems.values():
        assert not left.any() and mistakes.min() >= 1
        assert (best <= axis * 1.0001).all() and (axis <= known * 1.0001).all()
        measured((mistakes / best).max(), 1, oracle="mistakes in units of (R/γ)²")


@pytest.mark.ledger("NEU6")
@pytest.mark.parametrize("n", [2, 9])
def test_the_bound_is_attained(n):
    """Corners of a simplex that are at right angles with the 1 for the bias, all of class 0: n mistakes, (R/γ)² = n."""
    gram = n * np.eye(n) - 1  # of points with inner products −1 and squared lengths n − 1
    values, vectors = np.linalg.eigh(gram)
    x = jnp.asarray(vectors * np.sqrt(np.maximum(values, 0)), float)
    data = Dataset(1.0001 * x, jnp.zeros(n))  # an angle a little wider, so that rounding decides nothing
    _, history = neuron.learn(neuron.zeros(n), data, epochs=3)
    assert (np.asarray(history.errors) != 0).sum(1).tolist() == [n, 0, 0]
    assert float(neuron.mistake_bound(Neuron(jnp.zeros(n), jnp.array(-1.0)), data)) == pytest.approx(n, rel=1e-3)


@pytest.mark.ledger("NEU6")
def test_radius_margin_and_largest_margin(key, measured):
    """The nearest point of the hull by non-negative least squares, whose solution has the same direction."""
    data = toy.mushrooms()
    v = np.asarray(neuron.signed(data), np.float64)
    x, y = np.asarray(data.x, np.float64), np.asarray(data.y)
    np.testing.assert_allclose(v, np.where(y == 1, 1, -1) * np.c_[x, np.ones(24)])
    weights, _ = scipy.optimize.nnls(np.vstack([v.T, np.ones(24)]), [0, 0, 0, 1])
    p = weights @ v / weights.sum()
    best = jax.jit(neuron.separator)(data)
    found = np.append(best.w, best.b)
    limit = 1e-3 if v.dtype != found.dtype else 1e-6
    measured(np.abs(found - p).max() / np.abs(p).max(), limit, oracle="scipy.optimize.nnls")
    gamma, length = float(neuron.margin(best, data)), np.linalg.norm(found)
    assert gamma <= np.linalg.norm(p) * (1 + 1e-6) and np.linalg.norm(p) <= length * (1 + 1e-6)
    np.testing.assert_allclose(gamma, length, rtol=limit)
    np.testing.assert_allclose(neuron.radius(data), np.sqrt((x**2).sum(1) + 1).max(), rtol=1e-6)
    np.testing.assert_allclose(neuron.mistake_bound(best, data), (v @ v.T).max() / gamma**2, rtol=1e-4)


@pytest.mark.ledger("NEU6")
def test_no_bound_without_separation():
    """XOR: the signed examples add up to 0, so no neuron has a positive margin."""
    best = neuron.separator(toy.xor())
    assert not np.append(best.w, best.b).any()
    assert float(neuron.mistake_bound(neuron.or_gate(), toy.xor())) == math.inf
    assert float(neuron.margin(neuron.or_gate(), toy.xor())) < 0


@pytest.mark.ledger("NEU6")
def test_xor_cycles():
    """From the end of the second epoch on, each epoch has four mistakes and ends where it began."""
    _, history = neuron.learn(neuron.zeros(2), toy.xor(), epochs=6)
    states = np.concatenate([history.params.w, history.params.b[..., None]], axis=2)
    assert states[1:].tolist() == [[[-1, 0, -1], [-1, 1, 0], [0, 1, 1], [-1, 0, 0]]] * 5
    assert (np.asarray(history.errors)[2:] != 0).all()


# the learning rate


@pytest.fixture(scope="module")
def scattered():
    return toy.blobs(jax.random.key(3), 40, margin=0.05)


@pytest.mark.ledger("NEU9")
@pytest.mark.parametrize("start", ["mushrooms", "blobs", "xor"])
def test_from_zero_the_rate_only_scales(start, scattered):
    """Powers of two scale without rounding: the same mistakes, and parameters that are equal to the last bit."""
    data = {"mushrooms": toy.mushrooms(), "blobs": scattered, "xor": toy.xor()}[start]
    rates = jnp.array([2.0**-20, 0.25, 1.0, 2.0, 2.0**20])
    runs = jax.jit(jax.vmap(lambda rate: neuron.learn(neuron.zeros(2), data, epochs=10, rate=rate)[1]))(rates)
    errors, (w, b), rates = jax.tree.map(np.asarray, (*runs, rates))
    assert (errors == errors[2]).all() and errors.any()
    assert (w == rates[:, None, None, None] * w[2]).all() and (b == rates[:, None, None] * b[2]).all()


@pytest.mark.ledger("NEU9")
def test_from_zero_any_rate(scattered, measured):
    rates = jnp.array([1.0, 1e-3, 0.1, 3.0, 777.0])
    runs = jax.jit(jax.vmap(lambda rate: neuron.learn(neuron.zeros(2), scattered, epochs=10, rate=rate)[1]))(rates)
    errors, scaled = np.asarray(runs.errors), np.asarray(runs.params.w) / np.asarray(rates)[:, None, None, None]
    assert (errors == errors[0]).all()
    error = np.abs(scaled - scaled[0]).max() / np.abs(scaled[0]).max()
    measured(error, 100 * eps(rates.dtype), oracle="η times the run with η = 1")


@pytest.mark.ledger("NEU9")
def test_from_elsewhere_the_rate_matters(scattered):
    """The run depends on start/η only: it is that of η = 1 from the start divided by η."""
    start = Neuron(jnp.array([4.0, -2.0]), jnp.array(16.0))
    rates = jnp.array([0.0625, 0.25, 1.0, 4.0])
    learn = lambda params, rate: neuron.learn(params, scattered, epochs=80, rate=rate)[1].errors
    runs = jax.jit(jax.vmap(lambda rate: learn(start, rate)))(rates)
    rescaled = jax.tree.map(lambda leaf: jnp.stack([leaf / rate for rate in rates]), start)
    np.testing.assert_array_equal(runs, jax.jit(jax.vmap(lambda params: learn(params, 1.0)))(rescaled))
    assert len(set((runs != 0).sum((1, 2)).tolist())) == 4 and not runs[:, -1].any()


@pytest.mark.ledger("NEU9")
def test_the_delta_rule_is_gradient_descent(key, measured):
    """Linear and logistic neuron are networks of one layer; their gradient is −e (x, 1) with e = y − ŷ."""
    params = mlp.init(key, (3, 1))
    x, y = jax.random.normal(key, (10, 3)), jnp.arange(10.0)[:, None] % 2
    for loss, output in ((half_squared_error, identity), (binary_cross_entropy, jax.nn.sigmoid)):
        _, (grad,) = jax.jit(functools.partial(backprop.value_and_grad, activation=(), loss=loss))(params, x, y)
        e = np.asarray(y - output(x @ params[0].W.T + params[0].b[None]))
        expected = Dense(jnp.asarray(-(e * x).mean(0)[None]), jnp.asarray(-e.mean(0)))
        assert_trees_close(grad, expected)
        measured(np.abs(grad.W - expected.W).max() / np.abs(expected.W).max(), tolerance(x.dtype), oracle="−e x")


@pytest.mark.x64
@pytest.mark.ledger("NEU9")
def test_the_linear_neuron_has_a_largest_rate(measured):
    """Gradient descent multiplies the distance from the optimum by I − ηH: it turns unstable at 2/λmax exactly."""
    data = toy.mushrooms()
    a = np.c_[np.asarray(data.x), np.ones(24)]
    values, vectors = np.linalg.eigh(a.T @ a / 24)
    optimum = np.linalg.lstsq(a, np.asarray(data.y)[:, 0], rcond=None)[0]

    def descend(rate):
        def step(params, _):
            _, grads = backprop.value_and_grad(params, data.x, data.y, activation=(), loss=half_squared_error)
            params = jax.tree.map(lambda p, g: p - rate * g, params, grads)
            return params, jnp.append(params[0].W[0], params[0].b)

        return jax.lax.scan(step, (Dense(jnp.zeros((1, 2)), jnp.zeros(1)),), length=60)[1]

    shares = np.array([0.05, 0.45, 0.95, 1.05])
    paths = np.asarray(jax.jit(jax.vmap(descend))(jnp.asarray(shares * 2 / values[-1])))
    along = (paths - optimum) @ vectors
    powers = (1 - np.outer(shares * 2 / values[-1], values))[:, None, :] ** np.arange(1, 61)[:, None]
    expected = powers * (-optimum @ vectors)
    measured(np.abs(along - expected).max() / np.abs(expected).max(), 1e-12, oracle="(1 − ηλ)ᵏ along each eigenvector")
    steep = along[..., -1]
    assert (steep[2, 1:] * steep[2, :-1] < 0).all() and abs(steep[2, -1]) < abs(steep[2, 0])  # swings, and shrinks
    assert (np.abs(steep[3, 1:]) > np.abs(steep[3, :-1])).all()  # swings, and grows
    assert (steep[0, 1:] * steep[0, :-1] > 0).all()  # does not swing


# contracts


def test_batches_of_runs_and_gradients(key):
    data = toy.mushrooms()
    orders = jax.vmap(lambda k: jax.random.permutation(k, 24))(jax.random.split(key, 8))
    mistakes = jax.jit(
        jax.vmap(
            lambda i: (neuron.learn(neuron.zeros(2), Dataset(data.x[i], data.y[i]), epochs=40)[1].errors != 0).sum()
        )
    )
    counts = np.asarray(mistakes(orders))
    assert len(set(counts.tolist())) > 3 and counts.max() <= 593
    slope = jax.grad(lambda w: neuron.distance(Neuron(w, jnp.array(1.0)), data.x[0]))(jnp.ones(2))
    assert jnp.isfinite(slope).all() and slope.any()


def test_keeps_the_dtype():
    data = toy.xor()._replace(x=toy.xor().x.astype("bfloat16"), y=jnp.array([0, 1, 1, 1]))

    @jax.jit
    def everything(data):
        params, history = neuron.learn(neuron.zeros(2, dtype="bfloat16"), data, epochs=12)
        best = neuron.separator(data, steps=50)
        return history, best, neuron.radius(data), neuron.margin(params, data), neuron.mistake_bound(best, data)

    found = everything(data)
    assert {leaf.dtype.name for leaf in jax.tree.leaves(found)} == {"bfloat16"}
    assert not found[0].errors[-1].any()


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool"])
def test_takes_whole_numbers(dtype):
    """As the same floats; in uint8 the sign of a row would otherwise turn −1 into 255."""
    x, y = jnp.asarray(CORNERS, dtype), jnp.array([0, 0, 0, 1])
    whole, floats = Dataset(x, y), Dataset(jnp.asarray(CORNERS, float), y)
    assert_trees_equal(neuron.signed(whole), neuron.signed(floats))
    assert_trees_equal(neuron.separator(whole, steps=20), neuron.separator(floats, steps=20))
    learn = functools.partial(neuron.learn, neuron.zeros(2), epochs=8)
    assert_trees_equal(learn(whole), learn(floats))


def test_one_run_of_several_dtypes():
    """Parameters of few bits and a rate of more do not stop a run; a step takes a plain number for a target."""
    data = Dataset(jnp.asarray(CORNERS, "float32"), jnp.array([0, 0, 0, 1]))
    with jax.numpy_dtype_promotion("standard"):
        few, _ = neuron.learn(neuron.zeros(2, dtype="bfloat16"), data, epochs=8, rate=jnp.float32(2))
    full, _ = neuron.learn(neuron.zeros(2, dtype="float32"), data, epochs=8, rate=2.0)
    assert_trees_equal(few, full)
    assert_trees_equal(*(neuron.update(full, data.x[0], y) for y in (1.0, jnp.array(1))))


def test_errors_say_what_to_do(unchecked):
    data, params = toy.mushrooms(), neuron.zeros(2)
    learn = lambda epochs=1, **changed: neuron.learn(params, data._replace(**changed), epochs=epochs)
    wrong = [
        (lambda: neuron.apply(params, data.x), r"`x` must be one example of shape \(2,\).*got shape \(24, 2\).*vmap"),
        (lambda: learn(0), "`epochs` must be an integer ≥ 1; got 0"),
        (lambda: learn(y=2 * data.y - 1), r"must be 1 or 0; got values from -1.0 to 1.0.*\(y \+ 1\) / 2"),
        (lambda: learn(y=jnp.zeros((24, 2))), r"one target for each.*\(24, 2\)"),
        (lambda: learn(weight=jnp.ones(24)), "no weights"),
        (lambda: neuron.radius(data._replace(x=data.x[:, 0])), r"x of shape \(N, in\).*\(24,\)"),
        (lambda: neuron.and_gate(0), "`inputs` must be an integer ≥ 1; got 0"),
        (lambda: neuron.zeros(0), "`in_size` must be an integer ≥ 1; got 0"),
        (
            lambda: neuron.nearest_point(jnp.zeros((0, 2))),
            r"`v` must be floats.*got .* of shape \(0, 2\)",
        ),
        (lambda: neuron.nearest_point(jnp.array([[2, 0], [0, 2]])), "`v` must be floats.*got int"),
        (lambda: neuron.nearest_point(data.x, steps=-1), "`steps` must be an integer ≥ 0; got -1"),
    ]
    for call, message in wrong:
        with pytest.raises(ValueError, match=message):
            call()
