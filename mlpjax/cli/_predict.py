"""`mlpjax predict`."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlpjax import _text
from mlpjax.cli import _model, _pictures, _problem, _run_dir, _status
from mlpjax.cli._parser import parse

ABOUT = """Read the digit in a picture.

Examples:
  mlpjax predict seven.png
  mlpjax predict *.png --run-dir runs/mnist-20270101-120000
  mlpjax predict seven.png --json

One digit per picture, of any size and anywhere in it: dark on light or light on dark, gray, in color or transparent. It
is cut out and centered as the pictures were that the network was trained on.
"""


@dataclass(frozen=True)
class Options:
    """What to read, and with which network.

    Attributes:
        images: pictures: PNG, JPEG and the like.
        run_dir: a directory that mlpjax train wrote; by default the newest complete one under
            ./runs that knows digits.
        json: print a list for machines, with the probability of every digit.
    """

    images: tuple[Path, ...]
    run_dir: Path | None = None
    json: bool = False


def run(args: list[str]) -> int:
    """Read the pictures that the arguments name."""
    (options,) = parse("predict", ABOUT, args, Options, positional={"images": "IMAGE [IMAGE ...]"})
    if not options.images:
        raise ValueError("`IMAGE` must be at least one picture. For example `mlpjax predict seven.png`.")
    model = _model.load(options.run_dir or _newest())
    if not model.problem.preprocessing:
        raise ValueError(f"{model.path} is a run on {model.problem.recipe.data}, which has no pictures. Take another.")
    found = [_read(path, model.problem) for path in options.images]
    good = [picture for picture in found if isinstance(picture, np.ndarray)]
    rows = iter(predict(model, np.stack(good)) if good else [])
    answers = [
        _answer(path, next(rows)) if isinstance(picture, np.ndarray) else {"file": str(path), "error": picture}
        for path, picture in zip(options.images, found, strict=True)
    ]
    _print_json(model, answers) if options.json else _print(model, answers)
    return 1 if any("error" in answer for answer in answers) else 0


def _newest() -> Path:
    return _status.newest(_problem.PICTURES)


def predict(model: _model.Model, pictures: np.ndarray) -> np.ndarray:
    """Probabilities of the digits, one row for each normalized picture."""
    import jax
    import jax.numpy as jnp

    return np.asarray(jax.jit(model.problem.probabilities)(model.params, jnp.asarray(pictures)))


def prepare(amount: np.ndarray, preprocessing: dict[str, Any]) -> np.ndarray:
    """Ink as the training data have it: flat, `uint8`, with their size, place and largest value."""
    place = {name: preprocessing[name] for name in ("height", "width", "box", "mass", "middle")}
    return np.rint(_pictures.normalize(amount, **place) * preprocessing["maximum"]).astype(np.uint8).ravel()


def _read(path: Path, problem: _problem.Problem) -> np.ndarray | str:
    """A picture, or what is wrong with it."""
    try:
        return prepare(_pictures.read(path), problem.preprocessing)
    except _pictures.PictureError as error:
        return str(error)
    except OSError as error:
        return f"{path}: {error.strerror or error}"


def _answer(path: Path, p: np.ndarray) -> dict[str, Any]:
    if not np.isfinite(p).all():
        return {"file": str(path), "error": f"{path}: what the network says of it is not finite. Take another run."}
    first, second = (int(k) for k in np.argsort(-p, kind="stable")[:2])
    return {
        "file": str(path),
        "digit": first,
        "probability": float(p[first]),
        "runner_up": {"digit": second, "probability": float(p[second])},
        "probabilities": [float(v) for v in p],
    }


def _print_json(model: _model.Model, answers: list[dict[str, Any]]) -> None:
    print(json.dumps({"run": str(model.path), "pictures": answers}, indent=1, allow_nan=False))


def _print(model: _model.Model, answers: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(f"read by {_run_dir.shown(model.path)}", style="dim"), soft_wrap=True)
    width = max(len(_text.printable(answer["file"])) for answer in answers)
    for answer in answers:
        if "error" in answer:
            print(f"mlpjax: error: {_text.printable(answer['error'])}", file=sys.stderr)
            continue
        filled, second = round(20 * answer["probability"]), answer["runner_up"]
        line = Text(f"{_text.printable(answer['file']):<{width}}  ")
        line.append(str(answer["digit"]), style="bold green")
        line.append(f"  {100 * answer['probability']:5.1f} %  ")
        line.append("█" * filled, style="green").append("░" * (20 - filled), style="dim")
        line.append(f"  or {second['digit']}: {100 * second['probability']:.1f} %", style="dim")
        console.print(line, soft_wrap=True)
