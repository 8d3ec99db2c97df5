r"""Activation functions σ, each with the derivative σ′ worked out by hand.

An `Activation` is a value: hashable, static under `jax.jit`, and called like the function it is. Families such as
`leaky_relu(0.1)` are equal for equal parameters, so that they never compile twice.

```python
>>> import jax.numpy as jnp
>>> from mlpjax import activations
>>> float(activations.tanh(jnp.asarray(0.0))), float(activations.tanh.prime(jnp.asarray(0.0)))
(0.0, 1.0)

```

What useful activations share (ACT9): they are not linear, or a stack of layers would collapse into one affine map; not
polynomial, or no width would make them universal; non-decreasing and Lipschitz, so that signals and gradients stay
ordered and bounded. `monotone` and `lipschitz` say which of these each one keeps.

Which to take (ACT10): the ReLU family in hidden layers by default, `leaky_relu` where units die, `gelu` or `silu` where
smoothness helps (transformers), `tanh` where a zero-centered signal in (−1, 1) is wanted (recurrent networks). For
outputs take none: networks return logits, and the loss applies sigmoid or softmax.

How exact they are: in float32, over its whole range, every σ and σ′ is within 4 ulp of the true value, or, where that
cannot be had cheaply (the left tails of GELU, 1 − tanh² far out, zeros of σ′), within 4 ulp of its supremum. At ±∞ all
take their limits. On CPUs, results below the smallest normal number may be flushed to 0.
"""

from mlpjax.activations._gated import gelu as gelu
from mlpjax.activations._gated import gelu_tanh as gelu_tanh
from mlpjax.activations._gated import hard_silu as hard_silu
from mlpjax.activations._gated import silu as silu
from mlpjax.activations._gated import softplus as softplus
from mlpjax.activations._names import ALL as ALL
from mlpjax.activations._names import by_name as by_name
from mlpjax.activations._rectifiers import elu as elu
from mlpjax.activations._rectifiers import identity as identity
from mlpjax.activations._rectifiers import leaky_relu as leaky_relu
from mlpjax.activations._rectifiers import relu as relu
from mlpjax.activations._sigmoids import hard_sigmoid as hard_sigmoid
from mlpjax.activations._sigmoids import hard_tanh as hard_tanh
from mlpjax.activations._sigmoids import sigmoid as sigmoid
from mlpjax.activations._sigmoids import tanh as tanh
from mlpjax.activations._softmax import softmax as softmax
from mlpjax.activations._softmax import softmax_jacobian as softmax_jacobian
from mlpjax.activations._type import Activation as Activation

__all__ = [
    "ALL",
    "Activation",
    "by_name",
    "elu",
    "gelu",
    "gelu_tanh",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softmax_jacobian",
    "softplus",
    "tanh",
]
