"""Stacked layers: the scan against the same network written out, by `mlp`, by `backprop` and by `jax.grad`."""

import functools

import jax
import jax.numpy as jnp
import optax
import pytest

from mlpjax import activations, backprop, deep, initializers, losses, mlp, regularizers, training
from mlpjax.data import Dataset
from mlpjax.layers import Dense
from tests.helpers import FAST_TO_COMPILE, assert_trees_close, assert_trees_equal, eps
from tests.test_backprop import problem, risk

fast = functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)


def sizes(layers, width=7):
    """Of a network with that many layers between the first and the last."""
    return (5, *[width] * (layers + 1), 3)


def weighted_risk(params, x, y, weight, *, activation, loss, dropout_rate, key):
    """The oracle's own words for the weighted mean loss under dropout: nothing of `deep` or `backprop` in it."""
    forward = functools.partial(mlp.apply, params, activation=activation, dropout_rate=dropout_rate)
    z = jax.vmap(lambda x, k: forward(x, key=k))(x, jax.random.split(key, len(x)))
    return jnp.sum(weight * jax.vmap(loss.value)(z, y)) / jnp.sum(weight)


def test_weights_and_dropout_masks_are_those_of_the_network_written_out(key):
    loss = losses.softmax_cross_entropy
    params, x, y = problem(key, sizes(2), loss, 6)
    weight = jnp.arange(6.0)
    parts = dict(activation=activations.tanh, loss=loss, dropout_rate=0.4, key=key)

    @fast
    def both(params, x, y):
        hand = deep.value_and_grad(deep.stack(params), x, y, weight=weight, **parts)
        auto = jax.value_and_grad(functools.partial(weighted_risk, **parts))(params, x, y, weight)
        whole = deep.value_and_grad(deep.stack(params), x, y, weight=weight, **parts | dict(key=None))[0]
        return (hand[0], deep.unstack(hand[1])), auto, whole

    hand, auto, whole = both(params, x, y)
    assert_trees_close(hand, auto)
    assert float(hand[0]) != float(whole), "nothing was dropped"


@pytest.mark.parametrize(("layers", "dropout_rate"), [(0, 0.5), (3, 0.0), (2, 0.5)])
def test_apply_is_mlp_apply(layers, dropout_rate, key):
    params, x, _ = problem(key, sizes(layers), losses.half_squared_error, 1)
    call = dict(activation=activations.gelu, dropout_rate=dropout_rate, key=key)
    both = fast(lambda p, x: (deep.apply(deep.stack(p), x, **call), mlp.apply(p, x, **call)))
    assert_trees_close(*both(params, x[0]), rtol=16 * eps(x.dtype))


@pytest.mark.parametrize("layers", [0, 1, 5])
def test_unstack_is_the_inverse_of_stack_bit_for_bit(layers, key):
    params, _, _ = problem(key, sizes(layers), losses.half_squared_error, 1)
    stacked = deep.stack(params)
    assert stacked.hidden.W.shape == (layers, 7, 7) and stacked.hidden.b.shape == (layers, 7)
    assert_trees_equal(deep.unstack(stacked), params)
    assert_trees_equal(fast(lambda p: deep.unstack(deep.stack(p)))(params), params)
    assert_trees_equal(deep.stack(deep.unstack(stacked)), stacked)


def test_gradients_pass_through_stack_and_unstack(key):
    params, x, _ = problem(key, sizes(2), losses.half_squared_error, 1)
    f = lambda params: jnp.sum(mlp.apply(params, x[0], activation=activations.tanh) ** 2)
    expected = fast(jax.grad(f))(params)
    assert_trees_close(fast(jax.grad(lambda p: f(deep.unstack(deep.stack(p)))))(params), expected)
    assert_trees_close(fast(jax.grad(lambda p: f(deep.unstack(p))))(deep.stack(params)), deep.stack(expected))


@pytest.mark.parametrize("layers", [0, 3])
def test_init_draws_the_numbers_of_mlp_init(layers, key):
    draw = dict(bias_init=initializers.normal(0.1), dtype="float32")
    both = fast(lambda k: (deep.init(k, sizes(layers), **draw), deep.stack(mlp.init(k, sizes(layers), **draw))))
    assert_trees_equal(*both(key))


def test_keeps_dtype(key):
    dtype = "bfloat16"
    loss = losses.half_squared_error
    params, x, y = problem(key, sizes(2), loss, 5, dtype)
    value, grads = fast(functools.partial(deep.value_and_grad, loss=loss))(deep.stack(params), x, y)
    expected = fast(functools.partial(backprop.value_and_grad, loss=loss))(params, x, y)
    assert value.dtype == dtype and all(leaf.dtype == dtype for leaf in jax.tree.leaves(grads))
    assert_trees_close((value, deep.unstack(grads)), expected)


@pytest.mark.x64
def test_gradients_have_the_dtype_of_the_parameters_whatever_the_data_have(key):
    params, x, y = problem(key, sizes(2), losses.half_squared_error, 5)
    params = jax.tree.map(lambda leaf: leaf.astype("float32"), params)
    with jax.numpy_dtype_promotion("standard"):
        fn = functools.partial(deep.value_and_grad, loss=losses.half_squared_error)
        _, grads = jax.eval_shape(fn, deep.stack(params), x, y)
    assert {g.dtype.name for g in jax.tree.leaves(grads)} == {"float32"}


def test_under_vmap_and_grad(key):
    """An ensemble, and the products with the Hessian that gradients of gradients make; scans are in the run below."""
    loss = losses.softmax_cross_entropy
    params, x, y = problem(key, sizes(2), loss, 5)
    fn = functools.partial(deep.value_and_grad, activation=activations.silu, loss=loss)
    auto = jax.value_and_grad(lambda p, x, y: risk(deep.unstack(p), x, y, activation=activations.silu, loss=loss))
    ensemble = jax.tree.map(lambda leaf: jnp.stack([leaf, -leaf, leaf / 2]), deep.stack(params))

    def product(grad_fn, params):
        return jax.grad(lambda p: sum(jnp.sum(g**2) for g in jax.tree.leaves(grad_fn(p, x, y)[1])))(params)

    def both(grad_fn, ensemble):
        return jax.vmap(grad_fn, (0, None, None))(ensemble, x, y), jax.vmap(lambda p: product(grad_fn, p))(ensemble)

    assert_trees_close(*(fast(functools.partial(both, f))(ensemble) for f in (fn, auto)))


@pytest.mark.parametrize(
    ("penalty", "dropout_rate"), [(None, 0.4), (regularizers.l1(0.01), 0.0), (regularizers.l2(0.1), 0.4)], ids=str
)
def test_supervised_is_interchangeable_with_backprop_and_with_autodiff(penalty, dropout_rate, key):
    loss, activation = losses.smoothed_cross_entropy(0.1), activations.tanh
    params, x, y = problem(key, sizes(2), loss, 6)
    batch, stacked = Dataset(x, y, jnp.arange(6.0)), deep.stack(params)
    settings = dict(activation=activation, dropout_rate=dropout_rate)
    hand = deep.supervised(loss=loss, penalty=penalty, **settings)
    written_out = backprop.supervised(loss=loss, penalty=penalty, **settings)
    by_layer = None if penalty is None else deep.by_layer(penalty)
    objective = training.supervised(functools.partial(deep.apply, **settings), loss, penalty=by_layer)
    run = lambda fn, params: fast(fn)(params, batch, key)
    value, grads = run(hand, stacked)
    assert_trees_close((value, deep.unstack(grads)), run(written_out, params))
    assert_trees_close((value, grads), run(jax.value_and_grad(objective), stacked))


def test_equal_parts_make_equal_functions_and_no_second_compilation(key):
    make = lambda: deep.supervised(loss=losses.smoothed_cross_entropy(0.1), penalty=regularizers.l2(0.1))
    assert make() == make() and hash(make()) == hash(make())
    assert make() != backprop.supervised(loss=losses.smoothed_cross_entropy(0.1), penalty=regularizers.l2(0.1))
    params, x, y = problem(key, sizes(1), losses.smoothed_cross_entropy(0.1), 4)
    step = jax.jit(lambda fn, params, batch: fn(params, batch, None), static_argnums=0)
    for scaled in (1.0, 2.0):
        step(make(), jax.tree.map(lambda leaf, s=scaled: s * leaf, deep.stack(params)), Dataset(x, y))
    assert step._cache_size() == 1


def test_a_run_is_the_run_of_the_network_written_out(key):
    loss, penalty, optimizer = losses.softmax_cross_entropy, regularizers.l2(0.01), optax.adam(1e-2)
    params, x, y = problem(key, sizes(2), loss, 32)
    settings = dict(activation=activations.tanh, dropout_rate=0.3)

    def train(room, params, penalty_of_objective):
        objective = training.supervised(functools.partial(room.apply, **settings), loss, penalty=penalty_of_objective)
        keywords = dict(objective=objective, optimizer=optimizer, steps=20, batch_size=8, validation=Dataset(x, y))
        fn = room.supervised(loss=loss, penalty=penalty, **settings)
        state = training.start(key, params, optimizer=optimizer)
        return fast(lambda state: training.run(state, Dataset(x, y), value_and_grad=fn, **keywords))(state)

    class WrittenOut:
        apply, supervised = mlp.apply, staticmethod(backprop.supervised)

    state, history = train(deep, deep.stack(params), deep.by_layer(penalty))
    expected, histories = train(WrittenOut, params, penalty)
    rtol = 1e-3 if x.dtype == "float32" else 1e-10
    assert_trees_close(deep.unstack(state.params), expected.params, rtol=rtol)
    assert_trees_close(history.loss, histories.loss, rtol=rtol)
    assert_trees_close(history.evaluations()[1]["loss"], histories.evaluations()[1]["loss"], rtol=rtol)


def test_the_program_does_not_grow_with_depth():
    """As many operations for 50 layers as for 3, and no copies of cached activations beside the pre-activations."""
    loss, width, n = losses.half_squared_error, 16, 128
    fn = functools.partial(deep.value_and_grad, activation=activations.tanh, loss=loss)
    x, y = jnp.ones((n, 5)), jnp.ones((n, 3))
    shapes = {
        layers: jax.eval_shape(lambda s=layers: deep.init(jax.random.key(0), sizes(s, width))) for layers in (3, 50)
    }
    programs = {layers: jax.jit(fn).trace(shape, x, y) for layers, shape in shapes.items()}
    assert len({len(str(program.jaxpr).splitlines()) for program in programs.values()}) == 1
    few, many = (p.lower().compile().memory_analysis().temp_size_in_bytes for p in programs.values())
    cache = (50 - 3) * n * width * x.dtype.itemsize
    assert cache <= many - few <= 1.2 * cache


def layer(m, n, dtype=None):
    return Dense(jnp.ones((m, n), dtype), jnp.ones(m, dtype))


STACKS = [
    ((layer(3, 2),), r"must have a first and a last layer; got 1"),
    ((layer(4, 2), layer(4, 4), layer(6, 4), layer(1, 6)), r"layer 2 .* shape \(4, 4\) .* got \(6, 4\) .* `mlp`"),
    ((layer(4, 2), layer(4, 6), layer(1, 4)), r"layer 1 .* got \(4, 6\)"),
    ((layer(4, 2), layer(4, 4), layer(1, 3)), r"layer 2 .* shape \(1, 4\) .* got \(1, 3\)"),
    ((layer(4, 2), layer(4, 4), layer(4, 4, "bfloat16"), layer(1, 4)), r"layer 2 .* got \(4, 4\) and bfloat16"),
]


@pytest.mark.parametrize(("params", "message"), STACKS, ids=["one", "narrows", "not-square", "last", "dtype"])
def test_what_cannot_be_stacked_is_named(params, message):
    with pytest.raises(ValueError, match=message):
        deep.stack(params)


def test_sizes_of_unlike_layers_are_refused(key):
    for wrong in ((4, 2), (4, 8, 6, 2)):
        with pytest.raises(
            ValueError, match=r"`sizes` must have one width for all hidden layers; got \(4, .*`mlp.init`"
        ):
            deep.init(key, wrong)


def test_calls_that_do_not_fit_say_what_to_do(key, unchecked):
    params, x, y = problem(key, sizes(1), losses.half_squared_error, 2)
    stacked = deep.stack(params)
    with pytest.raises(ValueError, match=r"one example of shape \(5,\); got shape \(2, 5\).*jax.vmap\(deep.apply"):
        deep.apply(stacked, x)
    with pytest.raises(ValueError, match=r"a batch of shape \(n, 5\); got shape \(2, 4\)"):
        deep.value_and_grad(stacked, x[:, :4], y, loss=losses.half_squared_error)
    with pytest.raises(ValueError, match=r"`activation` must be one function.*`mlp` and `backprop` on `deep.unstack"):
        deep.apply(stacked, x[0], activation=[activations.relu] * 2)
    with pytest.raises(ValueError, match=r"`activation` must be one function"):
        deep.value_and_grad(stacked, x, y, activation=[activations.relu] * 2, loss=losses.half_squared_error)
    with pytest.raises(TypeError, match=r"`params` must be a `Deep`; got a tuple. `deep.stack` makes one"):
        deep.apply(params, x[0])
    with pytest.raises(ValueError, match=r"`dropout_rate` must lie in \[0, 1\); got 1.0"):
        deep.apply(stacked, x[0], dropout_rate=1.0, key=key)


def test_a_label_out_of_range_is_nan_and_never_wraps(key):
    loss = losses.softmax_cross_entropy
    params, x, _ = problem(key, sizes(1), loss, 2)
    value, grads = jax.jit(functools.partial(deep.value_and_grad, loss=loss))(
        deep.stack(params), x, jnp.asarray([0, 3])
    )
    assert jnp.isnan(value) and jnp.isnan(grads.hidden.W).any()
