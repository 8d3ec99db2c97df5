"""What the commands take from their users, checked before anything is measured."""

import argparse


def positive(text: str) -> int:
    """How many: one at least."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more; got {text!r}")
    return int(text)


def mnist(directory: str) -> str:
    """A folder with MNIST's four files."""
    from mlpjax import data

    try:
        for split in data.mnist.FILES:
            data.mnist.load(directory, split=split)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return directory
