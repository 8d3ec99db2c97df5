"""Where scripts leave what they measured, for the figures and tables of a chapter."""

import argparse
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


def read(name):
    """What is there already."""
    target = DATA / f"{name}.json"
    return json.loads(target.read_text("utf-8")) if target.exists() else {}


def command(name, description, parts):
    """A command line that measures all parts, or those after `--only`; each replaces its own key of the file."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    for part in parser.parse_args().only:
        measured, known = parts[part](), read(name)
        write(name, **{other: known[other] for other in parts if other in known} | {part: measured})
