"""BP1–BP8: the hand-written backward pass against autodiff, finite differences and the chain rule written out."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.backprop_cost import multiply_adds
from mlpjax import activations, backprop, gradcheck, losses, mlp, regularizers, training
from mlpjax.data import Dataset
from mlpjax.layers import Dense
from tests.helpers import EPS_OF_SCALE, assert_trees_close, assert_trees_equal, eps
from tests.reliability import _nets, backprop_nets


def problem(key, sizes, loss, n, dtype=None):
    """A random net with random inputs and targets that the loss accepts; drawn by NumPy, which compiles nothing."""
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    cast = lambda array: jnp.asarray(array, dtype or jnp.zeros(()).dtype)
    params = tuple(
        Dense(cast(rng.normal(size=(m, k)) * np.sqrt(2 / k)), cast(rng.normal(size=m) / 2))
        for k, m in itertools.pairwise(sizes)
    )
    x = cast(rng.normal(size=(n, sizes[0])))
    if loss.classifies:
        return params, x, jnp.asarray(rng.integers(0, sizes[-1], n), jnp.int32)
    return params, x, cast(rng.uniform(size=(n, sizes[-1])))


def risk(params, x, y, *, activation, loss):
    """The oracle's own words for the mean loss: nothing of `backprop` in it."""
    z = jax.vmap(lambda x: mlp.apply(params, x, activation=activation))(x)
    return jnp.mean(jax.vmap(loss.value)(z, y))


@pytest.mark.ledger("BP5", "BP8")
@pytest.mark.parametrize("i", range(1, 9))
def test_agrees_with_autodiff_on_random_networks(i, measured):
    """In the precision of the run; `tests/reliability/backprop_nets.py` takes hundreds, in float64."""
    (error, of_stack, of_value), _ = backprop_nets.errors(_nets.draw(1, i))
    measured(max(error, of_stack), EPS_OF_SCALE, oracle="jax.grad of the mean loss; in eps of scale")
    assert of_value <= EPS_OF_SCALE


def bp_by_chain_rule(params, x, y, *, activation, loss):
    """δ and gradients of one example from full Jacobians of each map in the chain: no shortcut of BP2–BP4."""
    trace = mlp.trace(params, x, activation=activation)
    delta = jax.jacfwd(lambda z: loss.value(z, y))(trace.z[-1])
    deltas = [delta]
    for l in reversed(range(len(params) - 1)):
        step = lambda z, l=l: params[l + 1].W @ activation.fn(z) + params[l + 1].b
        delta = delta @ jax.jacfwd(step)(trace.z[l])
        deltas.insert(0, delta)
    affine = lambda W, b, a: W @ a + b
    grads = tuple(
        Dense(
            jnp.einsum("k,kij->ij", d, jax.jacfwd(affine, 0)(p.W, p.b, a)),
            d @ jax.jacfwd(affine, 1)(p.W, p.b, a),
        )
        for d, p, a in zip(deltas, params, trace.a, strict=True)
    )
    return trace, deltas, grads


ACTIVATIONS = [activations.tanh, activations.gelu, activations.leaky_relu(0.1)]
each_activation = pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)


def chain(key, activation):
    """A network of three layers and one example of it, taken apart by the chain rule with full Jacobians."""
    loss = losses.softmax_cross_entropy
    params, x, y = problem(key, (4, 6, 5, 3), loss, 1)
    return params, *bp_by_chain_rule(params, x[0], y[0], activation=activation, loss=loss)


def relative(got, expected):
    """The largest difference, over the largest entry."""
    assert got.shape == expected.shape
    return jnp.max(jnp.abs(got - expected)) / jnp.max(jnp.abs(expected))


@pytest.mark.ledger("BP1")
@pytest.mark.parametrize("loss", losses.ALL, ids=str)
def test_bp1(loss, key, measured):
    params, x, y = problem(key, (4, 5, 3), loss, 1)
    z = mlp.apply(params, x[0])
    error = relative(backprop.bp1(z, y[0], loss=loss), jax.jacfwd(lambda z: loss.value(z, y[0]))(z))
    measured(error, EPS_OF_SCALE * eps(z.dtype), oracle="the derivative of the loss in z, by autodiff")


@pytest.mark.ledger("BP1")
def test_bp1_is_the_gradient_in_a_through_the_jacobian_of_the_output(key, measured):
    """Both forms of BP1 from ∇C in a alone: entrywise for a sigmoid, with the Jacobian matrix for softmax."""
    z, y = jax.random.normal(key, (5,)), jax.nn.softmax(jnp.arange(5.0))
    a, p = jax.nn.sigmoid(z), jax.nn.softmax(z)
    entrywise = (a - y) * a * (1 - a)
    full = (jnp.diag(p) - jnp.outer(p, p)) @ (-y / p)
    for loss, expected in [(losses.sigmoid_squared_error, entrywise), (losses.softmax_cross_entropy, full)]:
        error = relative(backprop.bp1(z, y, loss=loss), expected)
        measured(error, EPS_OF_SCALE * eps(z.dtype), oracle="the Jacobian of the output times the gradient in a")


@pytest.mark.ledger("BP2")
@each_activation
def test_bp2(activation, key, measured):
    params, trace, deltas, _ = chain(key, activation)
    for l in range(len(params) - 1):
        got = backprop.bp2(params[l + 1].W, deltas[l + 1], trace.z[l], activation=activation)
        tolerance = EPS_OF_SCALE * eps(got.dtype)
        measured(relative(got, deltas[l]), tolerance, oracle="product of the Jacobians, written out")


@pytest.mark.ledger("BP3")
@each_activation
def test_bp3(activation, key, measured):
    _, trace, deltas, grads = chain(key, activation)
    for delta, a, grad in zip(deltas, trace.a, grads, strict=True):
        error = relative(backprop.bp3(delta, a), grad.W)
        measured(error, 4 * eps(delta.dtype), oracle="product of the Jacobians, written out")


@pytest.mark.ledger("BP4")
@each_activation
def test_bp4(activation, key, measured):
    _, _, deltas, grads = chain(key, activation)
    for delta, grad in zip(deltas, grads, strict=True):
        error = relative(backprop.bp4(delta), grad.b)
        measured(error, eps(delta.dtype), oracle="product of the Jacobians, written out")


@pytest.mark.ledger("BP3", "BP4")
def test_a_batch_is_the_sum_of_its_examples(key, measured):
    delta, a = jax.random.normal(key, (7, 3)), jax.random.normal(jax.random.fold_in(key, 1), (7, 4))
    rows = [(jnp.outer(d, x), d) for d, x in zip(delta, a, strict=True)]
    W, b = functools.reduce(lambda s, t: (s[0] + t[0], s[1] + t[1]), rows)
    error = jnp.maximum(relative(backprop.bp3(delta, a), W), relative(backprop.bp4(delta), b))
    measured(error, EPS_OF_SCALE * eps(a.dtype), oracle="outer products, example by example")


@pytest.mark.x64
@pytest.mark.ledger("BP1", "BP2", "BP3", "BP4", "BP5")
@pytest.mark.parametrize("loss", [losses.sigmoid_squared_error, losses.binary_cross_entropy], ids=str)
def test_agrees_with_complex_steps(loss, key, measured):
    params, x, y = problem(key, (3, 5, 4, 2), loss, 6)
    activation = activations.tanh
    value, grads = backprop.value_and_grad(params, x, y, activation=activation, loss=loss)

    @jax.numpy_dtype_promotion("standard")
    def analytic(params):
        a = x.astype(complex)
        for layer in params[:-1]:
            a = jnp.tanh(a @ layer.W.T + layer.b[None])
        z = a @ params[-1].W.T + params[-1].b[None]
        s = 1 / (1 + jnp.exp(-z))
        if loss == losses.binary_cross_entropy:
            return -jnp.mean(jnp.sum(y * jnp.log(s) + (1 - y) * jnp.log(1 - s), axis=1))
        return jnp.mean(jnp.sum((s - y) ** 2, axis=1)) / 2

    assert abs(float(value) - float(jnp.real(analytic(params)))) < 1e-14
    measured(gradcheck.distance(grads, gradcheck.complex_step(analytic, params)), 1e-14, oracle="complex step")


@pytest.mark.ledger("BP6")
@pytest.mark.parametrize("loss", [losses.softmax_cross_entropy, losses.sigmoid_squared_error], ids=str)
def test_backprop_is_a_chain_of_vector_jacobian_products(loss, key, measured):
    params, x, y = problem(key, (4, 6, 5, 3), loss, 1)
    x, y, sigma = x[0], y[0], activations.tanh
    maps = [lambda p, a: sigma(p.W @ a + p.b)] * (len(params) - 1) + [lambda p, a: p.W @ a + p.b]
    a, pullbacks = x, []
    for F, p in zip(maps, params, strict=True):
        a, pullback = jax.vjp(F, p, a)
        pullbacks.append(pullback)
    g, grads = jax.grad(loss.value)(a, y), []
    for pullback in reversed(pullbacks):
        grad, g = pullback(g)
        grads.insert(0, grad)
    _, hand = backprop.value_and_grad(params, x[None], y[None], activation=sigma, loss=loss)
    measured(gradcheck.distance(hand, tuple(grads)), 8 * eps(x.dtype), oracle="jax.vjp of each layer")


@pytest.mark.ledger("BP7")
@pytest.mark.parametrize("sizes", [(784, 128, 10), (784, 512, 512, 10), (64, 64, 64, 64, 10)], ids=str)
def test_cost_is_three_forwards_less_the_first_layer(sizes, key, measured):
    loss = losses.softmax_cross_entropy
    params, x, y = problem(key, sizes, loss, 16)
    forward = jax.vmap(lambda x: mlp.apply(params, x))
    hand = functools.partial(backprop.value_and_grad, loss=loss)
    auto = jax.value_and_grad(functools.partial(risk, activation=activations.relu, loss=loss))
    products = [m * n for m, n in itertools.pairwise(sizes)]
    predicted = (3 * sum(products) - products[0]) / sum(products)
    small = 16 * 40  # the mean over 16 examples is a product, too
    ratio = (multiply_adds(hand, params, x, y)) / multiply_adds(forward, x)
    measured(abs(ratio - predicted), small / sum(products), oracle="3 − (first layer's share), counted in the jaxpr")
    assert abs(multiply_adds(auto, params, x, y) / multiply_adds(forward, x) - predicted) <= small / sum(products)


@pytest.mark.ledger("BP7")
@pytest.mark.parametrize("width", [2, 8, 32])
def test_finite_differences_cost_two_forwards_per_parameter(width, key, measured):
    loss, n = losses.softmax_cross_entropy, 4
    params, x, y = problem(key, (width, width, width), loss, n)
    f = functools.partial(risk, x=x, y=y, activation=activations.relu, loss=loss)
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    forward = multiply_adds(f, params)
    differences = multiply_adds(functools.partial(gradcheck.central_difference, f), params)
    by_hand = multiply_adds(functools.partial(backprop.value_and_grad, loss=loss), params, x, y)
    measured(abs(differences / forward / (2 * count) - 1), 0, oracle="2P forward passes, counted in the jaxpr")
    # three forwards less the first layer's share, which is a half here: 2.5
    assert differences / by_hand == pytest.approx(2 * count / 2.5, rel=0.05)


@pytest.mark.ledger("BP8")
def test_under_jit_vmap_and_scan(key, measured):
    loss, n = losses.softmax_cross_entropy, 5
    params, x, y = problem(key, (4, 6, 3), loss, n)
    fn = functools.partial(backprop.value_and_grad, activation=activations.silu, loss=loss)
    auto = jax.value_and_grad(functools.partial(risk, activation=activations.silu, loss=loss))
    limit = EPS_OF_SCALE * eps(x.dtype)
    measured(gradcheck.distance(jax.jit(fn)(params, x, y), auto(params, x, y)), limit, oracle="jax.grad, under jit")

    ensemble = jax.vmap(lambda k: mlp.init(k, (4, 6, 3)))(jax.random.split(key, 3))
    batched = jax.vmap(fn, in_axes=(0, None, None))(ensemble, x, y)
    for i in range(3):
        member, got = (jax.tree.map(lambda leaf, i=i: leaf[i], tree) for tree in (ensemble, batched))
        measured(gradcheck.distance(got, auto(member, x, y)), limit, oracle="jax.grad of each member, under vmap")

    def descend(grad_fn):
        body = lambda p, _: (jax.tree.map(lambda p, g: p - 0.1 * g, p, grad_fn(p, x, y)[1]), None)
        return jax.lax.scan(body, params, length=50)[0]

    # fifty steps may amplify what rounding made of the first
    measured(gradcheck.distance(descend(fn), descend(auto)), 32 * limit, oracle="jax.grad, 50 steps of a scan")


@pytest.mark.ledger("BP8")
def test_sharded_over_two_devices(key, measured):
    mesh = jax.make_mesh((2,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
    loss = losses.softmax_cross_entropy
    params, x, y = problem(key, (4, 6, 3), loss, 8)
    fn = jax.jit(functools.partial(backprop.value_and_grad, loss=loss))
    split = jax.block_until_ready(fn(params, *jax.device_put((x, y), sharding)))
    auto = jax.value_and_grad(functools.partial(risk, activation=activations.relu, loss=loss))(params, x, y)
    error = gradcheck.distance(jax.device_put(split, jax.devices()[0]), auto)
    measured(error, EPS_OF_SCALE * eps(x.dtype), oracle="jax.grad on one device")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_keeps_dtype(dtype, key):
    params, x, y = problem(key, (4, 6, 3), losses.half_squared_error, 5, dtype)
    value, grads = backprop.value_and_grad(params, x, y, loss=losses.half_squared_error)
    assert value.dtype == dtype and all(leaf.dtype == dtype for leaf in jax.tree.leaves(grads))
    auto = jax.grad(functools.partial(risk, activation=activations.relu, loss=losses.half_squared_error))
    assert_trees_close(grads, auto(params, x, y))


PENALTIES = [None, regularizers.l2(0.1), regularizers.l1(0.01)]


@pytest.mark.ledger("BP8", "REG4", "REG5")
@pytest.mark.parametrize(
    ("penalty", "dropout_rate", "weighted"), list(zip(PENALTIES, [0.4, 0.0, 0.4], [False, False, True], strict=True))
)
def test_supervised_is_interchangeable_with_autodiff(penalty, dropout_rate, weighted, key):
    loss, activation = losses.smoothed_cross_entropy(0.1), activations.tanh
    params, x, y = problem(key, (4, 16, 16, 3), loss, 6)
    batch = Dataset(x, y, jnp.arange(6.0) if weighted else None)
    apply = functools.partial(mlp.apply, activation=activation, dropout_rate=dropout_rate)
    auto = jax.value_and_grad(training.supervised(apply, loss, penalty=penalty))
    hand = backprop.supervised(activation=activation, loss=loss, dropout_rate=dropout_rate, penalty=penalty)
    for k in (key, None):
        assert_trees_close(jax.jit(hand)(params, batch, k), jax.jit(auto)(params, batch, k))
    if dropout_rate:
        assert float(hand(params, batch, key)[0]) != float(hand(params, batch, None)[0])


def test_weights_of_examples_are_a_weighted_mean(key):
    loss = losses.half_squared_error
    params, x, y = problem(key, (4, 6, 2), loss, 3)
    twice = backprop.value_and_grad(params, x, y, loss=loss, weight=jnp.asarray([1.0, 2.0, 0.0]))
    repeated = jnp.asarray([0, 1, 1])
    assert_trees_close(twice, backprop.value_and_grad(params, x[repeated], y[repeated], loss=loss))
    nothing = backprop.value_and_grad(params, x, y, loss=loss, weight=jnp.zeros(3))
    assert_trees_equal(nothing[1], jax.tree.map(jnp.zeros_like, params))


@pytest.mark.parametrize("loss", [losses.softmax_cross_entropy, losses.smoothed_cross_entropy(0.1)], ids=str)
def test_targets_that_are_no_distribution(loss, key):
    """Multi-hot rows, and rows of zeros that say nothing: the same gradient as autodiff's, not p − y."""
    params, x, _ = problem(key, (4, 6, 3), loss, 3)
    y = jnp.asarray([[1, 1, 0], [0, 0, 0], [0.5, 2, 1]], x.dtype)
    auto = jax.value_and_grad(functools.partial(risk, activation=activations.relu, loss=loss))
    assert_trees_close(backprop.value_and_grad(params, x, y, loss=loss), auto(params, x, y))


@pytest.mark.x64
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gradients_have_the_dtype_of_the_parameters_whatever_the_data_have(dtype, key):
    loss = losses.half_squared_error
    params, _, _ = problem(key, (4, 6, 3), loss, 5, dtype)
    x, y = jnp.ones((5, 4)), jnp.zeros((5, 3))
    with jax.numpy_dtype_promotion("standard"):
        _, grads = backprop.value_and_grad(params, x, y, loss=loss)
    assert {g.dtype for g in jax.tree.leaves(grads)} == {jnp.dtype(dtype)}


def test_equal_parts_make_equal_functions():
    make = lambda: backprop.supervised(activation=[activations.elu(0.5)], loss=losses.smoothed_cross_entropy(0.1))
    assert make() == make() and hash(make()) == hash(make())


def test_nothing_is_dropped_unless_it_is_asked_for(key):
    loss = losses.half_squared_error
    params, x, y = problem(key, (4, 6, 2), loss, 3)
    evaluated = backprop.value_and_grad(params, x, y, loss=loss)
    assert_trees_equal(backprop.value_and_grad(params, x, y, loss=loss, key=key), evaluated)
    assert_trees_equal(backprop.supervised(loss=loss)(params, Dataset(x, y, None), key), evaluated)


def test_a_net_of_one_layer(key):
    loss = losses.half_squared_error
    params, x, y = problem(key, (4, 2), loss, 3)
    auto = jax.value_and_grad(functools.partial(risk, activation=activations.relu, loss=loss))
    assert_trees_close(backprop.value_and_grad(params, x, y, loss=loss), auto(params, x, y))


def test_only_the_ratios_of_weights_count(key):
    loss = losses.half_squared_error
    params, x, y = problem(key, (4, 6, 2), loss, 3)
    weight = jnp.asarray([0.125, 0.25, 0.0625])
    small, large = (backprop.value_and_grad(params, x, y, loss=loss, weight=w) for w in (weight, 64 * weight))
    assert_trees_close(small, large)


def test_what_supervised_makes_may_be_passed_to_a_compiled_function(key):
    hand = backprop.supervised(loss=losses.half_squared_error)
    params, x, y = problem(key, (4, 6, 2), losses.half_squared_error, 3)
    batch = Dataset(x, y, None)
    assert_trees_close(
        jax.jit(lambda f, *arguments: f(*arguments))(hand, params, batch, None), hand(params, batch, None)
    )


def test_a_label_out_of_range_is_nan_and_never_wraps(key):
    loss = losses.softmax_cross_entropy
    params, x, _ = problem(key, (4, 6, 3), loss, 2)
    for wrong in (-1, 3):
        value, grads = jax.jit(functools.partial(backprop.value_and_grad, loss=loss))(
            params, x, jnp.asarray([0, wrong])
        )
        assert jnp.isnan(value) and jnp.isnan(grads[0].W).any()
