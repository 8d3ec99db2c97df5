"""Continuous piecewise affine functions: to networks of rectified units, and back (UAT5)."""

__all__: list[str] = []
