"""A network along a line: every breakpoint, exactly."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from mlpjax._types import Any, ArrayLike
from mlpjax.activations import Activation, relu
from mlpjax.layers import Dense
from mlpjax.theory.regions import _host


class Pieces(NamedTuple):
    r"""A network along a line $x(t) = x_0 + t\,u$, piece by piece, from left to right.

    The pieces are those of the *activation pattern*: at each inner end some hidden unit changes its state. The function
    itself may well go straight on there. Where it bends, `bends` is true, so `len(slopes)` counts the pieces of the
    pattern and `1 + bends.sum()` the longest pieces on which the function is affine.

    Attributes:
        ends: where the pieces begin and end, increasing; the first and the last may be infinite.
        values: the outputs at the left end of each piece; at its right end if the left is −∞; at t = 0 if both are.
        slopes: derivative of the outputs in t on each piece.
        pattern: which hidden units are active, all layers side by side: whether z > 0 inside of the piece.
        bends: for each inner end whether some output has another slope behind it.
    """

    ends: Float[np.ndarray, " pieces+1"]
    values: Float[np.ndarray, "pieces out"]
    slopes: Float[np.ndarray, "pieces out"]
    pattern: Bool[np.ndarray, "pieces units"]
    bends: Bool[np.ndarray, " pieces-1"]


def pieces(
    params: tuple[Dense, ...],
    start: ArrayLike | Sequence[Any],
    direction: ArrayLike | Sequence[Any],
    *,
    low: float = -np.inf,
    high: float = np.inf,
    activation: Activation | Sequence[Activation] = relu,
) -> Pieces:
    r"""Every piece of a network along $x(t) = x_0 + t\,u$ (DEP2).

    Layer by layer. On a piece of what the layers before have cut, every pre-activation of the next layer is affine in
    t, so its values at the two ends tell all: if they have opposite signs, it vanishes once in between, at

    $$t = \frac{z_r\,t_l - z_l\,t_r}{z_r - z_l} .$$

    These zeros cut the piece. Ends at ±∞ need no case of their own: a rectified unit satisfies
    $\sigma(qz) = q\,\sigma(z)$ for $q \ge 0$, so the network can be evaluated at $(p, q)$, which stands for
    $t = p/q$, by $z = Wa + qb$; the ends of the line are $(\pm 1, 0)$.

    On the host, in NumPy and float64, not under `jit`: the shape of the answer depends on the values of the parameters.
    A pre-activation counts as zero if it is within rounding of it: 64 eps times the sum of the absolute values of its
    terms. Breakpoints that are not farther apart than that are one. So zero weights, dead units and units that vanish
    on a whole piece make no breakpoints; the latter count as not active.

    Args:
        params: a network with rectified units, of any width and depth.
        start: $x_0$, shape `(in,)`.
        direction: $u$, shape `(in,)`.
        low: where t begins.
        high: where t ends.
        activation: of the hidden layers, or one for each: `relu`, or another that is linear on both sides of 0.

    Returns:
        The pieces from left to right.

    Raises:
        ValueError: if the parameters are traced, not finite or do not fit, or an activation has other kinks.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax.layers import Dense
        >>> from mlpjax.theory import regions
        >>> tent = Dense(jnp.ones((2, 1)), jnp.array([0.0, -0.5])), Dense(jnp.array([[2.0, -4.0]]), jnp.zeros(1))
        >>> found = regions.pieces(tent, [0.0], [1.0])
        >>> found.ends.tolist(), found.slopes.ravel().tolist()
        ([-inf, 0.0, 0.5, inf], [0.0, 2.0, -2.0])
    """
    layers = _host.network(params)
    slopes = _host.slopes(activation, len(layers) - 1)
    inputs = layers[0][0].shape[1]
    line = np.stack([_host.vector("direction", direction, (inputs,)), _host.vector("start", start, (inputs,))])
    place = _places(low, high)
    a, D, patterns = place @ line, np.repeat(line[:1], len(place) - 1, axis=0), [np.zeros((len(place) - 1, 0), bool)]
    for (W, b), (down, up) in zip(layers[:-1], slopes, strict=True):
        (z, error), (D, _) = _affine(W, b, a, place[:, 1:]), _affine(W, b, D, 0.0)
        piece, weights = _zeros(z, error, place[:, 1])
        place, z, error = (_insert(rows, piece, weights) for rows in (place, z, error))
        z[np.abs(z) <= error] = 0.0
        active = z[:-1] + z[1:] > 0
        old = np.repeat(np.arange(len(D)), 1 + np.bincount(piece, minlength=len(D)))
        patterns = [pattern[old] for pattern in patterns] + [active]
        a, D = np.where(z > 0, up, down) * z, np.where(active, up, down) * D[old]
    pattern = np.concatenate(patterns, axis=1)
    W, b = layers[-1]
    return _assemble(place, a @ W.T + place[:, 1:] * b, pattern, *_affine(W, b, D, 0.0))


def evaluate(pieces: Pieces, t: ArrayLike | Sequence[Any]) -> Float[np.ndarray, "*t out"]:
    """The outputs at given t, from the pieces.

    Args:
        pieces: from the function of that name.
        t: one number or many; beyond the ends the first and the last piece are continued.

    Returns:
        One row of outputs for each t.

    Example:
        >>> import jax
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import regions
        >>> params = mlp.init(jax.random.key(0), (1, 4, 4, 2))
        >>> regions.evaluate(regions.pieces(params, [0.0], [1.0]), [0.5, 2.0]).shape
        (2, 2)
    """
    t = np.asarray(t, np.float64)
    j = np.searchsorted(pieces.ends[1:-1], t)
    return pieces.values[j] + pieces.slopes[j] * (t - anchors(pieces.ends)[j])[..., None]


def anchors(ends: np.ndarray) -> np.ndarray:
    """Where `values` are taken: the left end of each piece if it is finite, or the right one, or 0."""
    left, right = ends[:-1], ends[1:]
    return np.where(np.isfinite(left), left, np.where(np.isfinite(right), right, 0.0))


def _places(low: float, high: float) -> np.ndarray:
    """The ends as (p, q) for t = p/q, with t = 0 in between if both are infinite."""
    if not low < high:
        raise ValueError(f"`low` must be less than `high`; got {low} and {high}. Is their order right?")
    ends = [(np.sign(t), 0.0) if np.isinf(t) else (t, 1.0) for t in (low, high)]
    return np.array(ends if np.isfinite([low, high]).any() else [ends[0], (0.0, 1.0), ends[1]])


def _affine(W, b, a, q) -> tuple[np.ndarray, np.ndarray]:
    """Pre-activations W a + q b for each row, zero where they are within rounding of it, and that rounding."""
    error = _host.ROUNDING * (np.abs(a) @ np.abs(W.T) + q * np.abs(b))
    z = a @ W.T + q * b
    z[np.abs(z) <= error] = 0.0
    return z, error


def _zeros(z: np.ndarray, error: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pieces on which a unit changes sign, and where, as weights of their ends; coinciding zeros once."""
    piece, unit = np.nonzero(np.sign(z[:-1]) * np.sign(z[1:]) < 0)
    left, right = np.abs(z[piece, unit]), np.abs(z[piece + 1, unit])
    ratio, width = np.log(left) - np.log(right), error[piece, unit] / left + error[piece + 1, unit] / right
    order = np.lexsort((ratio, piece))
    new = (np.diff(piece[order]) > 0) | (np.diff(ratio[order]) > width[order[1:]] + width[order[:-1]])
    first = order[np.append(True, new)[: len(order)]]
    piece, weights = piece[first], np.stack([right[first], left[first]])
    return piece, weights / (weights[0] * q[piece] + weights[1] * q[piece + 1])


def _insert(rows: np.ndarray, piece: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rows in between, from those at the ends of the piece."""
    left, right = weights[..., None]
    return np.insert(rows, piece + 1, left * rows[piece] + right * rows[piece + 1], axis=0)


def _assemble(place, y, pattern, D, error) -> Pieces:
    """Pieces without the ends at which no unit changes its state."""
    inner = np.any(pattern[1:] != pattern[:-1], axis=1)
    kept = np.flatnonzero(np.concatenate([[True], inner, [True]]))
    left, right = kept[:-1], kept[1:]
    finite = place[:, 1] > 0
    anchor = np.where(finite[left], left, np.where(finite[right], right, 1))  # 1 is t = 0 on the whole line
    with np.errstate(divide="ignore"):
        ends = place[kept, 0] / place[kept, 1]
    D, error = D[left], error[left]
    bends = np.any(np.abs(np.diff(D, axis=0)) > np.maximum(error[1:], error[:-1]), axis=1)
    return Pieces(ends, y[anchor] / place[anchor, 1:], D, pattern[left], bends)
