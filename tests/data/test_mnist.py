"""MNIST from a directory: the names it may have, and what is said of a directory that will not do."""

import gzip
import os
import pathlib
import shutil

import numpy as np
import pytest

from mlpjax.data import idx, mnist


@pytest.fixture
def directory(tmp_path):
    """A small data set in MNIST's format: 5 + 3 images."""
    for split, n in (("train", 5), ("test", 3)):
        images, labels = mnist.FILES[split]
        idx.write(tmp_path / images, np.arange(n * 784).astype(np.uint8).reshape(n, 28, 28))
        idx.write(tmp_path / labels, np.arange(n, dtype=np.uint8))
    return tmp_path


@pytest.fixture(scope="module")
def real():
    """The directory of the real files, which are not part of the repository."""
    beside = pathlib.Path(__file__).parents[3] / "shared" / "data" / "mnist"
    directory = pathlib.Path(os.environ.get("MLPJAX_MNIST", beside))
    if not any(directory.glob("train-images*")):
        pytest.skip(f"real MNIST is not at {directory}: set MLPJAX_MNIST to a directory with its four files")
    return directory


@pytest.mark.ledger("MNI1")
@pytest.mark.parametrize(("split", "n"), [("train", 60_000), ("test", 10_000)])
def test_the_real_files(real, split, n):
    x, y, weight = mnist.load(real, split=split)
    assert x.shape == (n, 784) and x.dtype == np.uint8 and (int(x.min()), int(x.max())) == (0, 255)
    assert y.shape == (n,) and y.dtype == np.int32 and np.unique(y).tolist() == list(range(10)) and weight is None
    assert y[:5].tolist() == {"train": [5, 0, 4, 1, 9], "test": [7, 2, 1, 0, 4]}[split]


@pytest.mark.ledger("MNI1")
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_real_files_have_the_pinned_content(real, tmp_path, split):
    (tmp_path / "mnist").mkdir()
    for name in mnist.FILES[split]:
        found = next(path for path in (real / name, real / f"{name}.gz") if path.exists())
        content = found.read_bytes()
        (tmp_path / "mnist" / name).write_bytes(gzip.decompress(content) if found.suffix else content)
    assert (
        mnist.fetch(split=split, cache=tmp_path, mirrors=()) == tmp_path / "mnist"
    )  # no mirror: nothing but the cache


@pytest.mark.ledger("MNI1")
@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("split", "n"), [("train", 5), ("test", 3)])
def test_names_with_and_without_gz_dash_or_dot(directory, split, n, dotted, zipped):
    expected = mnist.load(directory, split=split)
    for name in mnist.FILES[split]:
        path = directory / (name.replace("-idx", ".idx") if dotted else name)
        (directory / name).rename(path)
        if zipped:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    x, y, _ = mnist.load(str(directory), split=split)
    assert x.shape == (n, 784) and x.dtype == np.uint8 and y.dtype == np.int32 and y.tolist() == list(range(n))
    np.testing.assert_array_equal(x, expected.x)
    np.testing.assert_array_equal(x.ravel(), np.arange(n * 784).astype(np.uint8))


def test_what_is_missing_is_listed(directory):
    (directory / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks train-labels-idx1-ubyte \(or train-labels-idx1-ubyte.gz\)\. "):
        mnist.load(directory, split="train")
    (directory / "train-images-idx3-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks train-images-idx3-ubyte .* and train-labels-idx1-ubyte"):
        mnist.load(directory, split="train")
    assert len(mnist.load(directory, split="test").x) == 3
    shutil.rmtree(directory)
    with pytest.raises(FileNotFoundError, match="is not a directory"):
        mnist.load(directory, split="test")


@pytest.mark.parametrize(
    ("name", "array", "says"),
    [
        ("train-images-idx3-ubyte", np.zeros((5, 28, 27), np.uint8), r"28 × 28 images.*\(5, 28, 27\)"),
        ("train-images-idx3-ubyte", np.zeros((5, 784), np.uint8), "28 × 28 images"),
        ("train-images-idx3-ubyte", np.zeros((5, 28, 28), np.float32), "uint8.*float32"),
        ("train-images-idx3-ubyte", np.zeros((0, 28, 28), np.uint8), "at least one"),
        ("train-images-idx3-ubyte", np.zeros((4, 28, 28), np.uint8), "4 images but .* 5 labels"),
        ("train-labels-idx1-ubyte", np.array([0, 1, 2, 3, 10], np.uint8), "labels 0 to 9.*largest 10"),
        ("train-labels-idx1-ubyte", np.zeros((5, 1), np.uint8), r"one axis.*\(5, 1\)"),
        ("train-labels-idx1-ubyte", np.zeros(5, np.int32), "int32"),
        ("train-labels-idx1-ubyte", np.zeros(6, np.uint8), "5 images but .* 6 labels"),
    ],
)
def test_wrong_arrays_are_named(directory, name, array, says):
    idx.write(directory / name, array)
    with pytest.raises(ValueError, match=says):
        mnist.load(directory, split="train")


def test_damage_is_named(directory):
    path = directory / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(idx.IDXError, match="train-images-idx3-ubyte` is truncated"):
        mnist.load(directory, split="train")


def test_unknown_split_is_refused(directory):
    with pytest.raises(ValueError, match="Unknown split 'validation'"):
        mnist.load(directory, split="validation")
    with pytest.raises(ValueError, match="Unknown split 'trian'"):
        mnist.fetch(split="trian", cache=directory)
