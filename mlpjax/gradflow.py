"""How the gradient flows: norms, saturation and spectra, layer by layer."""

__all__: list[str] = []
