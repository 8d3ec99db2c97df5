"""Activations, derivatives, losses and softmax at infinities, NaN, zeros and the ends of every type."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from mlpjax import activations, backprop, losses
from mlpjax.layers import Dense
from tests import oracles
from tests.helpers import FAST_TO_COMPILE
from tests.reliability import _limits
from tests.reliability._limits import INF, NAN
from tests.reliability._ulps import ULP
from tests.reliability.experiments import Claim

TITLE = "Infinities, NaN and the ends of the range"
HOW = (
    "Every activation, its derivative and the autodiff of both at ±∞, NaN, ±0, the least and the largest number; every "
    "loss, `delta` and the autodiff of the loss at infinite logits, NaN and labels out of range; softmax. Compiled and "
    "operation by operation, in four types, against limits by mathematics."
)
SETTINGS = [(dtype, jitted) for jitted in (True, False) for dtype in ("float32", "float64", "bfloat16", "float16")]
FULL, QUICK = len(SETTINGS), len(SETTINGS) // 2
LARGE = [1e4, 1e2, 60.0, 30.0]


def compiled(f, jitted):
    """The function as one program, or as it is: operation by operation."""
    return jax.jit(f, compiler_options=FAST_TO_COMPILE) if jitted else f


def same(got, wanted, dtype, ulp=ULP):
    """Entry by entry: the same infinity, NaN where there is no limit, else close, in ulp of the value or of 1."""
    got, wanted = np.broadcast_arrays(np.float64(got), np.float64(wanted))
    error = oracles.errors(got, oracles.Exact(wanted, np.zeros_like(wanted)), dtype, scale=1.0) <= ulp
    return np.where(np.isfinite(wanted), error, (got == wanted) | (np.isnan(got) & np.isnan(wanted)))


def arguments(dtype):
    """±∞ and NaN; then numbers: ±0, the least, the least normal and the largest one, and where powers overflow."""
    info = ml_dtypes.finfo(dtype)
    numbers = [0.0, *[float(v) for v in (info.smallest_subnormal, info.smallest_normal, info.max)], *LARGE]
    with np.errstate(over="ignore"):
        numbers = [v for v in numbers if v <= float(info.max)]
    return np.array([-INF, INF, NAN, *numbers, *[-v for v in numbers]], np.float64).astype(dtype)


def of_activations(dtype, jitted):
    """Where σ, σ′ or their autodiff is wrong."""
    x = arguments(dtype)
    slopes = [(a.fn, a.prime, jax.vmap(jax.grad(a.fn)), jax.vmap(jax.grad(a.prime))) for a in activations.ALL]
    every = compiled(lambda x: [[f(x) for f in row] for row in slopes], jitted)(jnp.asarray(x))
    for a, (value, prime, auto, twice) in zip(activations.ALL, every, strict=True):
        limits = _limits.ACTIVATIONS[a.name]
        exact = [oracles.exact(f, x[3:]).hi for f in oracles.ACTIVATIONS[a.name]]
        # a subnormal number may be read as 0
        read_as_zero = (np.abs(np.float64(x)) < float(ml_dtypes.finfo(dtype).smallest_normal)) & (dtype != "float16")
        exact[1] = np.where(
            read_as_zero[3:] & (np.float64(prime)[3:] == np.float64(prime)[3]), np.float64(prime)[3:], exact[1]
        )
        yield f"{a}", same(value, np.append(limits[0], exact[0]), dtype), x
        yield f"{a}.prime", same(prime, np.append(limits[1], exact[1]), dtype), x
        # where σ′ has a value, so has the autodiff of σ, and that of σ′ is finite, too
        yield f"jax.grad({a})", np.isnan(np.float64(prime)) | same(auto, prime, dtype, 64), x
        finite = np.isfinite(np.float64(twice))
        yield f"jax.grad({a}.prime)", np.isnan(np.float64(prime)) | finite, x


def of_losses(dtype, jitted):
    """Where value, δ or the autodiff of the value is wrong."""
    for loss in losses.ALL:
        for labels in (True, False):
            rows = [row for row in _limits.LOSSES[loss.name] if isinstance(row[1], int) == labels]
            if rows:
                yield from of_rows(loss, dtype, jitted, rows)


def of_rows(loss, dtype, jitted, rows):
    """The same for rows with targets of one kind."""
    zs, ys, values, deltas = zip(*rows, strict=True)
    both = jax.vmap(lambda z, y: (loss.value(z, y), loss.delta(z, y), jax.grad(loss.value)(z, y)))
    z, y = jnp.asarray(zs, dtype), jnp.asarray(ys, None if isinstance(ys[0], int) else dtype)
    value, delta, auto = map(np.float64, compiled(both, jitted)(z, y))
    at = [f"z = {z}, y = {y}" for z, y in zip(zs, ys, strict=True)]
    yield f"{loss}", same(value, values, dtype), at
    yield f"{loss}.delta", same(delta, deltas, dtype).all(1), at
    # where δ has a value and the loss is finite, so has its autodiff
    unknown = np.isnan(delta) | np.isinf(value)[:, None]
    yield f"jax.grad({loss})", (unknown | same(auto, delta, dtype)).all(1), at


def of_softmax(dtype, jitted):
    """Where probabilities are wrong."""
    z, wanted = zip(*_limits.SOFTMAX, strict=True)
    p = compiled(jax.vmap(activations.softmax), jitted)(jnp.asarray(z, dtype))
    yield "softmax", same(p, wanted, dtype).all(1), z


def hidden_nan(dtype, jitted):
    """Whether a NaN in one input reaches the loss and every gradient, behind a unit of each activation; in float32."""
    if dtype != "float32":
        return
    ones = lambda *shape: jnp.ones(shape, dtype)
    params, x = (Dense(ones(2, 2), ones(2)), Dense(ones(1, 2), ones(1))), jnp.asarray([[1.0, NAN]], dtype)
    step = lambda params, a: backprop.value_and_grad(
        params, x, ones(1, 1), activation=a, loss=losses.half_squared_error
    )
    every = compiled(lambda params: [step(params, a) for a in activations.ALL], jitted)(params)
    for a, leaves in zip(activations.ALL, every, strict=True):
        seen = [np.isnan(np.float64(leaf)).all() for leaf in jax.tree.leaves(leaves)]
        yield f"backprop through {a}", np.array([all(seen)]), ["NaN"]


PARTS = {
    "activations": of_activations, "losses": of_losses, "softmax": of_softmax, "NaN in backprop": hidden_nan,
}  # fmt: skip


def measure(count, seed):
    """How many values were checked, and those that are wrong."""
    found = {part: {"checked": 0, "wrong": []} for part in PARTS}
    with jax.enable_x64(True):
        for dtype, jitted in SETTINGS[:count]:
            for part, fn in PARTS.items():
                for name, right, at in fn(dtype, jitted):
                    found[part]["checked"] += len(right)
                    wrong = [str(at[k]) for k in np.flatnonzero(~right)]
                    found[part]["wrong"] += [f"{name} at {w}, {dtype}, {'jit' if jitted else 'eager'}" for w in wrong]
    return {part: row | {"wrong": len(row["wrong"]), "which": row["wrong"][:40]} for part, row in found.items()}


def claims(found):
    """Nothing is wrong."""
    expected = {
        "activations": "σ and σ′ have their limits at ±∞ and pass NaN on; autodiff has a value wherever σ′ has one",
        "losses": "loss and `delta` have their limits, or NaN where there is none or a label is out of range",
        "softmax": "a logit of −∞ has probability 0; NaN, one of +∞ or −∞ alone give NaN",
        "NaN in backprop": "a NaN among the inputs makes the loss and the gradients NaN, for every activation",
    }
    said = lambda row: f"{row['wrong']} of {row['checked']:,} wrong" + (f": {row['which'][0]}" if row["wrong"] else "")
    return [Claim(text, said(found[part]), found[part]["wrong"] == 0) for part, text in expected.items()]
