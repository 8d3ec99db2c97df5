"""Theorems as functions: what is proved of networks and of their training, computed."""

from mlpjax.theory import convex as convex
from mlpjax.theory import gates as gates
from mlpjax.theory import meanfield as meanfield
from mlpjax.theory import symmetries as symmetries

__all__ = ["convex", "gates", "meanfield", "symmetries"]
