"""What activations and losses are at ±∞ and NaN, by mathematics."""

import math

NAN, INF = math.nan, math.inf

ACTIVATIONS = {  # σ at −∞, ∞, NaN; σ′ at −∞, ∞, NaN
    "identity": ([-INF, INF, NAN], [1, 1, 1]),
    "sigmoid": ([0, 1, NAN], [0, 0, NAN]),
    "tanh": ([-1, 1, NAN], [0, 0, NAN]),
    "relu": ([0, INF, NAN], [0, 1, 0]),
    "leaky_relu": ([-INF, INF, NAN], [0.01, 1, 0.01]),
    "elu": ([-1, INF, NAN], [0, 1, NAN]),
    "gelu": ([0, INF, NAN], [0, 1, NAN]),
    "gelu_tanh": ([0, INF, NAN], [0, 1, NAN]),
    "softplus": ([0, INF, NAN], [0, 1, NAN]),
    "silu": ([0, INF, NAN], [0, 1, NAN]),
    "hard_tanh": ([-1, 1, NAN], [0, 0, 1]),
    "hard_sigmoid": ([0, 1, NAN], [0, 0, 1 / 6]),
    "hard_silu": ([0, INF, NAN], [0, 1, NAN]),
}
"""Every σ has its limits at ±∞ and passes NaN on; σ′ of a piecewise constant slope does not see a NaN."""

LOSSES = {  # (z, y): C, δ; an integer y is a label
    "half_squared_error": [
        ([INF], [0], INF, [INF]), ([-INF], [0], INF, [-INF]), ([NAN], [0], NAN, [NAN]), ([1], [INF], INF, [-INF]),
        ([INF], [INF], NAN, [NAN]), ([0], [NAN], NAN, [NAN]),
    ],
    "squared_error": [
        ([INF], [0], INF, [INF]), ([-INF], [0], INF, [-INF]), ([NAN], [0], NAN, [NAN]), ([INF], [INF], NAN, [NAN]),
        ([0], [NAN], NAN, [NAN]),
    ],
    "sigmoid_squared_error": [
        ([INF], [1], 0, [0]), ([INF], [0], 0.5, [0]), ([-INF], [1], 0.5, [0]), ([-INF], [0], 0, [0]),
        ([NAN], [0], NAN, [NAN]), ([0], [NAN], NAN, [NAN]),
    ],
    "binary_cross_entropy": [
        ([INF], [1], 0, [0]), ([INF], [0], INF, [1]), ([-INF], [1], INF, [-1]), ([-INF], [0], 0, [0]),
        ([INF], [0.5], INF, [0.5]), ([NAN], [0], NAN, [NAN]), ([NAN], [1], NAN, [NAN]), ([0], [NAN], NAN, [NAN]),
    ],
    "softmax_cross_entropy": [
        ([-INF, 0], [0, 1], 0, [0, 0]), ([-INF, 0], [1, 0], INF, [-1, 1]), ([-INF, 0], [0.5, 0.5], INF, [-0.5, 0.5]),
        ([-INF, 0], 1, 0, [0, 0]), ([-INF, 0], 0, INF, [-1, 1]), ([0, 0], -1, NAN, [NAN] * 2),
        ([0, 0], 2, NAN, [NAN] * 2), ([0, 0], -2, NAN, [NAN] * 2), ([INF, 0], [1, 0], NAN, [NAN] * 2),
        ([INF, 0], [0, 1], NAN, [NAN] * 2), ([INF, INF], [1, 0], NAN, [NAN] * 2), ([NAN, 0], [1, 0], NAN, [NAN] * 2),
        ([NAN, 0], [0, 1], NAN, [NAN] * 2), ([NAN, 0], 1, NAN, [NAN] * 2), ([-INF, -INF], [1, 0], NAN, [NAN] * 2),
        ([0, 0], [NAN, 1], NAN, [NAN] * 2), ([0, 0], [0, 0], 0, [0, 0]),
    ],
    "smoothed_cross_entropy(0.1)": [
        ([-INF, 0], [0, 1], INF, [-0.05, 0.05]), ([-INF, 0], 1, INF, [-0.05, 0.05]), ([0, 0], 2, NAN, [NAN] * 2),
        ([INF, 0], [1, 0], NAN, [NAN] * 2), ([NAN, 0], [1, 0], NAN, [NAN] * 2),
    ],
}  # fmt: skip
"""Limits at infinite logits. One of +∞ gives NaN under softmax, where two would have no limit: it shows."""

SOFTMAX = [  # logits, probabilities
    ([0, -INF], [1, 0]), ([-INF, -INF], [NAN] * 2), ([INF, 0], [NAN] * 2), ([INF, INF], [NAN] * 2),
    ([NAN, 0], [NAN] * 2), ([INF, -INF], [NAN] * 2),
]  # fmt: skip
