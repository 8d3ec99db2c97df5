"""The experiments by name, and the records of their last full runs."""

import datetime
import importlib
import json
import os
import pathlib
import platform
import time
from importlib import metadata
from typing import NamedTuple

FOLDER = pathlib.Path(__file__).parent
RECORDS = FOLDER.parents[1] / "docs/figures/data/reliability"
FRAME = ("__init__", "__main__", "experiments", "claims")


class Claim(NamedTuple):
    """One expectation: what it is, what was found, in words for a table, and whether it is kept."""

    expected: str
    found: str
    kept: bool


def names():
    """All experiments, in the order of the alphabet."""
    return sorted(f.stem for f in FOLDER.glob("*.py") if f.stem not in FRAME and not f.stem.startswith(("test_", "_")))


def load(name):
    """The module of an experiment."""
    return importlib.import_module(f"tests.reliability.{name}")


def measured(module, count, seed):
    """What an experiment counts, as its record will give it back."""
    return json.loads(json.dumps(module.measure(count, seed)))


def record(name, count=None, seed=0):
    """Measure in full and keep it."""
    module, began = load(name), time.monotonic()
    count = count or module.FULL
    found = measured(module, count, seed)
    about = {
        "title": module.TITLE,
        "how": module.HOW,
        "date": datetime.date.today().isoformat(),
        "seconds": round(time.monotonic() - began),
        "versions": {name: metadata.version(name) for name in ("jax", "jaxlib", "optax", "numpy")},
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
    }
    claims = [claim._asdict() for claim in module.claims(found)]
    RECORDS.mkdir(exist_ok=True)
    text = json.dumps({**about, "count": count, "seed": seed, "found": found, "claims": claims}, indent=1)
    (RECORDS / f"{name}.json").write_text(text + "\n", "utf-8")
    return claims


def read(name):
    """The record of the last full run."""
    return json.loads((RECORDS / f"{name}.json").read_text("utf-8"))
