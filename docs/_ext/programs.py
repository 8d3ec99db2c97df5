"""Programs of the package for the page: a traced JAX function as JSON, which assets/js/jaxpr.js runs in the browser.

A demo shows what the package computes, so it must not hold the package's formulas a second time in another language.
`export` traces the real function with `jax.make_jaxpr` and writes down the equations that JAX recorded, with every call
unfolded, dead code left out and constants as base64 float32. A primitive that the interpreter lacks is an error here,
when the site is built, not in the reader's browser.

    {"in": [0, 1], "out": [4], "names": ["value"], "shapes": [[2], [], …],     one buffer for each variable
     "constants": {"2": "AACAPw=="}, "equations": [["mul", [0, 1], 3, {}], …]}  primitive, inputs, output, parameters
"""

import base64
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

from mlpjax import trees

MAPS = "abs ceil copy cos erf erfc exp expm1 floor log log1p logistic neg not rsqrt sign sin sqrt square tanh"
PAIRS = "add add_any and div eq ge gt le lt max min mul ne or pow sub"
PRIMITIVES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys([*MAPS.split(), *PAIRS.split(), "clamp", "reshape", "select_n", "squeeze"], ()),
    "argmax": ("axes",),
    "argmin": ("axes",),
    "broadcast_in_dim": ("broadcast_dimensions",),
    "concatenate": ("dimension",),
    "convert_element_type": ("new_dtype",),
    "dot_general": ("dimension_numbers",),
    "integer_pow": ("y",),
    "iota": ("dimension",),
    "reduce_max": ("axes",),
    "reduce_min": ("axes",),
    "reduce_sum": ("axes",),
    "rev": ("dimensions",),
    "slice": ("start_indices", "strides"),
    "transpose": ("permutation",),
}
"""What jaxpr.js can do, with the parameters that it reads."""

CALLS = {"checkpoint", "closed_call", "custom_jvp_call", "custom_vjp_call", "jit", "pjit", "remat", "remat2"}
NOT_OF_INTEGERS = {"and", "not", "or", "div", "pow", "integer_pow"}  # buffers are float32: these would differ


class Unsupported(NotImplementedError):
    """A function uses what the interpreter in the page lacks."""


def export(fn, *args):
    """The program of `fn` for arguments of these shapes; leaves of `args` are its inputs, in the order of `jax.tree`.

    Args:
        fn: a function of arrays, or of pytrees of them, that `jax.make_jaxpr` can trace.
        *args: examples of its arguments; only their shapes matter.

    Returns:
        Plain values for `json.dumps`. `names` are the paths of the outputs, as `mlpjax.trees.paths` spells them.

    Raises:
        Unsupported: the trace holds a primitive that jaxpr.js does not have.
    """
    with jax.enable_x64(False):
        closed, result = jax.make_jaxpr(fn, return_shape=True)(*jax.tree.map(_single, args))
    writer = _Writer(getattr(fn, "__name__", "the function"))
    inputs = [writer.variable(v) for v in closed.jaxpr.invars]
    writer.inline(closed.jaxpr, closed.consts)
    outputs = [writer.atom(v) for v in closed.jaxpr.outvars]
    return writer.program(inputs, outputs, list(trees.paths(result)))


def single(make):
    """Decorator: compute in JAX's default precision, which is the page's, whatever the process is set to."""

    @functools.wraps(make)
    def made(*args):
        with jax.enable_x64(False):
            return make(*args)

    return made


def encode(tree):
    """The leaves of a pytree of numbers as base64 float32, in the order in which programs take them."""
    return [_base64(leaf) for leaf in jax.tree.leaves(tree)]


def plain(tree, digits=7):
    """The same pytree of lists and numbers, rounded to so many significant digits, for `json.dumps`."""
    return jax.tree.map(lambda leaf: _rounded(np.asarray(leaf, float).tolist(), digits), tree)


class _Writer:
    """Gives every variable a number and collects shapes, constants and equations."""

    def __init__(self, name):
        self.name, self.shapes, self.constants, self.equations = name, [], {}, []
        self.ids, self.interned = {}, {}

    def buffer(self, shape):
        self.shapes.append([int(n) for n in shape])
        return len(self.shapes) - 1

    def variable(self, v):
        self.ids[v] = self.buffer(v.aval.shape)
        return self.ids[v]

    def constant(self, value):
        """The buffer of a constant; equal ones share it."""
        value = np.asarray(value)
        key = (value.shape, value.dtype.kind, value.tobytes())
        if key not in self.interned:
            self.interned[key] = self.buffer(value.shape)
            self.constants[self.interned[key]] = value
        return self.interned[key]

    def atom(self, v):
        return self.constant(v.val) if isinstance(v, core.Literal) else self.ids[v]

    def inline(self, jaxpr, constants):
        """Write the equations of a jaxpr whose inputs have numbers already, calls unfolded."""
        self.ids |= {v: self.constant(c) for v, c in zip(jaxpr.constvars, constants, strict=True)}
        for equation in jaxpr.eqns:
            inputs = [self.atom(v) for v in equation.invars]
            if equation.primitive.name in CALLS:
                self.call(equation, inputs)
            else:
                self.equations.append((equation, inputs, [self.variable(v) for v in equation.outvars]))

    def call(self, equation, inputs):
        body = equation.params.get("jaxpr") or equation.params.get("call_jaxpr")
        inner = getattr(body, "jaxpr", body)
        self.ids |= dict(zip(inner.invars, inputs, strict=True))
        self.inline(inner, getattr(body, "consts", []))
        self.ids |= {v: self.atom(w) for v, w in zip(equation.outvars, inner.outvars, strict=True)}

    def written(self, equation):
        """Name and parameters of one equation, if the interpreter has it."""
        name = equation.primitive.name
        kinds = {np.dtype(v.aval.dtype).kind for v in equation.invars}
        if name not in PRIMITIVES or (name in NOT_OF_INTEGERS and kinds & set("iu")):
            raise Unsupported(
                f"{self.name} uses the primitive {name!r}{' of integers' * (name in PRIMITIVES)}, which "
                f"docs/assets/js/jaxpr.js does not have. Add it there and to PRIMITIVES, or do without it."
            )
        return name, {key: _json(equation.params[key]) for key in PRIMITIVES[name]}

    def program(self, inputs, outputs, names):
        """The program without what no output needs, its buffers numbered anew."""
        needed, live = set(outputs), []
        for equation, ins, outs in reversed(self.equations):
            if needed & set(outs):
                needed.update(ins)
                live.append((*self.written(equation), ins, outs[0]))
        kept = sorted(needed | set(inputs))
        new = {old: i for i, old in enumerate(kept)}
        return {
            "in": [new[i] for i in inputs],
            "out": [new[i] for i in outputs],
            "names": names,
            "shapes": [self.shapes[i] for i in kept],
            "constants": {str(new[i]): _base64(value) for i, value in self.constants.items() if i in new},
            "equations": [[name, [new[i] for i in ins], new[out], extra] for name, extra, ins, out in reversed(live)],
        }


def _single(leaf):
    leaf = jnp.asarray(leaf)
    return leaf.astype(jnp.float32) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf


def _base64(value):
    value = np.asarray(value)
    single = value.astype("<f4")
    if value.dtype.kind in "iu" and not np.array_equal(single.astype(float), value.astype(float)):
        raise Unsupported("a constant holds an integer that no float32 equals; the page computes in float32")
    return base64.b64encode(single.tobytes()).decode()


def _json(value):
    """Parameters of a primitive as plain values; a dtype becomes its kind: `f`, `i` or `b`."""
    if value is None:
        return None
    if isinstance(value, tuple | list):
        return [_json(v) for v in value]
    return int(value) if isinstance(value, int | np.integer) else np.dtype(value).kind.replace("u", "i")


def _rounded(value, digits):
    if isinstance(value, list):
        return [_rounded(v, digits) for v in value]
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None
