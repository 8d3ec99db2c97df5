"""One neuron: a weighted sum, a threshold, and the rule that learns it."""

__all__: list[str] = []
