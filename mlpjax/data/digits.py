r"""Real handwritten digits that ship with the package: 1,797 images of 8 × 8 pixels.

The test set of *Optical Recognition of Handwritten Digits* by E. Alpaydin and C. Kaynak (UCI Machine Learning
Repository, 1998; CC BY 4.0): 32 × 32 bitmaps of digits by 13 people, the dark pixels counted in blocks of 4 × 4.
`DIGITS-LICENSE.txt` beside the file has attribution and license; `scripts/make_digits.py` in the repository makes it.
"""

import hashlib
import importlib.resources
import io

import jax.numpy as jnp
import numpy as np

from mlpjax import _check
from mlpjax.data._dataset import Dataset

__all__ = ["CLASSES", "HEIGHT", "MAXIMUM", "SHA256", "WIDTH", "load"]

HEIGHT = 8
"""Rows of an image."""

WIDTH = 8
"""Columns of an image."""

MAXIMUM = 16
"""The largest value of a pixel: what to divide by."""

CLASSES = 10
"""How many digits there are."""

SHA256 = "d42750d8c7d948a95eea9370de0d3dacc14a6f26ea16ea2b23b0a8fe21ddef7d"
"""Of the file that ships, as `scripts/make_digits.py` prints it."""


def load(split: str) -> Dataset:
    """The digits, or one side of their fixed split: 80 % of each class for training, 20 % for testing.

    The split is stored with the data, so that it is the same in every version. It was drawn at random within each
    class: writers occur on both sides, as they did not in the original division of the data, and accuracies are a
    little higher than on writers never seen.

    Args:
        split: `"train"` (1,438 examples), `"test"` (359) or `"all"` (1,797).

    Returns:
        `x` of shape `(N, 64)`, flat rows of pixels, `uint8` from 0 (paper) to 16 (ink), and labels `y` of shape `(N,)`,
        `int32` from 0 to 9.

    Raises:
        ValueError: if `split` is another name.
        OSError: if the file is not the one that was shipped.

    Example:
        >>> from mlpjax.data import digits
        >>> x, y, _ = digits.load("train")
        >>> x.shape, x.dtype.name, y.dtype.name
        ((1438, 64), 'uint8', 'int32')
        >>> for row in x[0].reshape(8, 8).tolist():
        ...     print("".join("__:oO#"[ink // 3] for ink in row))
        ___Oo___
        __O#o#__
        __#__o:_
        __O__::_
        __:__o:_
        __o__O:_
        __O_oO__
        __:Oo___

    References:
        E. Alpaydin, C. Kaynak (1998). Cascading classifiers. Kybernetika 34(4), 369–374.
    """
    _check.known("split", split, ("all", "test", "train"))
    with np.load(io.BytesIO(_content()), allow_pickle=False) as file:
        x, y, test = file["x"], file["y"], file["test"]
    chosen = {"all": slice(None), "test": test, "train": ~test}[split]
    return Dataset(jnp.asarray(x[chosen]), jnp.asarray(y[chosen], jnp.int32))


def _content() -> bytes:
    file = importlib.resources.files("mlpjax.data") / "digits.npz"
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise OSError(
            f"`{file}` is not the file that was shipped: its SHA-256 is {digest}, not {SHA256}. Install the package "
            "anew: `pip install --force-reinstall --no-deps mlpjax`."
        )
    return content
