"""Activations, derivatives and losses against 50 digits, in ulp; and in both half precisions at every number."""

import functools

import jax
import jax.numpy as jnp
import ml_dtypes
import mpmath
import numpy as np

from mlpjax import activations, losses
from tests import oracles
from tests.helpers import OPTIMIZED
from tests.reliability._ulps import ABSOLUTE, FLUSHED, LOOSE, LOSS_SCALE, ULP, examples, normal, points
from tests.reliability.experiments import Claim

TITLE = "Activations and losses against 50 digits"
HOW = (
    "Every activation, its derivative, and value, `delta` and `output` of every loss, compiled as users compile them, "
    "against mpmath: at random magnitudes over the whole range of the type, and close to kinks, roots and where "
    "exponentials leave the range. In `bfloat16` and `float16` at every finite number, against the same functions in "
    "`float64`."
)
FULL, QUICK = 10_000, 400
WIDE, HALF = ("float32", "float64"), ("bfloat16", "float16")
OPTIMALLY = functools.partial(jax.jit, compiler_options=OPTIMIZED)


def largest(errors, x, *, where=None):
    """The largest error, and where it is."""
    errors = errors if where is None else np.where(where, errors, 0.0)
    k = int(np.argmax(errors))
    return {"ulp": float(errors.flat[k]), "at": np.float64(x).reshape(len(errors), -1)[k].tolist()}


def of_activation(activation, dtype, count, seed, *, compiled=OPTIMALLY):
    """Errors of σ and σ′: within their own ulp, and where the table says so, in ulp of a supremum."""
    x = points(dtype, count, seed)
    both = compiled(lambda x: (activation.fn(x), activation.prime(x)))
    small, at_zero = np.abs(np.float64(x)) < float(jnp.finfo(dtype).smallest_normal), both(jnp.zeros((), dtype))
    for k, part in enumerate(("fn", "prime")):
        got = np.float64(both(jnp.asarray(x))[k])
        truth = oracles.exact(oracles.ACTIVATIONS[activation.name][k], x)
        where, supremum, *_ = ABSOLUTE.get((activation.name, part), (lambda x: x != x, 0.0))
        tail, floor = where(np.float64(x)), FLUSHED.get(activation.name, {}).get(dtype, 1.0)
        read_as_zero = small & (got == np.float64(at_zero[k]))
        own = np.where(read_as_zero, 0.0, oracles.errors(got, truth, dtype, floor=floor))
        yield f"{activation.name} {part}", largest(own, x, where=~tail)
        if tail.any():
            scaled = oracles.errors(got, truth, dtype, scale=supremum, floor=floor)
            yield f"{activation.name} {part} tail", largest(scaled, x, where=tail) | {"own": float(own[tail].max())}


def of_loss(loss, dtype, count, seed):
    """Errors of value and δ."""
    z, y = examples(loss, dtype, count, seed)
    both = OPTIMALLY(jax.vmap(lambda z, y: (loss.value(z, y), loss.delta(z, y))))
    truths = oracles.loss(loss.name, z, y)
    # the square is halved after it is taken: it may overflow where its half would not
    square = np.abs(truths[0].hi) > float(jnp.finfo(dtype).max) / 2
    for part, got, truth in zip(("value", "delta"), both(jnp.asarray(z), jnp.asarray(y)), truths, strict=True):
        scale = LOSS_SCALE.get((loss.name, part), (0.0,))[0]
        # a subnormal z − y may be flushed to 0 before it is doubled
        error = oracles.errors(got, truth, dtype, scale=scale, floor=2.0)
        error = np.where(square & np.isposinf(got), 0.0, error) if part == "value" else error
        yield f"{loss.name} {part}", largest(error.reshape(count, -1).max(1), np.concatenate([z, y], 1))


def of_softmax(dtype, count, seed):
    """Errors of the probabilities, in ulp of 1."""
    z, _ = examples(losses.softmax_cross_entropy, dtype, count, seed)
    with mpmath.workdps(oracles.DIGITS):
        truth = oracles.split([oracles.softmax([*map(mpmath.mpf, row)]) for row in np.float64(z).tolist()])
    got = OPTIMALLY(jax.vmap(activations.softmax))(jnp.asarray(z))
    scale = LOSS_SCALE["softmax", "output"][0]
    yield "softmax output", largest(oracles.errors(got, truth, dtype, scale=scale).max(1), z)


def in_half(dtype):
    """At every finite number: largest errors, in ulp of the exact value or of 1 if that is larger."""
    x = np.arange(2**16, dtype=np.uint16).view(ml_dtypes.bfloat16 if dtype == "bfloat16" else np.float16)
    x = x[np.isfinite(x.astype(np.float32))]
    x = normal(x, dtype) if dtype == "bfloat16" else x  # its subnormals may be read as 0, as those of float32

    @OPTIMALLY
    def every(x):
        return [(a.fn(x), a.prime(x)) for a in activations.ALL]

    for a, got, truth in zip(activations.ALL, every(jnp.asarray(x)), every(jnp.asarray(np.float64(x))), strict=True):
        for part, g, t in zip(("fn", "prime"), got, truth, strict=True):
            assert g.dtype == dtype
            t = np.float64(t)
            error = oracles.errors(g, oracles.Exact(t, np.zeros_like(t)), dtype, scale=1.0, floor=0.0)
            yield f"{a.name} {part}", largest(error, x)


def measure(count, seed):
    """The largest error of every function in every type."""
    found = {"points": count}
    with jax.enable_x64(True):
        for dtype in WIDE:
            rows = [row for a in activations.ALL for row in of_activation(a, dtype, count, seed)]
            rows += [row for loss in losses.ALL for row in of_loss(loss, dtype, count, seed)]
            found[dtype] = dict(rows + list(of_softmax(dtype, count, seed)))
        for dtype in HALF:
            found[dtype] = dict(in_half(dtype))
    return found


def allowed(dtype, name):
    """The bound, in ulp."""
    return LOOSE.get((dtype, *name.removesuffix(" tail").rsplit(" ", 1)), ULP)


def plain(found, dtype):
    """The functions that are held to the ulp of their results."""
    others = {f"{name} {part}" for name, part in LOSS_SCALE} | {" ".join(key[1:]) for key in LOOSE if key[0] == dtype}
    return {n: row for n, row in found[dtype].items() if not n.endswith(" tail") and n not in others}


def worst(rows):
    """The largest error of some rows, and whose it is."""
    name = max(rows, key=lambda name: rows[name]["ulp"])
    return f"at most {rows[name]['ulp']:.2g} (`{called(name)}`)"


def called(name):
    """A function as one calls it."""
    return name.removesuffix(" tail").replace(" fn", "").replace(" ", ".")


def in_both(found, names, bound):
    """A claim on some functions in both precisions, each with its own bound."""
    kept = all(found[dtype][name]["ulp"] <= allowed(dtype, name) for dtype in WIDE for name in names)
    largest = {dtype: max(found[dtype][name]["ulp"] for name in names) for dtype in WIDE}
    return Claim(bound, ", ".join(f"{ulp:.2g} in `{dtype}`" for dtype, ulp in largest.items()), kept)


def claims(found):
    """4 ulp, but for what is named."""
    rows = []
    for dtype in WIDE:
        exact = (
            f"`{dtype}`: {len(plain(found, dtype))} functions within {ULP} ulp of the result, but for the rows below"
        )
        kept = all(row["ulp"] <= ULP for row in plain(found, dtype).values())
        rows.append(Claim(f"{exact}, at {found['points']:,} points each", worst(plain(found, dtype)), kept))
    loose = {" ".join(key[1:]): limit for key, limit in LOOSE.items()}
    said = ", ".join(f"{found['float64'][name]['ulp']:.2g}" for name in loose)
    kept = all(found["float64"][name]["ulp"] <= limit for name, limit in loose.items())
    rows.append(Claim("`tanh` in `float64`, which is XLA's: 8 ulp; `tanh.prime` for |x| ≤ 1/2: 16", said, kept))
    for (name, part), (_, supremum, where, why) in ABSOLUTE.items():
        tail = f"{name} {part} tail"
        looser = f", {allowed('float64', tail)} in `float64`" if allowed("float64", tail) > ULP else ""
        rows.append(in_both(found, [tail], f"{where}: {ULP} ulp of {supremum:g}{looser} ({why})"))
    for scale, why in dict.fromkeys(LOSS_SCALE.values()):
        names = [f"{name} {part}" for (name, part), value in LOSS_SCALE.items() if value == (scale, why)]
        said = " and ".join(f"`{called(name)}`" for name in names)
        rows.append(in_both(found, names, f"{said}: {ULP} ulp of the result or of {scale:g} ({why})"))
    for dtype in HALF:
        exact = f"`{dtype}`: every σ and σ′ within {ULP} ulp of the result or of 1, at every finite number"
        rows.append(Claim(exact, worst(found[dtype]), all(row["ulp"] <= ULP for row in found[dtype].values())))
    return rows
