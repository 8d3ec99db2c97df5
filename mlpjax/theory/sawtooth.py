"""The tent map folded k times, what no shallow network does as cheaply, and products by depth (DEP1)."""

__all__: list[str] = []
