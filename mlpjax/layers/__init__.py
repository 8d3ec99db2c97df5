"""Layers: each module a NamedTuple of parameters where it has any, with `init` and `apply`."""

from mlpjax.layers import dense as dense
from mlpjax.layers import dropout as dropout
from mlpjax.layers import norm as norm
from mlpjax.layers import residual as residual
from mlpjax.layers.dense import Dense as Dense

__all__ = ["Dense", "dense", "dropout", "norm", "residual"]
