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

MAX_BYTES, MAX_PIXELS = 64 << 20, 50_000_000
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
    return ink(_gray(_decode(path)), path)


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
    from PIL import Image

    (top, bottom), (left, right) = rows, columns
    before = [max(0, math.ceil(-start)) for start in (top, left)]
    after = [max(0, math.ceil(end - size)) for end, size in zip((bottom, right), amount.shape, strict=True)]
    image = Image.fromarray(np.pad(amount, list(zip(before, after, strict=True))).astype(np.float32))
    box = (left + before[1], top + before[0], right + before[1], bottom + before[0])
    small = bottom - top < 0.9 * shape[0]
    method = Image.Resampling.BILINEAR if small else Image.Resampling.BOX
    return np.clip(np.asarray(image.resize((shape[1], shape[0]), method, box=box), float), 0, 1)


def _decode(path: Path) -> Any:
    """A decoded image of Pillow's, whose size was looked at before its pixels."""
    from PIL import Image, ImageOps

    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise PictureError(f"{path} has more than {MAX_BYTES >> 20} MiB. Scale it down: a digit needs 28 × 28 pixels.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise PictureError(
                    f"{path} has {image.width} × {image.height} pixels, more than {MAX_PIXELS:,}. Scale it down: a "
                    f"digit needs 28 × 28."
                )
            image.load()
            return ImageOps.exif_transpose(image)
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
        values = np.asarray(image, float)
        return (values - min(values.min(), 0)) / max(values.max(), 255 if image.mode == "F" else 65535)
    if "A" not in image.getbands() and "transparency" not in image.info:
        return np.asarray(image.convert("L"), float) / 255
    layers = image.convert("RGBA")
    gray, alpha = (np.asarray(layers.convert("RGB").convert("L"), float) / 255, np.asarray(layers)[..., 3] / 255)
    on_white = gray * alpha + 1 - alpha
    return on_white if np.ptp(on_white) > 0.1 else gray * alpha
