"""Where activations and losses are compared with mpmath, and where 4 ulp of the result is not what they keep."""

import ml_dtypes
import numpy as np

from mlpjax import activations

ULP = 4

# Where an error is not within 4 ulp of the result, but within 4 ulp of a supremum: where, the supremum there, and why.
ABSOLUTE = {
    ("tanh", "prime"): (lambda x: abs(x) > 0.5, 1.0, "`tanh.prime` for |x| > 1/2", "1 − tanh² cancels"),
    ("gelu", "fn"): (lambda x: x < -1, 0.49, "`gelu` for x < −1", "the gate Φ, at most ½ there, has the error of erfc"),
    ("gelu", "prime"): (lambda x: x < -0.4, 1.13, "`gelu.prime` for x < −0.4", "the tail of Φ, and the root at −0.752"),
    ("gelu_tanh", "fn"): (lambda x: x < -1, 0.17, "`gelu_tanh` for x < −1", "e^u magnifies the rounding of u by u"),
    ("gelu_tanh", "prime"): (
        lambda x: x < -0.4,
        1.13,
        "`gelu_tanh.prime` for x < −0.4",
        "the same, and the root at −0.752",
    ),
    ("silu", "prime"): (lambda x: (-2 < x) & (x < -1), 1.1, "`silu.prime` for −2 < x < −1", "the root at −1.278"),
}
# The same for losses, at all arguments
LOSS_SCALE = {
    ("sigmoid_squared_error", "value"): (0.49, "a − y cancels where the unit is right; at most ½"),
    ("sigmoid_squared_error", "delta"): (0.148, "the same; at most 4/27"),
    ("binary_cross_entropy", "delta"): (1.0, "a − y cancels"),
    ("softmax_cross_entropy", "value"): (1.0, "log(1 + small) where the largest logit is the target"),
    ("smoothed_cross_entropy(0.1)", "value"): (1.0, "log(1 + small) where the largest logit is the target"),
    ("softmax_cross_entropy", "delta"): (1.0, "p − y cancels, and e^(z − max) magnifies by |z − max|"),
    ("smoothed_cross_entropy(0.1)", "delta"): (1.0, "p − y cancels, and e^(z − max) magnifies by |z − max|"),
    ("softmax", "output"): (1.0, "e^(z − max) magnifies the rounding of z − max by |z − max|"),
}
# XLA on CPUs flushes numbers below the smallest normal one to 0, inputs and intermediate results too: what is that
# small may be 0. SiLU multiplies such a number by x ≈ −88 (float32) or −709 (float64), and so may lose more.
FLUSHED = {"silu": {"float32": 100.0, "float64": 800.0}}
# Functions of XLA that are not exact to 4 ulp themselves: tanh in float64 is off by 7 near ±19, and tanh′ doubles that
LOOSE = {("float64", "tanh", "fn"): 8, ("float64", "tanh", "prime"): 16}

# Kinks, roots, extrema, where XLA changes from one formula to another, and where exponentials leave the range
CENTERS = [0.5, 1, 1.5, 3, 6, -0.7518, -1.2785, -1.5, 1.4142, 4e-4, 7.905, 9, 19, 20, 40, 0.3466, 0.6931]
CENTERS += [16.6, 36.7, 87.34, 88.72, 103.97, 708.4, 709.78, 745.13]


def points(dtype, count, seed):
    """`count` numbers over all magnitudes of the dtype, in |x| ≤ 20 and the range of exponentials, and near centers."""
    rng, dtype, info = np.random.default_rng(seed), np.dtype(dtype), ml_dtypes.finfo(dtype)
    each = count // 4 + 1
    signs = lambda n: rng.choice([-1, 1], n)
    lowest, highest = np.log2(np.float64(info.smallest_subnormal)), np.log2(np.float64(info.max))
    wide = signs(each) * np.exp2(rng.uniform(lowest, highest, each))
    reach = np.where(rng.random(each) < 0.7, 20.0, 1.2 * np.log(np.float64(info.max)))
    near = signs(2 * each) * rng.choice(CENTERS, 2 * each)
    near *= 1 + signs(2 * each) * np.exp2(rng.uniform(np.log2(np.float64(info.eps)), -2, 2 * each))
    edges = [0.0, *[s * float(v) for s in (-1, 1) for v in (info.smallest_subnormal, info.smallest_normal, info.max)]]
    drawn = np.concatenate([edges, wide, reach * rng.uniform(-1, 1, each), near])[:count]
    return drawn.astype(dtype)


def normal(x, dtype):
    """Subnormal numbers may be read as 0: give 0."""
    return np.where(np.abs(np.float64(x)) < float(ml_dtypes.finfo(dtype).smallest_normal), 0, x).astype(dtype)


def examples(loss, dtype, count, seed):
    """Logits over the whole range with targets that are hard, soft, far and near; 3 outputs if classes, else 1."""
    rng, x = np.random.default_rng([seed, 1]), points(dtype, count, seed)
    if loss.classifies:
        z = np.stack([x, rng.permutation(x), rng.uniform(-20, 20, count).astype(dtype)], 1)
        moderate = rng.random(count) < 0.5
        z[moderate] = rng.uniform(-30, 30, (moderate.sum(), 3)).astype(dtype)
        soft = rng.dirichlet(np.ones(3), count).astype(dtype)
        y = np.where(rng.random((count, 1)) < 0.7, np.eye(3, dtype=dtype)[rng.integers(0, 3, count)], soft)
    elif loss.output == activations.sigmoid:
        z, y = x[:, None], rng.choice([0.0, 1.0, 1e-6, 1 - 1e-6, *rng.uniform(size=50)], (count, 1)).astype(dtype)
    else:
        near = x[:, None] * (1 - rng.choice([0, 1e-7, 1e-3, 0.5], (count, 1)).astype(dtype))
        z, y = x[:, None], np.where(rng.random((count, 1)) < 0.5, near, rng.permutation(x)[:, None]).astype(dtype)
    return normal(z, dtype), normal(y, dtype)
