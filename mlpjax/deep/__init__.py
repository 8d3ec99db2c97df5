r"""Deep networks whose hidden layers are alike: one scan over layers, with backpropagation by hand inside it.

A network of a hundred layers of one width, written out, is a hundred times the same code: JAX traces it layer by
layer. Here the inner layers are stacked, `W` of shape `(layers, width, width)`, and `jax.lax.scan` runs one layer's
code over them, forward for FWD2 and backward for BP2 to BP4. What is traced no longer grows with depth, the numbers are
those of `mlp` and `backprop`, and `stack` and `unstack` lead there and back.

The scan caches the pre-activations and nothing else. On the way back σ and σ′ are computed from them again, which takes
half the memory that caching the activations too would take, and for the ReLU less time than to store and read them.

Not to be confused with an ensemble, where `trees.stack` makes one tree of many networks.
"""

from mlpjax.deep._network import apply as apply
from mlpjax.deep._network import supervised as supervised
from mlpjax.deep._network import value_and_grad as value_and_grad
from mlpjax.deep._stack import Deep as Deep
from mlpjax.deep._stack import by_layer as by_layer
from mlpjax.deep._stack import init as init
from mlpjax.deep._stack import stack as stack
from mlpjax.deep._stack import unstack as unstack

__all__ = ["Deep", "apply", "by_layer", "init", "stack", "supervised", "unstack", "value_and_grad"]
