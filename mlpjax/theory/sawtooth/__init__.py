r"""The tent map folded k times, what no shallow network does as cheaply, and products by depth (DEP1).

Everything here rests on functions of one variable on [0, 1]. A *piece* of such a function is an interval on which it
is affine. The networks use ReLU, the activation that `mlp.apply` takes by default:

```python
>>> import jax.numpy as jnp
>>> from mlpjax import mlp
>>> from mlpjax.theory import sawtooth
>>> [mlp.apply(sawtooth.sawtooth(3), jnp.array([j / 8])).item() for j in range(9)]
[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]

```
"""

from mlpjax.theory.sawtooth._folds import sawtooth as sawtooth
from mlpjax.theory.sawtooth._folds import tent as tent
from mlpjax.theory.sawtooth._folds import triangle_wave as triangle_wave
from mlpjax.theory.sawtooth._pieces import crossings as crossings
from mlpjax.theory.sawtooth._pieces import sawtooth_error as sawtooth_error
from mlpjax.theory.sawtooth._pieces import square_error as square_error
from mlpjax.theory.sawtooth._pieces import width_needed as width_needed
from mlpjax.theory.sawtooth._squares import multiply as multiply
from mlpjax.theory.sawtooth._squares import square as square

__all__ = [
    "crossings",
    "multiply",
    "sawtooth",
    "sawtooth_error",
    "square",
    "square_error",
    "tent",
    "triangle_wave",
    "width_needed",
]
