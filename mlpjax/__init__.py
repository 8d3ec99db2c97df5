"""The multilayer perceptron as pure functions in JAX, with the whole of its mathematics beside it.

Parameters are pytrees, everything else is a function, and `jit`, `vmap` and `grad` apply to all of it, whole training
runs included. A module is a namespace: `mlp.init`, `mlp.apply`, `training.run`. Each is imported at its first
use, so that `import mlpjax` costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlpjax import activations as activations
    from mlpjax import backprop as backprop
    from mlpjax import data as data
    from mlpjax import deep as deep
    from mlpjax import derivatives as derivatives
    from mlpjax import export as export
    from mlpjax import gradcheck as gradcheck
    from mlpjax import gradflow as gradflow
    from mlpjax import initializers as initializers
    from mlpjax import layers as layers
    from mlpjax import losses as losses
    from mlpjax import metrics as metrics
    from mlpjax import mlp as mlp
    from mlpjax import neuron as neuron
    from mlpjax import plots as plots
    from mlpjax import regularizers as regularizers
    from mlpjax import theory as theory
    from mlpjax import training as training
    from mlpjax import trees as trees

__version__ = "0.1.0"

__all__ = [
    "activations",
    "backprop",
    "data",
    "deep",
    "derivatives",
    "export",
    "gradcheck",
    "gradflow",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mlp",
    "neuron",
    "plots",
    "regularizers",
    "theory",
    "training",
    "trees",
]


def __getattr__(name: str):
    if name in __all__:
        return importlib.import_module(f"mlpjax.{name}")
    raise AttributeError(f"module 'mlpjax' has no attribute {name!r}. Its rooms: {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
