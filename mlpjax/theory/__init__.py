"""Theorems as functions."""

from mlpjax.theory import convex as convex
from mlpjax.theory import symmetries as symmetries

__all__ = ["convex", "symmetries"]
