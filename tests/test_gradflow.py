"""VAN1–VAN3: flow and bounds against autodiff, NumPy's singular values and closed forms; the record of a run."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlpjax import activations, data, deep, gradflow, losses, mlp, training
from mlpjax.activations import Activation, gelu, identity, leaky_relu, relu, sigmoid, tanh
from mlpjax.layers import Dense
from tests.helpers import FAST_TO_COMPILE, assert_trees_close, assert_trees_equal, eps, tolerance

fast = functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)
CE, MSE = losses.softmax_cross_entropy, losses.half_squared_error


def cast(array):
    return jnp.asarray(array, jnp.zeros(()).dtype)


def network(rng, sizes, gain=1.0):
    """Normal weights of variance gain²/n and small biases, drawn by NumPy."""
    draw = lambda n, m: Dense(cast(rng.normal(size=(m, n)) * gain / np.sqrt(n)), cast(rng.normal(size=m) / 2))
    return tuple(draw(n, m) for n, m in itertools.pairwise(sizes))


def orthogonal(rng, n):
    return np.linalg.qr(rng.normal(size=(n, n)))[0]


# VAN1: what is left at best


@pytest.mark.ledger("VAN1")
@pytest.mark.parametrize("weight_norm", [1.0, 1.5])
def test_best_case_is_attained(weight_norm, measured):
    """Orthogonal weights, and biases that put every unit at the steepest point of its sigmoid."""
    rng, ks = np.random.default_rng(0), (1, 3, 5, 10, 20)
    Ws = [weight_norm * orthogonal(rng, 4) for _ in range(max(ks))]

    def layers(x, k):
        """σ(W x + b) with b = −W a at the point a where the Jacobian is taken, so that z = 0 and a = ½ after it."""
        a = np.zeros(4)
        for W in Ws[:k]:
            x = 1 / (1 + jnp.exp(-(cast(W) @ x - cast(W @ a))))
            a = np.full(4, 0.5)
        return x

    whole = fast(lambda x: [jax.jacobian(functools.partial(layers, k=k))(x) for k in ks])(cast(np.zeros(4)))
    found = np.array([np.linalg.norm(np.asarray(J, float), 2) for J in whole])
    stated = np.asarray(gradflow.best_case(jnp.asarray(ks), weight_norm=weight_norm))
    measured(np.abs(stated / found - 1).max(), tolerance(stated.dtype), oracle="NumPy's norm of autodiff's Jacobian")


@pytest.mark.ledger("VAN1")
def test_the_table_of_the_sigmoid():
    factors = [f"{float(gradflow.best_case(k)):.1e}" for k in (1, 3, 5, 10, 20)]
    assert factors == ["2.5e-01", "1.6e-02", "9.8e-04", "9.5e-07", "9.1e-13"]
    assert 9.1e-13 > 1e295 * np.finfo(np.float64).tiny and 9.1e-13 > 1e25 * np.finfo(np.float32).tiny


@pytest.mark.ledger("VAN1")
@pytest.mark.parametrize("sigma", [sigmoid, tanh, gelu, leaky_relu(0.3)], ids=str)
def test_no_error_exceeds_the_best_case(sigma, measured):
    """Thirty networks of six layers with spectral norms of 0.9, saturated ones among them."""

    def worst(W, b, x, delta):
        W = 0.9 * W / jnp.linalg.norm(W, 2, axis=(-2, -1), keepdims=True)
        network = lambda x: functools.reduce(lambda a, p: sigma(p[0] @ a + p[1]), zip(W, b, strict=True), x)
        back = jax.vjp(network, x)[1](delta)[0]
        return jnp.linalg.norm(back) / jnp.linalg.norm(delta)

    rng = np.random.default_rng(1)
    draw = [cast(rng.normal(size=(30, *shape))) for shape in ((6, 5, 5), (6, 5), (5,), (5,))]
    ratio = float(fast(jax.vmap(worst))(*draw).max() / gradflow.best_case(6, activation=sigma, weight_norm=0.9))
    measured(ratio, 1.0, oracle="vector–Jacobian product of autodiff; part of the best case")


# VAN2: the bound


def own_words(params, x, y, *, sigma, loss):
    """‖∇_θ C‖ of every layer by autodiff, nothing of `gradflow` in it."""
    grads = jax.grad(lambda p: loss.value(mlp.apply(p, x, activation=sigma), y))(params)
    return jnp.stack([jnp.sqrt(jnp.sum(g.W**2) + jnp.sum(g.b**2)) for g in grads])


@pytest.mark.ledger("VAN2")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31), gain=st.sampled_from([0.1, 1.0, 3.0, 20.0]), which=st.integers(0, 2))
def test_the_bound_holds(seed, gain, which, measured):
    sigma = (sigmoid, tanh, relu, gelu)
    rng = np.random.default_rng(seed)
    params = network(rng, (3, 4, 5, 4, 4, 2), gain)
    x, y = cast(rng.normal(size=3) * 10.0 ** (which - 1)), cast(rng.normal(size=2))
    found, stated = (np.asarray(v, float) for v in both_sides(params, x, y, sigma))
    assert float(found[-1] / stated[-1]) == pytest.approx(1, rel=1e-5)  # the last layer has nothing behind it
    measured(np.max(found / np.maximum(stated, 1e-300)), 1 + 64 * eps(x.dtype), oracle="jax.grad; part of the bound")


@functools.partial(jax.jit, static_argnames="sigma", compiler_options=FAST_TO_COMPILE)
def both_sides(params, x, y, sigma):
    settings = dict(loss=MSE)
    return own_words(params, x, y, sigma=sigma, **settings), gradflow.bound(params, x, y, activation=sigma, **settings)


@pytest.mark.ledger("VAN2")
def test_the_bound_is_attained_by_orthogonal_weights(measured):
    """Linear layers with orthogonal weights: nothing is lost, and the bound is the norm."""
    rng = np.random.default_rng(2)
    params = tuple(Dense(cast(1.3 * orthogonal(rng, 6)), cast(rng.normal(size=6))) for _ in range(8))
    x, y = cast(rng.normal(size=(2, 6)))
    found, stated = both_sides(params, x, y, (identity,) * 7)
    measured(np.abs(stated / found - 1).max(), 8 * tolerance(x.dtype), oracle="jax.grad")


@pytest.mark.ledger("VAN2")
@pytest.mark.parametrize("sigma", [sigmoid, relu, tanh], ids=str)
def test_a_layers_jacobian_in_its_parameters(sigma, measured):
    """max |σ′| · √(‖a‖² + 1), read off the bound of a network of one hidden layer with C = z."""
    rng = np.random.default_rng(3)
    first, last = network(rng, (3, 4, 1), 2.0)
    a = cast(rng.normal(size=3))
    flat = lambda theta: sigma(theta[:, :3] @ a + theta[:, 3])
    theta = jnp.concatenate([first.W, first.b[:, None]], 1)
    by_svd = np.linalg.norm(np.asarray(fast(jax.jacobian(flat))(theta), float).reshape(4, 16), 2)
    linear = losses.Loss("the logit", lambda z, y: jnp.sum(z), delta=lambda z, y: jnp.ones_like(z))
    stated = gradflow.bound((first, last), a, jnp.zeros(1), activation=sigma, loss=linear)[0]
    behind = np.linalg.norm(np.asarray(last.W, float))
    measured(abs(stated / behind / by_svd - 1), tolerance(a.dtype), oracle="NumPy's norm of autodiff's Jacobian")


@pytest.mark.ledger("VAN2")
def test_jacobians_and_spectra(measured):
    """Each layer and the whole against forward-mode autodiff and NumPy's singular values."""
    rng = np.random.default_rng(4)
    sigma = (sigmoid, relu, gelu)
    params, x = network(rng, (3, 6, 5, 6, 2), 1.5), cast(rng.normal(size=3))

    def oracle(params, x):
        found = []
        for layer, s in zip(params, (*sigma, identity), strict=True):
            found.append(jax.jacfwd(lambda a, layer=layer, s=s: s(layer.W @ a + layer.b))(x))
            x = s(layer.W @ x + layer.b)
        return tuple(found), jax.jacfwd(lambda x: mlp.apply(params, x, activation=sigma))(x0)

    x0 = x
    layers, whole = fast(oracle)(params, x)
    ours = fast(functools.partial(gradflow.jacobians, activation=sigma))(params, x)
    assert_trees_close(ours, layers)
    s = fast(functools.partial(gradflow.spectra, activation=sigma))(params, x)
    by_numpy = [np.linalg.svd(np.asarray(J), compute_uv=False) for J in (*layers, whole)]
    pairs = zip((*s.layers, s.whole), by_numpy, strict=True)
    error = max(np.abs(ours - found).max() / found.max() for ours, found in pairs)
    measured(error, 16 * tolerance(x.dtype), oracle="NumPy's SVD of autodiff's Jacobians")


# VAN3: the flow on a batch


def flow_in_own_words(params, x, y, *, sigma, loss):
    """δ as the derivative of the loss in numbers added to z; ∂F/∂W by autodiff; the rest by definition."""

    def forward(shifts, x):
        z, a = [], x
        for layer, shift, s in zip(params, shifts, (*sigma, identity), strict=True):
            z.append(layer.W @ a + layer.b + shift)
            a = s(z[-1])
        return z

    zeros = [jnp.zeros_like(layer.b) for layer in params]
    delta = jax.vmap(lambda x, y: jax.grad(lambda shifts: loss.value(forward(shifts, x)[-1], y))(zeros))(x, y)
    risk = lambda p: jnp.mean(jax.vmap(lambda x, y: loss.value(mlp.apply(p, x, activation=sigma), y))(x, y))
    z = jax.vmap(lambda x: forward(zeros, x))(x)
    slopes = [jnp.abs(jax.vmap(jax.vmap(jax.grad(s.fn)))(z)) for s, z in zip(sigma, z, strict=False)]
    return gradflow.Flow(
        a=jnp.stack([jnp.sqrt(jnp.mean(s(z) ** 2)) for s, z in zip((*sigma, identity), z, strict=True)]),
        delta=jnp.stack([jnp.sqrt(jnp.mean(jnp.sum(d**2, 1))) for d in delta]),
        W=jnp.stack([jnp.sqrt(jnp.sum(g.W**2)) for g in jax.grad(risk)(params)]),
        flat=jnp.stack([jnp.mean(v < 0.1 * s.lipschitz, dtype=x.dtype) for s, v in zip(sigma, slopes, strict=True)]),
        dead=jnp.stack([jnp.mean(jnp.all(v == 0, axis=0), dtype=x.dtype) for v in slopes]),
    )


@pytest.mark.ledger("VAN3")
@pytest.mark.parametrize("loss", [CE, MSE], ids=str)
def test_trace_is_what_autodiff_says(loss, measured):
    rng, sigma, n = np.random.default_rng(5), (sigmoid, relu, tanh), 7
    params = network(rng, (3, 8, 8, 8, 2), 3.0)
    params = (params[0], params[1]._replace(b=params[1].b.at[:3].set(-50.0)), *params[2:])  # three dead units
    x, y = cast(rng.normal(size=(n, 3))), rng.integers(0, 2, n)
    y = jnp.asarray(y, jnp.int32) if loss.classifies else cast(np.eye(2)[y])
    ours = fast(functools.partial(gradflow.trace, activation=sigma, loss=loss))(params, x, y)
    oracle = fast(functools.partial(flow_in_own_words, sigma=sigma, loss=loss))(params, x, y)
    np.testing.assert_array_equal(ours.dead, oracle.dead)
    assert float(ours.dead[1]) >= 3 / 8 and 0 < float(ours.flat[2]) < 1
    error = max(float(jnp.max(jnp.abs(a / b - 1))) for a, b in zip(ours[:3], oracle[:3], strict=True))
    error = max(error, float(jnp.max(jnp.abs(ours.flat - oracle.flat))))
    measured(error, 8 * tolerance(x.dtype), oracle="jax.grad with respect to z and W; counted by definition")


@pytest.mark.ledger("VAN3")
def test_an_error_whose_square_is_zero_is_still_seen(measured):
    """Twelve sigmoid layers of small weights in float32; oracle: the same in NumPy's float64."""
    params = network(np.random.default_rng(9), (8, *[8] * 11, 2), 1 / 16)
    params = tuple(Dense(layer.W.astype("float32"), 0 * layer.b.astype("float32")) for layer in params)
    x, y = jnp.ones((3, 8), "float32"), jnp.zeros(3, "int32")
    look = functools.partial(gradflow.trace, activation=sigmoid, loss=CE)
    delta = float(fast(look)(params, x, y).delta[0])
    assert 0 < delta < 1e-19 and np.float32(delta) ** 2 < np.finfo(np.float32).tiny

    a, slopes, layers = np.ones(8), [], [np.float64(layer.W) for layer in params]
    for W in layers[:-1]:
        a = 1 / (1 + np.exp(-W @ a))
        slopes.append(a * (1 - a))
    p = np.exp(layers[-1] @ a)
    d = p / p.sum() - [1, 0]
    for W, slope in zip(layers[:0:-1], slopes[::-1], strict=True):
        d = (W.T @ d) * slope
    measured(abs(delta / np.linalg.norm(d) - 1), 1e-4, oracle="the same chain in NumPy's float64")


def test_under_vmap_and_grad_in_bfloat16():
    rng = np.random.default_rng(6)
    params, x, y = network(rng, (3, 4, 4, 2)), cast(rng.normal(size=(5, 3))), cast(rng.normal(size=(5, 2)))
    ensemble = jax.tree.map(lambda v: jnp.stack([v, 2 * v]), params)
    look = functools.partial(gradflow.trace, activation=tanh, loss=MSE)
    both = fast(lambda p, e: (jax.vmap(look, (0, None, None))(e, x, y), look(p, x, y)))
    several, one = both(params, ensemble)
    assert_trees_close(jax.tree.map(lambda v: v[0], several), one)
    slope = fast(jax.grad(lambda p: jnp.sum(jnp.log(look(p, x, y).delta))))(params)
    total = fast(lambda h: jnp.sum(jnp.log(look(jax.tree.map(lambda v, g: v + h * g, params, slope), x, y).delta)))
    square = sum(float(jnp.sum(g**2)) for g in jax.tree.leaves(slope))
    assert float(total(1e-3) - total(-1e-3)) / 2e-3 == pytest.approx(square, rel=2e-2)
    low = jax.tree.map(lambda v: v.astype("bfloat16"), (params, x, y))
    assert {v.dtype.name for v in jax.eval_shape(look, *low)} == {"bfloat16"}


# VAN3: during a run


def problem(layers=3):
    train = data.toy.xor()
    params = mlp.init(jax.random.key(0), (2, *[4] * (layers - 1), 1))
    apply = functools.partial(mlp.apply, activation=tanh)
    return params, train, training.supervised(apply, losses.sigmoid_squared_error)


def run(params, optimizer, *parts, **settings):
    """A run on the whole batch in parts, one after the other."""
    _, train, objective = problem()

    def whole(params):
        state, history = training.start(jax.random.key(1), params, optimizer=optimizer), None
        for steps in parts:
            call = dict(objective=objective, optimizer=optimizer, steps=steps)
            state, history = training.run(state, train, **call, **settings)
        return state, history

    return fast(whole)(params)


@pytest.mark.ledger("VAN3")
def test_a_recorder_keeps_the_norms_of_every_step(measured):
    """Eleven steps in two parts, and room for the last eight; oracle: jax.grad along the path of plain steps."""
    params, train, objective = problem()

    def step(params, _):
        grads = jax.grad(objective)(params, train, None)
        sizes = jax.tree.map(lambda g: jnp.sqrt(jnp.sum(g**2)), grads)
        return jax.tree.map(lambda p, g: p - g, params, grads), sizes

    state, _ = run(params, optax.chain(gradflow.recorder(8), optax.sgd(1.0)), 5, 6)
    oracle = jax.tree.leaves(fast(lambda p: jax.lax.scan(step, p, length=11)[1])(params))
    kept = jax.tree.leaves(gradflow.recorded(state))
    assert {v.shape for v in kept} == {(8,)} and int(state.opt_state[0].steps) == 11
    error = max(float(jnp.max(jnp.abs(ours / found[3:] - 1))) for ours, found in zip(kept, oracle, strict=True))
    measured(error, 16 * tolerance(kept[0].dtype), oracle="norms of jax.grad along the same path")


@pytest.mark.ledger("VAN3")
def test_a_recorder_changes_nothing():
    params, *_ = problem()
    plain, _ = run(params, optax.adam(0.1), 5)
    watched, _ = run(params, optax.chain(gradflow.recorder(9), optax.adam(0.1)), 5)
    assert_trees_close(watched.params, plain.params)
    kept = gradflow.recorded(watched)
    assert kept[0].W.shape == (5,) and float(kept[0].W.min()) > 0


def test_a_recorder_measures_what_it_is_told():
    """Updates where it stands last, and of a stacked network each layer."""
    chain = optax.chain(optax.scale(-0.5), gradflow.recorder(2, measure=lambda g: g["w"][0]))
    three = {"w": cast(np.ones((3, 2)) * [[1], [2], [3]])}
    start = lambda: chain.init({"w": jnp.zeros(2)})
    state, _ = fast(lambda: jax.lax.scan(lambda state, g: (chain.update(g, state)[1], None), start(), three))()
    np.testing.assert_array_equal(gradflow.recorded(state), [-1.0, -1.5])
    stacked = gradflow.recorder(4, measure=lambda g: gradflow.norms(deep.unstack(g)))
    seen = jax.eval_shape(lambda: stacked.init(deep.init(jax.random.key(0), (2, 3, 3, 3, 1))).values)
    assert [layer.W.shape for layer in seen] == [(4,)] * 4


@pytest.mark.ledger("VAN3")
def test_metrics_are_the_flow_at_each_evaluation():
    """In one program with the run; the last evaluation is the flow of the parameters that come out."""
    params, train, _ = problem()
    settings = dict(activation=tanh, loss=losses.sigmoid_squared_error)
    watched = gradflow.metrics(3, **settings)
    state, history = run(params, optax.sgd(0.5), 4, validation=train, metrics=watched, evaluate_every=2)
    at, values = history.evaluations()
    flow = fast(functools.partial(gradflow.trace, **settings))(state.params, train.x, train.y)
    assert list(at) == [2, 4] and set(values) == {"loss", *watched}
    for name in watched:
        field, layer = name.split("/")
        np.testing.assert_allclose(values[name][-1], getattr(flow, field)[int(layer) - 1], rtol=1e-5)
    assert gradflow.metrics(3, **settings) == watched


@pytest.mark.ledger("VAN3")
def test_metrics_cost_one_gradient():
    """However many they are: XLA computes once what they share. Counted, not timed."""
    params, train, _ = problem(6)
    settings = dict(activation=tanh, loss=losses.sigmoid_squared_error)
    watched = gradflow.metrics(6, **settings)
    flops = lambda fn: fast(fn).lower(params, train).compile().cost_analysis()["flops"]
    once = flops(lambda p, b: gradflow.trace(p, b.x, b.y, **settings))
    assert len(watched) == 28 and flops(lambda p, b: [fn(p, b) for fn in watched.values()]) < 1.2 * once


# what is said of mistakes


def test_mistakes_are_named():
    params = network(np.random.default_rng(7), (3, 4, 2))
    nameless = Activation("sine", jnp.sin)
    with pytest.raises(ValueError, match=r"`activation` must know the supremum of its slope; got 'sine' without it"):
        gradflow.best_case(3, activation=nameless)
    with pytest.raises(ValueError, match=r"got 'sine' without it"):
        gradflow.metrics(2, activation=nameless, loss=MSE)
    with pytest.raises(ValueError, match=r"`steps` must be an integer ≥ 1; got 0. It is the number of steps to keep"):
        gradflow.recorder(0)
    with pytest.raises(ValueError, match=r"`state` must hold one `Record`; got 0"):
        gradflow.recorded(optax.sgd(0.1).init(params))
    with pytest.raises(ValueError, match=r"`state` must hold one `Record`; got 2"):
        gradflow.recorded(optax.chain(gradflow.recorder(1), gradflow.recorder(1)).init(params))
    several = jax.vmap(lambda _: gradflow.recorder(1).init(params))(jnp.arange(3))
    with pytest.raises(ValueError, match=r"`state` must be one run's; got \(3,\) of them.* Take one member first"):
        gradflow.recorded(several)


def test_a_norm_of_infinities_is_infinite():
    """Explosions are to be seen as such; NaN stays NaN."""
    found = gradflow.norms([jnp.asarray([jnp.inf, 1.0]), jnp.asarray([-jnp.inf]), jnp.asarray([jnp.nan, jnp.inf])])
    np.testing.assert_array_equal(jnp.stack(found), [jnp.inf, jnp.inf, jnp.nan])


def test_a_batch_is_asked_for(unchecked):
    params = network(np.random.default_rng(8), (3, 4, 2))
    with pytest.raises(ValueError, match=r"`x` must be a batch of shape \(n, 3\); got shape \(3,\)"):
        gradflow.trace(params, jnp.ones(3), jnp.zeros(2), loss=MSE)
    with pytest.raises(ValueError, match=r"`x` must be one example"):
        gradflow.bound(params, jnp.ones((1, 3)), jnp.zeros(2), loss=MSE)


def test_equal_parts_are_equal_metrics():
    entry = gradflow.metrics(2, activation=activations.by_name("elu(0.5)"), loss=MSE)["W/1"]
    assert entry == gradflow.metrics(2, activation=activations.elu(0.5), loss=MSE)["W/1"]
    assert_trees_equal(jax.tree.leaves(entry), [])
