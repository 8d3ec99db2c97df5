"""Theorems as functions."""

from mlpjax.theory import convex as convex
from mlpjax.theory import meanfield as meanfield

__all__ = ["convex", "meanfield"]
