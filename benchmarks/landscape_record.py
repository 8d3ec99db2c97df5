"""Where the scripts on the landscape of a loss leave what they measured, for the figures and tables of its chapter."""

import datetime
import json
import pathlib
import platform

import jax

DATA = pathlib.Path(__file__).parents[1] / "docs" / "figures" / "data"


def write(name, **values):
    """A JSON file in docs/figures/data, with date and versions."""
    versions = dict(jax=jax.__version__, python=platform.python_version(), machine=platform.machine())
    target = DATA / f"{name}.json"
    target.write_text(json.dumps(dict(date=datetime.date.today().isoformat(), **versions, **values)) + "\n")
    print(f"wrote {target.name}")
