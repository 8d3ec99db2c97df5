"""Arithmetic of networks: compose, run in parallel, add, scale, and lengthen parameters exactly (UAT6)."""

__all__: list[str] = []
