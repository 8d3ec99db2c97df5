"""The smooth rectifiers: softplus, and x times a gate (GELU, SiLU)."""

import math

import jax
import jax.numpy as jnp

from mlpjax.activations._type import Activation


def _gelu(x):
    return jax.nn.gelu(x, approximate=False)


def _gelu_prime(x):
    cdf = jax.lax.erfc(-x * math.sqrt(0.5)) / 2
    density = jnp.exp(-(x * x) / 2) / math.sqrt(2 * math.pi)
    return cdf + x * density


_GELU_FACTS = dict(
    range=(-0.16997120747990369, math.inf),
    lipschitz=1.128904145185155,
    saturates="left",
    monotone=False,
    smooth=math.inf,
    advantage="smooth; the standard of transformers",
    drawback="dearer than ReLU; not monotone below −0.752",
)

gelu = Activation("gelu", fn=_gelu, prime=_gelu_prime, **_GELU_FACTS)
r"""The Gaussian error linear unit (ACT6): $\sigma(x) = x\,\Phi(x)$, $\sigma'(x) = \Phi(x) + x\,\varphi(x)$.

Its minimum is about −0.170 at −0.752, its steepest slope about 1.129 at √2.
"""


def _gelu_tanh(x):
    return jax.nn.gelu(x, approximate=True)


def _gelu_tanh_prime(x):
    c = math.sqrt(2 / math.pi)
    t = jnp.tanh(c * (x + 0.044715 * x**3))
    # x·(1−t²) first: its factor 1−t² is exactly 0 long before x² overflows
    return (1 + t) / 2 + x * ((1 - t) * (1 + t)) / 2 * c * (1 + 0.134145 * jnp.minimum(x * x, 1e4))


gelu_tanh = Activation(
    "gelu_tanh",
    fn=_gelu_tanh,
    prime=_gelu_tanh_prime,
    **_GELU_FACTS | dict(range=(-0.17004075057125406, math.inf), lipschitz=1.1289930686587718),
)
r"""GELU's tanh approximation (ACT6): $\tfrac{x}{2}\bigl(1+\tanh\bigl(\sqrt{2/\pi}\,(x+0.044715\,x^3)\bigr)\bigr)$."""


softplus = Activation(
    "softplus",
    fn=jax.nn.softplus,
    prime=jax.nn.sigmoid,
    range=(0.0, math.inf),
    lipschitz=1.0,
    saturates="left",
    monotone=True,
    smooth=math.inf,
    advantage="a smooth ReLU; positive outputs",
    drawback="dearer than ReLU; never exactly 0",
)
r"""Softplus (ACT8): $\sigma(x) = \log(1+e^x)$; its derivative is the sigmoid."""


def _silu_prime(x):
    s = jax.nn.sigmoid(x)
    return s * (1 + x * jax.nn.sigmoid(-x))


silu = Activation(
    "silu",
    fn=jax.nn.silu,
    prime=_silu_prime,
    range=(-0.2784645427610738, math.inf),
    lipschitz=1.0998393201288669,
    saturates="left",
    monotone=False,
    smooth=math.inf,
    advantage="smooth, close to GELU and cheaper",
    drawback="not monotone below −1.278",
)
r"""SiLU or swish (ACT8): $\sigma(x) = x\,s(x)$ with $s$ the sigmoid, $\sigma'(x) = s(x)\,(1 + x\,(1-s(x)))$."""


def _hard_silu(x):
    return jnp.where(x >= 3, x, jnp.where(x <= -3, jnp.zeros_like(x), x * (x / 6 + 0.5)))


def _hard_silu_prime(x):
    return jnp.where(x >= 3, jnp.ones_like(x), jnp.where(x <= -3, jnp.zeros_like(x), x / 3 + 0.5))


hard_silu = Activation(
    "hard_silu",
    fn=_hard_silu,
    prime=_hard_silu_prime,
    range=(-0.375, math.inf),
    lipschitz=1.5,
    saturates="left",
    monotone=False,
    smooth=0,
    advantage="SiLU without an exponential",
    drawback="not monotone; kinks at ±3",
)
r"""Hard SiLU or hard swish (ACT8): $x$ times the hard sigmoid; the slope at the kinks is 0 at −3 and 1 at 3."""
