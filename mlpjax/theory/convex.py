"""Gradient descent where its rate is known: quadratics and other smooth convex functions."""

__all__: list[str] = []
