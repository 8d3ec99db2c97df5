"""Activations that saturate on both sides: sigmoid, tanh, and their piecewise linear kin."""

import math

import jax
import jax.numpy as jnp

from mlpjax.activations._type import Activation


@jax.custom_jvp
def _sigmoid(x):
    return jax.nn.sigmoid(x)


@_sigmoid.defjvp
def _(primals, tangents):  # JAX would take σ(1 − σ), where 1 − σ cancels, and a gate multiplies what is left by x
    return _sigmoid(*primals), _sigmoid_prime(*primals) * tangents[0]


@jax.custom_jvp
def _sigmoid_prime(x):
    # σ(1 − σ) = 1/(2 + e⁻ˣ + eˣ), where nothing cancels as σ nears 1; XLA shares this exponential with that of σ
    # (the maximum changes nothing, but hides 1/e⁻ˣ from it, for which it would compute eˣ anew)
    wide = x.astype(jnp.float32) if x.dtype == jnp.float16 else x  # e¹² is too large for float16, σ′(12) not too small
    e = jnp.maximum(jnp.exp(-wide), 0)
    slope = 1 / (2 + e + 1 / e)
    return slope if wide is x else slope.astype(x.dtype)  # that of an integer is no integer


@_sigmoid_prime.defjvp
def _(primals, tangents):  # JAX would divide ∞ by ∞ where the exponential overflows
    slope = _sigmoid_prime(*primals)
    return slope, -jnp.tanh(primals[0] / 2) * slope * tangents[0]


sigmoid = Activation(
    "sigmoid",
    fn=_sigmoid,
    prime=_sigmoid_prime,
    range=(0.0, 1.0),
    lipschitz=0.25,
    saturates="both",
    monotone=True,
    smooth=math.inf,
    advantage="a probability: the output of a binary classifier",
    drawback="slope at most 1/4: gradients vanish through many layers; outputs are not zero-centered",
)
r"""The logistic sigmoid (ACT1): $\sigma(x) = 1/(1+e^{-x})$, $\sigma'(x) = \sigma(x)\,(1-\sigma(x))$."""


def _tanh_prime(x):
    t = jnp.tanh(x)
    return (1 - t) * (1 + t)


tanh = Activation(
    "tanh",
    fn=jnp.tanh,
    prime=_tanh_prime,
    range=(-1.0, 1.0),
    lipschitz=1.0,
    saturates="both",
    monotone=True,
    smooth=math.inf,
    advantage="zero-centered, slope 1 at 0",
    drawback="saturates on both sides",
)
r"""The hyperbolic tangent (ACT2): $\sigma'(x) = 1 - \tanh^2 x$; $\tanh x = 2\,\mathrm{sigmoid}(2x) - 1$."""


def _inside(x, low, high):
    return jnp.where((x <= low) | (x >= high), jnp.zeros_like(x), jnp.ones_like(x))


def _hard_tanh(x):
    return jnp.where(x >= 1, jnp.ones_like(x), jnp.where(x <= -1, -jnp.ones_like(x), x))


def _hard_tanh_prime(x):
    return _inside(x, -1, 1)


hard_tanh = Activation(
    "hard_tanh",
    fn=_hard_tanh,
    prime=_hard_tanh_prime,
    range=(-1.0, 1.0),
    lipschitz=1.0,
    saturates="both",
    monotone=True,
    smooth=0,
    advantage="tanh at the price of two comparisons",
    drawback="exactly flat outside (−1, 1): units die on both sides",
)
r"""Hard tanh (ACT8): $\sigma(x) = \min(1, \max(-1, x))$; slope 1 inside $(-1, 1)$, 0 elsewhere (also at ±1)."""


def _hard_sigmoid(x):
    return jnp.where(x >= 3, jnp.ones_like(x), jnp.where(x <= -3, jnp.zeros_like(x), (x + 3) / 6))


def _hard_sigmoid_prime(x):
    return _inside(x, -3, 3) / 6


hard_sigmoid = Activation(
    "hard_sigmoid",
    fn=_hard_sigmoid,
    prime=_hard_sigmoid_prime,
    range=(0.0, 1.0),
    lipschitz=1 / 6,
    saturates="both",
    monotone=True,
    smooth=0,
    advantage="a gate without an exponential",
    drawback="exactly flat outside (−3, 3)",
)
r"""Hard sigmoid (ACT8): $\sigma(x) = \min(1, \max(0, x/6 + 1/2))$; slope 1/6 inside $(-3, 3)$, 0 elsewhere."""
