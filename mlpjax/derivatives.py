"""Derivatives beyond the gradient, of any function of a pytree."""

__all__: list[str] = []
