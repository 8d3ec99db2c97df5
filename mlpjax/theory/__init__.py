"""Theorems as functions."""

from mlpjax.theory import convex as convex

__all__ = ["convex"]
