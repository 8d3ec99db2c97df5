r"""Losses C(z, y) of one example, each with its derivative δ = ∂C/∂z.

A network returns logits $z = z^{(L)}$; the output non-linearity lives here, in the loss. So the error of the output
layer (BP1) is `loss.delta(z, y)`, softmax stays stable, and `loss.output(z)` is what people call the prediction.

The empirical risk (LOS1) is the mean over examples, by `jax.vmap`:

```python
>>> import jax, jax.numpy as jnp
>>> from mlpjax.losses import softmax_cross_entropy
>>> z, y = jnp.zeros((3, 2)), jnp.asarray([0, 1, 1])
>>> round(float(jax.vmap(softmax_cross_entropy.value)(z, y).mean()), 4)
0.6931

```

Targets `y` are one class index (an integer) or one target vector as long as `z`. Under `jit`, where values cannot be
looked at, an index out of range gives NaN: it never wraps. Which loss (LOS5): cross-entropy for classes (it is minus
the log-likelihood of a categorical), half the squared error for regression (of a Gaussian).
"""

from mlpjax.losses._classification import binary_cross_entropy as binary_cross_entropy
from mlpjax.losses._classification import smoothed_cross_entropy as smoothed_cross_entropy
from mlpjax.losses._classification import softmax_cross_entropy as softmax_cross_entropy
from mlpjax.losses._names import ALL as ALL
from mlpjax.losses._names import by_name as by_name
from mlpjax.losses._regression import activated_squared_error as activated_squared_error
from mlpjax.losses._regression import half_squared_error as half_squared_error
from mlpjax.losses._regression import sigmoid_squared_error as sigmoid_squared_error
from mlpjax.losses._regression import squared_error as squared_error
from mlpjax.losses._targets import one_hot as one_hot
from mlpjax.losses._type import Loss as Loss

__all__ = [
    "ALL",
    "Loss",
    "activated_squared_error",
    "binary_cross_entropy",
    "by_name",
    "half_squared_error",
    "one_hot",
    "sigmoid_squared_error",
    "smoothed_cross_entropy",
    "softmax_cross_entropy",
    "squared_error",
]
