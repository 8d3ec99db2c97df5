"""The multilayer perceptron as pure functions in JAX, with the whole of its mathematics beside it.

Parameters are pytrees, everything else is a function, and every transformation of JAX applies to everything, whole
training runs included. A module is a namespace: `mlp.init`, `mlp.apply`, `training.run`.
"""

from mlpjax import activations as activations
from mlpjax import backprop as backprop
from mlpjax import data as data
from mlpjax import export as export
from mlpjax import gradcheck as gradcheck
from mlpjax import initializers as initializers
from mlpjax import layers as layers
from mlpjax import losses as losses
from mlpjax import metrics as metrics
from mlpjax import mlp as mlp
from mlpjax import plots as plots
from mlpjax import regularizers as regularizers
from mlpjax import training as training
from mlpjax import trees as trees

__version__ = "0.1.0"

__all__ = [
    "activations",
    "backprop",
    "data",
    "export",
    "gradcheck",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mlp",
    "plots",
    "regularizers",
    "training",
    "trees",
]
