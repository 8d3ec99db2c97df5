r"""MNIST: 60,000 + 10,000 handwritten digits, 28 × 28 gray pixels (MNI1).

Y. LeCun, C. Cortes and C. J. C. Burges distribute it as four IDX files. They are read from a directory, or downloaded
once and kept. Any data of the same format, Fashion-MNIST for one, loads from its directory.
"""

import os
import pathlib
from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from mlpjax import _check
from mlpjax.data import _download, idx
from mlpjax.data._dataset import Dataset
from mlpjax.data._download import DownloadError as DownloadError

__all__ = ["CLASSES", "FILES", "HEIGHT", "MAXIMUM", "MIRRORS", "SHA256", "WIDTH", "DownloadError", "fetch", "load"]

HEIGHT = 28
"""Rows of an image."""

WIDTH = 28
"""Columns of an image."""

MAXIMUM = 255
"""The largest value of a pixel: what to divide by."""

CLASSES = 10
"""How many digits there are."""

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
"""The names of the images and the labels of each split."""

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
"""Where the gzipped files are, in the order in which they are tried."""

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of the decompressed files: the gzipped ones differ between mirrors."""


def load(
    directory: str | os.PathLike[str] | None = None,
    *,
    split: str,
    cache: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Dataset:
    """MNIST, from a directory or, without one, downloaded on first use.

    Args:
        directory: holds the IDX files under their usual names, gzipped (`.gz`) or not. They need not be MNIST's own:
            any 28 × 28 images with labels 0 to 9 will do.
        split: `"train"` or `"test"`.
        cache: where a download is kept; by default what `MLPJAX_CACHE` names, else the user's cache directory.
        progress: show a progress bar of the download.

    Returns:
        `x` of shape `(N, 784)`, flat rows of pixels, `uint8` from 0 (paper) to 255 (ink), and labels `y` of shape
        `(N,)`, `int32` from 0 to 9.

    Raises:
        ValueError: if `split` is another name, or a file is damaged, does not hold 28 × 28 images or labels 0 to 9, or
            the two differ in length.
        FileNotFoundError: if the directory lacks a file; the message lists which.
        DownloadError: if no mirror gives a file; the message lists what each answered.
        ImportError: if a download is needed and pooch is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from mlpjax.data import idx, mnist
        >>> with tempfile.TemporaryDirectory() as name:
        ...     directory = pathlib.Path(name)
        ...     idx.write(directory / "t10k-images-idx3-ubyte.gz", np.zeros((3, 28, 28), np.uint8))
        ...     idx.write(directory / "t10k-labels-idx1-ubyte.gz", np.array([7, 2, 1], np.uint8))
        ...     x, y, _ = mnist.load(directory, split="test")
        >>> x.shape, y.tolist()
        ((3, 784), [7, 2, 1])

    References:
        Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to document recognition.
        Proceedings of the IEEE 86(11).
    """
    _check.known("split", split, FILES)
    if directory is None:
        directory = fetch(split=split, cache=cache, progress=progress)
    return _read(*_find(pathlib.Path(directory), split))


def fetch(
    *,
    split: str,
    cache: str | os.PathLike[str] | None = None,
    progress: bool = False,
    mirrors: Sequence[str] = MIRRORS,
    sha256: Mapping[str, str] = SHA256,
    timeout: float = 30.0,
) -> pathlib.Path:
    """Download the two files of a split unless the cache has them whole, and say where they are.

    A file enters the cache decompressed, verified and at once: a download that is cut off leaves nothing that could be
    taken for it, a damaged file is fetched anew, and any number of processes may do so at the same time.

    Args:
        split: `"train"` or `"test"`.
        cache: where to keep them; by default what `MLPJAX_CACHE` names, else the user's cache directory.
        progress: show a progress bar.
        mirrors: base URLs to which the file's name and `.gz` are appended, tried in turn.
        sha256: of the decompressed content, by name.
        timeout: seconds to wait for a connection and for each piece of an answer.

    Returns:
        The directory that holds the files.

    Raises:
        ValueError: if `split` is another name.
        DownloadError: if no mirror gives a file; the message lists what each answered.
        ImportError: if a download is needed and pooch is not installed.
        OSError: if the cache cannot be written to.
    """
    _check.known("split", split, FILES)
    directory = _download.cache_directory(cache) / "mnist"
    for name in FILES[split]:
        urls = [f"{mirror}{name}.gz" for mirror in mirrors]
        try:
            _download.ensure(directory / name, sha256[name], urls=urls, timeout=timeout, progress=progress)
        except DownloadError as error:
            raise DownloadError(f"{error}\n{_OFFLINE}") from None
    return directory


_OFFLINE = (
    "Without a network: put the files "
    + ", ".join(f"{name}.gz" for names in FILES.values() for name in names)
    + ' (gzipped or not) into a directory DIR, and load them with `mnist.load("DIR", split=...)`, on the command line '
    "with `--data-dir DIR`."
)


def _find(directory: pathlib.Path, split: str) -> list[pathlib.Path]:
    """The files of a split under whichever of its names each has."""
    found = [[path for path in _candidates(directory, name) if path.is_file()] for name in FILES[split]]
    missing = [f"{name} (or {name}.gz)" for name, paths in zip(FILES[split], found, strict=True) if not paths]
    if missing:
        raise FileNotFoundError(
            f"`directory` must hold the IDX files of MNIST; `{directory}` "
            f"{'lacks ' + ' and '.join(missing) if directory.is_dir() else 'is not a directory'}. "
            "Leave `directory` out to download them."
        )
    return [paths[0] for paths in found]


def _candidates(directory: pathlib.Path, name: str) -> list[pathlib.Path]:
    dotted = name.replace("-idx", ".idx")
    return [directory / variant for variant in (name, f"{name}.gz", dotted, f"{dotted}.gz")]


def _read(images: pathlib.Path, labels: pathlib.Path) -> Dataset:
    x, y = idx.read(images), idx.read(labels)
    if x.dtype != np.uint8 or x.shape[1:] != (HEIGHT, WIDTH) or not len(x):
        raise ValueError(_wrong(images, f"{HEIGHT} × {WIDTH} images of uint8, at least one", f"{x.dtype}{x.shape}"))
    if y.dtype != np.uint8 or y.ndim != 1 or (y.size and y.max() >= CLASSES):
        raise ValueError(
            _wrong(labels, "labels 0 to 9, one axis of uint8", f"{y.dtype}{y.shape}, largest {y.max(initial=0)}")
        )
    if len(x) != len(y):
        raise ValueError(f"`{images}` holds {len(x)} images but `{labels}` {len(y)} labels. Do they belong together?")
    return Dataset(jnp.asarray(x.reshape(len(x), -1)), jnp.asarray(y, jnp.int32))


def _wrong(path: pathlib.Path, expected: str, found: str) -> str:
    return f"`{path}` must hold {expected}; got {found}. Other IDX files can be read with `mlpjax.data.idx.read`."
