"""MNIST from its four IDX files, gzipped or not, in a few lines of NumPy, for the scripts beside this one."""

import gzip
import pathlib

import numpy as np

NAMES = {"train": "train", "test": "t10k"}


def read(path: pathlib.Path) -> np.ndarray:
    """The bytes of an IDX file in their shape; the fourth byte of its header counts the axes."""
    content = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes())
    axes = content[3]
    shape = np.frombuffer(content, ">i4", axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def load(directory: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Flat images and labels of `"train"` or `"test"`, as bytes."""
    of = lambda kind: read(pathlib.Path(directory) / f"{NAMES[split]}-{kind}-ubyte")
    try:
        images, labels = of("images-idx3"), of("labels-idx1")
    except OSError as error:
        raise SystemExit(f"--data-dir must name a folder with MNIST's four files: {error}") from None
    return images.reshape(len(images), -1), labels
