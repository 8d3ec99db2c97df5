"""The smooth rectifiers: softplus, and x times a gate (GELU, SiLU)."""

import math

import jax
import jax.numpy as jnp

from mlpjax._types import Any
from mlpjax.activations._sigmoids import sigmoid
from mlpjax.activations._type import Activation

# Where the gates are 0 or 1 to rounding, in every dtype. Clipping there changes no finite value, but turns 0·∞ into the
# limit, which is 0, and lets no power overflow.
_GELU_FLAT, _SILU_FLAT = 40.0, 1e3


def _clip(x, bound):
    return jnp.minimum(jnp.maximum(x, -bound), bound)  # `clip` would refuse complex steps


def _gated(x, gate, bound):
    # x·gate(x) inside the bounds, x beyond; what is not taken is finite, too, so that autodiff has no 0·∞
    inside = _clip(x, bound)
    return jnp.where(x >= bound, x, inside * gate(inside))


def _cdf(x):
    return jax.lax.erfc(-x * math.sqrt(0.5)) / 2


def _gelu(x):
    return _gated(x, _cdf, _GELU_FLAT)


def _gelu_prime(x):
    x = _clip(x, _GELU_FLAT)
    return _cdf(x) + x * jnp.exp(-(x * x) / 2) / math.sqrt(2 * math.pi)


_GELU_FACTS: dict[str, Any] = dict(
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


def _gelu_tanh_inner(x):
    # (1 + tanh u)/2 is the sigmoid of 2u, which does not cancel on the left; this is 2u and its derivative
    c = 2 * math.sqrt(2 / math.pi)
    return c * (x + 0.044715 * x**3), c * (1 + 3 * 0.044715 * x**2)


def _gelu_tanh(x):
    return _gated(x, lambda x: sigmoid(_gelu_tanh_inner(x)[0]), _GELU_FLAT)


def _gelu_tanh_prime(x):
    x = _clip(x, _GELU_FLAT)
    u, u_prime = _gelu_tanh_inner(x)
    return sigmoid(u) + x * sigmoid.prime(u) * u_prime


gelu_tanh = Activation(
    "gelu_tanh",
    fn=_gelu_tanh,
    prime=_gelu_tanh_prime,
    **{**_GELU_FACTS, "range": (-0.17004075057125406, math.inf), "lipschitz": 1.1289930686587718},
)
r"""GELU's tanh approximation (ACT6): $\tfrac{x}{2}\bigl(1+\tanh\bigl(\sqrt{2/\pi}\,(x+0.044715\,x^3)\bigr)\bigr)$."""


@jax.custom_jvp
def _softplus(x):
    return jax.nn.softplus(x)


@_softplus.defjvp
def _(primals, tangents):  # JAX would take e^(x − softplus x), which magnifies the rounding of the difference
    return _softplus(*primals), sigmoid(*primals) * tangents[0]


softplus = Activation(
    "softplus",
    fn=_softplus,
    prime=sigmoid.fn,
    range=(0.0, math.inf),
    lipschitz=1.0,
    saturates="left",
    monotone=True,
    smooth=math.inf,
    advantage="a smooth ReLU; positive outputs",
    drawback="dearer than ReLU; never exactly 0",
)
r"""Softplus (ACT8): $\sigma(x) = \log(1+e^x)$; its derivative is the sigmoid."""


def _silu(x):
    return _gated(x, sigmoid, _SILU_FLAT)


def _silu_prime(x):
    x = _clip(x, _SILU_FLAT)
    return sigmoid(x) + x * sigmoid.prime(x)


silu = Activation(
    "silu",
    fn=_silu,
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
    inside = _clip(x, 3.0)  # so that autodiff has no 0·∞ in what is not taken
    return jnp.where(x >= 3, x, jnp.where(x <= -3, jnp.zeros_like(x), inside * (inside + 3) / 6))


def _hard_silu_prime(x):
    return jnp.where(x >= 3, jnp.ones_like(x), jnp.where(x <= -3, jnp.zeros_like(x), (2 * x + 3) / 6))


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
