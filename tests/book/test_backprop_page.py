"""Claims of the page on backpropagation that no equation's test covers."""

import functools
import inspect
import itertools
import json
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.backprop_cost import multiply_adds
from mlpjax import activations, backprop, gradcheck, losses, mlp
from mlpjax.layers import Dense
from tests.helpers import eps
from tests.test_backprop import problem, risk

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "book" / "backpropagation.md").read_text("utf-8")
sigmoid = activations.sigmoid


def test_the_worked_example_says_what_the_code_computes():
    net = (
        Dense(jnp.asarray([[2.0, -1.0], [0.5, 0.5]]), jnp.asarray([0.0, -0.5])),
        Dense(jnp.asarray([[2.0, -1.0]]), jnp.asarray([0.5])),
    )
    x, y, loss = jnp.asarray([1.0, 2.0]), jnp.asarray([1.0]), losses.half_squared_error
    a, z, _ = mlp.trace(net, x, activation=sigmoid)
    grads = jax.grad(lambda net: loss.value(mlp.apply(net, x, activation=sigmoid), y))(net)
    table = {
        r"z^{(1)} =": z[0],
        r"a^{(1)} =": a[1],
        r"z^{(2)} = 2": z[1],
        r"C =": loss.value(z[1], y),
        r"\delta^{(2)} = z": grads[1].b,
        r"\sigma'(z^{(1)}) =": sigmoid.prime(z[0]),
        r"\delta^{(1)} = \bigl(": grads[0].b,
        r"W^{(2)} = -": grads[1].W,
        r"first row of": grads[0].W[0],
        r"second row": grads[0].W[1],
    }
    rows = [line.split("|") for line in PAGE.splitlines() if re.match(r"\| (FWD|BP|loss|slope)", line)]
    for words, values in table.items():
        result = next(row[3] for row in rows if words in row[2])
        numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", result)]
        np.testing.assert_allclose(numbers, np.ravel(values), rtol=0, atol=5.001e-5, err_msg=words)


def test_the_code_beside_the_pseudocode_is_the_code():
    """Each line stands, in this order, in the body of `trace` or of `value_and_grad`."""
    sources = [inspect.getsource(mlp.trace).splitlines(), inspect.getsource(backprop.value_and_grad).splitlines()]
    shown = re.findall(r"```python \{\.no-run\}\n(.*?)```", PAGE, re.S)
    shown = [text for text in shown if "import" not in text]  # BP11 shows whole programs
    assert len(shown) == 4
    for text in shown:
        wanted = [line.strip() for line in text.splitlines()]
        inside = [[line.strip() for line in body] for body in sources]
        places = next([body.index(line) for line in wanted] for body in inside if wanted[0] in body)
        assert places == sorted(places)


@pytest.mark.ledger("BP6")
def test_a_chain_with_its_input_gradient(key, measured):
    """g¹ of BP6 is the gradient in x, and the third equation needs the gradient in the link's output."""
    loss, widths = losses.half_squared_error, (5, 5, 5, 5)
    params, x, y = problem(key, widths, loss, 1)
    link = lambda p, a: sigmoid(p.W @ a + p.b)

    def value(params, x):
        for p in params:
            x = link(p, x)
        return loss.value(x, y[0])

    a, pullbacks = x[0], []
    for p in params:
        a, pullback = jax.vjp(link, p, a)
        pullbacks.append(pullback)
    g, right, wrong = a - y[0], [], []
    for pullback in reversed(pullbacks):
        grad, below = pullback(g)
        right.insert(0, grad)
        wrong.insert(0, pullback(below)[0])
        g = below
    grads, input_gradient = jax.grad(value, argnums=(0, 1))(params, x[0])
    oracle = (grads, input_gradient)
    measured(gradcheck.distance((tuple(right), g), oracle), 8 * eps(x.dtype), oracle="jax.grad of the composition")
    assert gradcheck.distance(tuple(wrong), grads) > 0.1


@pytest.mark.ledger("BP7")
@pytest.mark.parametrize("sizes", [(6, 8, 7, 3), (20, 5, 4)], ids=str)
def test_a_jacobian_vector_product_costs_what_a_gradient_costs(sizes, key, measured):
    """… and returns one number: P of them are the gradient."""
    loss, n = losses.softmax_cross_entropy, 16
    params, x, y = problem(key, sizes, loss, n)
    f = functools.partial(risk, x=x, y=y, activation=activations.tanh, loss=loss)
    direction = jax.tree.map(jnp.cos, params)
    slope = lambda p, v: jax.jvp(f, (p,), (v,))[1]
    M = [m * k for m, k in itertools.pairwise(sizes)]
    predicted = n * (3 * sum(M) - M[0])
    counted = multiply_adds(slope, params, direction)
    measured(abs(counted / predicted - 1), 0, oracle="3 ΣM − M₁, counted in the jaxpr")
    inner = sum(jnp.vdot(g, v) for g, v in zip(*map(jax.tree.leaves, (jax.grad(f)(params), direction)), strict=True))
    np.testing.assert_allclose(slope(params, direction), inner, rtol=1e-4 if x.dtype == jnp.float32 else 1e-12)


@pytest.mark.ledger("BP7")
def test_the_numbers_of_the_digit_network():
    first, second = 784 * 128, 128 * 10
    P = first + second + 128 + 10
    ratio = 3 - first / (first + second)
    assert f"{P:,} of them" in PAGE and f"{2 * P:,} of them" in PAGE and f"{2 * P:,} forward" in PAGE
    assert f"{ratio:.2f} forward passes" in PAGE
    assert f"{round(2 * P / ratio, -3):,.0f} times as much" in PAGE
    assert 0.985 < first / (first + second) < 0.99


@pytest.mark.ledger("BP7")
def test_the_measured_costs_behind_the_figure():
    """A gradient by hand takes a few forward passes whatever the size; differences take more than P of them."""
    record = json.loads((ROOT / "docs" / "figures" / "data" / "backprop_cost.json").read_text("utf-8"))
    assert {"cpu", "machine", "jax", "python", "date", "threads"} <= record.keys()
    for row in record["rows"]:
        t, counts, width = row["seconds"], row["multiply_adds"], row["width"]
        assert row["parameters"] == 3 * width * (width + 1)
        assert counts["by_hand"] / counts["forward"] == pytest.approx(8 / 3, rel=0.04)
        assert counts["differences"] == 2 * row["parameters"] * counts["forward"]
        assert t["by_hand"] < 5 * t["forward"]
        if row["parameters"] > 10_000:
            assert t["differences"] > row["parameters"] * t["forward"]


@pytest.mark.x64
def test_a_hessian_vector_product_by_hand(key):
    """Exercise 7: the four equations differentiated along v, against forward over reverse and the full Hessian."""
    tanh, loss = activations.tanh, losses.half_squared_error
    params, x, y = problem(key, (3, 4, 2), loss, 1)
    v = jax.tree.map(jnp.cos, params)
    a, z, _ = mlp.trace(params, x[0], activation=tanh)
    second = -2 * tanh(z[0]) * tanh.prime(z[0])
    dz0 = v[0].W @ a[0] + v[0].b
    da1 = tanh.prime(z[0]) * dz0
    dz1 = params[1].W @ da1 + v[1].W @ a[1] + v[1].b
    delta1 = z[1] - y[0]
    back = params[1].W.T @ delta1
    d_delta0 = (v[1].W.T @ delta1 + params[1].W.T @ dz1) * tanh.prime(z[0]) + back * second * dz0
    by_hand = (
        Dense(jnp.outer(d_delta0, a[0]), d_delta0),
        Dense(jnp.outer(dz1, a[1]) + jnp.outer(delta1, da1), dz1),
    )
    gradient = lambda p: backprop.value_and_grad(p, x, y, activation=tanh, loss=loss)[1]
    assert gradcheck.distance(by_hand, jax.jvp(gradient, (params,), (v,))[1]) < 1e-14
    assert multiply_adds(lambda p, v: jax.jvp(gradient, (p,), (v,))[1], params, v) <= 3 * multiply_adds(
        gradient, params
    )


def test_what_determines_the_slope():
    """Exercise 5: σ′ from σ for four activations; GELU and SiLU take values twice, with slopes of both signs."""
    z = jnp.linspace(-5.0, 5.0, 201)
    slopes = {
        activations.sigmoid: lambda a: a * (1 - a),
        activations.tanh: lambda a: 1 - a**2,
        activations.relu: lambda a: jnp.where(a > 0, 1.0, 0.0),
        activations.softplus: lambda a: 1 - jnp.exp(-a),
    }
    for activation, slope in slopes.items():
        np.testing.assert_allclose(slope(activation(z)), activation.prime(z), atol=8 * eps(z.dtype))
    for activation in (activations.gelu, activations.silu):
        falling = activation.prime(z) < -1e-3
        assert falling.any() and not activation.monotone
        assert activation(z[falling]).min() < 0 and activation(z[falling]).max() < 0 < activation.prime(jnp.zeros(()))


@pytest.mark.x64
@pytest.mark.ledger("BP9")
def test_an_error_is_the_slope_of_the_loss_in_its_pre_activation(key, measured):
    """Nudge one unit's z, recompute what comes after it: a central difference for every unit of every layer."""
    loss, sizes = losses.softmax_cross_entropy, (5, 6, 4, 3)
    params, x, y = problem(key, sizes, loss, 1)

    def from_layer(l, z):
        for layer in params[l + 1 :]:
            z = layer.W @ sigmoid(z) + layer.b
        return loss.value(z, y[0])

    @jax.jit
    def both(x):
        _, z, _ = mlp.trace(params, x, activation=sigmoid)
        delta = [backprop.bp1(z[-1], y[0], loss=loss)]
        for l in reversed(range(len(z) - 1)):
            delta.insert(0, backprop.bp2(params[l + 1].W, delta[0], z[l], activation=sigmoid))
        nudged = [gradcheck.central_difference(functools.partial(from_layer, l), z[l]) for l in range(len(z))]
        return delta, nudged

    delta, nudged = both(x[0])
    measured(gradcheck.distance(delta, nudged), 1e-8, oracle="central differences in each pre-activation")


@pytest.mark.ledger("BP12")
def test_input_gradient(key, measured):
    """BP2 once more, with the identity for σ, against autodiff in x of the loss of the network as a map."""
    loss = losses.softmax_cross_entropy
    params, x, y = problem(key, (5, 6, 4, 3), loss, 1)

    @jax.jit
    def both(x):
        _, z, _ = mlp.trace(params, x, activation=sigmoid)
        delta = backprop.bp1(z[-1], y[0], loss=loss)
        for l in reversed(range(len(z) - 1)):
            delta = backprop.bp2(params[l + 1].W, delta, z[l], activation=sigmoid)
        found = backprop.bp2(params[0].W, delta, x, activation=activations.identity)
        return found, jax.grad(lambda x: loss.value(mlp.apply(params, x, activation=sigmoid), y[0]))(x)

    found, oracle = both(x[0])
    measured(gradcheck.distance(found, oracle), 16 * eps(x.dtype), oracle="jax.grad in the input")


@pytest.mark.ledger("BP12")
def test_a_bias_is_the_weight_of_a_constant_input(key, measured):
    """BP3 and BP4 are the columns of the gradient in (W b), by autodiff of the network written without biases."""
    loss = losses.half_squared_error
    params, x, y = problem(key, (4, 5, 2), loss, 1)
    folded = [jnp.concatenate([layer.W, layer.b[:, None]], axis=1) for layer in params]
    one = jnp.ones(1, x.dtype)

    def without_biases(folded):
        a = x[0]
        for W in folded[:-1]:
            a = sigmoid(W @ jnp.append(a, one))
        return loss.value(folded[-1] @ jnp.append(a, one), y[0])

    @jax.jit
    def both(folded):
        a, z, _ = mlp.trace(params, x[0], activation=sigmoid)
        delta2 = backprop.bp1(z[1], y[0], loss=loss)
        delta1 = backprop.bp2(params[1].W, delta2, z[0], activation=sigmoid)
        pairs = zip((delta1, delta2), a, strict=True)
        columns = [jnp.concatenate([backprop.bp3(d, a), backprop.bp4(d)[:, None]], axis=1) for d, a in pairs]
        return columns, jax.grad(without_biases)(folded)

    columns, oracle = both(folded)
    measured(gradcheck.distance(columns, oracle), 16 * eps(x.dtype), oracle="jax.grad of a network without biases")


def programs_of_bp11():
    """The two programs of the page, PyTorch's first."""
    found = re.findall(r"```python \{\.no-run\}\n(.*?)```", PAGE, re.S)
    return [text for text in found if "import" in text]


@jax.jit
def ours_of_bp11(params, x, y):
    """What the program of the page computes."""
    scope = {"params": params, "x": x, "y": y}
    exec(programs_of_bp11()[1], scope)
    return scope["C"], scope["gradients"]


@pytest.mark.ledger("BP11")
def test_forward_loss_backward(key, measured):
    """The program of the page against autodiff of its three lines."""
    params, x, y = problem(key, (5, 4, 3), losses.softmax_cross_entropy, 8)
    C, gradients = ours_of_bp11(params, x, y)
    objective = functools.partial(risk, activation=sigmoid, loss=losses.softmax_cross_entropy)
    value, grads = jax.jit(jax.value_and_grad(objective))(params, x, y)
    error = max(float(gradcheck.distance(gradients, grads)), abs(float(C / value) - 1))
    measured(error, 16 * eps(x.dtype), oracle="jax.value_and_grad of forward and loss")


@pytest.mark.ledger("BP11")
def test_pytorch_computes_the_same(key):
    torch = pytest.importorskip("torch", reason="PyTorch is in the [bench] extra")
    params, x, y = problem(key, (5, 4, 3), losses.softmax_cross_entropy, 8)
    tensor = lambda a: torch.tensor(np.asarray(a))
    weights = [tensor(leaf).requires_grad_() for leaf in jax.tree.leaves(params)]
    left = {"weights": weights, "x": tensor(x), "y": tensor(y).long()}
    exec(programs_of_bp11()[0], left)
    C, gradients = ours_of_bp11(params, x, y)
    tolerance = 1e3 * eps(x.dtype)
    np.testing.assert_allclose(left["C"].detach().numpy(), C, rtol=tolerance)
    for g, h in zip(left["gradients"], jax.tree.leaves(gradients), strict=True):
        np.testing.assert_allclose(g.numpy(), h, rtol=tolerance, atol=tolerance * np.abs(h).max())
