"""What the page computes is what JAX computes: the exporter, the interpreter (in QuickJS), the demos' programs."""

import base64
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

quickjs = pytest.importorskip("quickjs", reason="the site's tools are in the [docs] extra")
pytest.importorskip("markdown")

from docs._ext import figures, programs  # noqa: E402
from tests.helpers import OPTIMIZED  # noqa: E402

DOCS = pathlib.Path(programs.__file__).parents[1]
DEMOS = sorted(path.stem for path in (DOCS / "demos").glob("[!_]*.py"))
TOLERANCE = 1e-4
RUN = """
function answer(text) {
  const { program, inputs } = JSON.parse(text), run = MX.compile(program);
  run(...inputs.map(MX.decode));  // a second run must not see what the first one left
  return JSON.stringify(run(...inputs.map(MX.decode)).map(out => Array.from(out, String)));
}"""


@pytest.fixture(scope="module")
def page():
    """The interpreter as the page loads it; a function from a program and its inputs to its outputs."""
    context = quickjs.Context()
    context.eval("var window = globalThis;")
    context.eval((DOCS / "assets" / "js" / "jaxpr.js").read_text("utf-8"))
    context.eval(RUN)

    def answer(program, *args):
        assert json.loads(json.dumps(program)) == program
        text = json.dumps({"program": program, "inputs": programs.encode(args)})
        shapes = [program["shapes"][i] for i in program["out"]]
        outputs = json.loads(context.get("answer")(text))
        return [np.array(out, float).reshape(shape) for out, shape in zip(outputs, shapes, strict=True)]

    answer.context = context
    return answer


def worst(page, fn, *args):
    """The largest error of the page's answer, relative to the largest number that JAX gives in the same place."""
    with jax.enable_x64(False):
        args = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), args)
        expected = jax.tree.leaves(jax.jit(fn)(*args))
    got = page(programs.export(fn, *args), *args)
    return max(relative(a, np.asarray(b, float)) for a, b in zip(got, expected, strict=True))


def relative(a, b):
    assert a.shape == b.shape and np.array_equal(np.isnan(a), np.isnan(b))
    assert np.array_equal(a[np.isinf(b)], b[np.isinf(b)])
    finite = np.isfinite(b)
    scale = np.abs(b[finite]).max(initial=0) or 1
    return float(np.abs(a[finite] - b[finite]).max(initial=0) / scale)


A, B = np.linspace(-3.1, 4.3, 24).reshape(2, 3, 4), np.linspace(2.2, -1.7, 24).reshape(2, 3, 4)
POSITIVE = np.abs(A) + 0.1
EACH = {
    **{
        name: (getattr(lax, name), A)
        for name in "abs ceil cos exp expm1 floor logistic neg sign sin square tanh".split()
    },
    **{name: (getattr(lax, name), POSITIVE) for name in "log log1p rsqrt sqrt".split()},
    **{name: (getattr(lax, name), A) for name in "erf erfc".split()},
    **{name: (getattr(lax, name), A, B) for name in "add div max min mul sub".split()},
    **{name: (getattr(lax, name), np.round(A), np.round(B)) for name in "eq ge gt le lt ne".split()},
    "add_any": (jax.grad(lambda a: jnp.sum(a * jnp.tanh(a))), A),
    "and": (lambda a, b: (a > 0) & (b > 0), A, B),
    "or": (lambda a, b: (a > 0) | (b > 0), A, B),
    "not": (lambda a: ~(a > 0), A),
    "pow": (lax.pow, POSITIVE, B),
    "copy": (jnp.copy, A),
    "clamp": (lambda a: lax.clamp(jnp.float32(-1), a, jnp.float32(2)), A),
    "integer_pow": (lambda a: (lax.integer_pow(a, 3), lax.integer_pow(a, -2)), A),
    "convert_element_type": (lambda a: (a.astype(jnp.int32), a.astype(bool), (a > 0).astype(jnp.float32)), A),
    "reshape": (lambda a: a.reshape(4, 6), A),
    "squeeze": (lambda a: lax.squeeze(a[:1], (0,)), A),
    "broadcast_in_dim": (lambda a: lax.broadcast_in_dim(a[:, :1], (3, 2, 5, 4), (1, 2, 3)), A),
    "transpose": (lambda a: a.transpose(2, 0, 1), A),
    "rev": (lambda a: lax.rev(a, (0, 2)), A),
    "slice": (lambda a: lax.slice(a, (1, 0, 1), (2, 3, 4), (1, 2, 1)), A),
    "concatenate": (lambda a, b: lax.concatenate([a, b[:, :1], a], 1), A, B),
    "iota": (lambda a: a + lax.broadcasted_iota(jnp.float32, (2, 3, 4), 1), A),
    "select_n": (lambda a, b: lax.select_n(a > 0, a, b), A, B),
    "reduce_sum": (lambda a: (a.sum((0, 2)), a.sum()), A),
    "reduce_max": (lambda a: (a.max(1), a.max()), A),
    "reduce_min": (lambda a: (a.min(1), a.min()), A),
    "argmax": (lambda a, b: (lax.argmax(a * b, 1, jnp.int32), lax.argmax(b, 2, jnp.int32)), A, B),
    "argmin": (lambda a, b: (lax.argmin(a * b, 1, jnp.int32), lax.argmin(b, 0, jnp.int32)), A, B),
    "dot_general": (
        lambda a, b: (
            lax.dot_general(a, b, (((2,), (2,)), ((0,), (0,)))),
            lax.dot_general(a, b, (((0, 1), (0, 1)), ((), ()))),
            lax.dot_general(a, b, (((1,), (1,)), ((2, 0), (2, 0)))),
        ),
        A,
        B,
    ),
}


def test_one_list_of_primitives(page):
    assert sorted(json.loads(page.context.eval("JSON.stringify(MX.primitives)"))) == sorted(programs.PRIMITIVES)
    assert sorted(EACH) == sorted(programs.PRIMITIVES)


@pytest.fixture(scope="module")
def expected():
    """JAX's answers for every primitive, from one compilation."""
    with jax.enable_x64(False):
        args = {name: [jnp.asarray(a, jnp.float32) for a in args] for name, (_, *args) in EACH.items()}
        every = lambda args: {name: jax.tree.leaves(EACH[name][0](*a)) for name, a in args.items()}
        return jax.jit(every, compiler_options=OPTIMIZED)(args)


@pytest.mark.parametrize("name", EACH)
def test_primitive(name, page, expected):
    fn, *args = EACH[name]
    program = programs.export(fn, *args)
    assert name in {equation[0] for equation in program["equations"]}
    got = page(program, *args)
    assert max(relative(a, np.asarray(b, float)) for a, b in zip(got, expected[name], strict=True)) <= 1e-6


def test_error_function_far_out(page):
    x = np.concatenate([np.linspace(-6, 9, 301), [0, 1e-20, -1e-6, 30, -30, np.inf, -np.inf]])
    assert worst(page, lax.erf, x) <= 2e-7
    with jax.enable_x64(False):
        tail = np.asarray(lax.erfc(jnp.asarray(x[:301], jnp.float32)), float)
    assert np.abs(page(programs.export(lax.erfc, x[:301]), x[:301])[0] / tail - 1).max() <= 1e-5


def test_scalars_and_axes_of_length_one_are_repeated(page):
    assert worst(page, lambda a, b: a + b[:, :1] * 2.0 - b[:1, :, :1], A, B) <= 1e-6


def test_calls_are_unfolded_and_dead_code_is_left_out(page):
    @jax.custom_jvp
    def twice(x):
        return x + x

    twice.defjvps(lambda t, out, x: 2 * t)
    inner = jax.jit(lambda x, y: (jnp.where(x > 0, twice(x), y), jnp.sin(x)))
    fn = lambda x, y: {"b": inner(x, y)[0], "a": jax.checkpoint(inner)(y, x)[0], "same": x}
    program = programs.export(fn, A, B)
    assert program["names"] == ["a", "b", "same"]
    assert {equation[0] for equation in program["equations"]} == {"gt", "add", "select_n"}
    assert worst(page, fn, A, B) == 0


def test_pytrees_constants_and_gradients(page):
    weights = np.linspace(-1, 1, 12).reshape(3, 4)

    def loss(tree):
        return jnp.sum(jnp.tanh(jnp.asarray(weights, jnp.float32) @ tree["x"] + tree["b"]) ** 2)

    assert worst(page, jax.value_and_grad(loss), {"x": np.arange(4.0) / 9, "b": np.ones(3)}) <= 1e-5


def test_a_changed_constant_changes_the_answer(page):
    program = programs.export(lambda x: 2.5 * x, np.ones(3))
    (place,) = program["constants"]
    assert page(program, np.ones(3))[0].tolist() == [2.5, 2.5, 2.5]
    program["constants"][place] = base64.b64encode(np.float32(3).tobytes()).decode()
    assert page(program, np.ones(3))[0].tolist() == [3, 3, 3]


@pytest.mark.parametrize(
    "fn, args, said",
    [
        (lambda x: jnp.cumsum(x), [np.ones(3)], "'cumsum'"),
        (lambda x: lax.scan(lambda c, a: (c + a, c), 0.0, x), [np.ones(3)], "'scan'"),
        (lambda k: lax.div(k, k), [np.arange(3)], "of integers"),
        (lambda k: k + np.array([0, 1, 2**24 + 1]), [np.arange(3)], "integer that no float32"),
    ],
)
def test_what_the_page_cannot_do_is_an_error_at_build_time(fn, args, said):
    with pytest.raises(programs.Unsupported, match=said):
        programs.export(fn, *args)


def test_the_page_refuses_arguments_of_another_size(page):
    with pytest.raises(quickjs.JSException, match="3 numbers wanted, 2 given"):
        page(programs.export(jnp.sin, np.ones(3)), np.ones(2))


def test_plain_numbers():
    assert programs.plain({"a": np.float32(1) / 3, "b": [np.inf, np.array([[1, 2]])]}) == {
        "a": 0.3333333,
        "b": [None, [[1.0, 2.0]]],
    }


@pytest.fixture(scope="module", params=DEMOS)
def demo(request):
    return figures.load(DOCS / "demos" / f"{request.param}.py"), json.loads(figures.demo_data(request.param))


def test_programs_of_the_demos(demo, page):
    """`PROGRAMS` of a demo maps a name to `(function, example arguments)`; the data hold the program under it."""
    module, data = demo
    for name, (fn, *args) in module.PROGRAMS.items():
        assert programs.export(fn, *args) == data["programs"][name]
        assert worst(page, fn, *args) <= TOLERANCE, name


def test_size_of_the_demos(demo):
    """The demo on depth brings the weights of fifty layers of 64 units, a byte each."""
    module, data = demo
    limit = 60_000 + (50 * 64 * 64 * 4 / 3 if "column" in data["programs"] else 0)
    assert len(json.dumps(data, separators=(",", ":"), allow_nan=False)) < limit
    assert isinstance(module.ALT, str)


@pytest.mark.parametrize("rule, momentum", [("sgd", 0.0), ("momentum", 0.6), ("nesterov", 0.6)])
def test_descent_limits_and_factors_are_those_of_long_runs(rule, momentum):
    descent = figures.load(DOCS / "demos" / "descent.py")
    with jax.enable_x64(False):
        known = jax.jit(descent.rates(rule))
        limit = float(known(1.0, momentum, 10.0)["limit"])
        below, above = (float(known(part * limit, momentum, 10.0)["factor"]) for part in (0.999, 1.001))
        walk = lambda rate: descent.walk("ravine", rule, (1.0, 1.5), rate, momentum, 10.0, 61)["distance"]
        distance = jax.jit(jax.vmap(walk))(jnp.float32([1.3 * limit, 0.9 * limit]))
    assert below < 1 < above
    wanted = [float(known(part * limit, momentum, 10.0)["factor"]) for part in (1.3, 0.9)]
    assert np.asarray(distance[:, 60] / distance[:, 20]) ** (1 / 40) == pytest.approx(wanted, rel=5e-2)
