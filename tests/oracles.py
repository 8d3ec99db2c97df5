"""Independent truth: mpmath with 50 digits, points over a whole floating-point range, and errors in ulp.

A value of mpmath is kept as `hi + lo`, two float64 whose sum carries about 32 digits, so that errors of a float64
result can be measured as well.
"""

import functools
from typing import NamedTuple

import jax.numpy as jnp
import ml_dtypes
import mpmath
import numpy as np

DIGITS = 50
ORACLE = "mpmath, 50 digits"
KINKS = (0.0, 1.0, 3.0)


class Exact(NamedTuple):
    """Exact values, as a sum of two float64."""

    hi: np.ndarray
    lo: np.ndarray


def split(values) -> Exact:
    """Numbers of mpmath, or lists of them, as pairs of float64."""
    values = np.array(values, dtype=object)
    rest = lambda v, h: float(v - h) if np.isfinite(h) else 0.0
    with np.errstate(all="ignore"):
        hi = np.vectorize(float, otypes=[np.float64])(values)
        return Exact(hi, np.vectorize(rest, otypes=[np.float64])(values, hi))


def exact(f, x: np.ndarray) -> Exact:
    """f of mpmath, point by point, at 50 digits."""
    with mpmath.workdps(DIGITS):
        return split([f(mpmath.mpf(v)) for v in np.float64(x).tolist()])


@functools.cache
def points(dtype: str, log: int, linear: int) -> np.ndarray:
    """The whole range of a dtype: `log` magnitudes of both signs from the least subnormal to the largest number,
    `linear` points in |x| ≤ 20 and as many where exponentials leave the range, kinks and their neighbours."""
    dtype, info = np.dtype(dtype), ml_dtypes.finfo(dtype)
    rng = np.random.default_rng(0)
    lowest, highest = np.log2(np.float64(info.smallest_subnormal)), np.log2(np.float64(info.max))
    magnitudes = np.exp2(np.linspace(lowest, highest, log) - 1e-9).astype(dtype)
    tail = 1.2 * np.log(np.float64(info.max))
    special = np.array(
        [0.0, info.smallest_subnormal, info.smallest_normal, info.max, *KINKS, 0.5, 1.5, 6.0, 20.0], dtype
    )
    with np.errstate(all="ignore"):
        special = np.concatenate([special, np.nextafter(special, dtype.type(9)), np.nextafter(special, dtype.type(-9))])
    positive = np.concatenate([magnitudes, special])
    every = [
        positive,
        -positive,
        rng.uniform(-20, 20, linear).astype(dtype),
        rng.uniform(-tail, tail, linear).astype(dtype),
    ]
    found = np.unique(np.concatenate(every))
    return found[np.isfinite(found.astype(np.float64))]


def ulp(x, dtype) -> np.ndarray:
    """The spacing of the numbers of `dtype` at x, in float64; below the smallest normal number, the spacing there."""
    info = jnp.finfo(dtype)
    magnitude = np.clip(np.abs(np.float64(x)), float(info.smallest_normal), float(info.max))
    return np.exp2(np.frexp(magnitude)[1] - 1.0) * float(info.eps)


def errors(got, truth: Exact, dtype, *, scale=0.0, floor=1.0) -> np.ndarray:
    """Errors in ulp of the exact value, or of `scale` where that is larger.

    What underflows may be flushed to 0, as XLA does on CPUs: where the exact value is below `floor` times the smallest
    normal number, anything as small counts as right. What overflows must be infinite, of the right sign.
    """
    info = jnp.finfo(dtype)
    tiny, largest = floor * float(info.smallest_normal), float(info.max)
    got = np.asarray(got).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs((got - truth.hi) - truth.lo)
        result = difference / ulp(np.maximum(np.abs(truth.hi), scale), dtype)
    small = np.abs(truth.hi) < tiny
    result = np.where(small & (np.abs(got) <= tiny), 0.0, result)
    over = np.abs(truth.hi) > largest * (1 - float(info.eps))
    result = np.where(over & (np.sign(got) == np.sign(truth.hi)) & (np.abs(got) >= largest), 0.0, result)
    return np.where(np.isnan(result), np.inf, result)


def _sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def _cdf(x):
    if abs(x) > 1e6:  # 0 or 1 to more digits than any dtype has, and beyond what `erfc` takes
        return mpmath.mpf(x > 0)
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def _density(x):
    return mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


def _inner(x):
    # the paper's 0.044715 is a decimal number, not its float64
    return mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)


def _inner_prime(x):
    return mpmath.sqrt(2 / mpmath.pi) * (1 + 3 * mpmath.mpf("0.044715") * x**2)


def _gelu_tanh_prime(x):
    t = _inner(x)
    return _sigmoid(2 * t) + x / 2 * mpmath.sech(t) ** 2 * _inner_prime(x)


def _alpha(value):
    # the parameter is the float64 that the user gave
    return mpmath.mpf(value)


def _one(x):
    return mpmath.mpf(1)


def _step(x, low, high):
    return mpmath.mpf(low < x < high)


def _hard_sigmoid(x):
    return min(mpmath.mpf(1), max(mpmath.mpf(0), (x + 3) / 6))


def _hard_silu_prime(x):
    return mpmath.mpf(0) if x <= -3 else _one(x) if x >= 3 else (2 * x + 3) / 6


ACTIVATIONS = {
    "identity": (lambda x: x, _one),
    "sigmoid": (_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "tanh": (mpmath.tanh, lambda x: mpmath.sech(x) ** 2),
    "relu": (lambda x: max(x, mpmath.mpf(0)), lambda x: mpmath.mpf(x > 0)),
    "leaky_relu": (lambda x: max(x, _alpha(0.01) * x), lambda x: _one(x) if x > 0 else _alpha(0.01)),
    "elu": (lambda x: x if x > 0 else mpmath.expm1(x), lambda x: _one(x) if x > 0 else mpmath.exp(x)),
    "gelu": (lambda x: x * _cdf(x), lambda x: _cdf(x) + x * _density(x)),
    "gelu_tanh": (lambda x: x * _sigmoid(2 * _inner(x)), _gelu_tanh_prime),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)) if x < 0 else x + mpmath.log1p(mpmath.exp(-x)), _sigmoid),
    "silu": (lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x))),
    "hard_tanh": (lambda x: min(mpmath.mpf(1), max(mpmath.mpf(-1), x)), lambda x: _step(x, -1, 1)),
    "hard_sigmoid": (_hard_sigmoid, lambda x: _step(x, -3, 3) / 6),
    "hard_silu": (lambda x: x * _hard_sigmoid(x), _hard_silu_prime),
}
"""`(σ, σ′)` of every activation, written independently of the package."""


@functools.cache
def activation(name: str, dtype: str, log: int, linear: int) -> tuple[Exact, Exact]:
    """σ and σ′ at `points(dtype, log, linear)`."""
    x = points(dtype, log, linear)
    fn, prime = ACTIVATIONS[name]
    return exact(fn, x), exact(prime, x)


def softmax(z):
    """Probabilities, as numbers of mpmath."""
    e = [mpmath.exp(v - max(z)) for v in z]
    return [v / mpmath.fsum(e) for v in e]


def cross_entropy(z, y):
    """−Σ yⱼ log pⱼ by log-sum-exp, written for logits of any size."""
    total = max(z) + mpmath.log(mpmath.fsum(mpmath.exp(v - max(z)) for v in z))
    return mpmath.fsum(t * (total - v) for t, v in zip(y, z, strict=True) if t)


def _softplus(x):
    return ACTIVATIONS["softplus"][0](x)


def _binary(z, y):
    return mpmath.fsum(t * _softplus(-v) + (1 - t) * _softplus(v) for t, v in zip(y, z, strict=True))


def _squares(a, y):
    return mpmath.fsum((v - t) ** 2 for v, t in zip(a, y, strict=True))


def _differences(a, y):
    return [v - t for v, t in zip(a, y, strict=True)]


def _sigmoids(z):
    return [_sigmoid(v) for v in z]


def smoothed(y, smoothing):
    """(1 − ε) y + ε/K, with the float64 ε that the user gave."""
    return [(1 - mpmath.mpf(smoothing)) * t + mpmath.mpf(smoothing) / len(y) for t in y]


LOSSES = {
    "half_squared_error": (lambda z, y: _squares(z, y) / 2, _differences),
    "squared_error": (_squares, lambda z, y: [2 * d for d in _differences(z, y)]),
    "sigmoid_squared_error": (
        lambda z, y: _squares(_sigmoids(z), y) / 2,
        lambda z, y: [(_sigmoid(v) - t) * _sigmoid(v) * _sigmoid(-v) for v, t in zip(z, y, strict=True)],
    ),
    "binary_cross_entropy": (_binary, lambda z, y: _differences(_sigmoids(z), y)),
    "softmax_cross_entropy": (cross_entropy, lambda z, y: _differences(softmax(z), y)),
    "smoothed_cross_entropy(0.1)": (
        lambda z, y: cross_entropy(z, smoothed(y, 0.1)),
        lambda z, y: _differences(softmax(z), smoothed(y, 0.1)),
    ),
}
"""`(C, δ)` of every loss, of lists of numbers of mpmath."""


def loss(name: str, z: np.ndarray, y: np.ndarray) -> tuple[Exact, Exact]:
    """C and δ of every row."""
    value, delta = LOSSES[name]
    rows = list(zip(np.float64(z).tolist(), np.float64(y).tolist(), strict=True))
    with mpmath.workdps(DIGITS):
        rows = [([*map(mpmath.mpf, z)], [*map(mpmath.mpf, y)]) for z, y in rows]
        return split([value(z, y) for z, y in rows]), split([delta(z, y) for z, y in rows])
