"""Identity, absolute value, maximum, minimum, powers and the hat as networks of rectified units (ACT11)."""

__all__: list[str] = []
