"""Theorems as functions."""

from mlpjax.theory import convex as convex
from mlpjax.theory import gates as gates

__all__ = ["convex", "gates"]
