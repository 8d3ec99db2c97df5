"""The command line: `mlpjax train`, `evaluate`, `predict`, `gradcheck`, `info`, `export`."""

from mlpjax.cli._main import main as main

__all__ = ["main"]
