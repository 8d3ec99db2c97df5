"""A run directory: configuration, log, checkpoint and pictures of one run."""

import dataclasses
import datetime
import importlib.metadata
import io
import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlpjax import _files, _text

CONFIG, LOG, CHECKPOINT = "config.toml", "log.jsonl", "checkpoint.npz"
RUNS = Path("runs")
MOST = {CONFIG: 1 << 17, LOG: 1 << 28}
"""How many bytes of them are read at most: what two million records take, those of the longest run."""


def create(path: Path | None, name: str) -> Path:
    """A directory for a new run; by default `runs/NAME-TIME` with the time in UTC."""
    if path is not None:
        # with its configuration alone it never took a step; a link to nothing is there, too
        if os.path.lexists(path / LOG) or os.path.lexists(path / CHECKPOINT):
            raise ValueError(
                f"`--run-dir` must not hold a run already; {path} does. Take another, or continue it with "
                f"`mlpjax train --resume {path}`."
            )
        _files.make_directory(path, exist_ok=True)
        return path
    time = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{i}" for i in range(2, 1000))):
        try:
            _files.make_directory(RUNS / f"{name}-{time}{suffix}")
        except FileExistsError:
            continue
        return RUNS / f"{name}-{time}{suffix}"
    raise FileExistsError(f"`{RUNS}` holds a thousand runs of this second. Name one with `--run-dir`.")


def on(kinds: tuple[str, ...]) -> Iterator[Path]:
    """The runs under `runs` on some data sets, those with the youngest checkpoints first."""
    found = sorted(RUNS.glob(f"*/{CHECKPOINT}"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in found:
        if (file.parent / CONFIG).is_file() and read_config(file.parent)["recipe"].get("data") in kinds:
            yield file.parent


def named(path: Path) -> Path:
    """The run that is meant: a run directory, or the checkpoint in it."""
    return path.parent if path.name == CHECKPOINT and path.is_file() else path


def write_config(run: Path, config: dict[str, Any]) -> None:
    """Write the configuration as TOML."""
    import tomli_w

    text = "# Written by `mlpjax train`: everything that decided this run.\n\n" + tomli_w.dumps(_plain(config))
    with _files.replacing(run / CONFIG, follow=False) as file:
        file.write(text.encode())


def read_config(run: Path) -> dict[str, Any]:
    """Read the configuration; its table `recipe` as it is."""
    try:
        config = tomllib.loads(_content_of(run / CONFIG).decode())
    except FileNotFoundError:
        raise FileNotFoundError(
            f"`{run}` is no run directory: it has no {CONFIG}. Name a directory that `mlpjax train` wrote."
        ) from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{run / CONFIG} is not valid TOML: {error}. Was it edited?") from None
    if not all(isinstance(config.get(name), dict) for name in ("recipe", "preprocessing", "run")):
        raise ValueError(f"{run / CONFIG} lacks its tables [recipe], [preprocessing] and [run]. Was it edited?")
    about = config["run"]
    if type(about.get("steps", 0)) is not int or not isinstance(about.get("data_dir", ""), str):
        raise ValueError(f"{run / CONFIG}: in [run], `steps` must be a number and `data_dir` a text. Was it edited?")
    return config


def _content_of(path: Path) -> bytes:
    with _files.reading(path) as file:
        content = file.read(MOST[path.name] + 1)
    if len(content) > MOST[path.name]:
        raise ValueError(f"{path} has more than {MOST[path.name]:,} bytes. No run writes so much: was it edited?")
    return content


def recipe(table: dict[str, Any], where: Any) -> Any:
    """A `Recipe` from a table of a configuration or a checkpoint, every value looked at."""
    from mlpjax.training.recipes import Recipe

    fields = {field.name: field for field in dataclasses.fields(Recipe)}
    required = {name for name, field in fields.items() if field.default is dataclasses.MISSING}
    missing, extra = sorted(required - set(table)), sorted(set(table) - set(fields))
    if missing or extra:
        raise ValueError(f"{where}: the recipe lacks {missing} and has unknown {extra}. Was it edited, or newer?")
    return Recipe(**{name: _typed(where, name, fields[name].type, value) for name, value in table.items()})


def _typed(where: Any, name: str, kind: Any, value: Any) -> Any:
    if type(value) is int and abs(value) >= 2**63:
        raise ValueError(f"{where}: `{name}` must have 64 bits at most; got a number of {value.bit_length()}.")
    value = float(value) if kind is float and type(value) is int else value
    if kind in (int, float, str) and type(value) is not kind:
        raise ValueError(f"{where}: `{name}` must be of type {kind.__name__}; got {value!r}. Was it edited?")
    if kind in (int, float, str):
        return value
    if not isinstance(value, list) or not all(type(v) is int for v in value):
        raise ValueError(f"{where}: `{name}` must be a list of integers; got {value!r}. Was it edited?")
    return tuple(value)


def read_log(run: Path) -> list[dict[str, Any]]:
    """The records of the log; a line that is none is passed over: a killed process or a power failure makes such."""
    try:
        lines = _content_of(run / LOG).decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [record for line in lines if (record := _record(line)) is not None]


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and type(record.get("step")) is int and _measured(record) else None


def _measured(record: dict[str, Any]) -> bool:
    """Whether what a record says was measured are numbers, or where none was finite, nothing."""
    parts = [part for name in ("validation", "training", "test") if (part := record.get(name)) is not None]
    if not all(isinstance(part, dict) for part in parts):
        return False
    values = [record.get(name) for name in ("epoch", "loss", "seconds")] + [v for part in parts for v in part.values()]
    return all(v is None or (type(v) in (int, float) and abs(v) < 2**1000) for v in values)


def rewind_log(run: Path, step: int) -> None:
    """Drop what the log says of steps after a checkpoint's: they are going to be taken again."""
    from mlpjax.training import _effects

    try:
        content = _content_of(run / LOG)
    except FileNotFoundError:  # or a link to nothing, which the run must not follow either
        content = b""
    kept = _effects.until(content, step)
    if kept != content or (run / LOG).is_symlink():
        with _files.replacing(run / LOG, follow=False) as file:
            file.write(kept)


def save_figure(path: Path, figure: Any) -> Path:
    """Write a picture, whole or not at all, and never through a link to elsewhere."""
    content = io.BytesIO()
    figure.savefig(content, format="png")
    with _files.replacing(path, follow=False) as file:
        file.write(content.getvalue())
    return path


def version(package: str) -> str:
    """The installed version of a package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown (run from its source, not installed)"


def shown(path: Path) -> str:
    """A path as one would type it here."""
    relative = os.path.relpath(path)
    return _text.printable(relative if not relative.startswith("..") else str(path))


def quoted(path: Path) -> str:
    """The same, for a shell."""
    text = shown(path)
    return text if re.fullmatch(r"[\w./+@%:=,-]+", text) else "'" + text.replace("'", "'\\''") + "'"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items() if v is not None}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
