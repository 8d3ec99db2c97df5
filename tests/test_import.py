"""What `import mlpjax` costs and does: no heavy library, no side effect."""

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys

import pytest

import mlpjax

ROOT = pathlib.Path(__file__).parents[1]
REQUIRED = "import jax, optax, jaxtyping"
ROOMS = "import mlpjax; [getattr(mlpjax, name) for name in mlpjax.__all__]"
HEAVY = {
    "IPython", "PIL", "matplotlib", "pandas", "pooch", "requests", "rich", "safetensors", "sklearn", "tensorboardX",
    "tomli_w", "tqdm", "tyro",
}  # fmt: skip
DEPENDENCIES = {"jax", "jaxlib", "jaxtyping", "numpy", "optax", "wadler_lindig"}  # the last is jaxtyping's printer
LIGHT = {
    "base64", "bisect", "calendar", "csv", "difflib", "gzip", "json", "signal", "string", "tempfile", "tomllib",
    "uuid", "zipfile", "zlib",
}  # fmt: skip


def python(*lines):
    """Run lines in a fresh interpreter and return the JSON they print."""
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", "\n".join(lines)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def loaded(*lines):
    """Top-level names in `sys.modules` after the lines."""
    return set(python(*lines, "import sys, json", "print(json.dumps(sorted(sys.modules)))"))


@pytest.fixture(scope="module")
def required():
    return loaded(REQUIRED)


def test_bare_import_loads_only_mlpjax(required):
    extra = {name.partition(".")[0] for name in loaded(REQUIRED, ROOMS) - required}
    extra -= {"mlpjax"} | DEPENDENCIES
    assert extra <= LIGHT & sys.stdlib_module_names, f"importing every room also loads {sorted(extra - LIGHT)}"


def test_no_module_loads_a_heavy_library(required):
    """Not even the rooms that need one: they import it inside the function that does."""
    walk = "import pkgutil, importlib, mlpjax"
    names = "names = {m.name for m in pkgutil.walk_packages(mlpjax.__path__, 'mlpjax.')} - {'mlpjax.__main__'}"
    every = "for name in sorted(names): importlib.import_module(name)"
    extra = {name.partition(".")[0] for name in loaded(REQUIRED, walk, names, every) - required}
    assert not extra & HEAVY


def test_the_measurement_sees_a_heavy_library(required):
    assert "rich" in loaded(REQUIRED, "import rich") - required


def test_import_changes_nothing():
    """No configuration is touched, no device initialised, no warning filter added, no random number drawn."""
    state = [
        REQUIRED + ", sys, os, random, json, warnings, signal",
        "import numpy as np",
        "def state():",
        "    config = repr(sorted(jax.config.values.items(), key=str))",
        "    drawn = [random.getstate()[1], np.random.get_state()[1].tolist()]",
        "    return [config, drawn, warnings.filters[:], dict(os.environ), signal.getsignal(2)]",
        "before = state()",
        ROOMS,
        "same = [a == b for a, b in zip(before, state())]",
        "from jax._src import xla_bridge",
        "awake = getattr(xla_bridge, 'backends_are_initialized', bool)()",
        "print(json.dumps({'same': same, 'awake': awake}))",
    ]
    assert python(*state) == {"same": [True] * 5, "awake": False}


def test_rooms_are_imported_at_their_first_use():
    assert "jax" not in loaded("import mlpjax")
    assert set(mlpjax.__all__) < set(dir(mlpjax))
    with pytest.raises(AttributeError, match="module 'mlpjax' has no attribute 'mpl'"):
        mlpjax.mpl  # noqa: B018


def test_version():
    assert mlpjax.__version__ == importlib.metadata.version("mlpjax")
