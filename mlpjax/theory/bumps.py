"""Any Lipschitz function as a sum of bumps of sigmoids, with the error known in advance (UAT3)."""

__all__: list[str] = []
