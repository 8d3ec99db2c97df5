"""Linear regions of networks of rectified units, counted exactly, and the bounds on their number (DEP2)."""

__all__: list[str] = []
