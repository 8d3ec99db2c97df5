"""From a picture of a digit to what a network was trained on.

A file from anywhere is read within bounds, laid on paper where it is transparent, and turned so that ink is 1 and paper
0, whichever was darker. Then the ink is cut out and put where the training pictures have it.
"""

import io
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from mlpjax import _files

MAX_BYTES, MAX_PIXELS, MAX_SIDE, ENOUGH = 64 << 20, 50_000_000, 1 << 16, 4_000_000
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
FAINT, CONTRAST = 0.05, 1 / 32
"""The least ink that counts, of the darkest; the least difference between ink and paper, of black and white."""


class PictureError(ValueError):
    """A file that is no picture, or one without a digit in it; the message says which."""


def read(path: Path) -> np.ndarray:
    """The ink of a picture, from 0 to 1.

    Args:
        path: a picture in one of the usual formats, of any size, gray or in color.

    Returns:
        Shape `(height, width)`.

    Raises:
        PictureError: the file is not a picture, too large, damaged, or blank.
        OSError: it cannot be read.
    """
    return ink(_decode(path), path)


def ink(gray: np.ndarray, name: Any = "the picture") -> np.ndarray:
    """How much ink is where: 0 is the color of most of the border, 1 what differs most from it.

    Args:
        gray: brightness from 0 to 1, shape `(height, width)`.
        name: what an error calls it.

    Returns:
        The same shape.
    """
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    paper = np.median(border)
    light = paper >= (gray.min() + gray.max()) / 2
    amount = np.clip(paper - gray if light else gray - paper, 0, None)
    if amount.max() < CONTRAST:
        raise PictureError(f"{name} is blank: nothing in it differs from its border. Is there a digit?")
    return amount / amount.max()


def normalize(amount: np.ndarray, *, height: int, width: int, box: int, mass: float, middle: float) -> np.ndarray:
    """Cut the ink out, fit it into a box with its aspect kept, and center it.

    Args:
        amount: ink from 0 to 1.
        height: rows of the result.
        width: its columns.
        box: the side of the square that the ink is fitted into.
        mass: from 0 to 1, how much the center of mass counts against the middle of the ink's bounding box.
        middle: where that center goes, counted in pixels from that of the first row and column.

    Returns:
        Shape `(height, width)`, from 0 to 1.
    """
    spans = [_span(amount.max(axis=axis) > FAINT) for axis in (1, 0)]
    scale = max(end - start for start, end in spans) / box
    rows, columns = (
        _window(amount.sum(axis=1 - axis), spans[axis], scale, side, mass, middle)
        for axis, side in ((0, height), (1, width))
    )
    return _resample(amount, rows, columns, (height, width))


def _span(inked: Any) -> tuple[int, int]:
    """From the first to behind the last."""
    places = np.flatnonzero(inked)
    return int(places[0]), int(places[-1]) + 1


def _window(amounts: np.ndarray, span: tuple[int, int], scale: float, side: int, mass: float, middle: float) -> Any:
    """Along one axis, where the result begins and ends in the picture, in fractions of its pixels."""
    places, inked = np.arange(span[0], span[1]) + 0.5, amounts[span[0] : span[1]]
    center = mass * np.average(places, weights=inked) + (1 - mass) * places.mean()
    start = center - (middle + 0.5) * scale
    start = max(min(start, span[0]), span[1] - side * scale)  # nothing is cut off
    return start, start + side * scale


def _resample(amount: np.ndarray, rows: Any, columns: Any, shape: tuple[int, int]) -> np.ndarray:
    """A window of the picture, no paper too much or too little: areas averaged, or interpolated where it is small."""
    small = bool(rows[1] - rows[0] < 0.9 * shape[0])
    R, C = (_weights(*(rows, columns)[i], shape[i], amount.shape[i], small) for i in (0, 1))
    return np.clip(R @ amount @ C.T, 0, 1)


def _weights(start: float, end: float, count: int, size: int, small: bool) -> np.ndarray:
    """How much each of `size` pixels counts in each of `count` equal parts of a window; beyond them all is paper."""
    edges, pixels = np.linspace(start, end, count + 1), np.arange(size)
    if small:
        return np.clip(1 - abs((edges[1:] + edges[:-1])[:, None] / 2 - (pixels + 0.5)), 0, None)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.clip(overlap, 0, None) * count / (end - start)


def _decode(path: Path) -> np.ndarray:
    """Brightness, of an image whose size was looked at before its pixels."""
    from PIL import Image, ImageOps

    with _files.reading(path) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise PictureError(f"{path} has more than {MAX_BYTES >> 20} MiB. Scale it down: a digit needs 28 × 28 pixels.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
                raise PictureError(
                    f"{path} has {image.width} × {image.height} pixels, more than {MAX_PIXELS:,} in all or "
                    f"{MAX_SIDE:,} in a line. Scale it down: a digit needs 28 × 28."
                )
            image.load()
            gray = _gray(ImageOps.exif_transpose(image))
            if not np.isfinite(gray).all():
                raise ValueError("it holds numbers that are not finite")
            return gray
    except PictureError:
        raise
    except Image.DecompressionBombError:
        raise PictureError(f"{path} promises far more pixels than {MAX_PIXELS:,}. Scale it down.") from None
    except Exception as error:  # decoders of hostile files raise whatever they like
        raise PictureError(f"{path} is not a picture that can be read ({_first_line(error)}). Try a PNG.") from error


def _first_line(error: Exception) -> str:
    text = str(error).splitlines()[:1]
    return type(error).__name__ if not text or "BytesIO" in text[0] else text[0]


def _gray(image: Any) -> np.ndarray:
    """Brightness from 0 to 1, on white paper where it is transparent, or on black where white hides it."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, np.float32)
        return (values - min(values.min(), 0)) / max(values.max(), 255 if image.mode == "F" else 65535)
    if "A" not in image.getbands() and "transparency" not in image.info:
        return np.asarray(_reduced(image.convert("L")), float) / 255
    layers = _reduced(image.convert("RGBA"))
    gray, alpha = (np.asarray(layers.convert("RGB").convert("L"), float) / 255, np.asarray(layers)[..., 3] / 255)
    on_white = gray * alpha + 1 - alpha
    return on_white if np.ptp(on_white) > 0.1 else gray * alpha


def _reduced(image: Any) -> Any:
    """A picture of more pixels than can matter, averaged over squares: what follows takes many bytes for each."""
    factor = math.ceil(math.sqrt(image.width * image.height / ENOUGH))
    return image.reduce(factor) if factor > 1 else image
