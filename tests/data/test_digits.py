"""The digits that ship with the package."""

import importlib.resources
import importlib.util
import io
import pathlib

import numpy as np
import pytest

from mlpjax.data import digits

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "make_digits.py"


@pytest.fixture
def script():
    if not SCRIPT.exists():
        pytest.skip("scripts/ is not here: the package is not tested from its repository")
    spec = importlib.util.spec_from_file_location("make_digits", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("split", "n"), [("train", 1438), ("test", 359), ("all", 1797)])
def test_shapes_and_ranges(split, n):
    x, y, weight = digits.load(split)
    assert x.shape == (n, digits.HEIGHT * digits.WIDTH) and y.shape == (n,) and weight is None
    assert x.dtype == np.uint8 and y.dtype == np.int32
    assert (int(x.min()), int(x.max())) == (0, digits.MAXIMUM)
    assert np.unique(y).tolist() == list(range(digits.CLASSES))


def test_split_is_stratified_and_a_partition():
    parts = {split: digits.load(split) for split in ("train", "test", "all")}
    counts = {split: np.bincount(part.y, minlength=10) for split, part in parts.items()}
    np.testing.assert_array_equal(counts["train"] + counts["test"], counts["all"])
    np.testing.assert_array_equal(counts["test"], np.rint(0.2 * counts["all"]))
    rows = lambda part: [bytes([*x, y]) for x, y in zip(np.asarray(part.x), np.asarray(part.y), strict=True)]
    assert sorted(rows(parts["train"]) + rows(parts["test"])) == sorted(rows(parts["all"]))
    assert not set(rows(parts["train"])) & set(rows(parts["test"]))


def test_damage_is_noticed(monkeypatch):
    class Damaged:
        def __truediv__(self, name):
            return self

        def read_bytes(self):
            return b"PK damaged"

    monkeypatch.setattr("importlib.resources.files", lambda package: Damaged())
    with pytest.raises(OSError, match=r"not the file that was shipped.*force-reinstall"):
        digits.load("all")


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match=r"Unknown split 'tset'. Did you mean 'test'"):
        digits.load("tset")


def test_the_script_makes_this_file(script):
    pytest.importorskip("sklearn", reason="the file is made from scikit-learn's copy")
    content = script.pack(script.arrays())
    assert script.equal(content, script.PATH.read_bytes())
    assert content == script.pack(script.arrays())


def test_the_script_compares_arrays_not_compressors(script):
    arrays = {"x": np.arange(3, dtype=np.uint8), "y": np.zeros(2, bool)}
    other = io.BytesIO()
    np.savez(other, **arrays)
    assert script.equal(script.pack(arrays), other.getvalue())
    for wrong in ({"x": arrays["x"]}, {**arrays, "x": np.zeros(3, np.uint8)}, {**arrays, "x": np.arange(3)}):
        assert not script.equal(script.pack(arrays), script.pack(wrong))


def test_attribution_ships():
    text = (importlib.resources.files("mlpjax.data") / "DIGITS-LICENSE.txt").read_text()
    assert all(word in text for word in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0", "Changes."))
