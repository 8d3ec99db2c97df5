"""Networks as NumPy arrays in float64: what lines and planes share."""

from collections.abc import Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import _check
from mlpjax._types import Any, ArrayLike
from mlpjax.activations import Activation
from mlpjax.layers import Dense
from mlpjax.mlp import per_layer

ROUNDING = 64 * np.finfo(np.float64).eps
"""A sum within this share of the sum of the absolute values of its terms counts as zero."""

Layers = list[tuple[np.ndarray, np.ndarray]]
Slopes = list[tuple[float, float]]


def network(params: tuple[Dense, ...]) -> Layers:
    """The layers as pairs `(W, b)` of float64, checked."""
    if not _check.concrete(params):
        raise ValueError(
            "`params` must be known, not traced: how many regions there are depends on their values, which no "
            "shape under `jit`, `vmap` or `grad` can do. Call this outside."
        )
    layers = [(np.asarray(layer.W, np.float64), np.asarray(layer.b, np.float64)) for layer in params]
    shapes = [W.shape for W, _ in layers]
    if not layers or any(first[0] != second[1] for first, second in pairwise(shapes)):
        raise ValueError(
            f"`params` must be layers that fit together, (out, in) after (out, in); got {shapes}. `mlp.init` does so."
        )
    _check.finite("params", params)
    return layers


def slopes(activation: Activation | Sequence[Activation], hidden: int) -> Slopes:
    """The slopes `(down, up)` of each hidden layer's activation, left and right of its kink at 0."""
    return [_slopes(sigma) for sigma in per_layer(activation, hidden=hidden)]


def _slopes(sigma: Activation) -> tuple[float, float]:
    probes = np.array([-1e3, -1.0, -1e-3, 0.0, 1e-3, 1.0, 1e3])
    with jax.ensure_compile_time_eval():
        values = np.asarray(jax.jit(sigma)(jnp.asarray(probes, float)), np.float64)
    down, up = -values[1], values[5]
    if not np.allclose(values, np.where(probes > 0, up, down) * probes, rtol=1e-5, atol=0):
        raise ValueError(
            f"`activation` must be linear on both sides of 0, with σ(0) = 0, as `relu` and `leaky_relu` are; "
            f"got {sigma}. Other networks have no linear regions, or none that this finds."
        )
    return float(down), float(up)


def vector(argument: str, value: ArrayLike | Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    """An array of float64 with a given shape."""
    if not _check.concrete(value):
        raise ValueError(f"`{argument}` must be known, not traced: regions are counted on the host. Call this outside.")
    found = np.asarray(value, np.float64)
    if found.shape != shape or not np.isfinite(found).all():
        raise ValueError(
            f"`{argument}` must be finite numbers of shape {shape}; got shape {found.shape}: {found}. Is an entry "
            f"missing, or NaN?"
        )
    return found


def bends(z: np.ndarray, slope: tuple[float, float]) -> np.ndarray:
    """σ(z), where σ has slope `slope[0]` left of 0 and `slope[1]` right of it."""
    return np.where(z > 0, slope[1], slope[0]) * z


def linear(layers: Layers, slopes: Slopes, pattern: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Derivatives of the outputs along some directions, for each pattern.

    Args:
        layers: from `network`.
        slopes: from the function of that name.
        pattern: which hidden units are active, shape `(k, units)`.
        directions: shape `(r, in)`.

    Returns:
        Shape `(k, r, out)`.
    """
    units = np.cumsum([len(b) for _, b in layers[:-1]])
    D = directions[None]  # the first layer's products are those of all patterns
    for (W, _), slope, active in zip(layers, slopes, np.split(pattern, units, axis=1), strict=False):
        D = (D.reshape(-1, W.shape[1]) @ W.T).reshape(*D.shape[:2], -1)
        D = D * np.where(active, slope[1], slope[0])[:, None]
    D = (D.reshape(-1, D.shape[-1]) @ layers[-1][0].T).reshape(*D.shape[:2], -1)
    return np.broadcast_to(D, (len(pattern), *D.shape[1:]))
