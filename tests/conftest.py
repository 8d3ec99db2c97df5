"""Strictness for every test, and the collector of measured errors.

x64, strict dtype promotion, no silent rank promotion, warnings as errors, two CPU devices. `--float32` runs the
suite in JAX's default precision instead of x64, and with XLA's full optimization, as users run it: the suite in x64
compiles the cheap way, which halves its time, since nearly every program here is compiled and run once.
"""

import functools
import hashlib
import inspect
import json
import os
import signal
import textwrap
import zlib

import jax
import jaxtyping
import pytest

from docs._ext import ledger, sources
from tests import helpers

MEASUREMENTS = {False: ledger.MEASUREMENTS, True: ledger.MEASUREMENTS.with_stem("measurements-float32")}


def pytest_addoption(parser):
    parser.addoption("--float32", action="store_true", help="run in JAX's default precision instead of x64")
    parser.addoption("--cheap", action="store_true", help="with --float32: compile the cheap way, as without it")


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in what a shell puts into the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--cheap") or not config.getoption("--float32"):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {helpers.xla_flags()}".strip()
    jax.config.update("jax_enable_x64", not config.getoption("--float32"))
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    jax.config.update("jax_numpy_rank_promotion", "raise")
    jax.config.update("jax_num_cpu_devices", 2)
    os.environ["JAX_PLATFORMS"] = os.environ.get("JAX_PLATFORMS", "cpu")
    config.measurements = {}
    config.addinivalue_line("markers", "x64: needs float64; skipped under --float32")


def pytest_collection_modifyitems(config, items):
    nightly = "nightly" in (config.getoption("markexpr") or "")
    for item in items:
        if "nightly" in item.keywords and not nightly:
            item.add_marker(pytest.mark.skip(reason="nightly set: run with `-m nightly`"))
        if "x64" in item.keywords and config.getoption("--float32"):
            item.add_marker(pytest.mark.skip(reason="needs float64"))


@pytest.fixture
def key(request):
    """A key of the test's own: seeded by its name, so the same in every run."""
    return jax.random.key(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture
def unchecked():
    """Without the suite's run-time type checks: a test of what a user's mistake says, who runs without them."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def measured(request):
    """`measured(error, tolerance, oracle=...)`: assert `error <= tolerance` and record both for the site."""

    def check(error, tolerance, *, oracle: str):
        error, tolerance = float(error), float(tolerance)
        entry = {"error": error, "tolerance": tolerance, "oracle": oracle}
        request.node.user_properties.append(("measured", entry))
        assert error <= tolerance, f"error {error:.3g} exceeds {tolerance:.3g} (oracle: {oracle})"

    return check


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    ids = [i for mark in item.iter_markers("ledger") for i in mark.args]
    if ids:
        source = textwrap.dedent(inspect.getsource(item.function)).rstrip("\n")
        item.user_properties.append(("ledger", ids))
        item.user_properties.append(("source", hashlib.sha256(source.encode()).hexdigest()))


def pytest_runtest_logreport(report):
    properties = dict(p for p in report.user_properties if p[0] != "measured")
    if report.when != "call" or "ledger" not in properties:
        return
    errors = [value for name, value in report.user_properties if name == "measured"]
    entry = {"test": report.nodeid, "outcome": report.outcome, "sha256": properties["source"], "measured": errors}
    for row in properties["ledger"]:
        _results.setdefault(row, []).append({**entry, "functions": hashes(row)})


_results: dict[str, list] = {}


@functools.cache
def hashes(row):
    """The hash of each function that a row names, as it was when it was measured."""
    return {name: sources.of(name).sha256 for name in ledger.rows().get(row, {}).get("functions", [])}


def merged(before, now):
    """What earlier runs measured, unless this one measured it again or function or test have changed since."""
    again = {(row, entry["test"]) for row, entries in now.items() for entry in entries}
    for row, entries in before.items():
        kept = [e for e in entries if (row, e["test"]) not in again and not ledger.outdated(e)]
        now.setdefault(row, []).extend(kept)
    return {row: sorted(entries, key=lambda e: e["test"]) for row, entries in sorted(now.items()) if entries}


def pytest_sessionfinish(session):
    """Write what was measured to a file that the site reads; workers of xdist report to the controller."""
    if not _results or hasattr(session.config, "workerinput"):
        return
    file = MEASUREMENTS[session.config.getoption("--float32")]
    file.parent.mkdir(exist_ok=True)
    before = json.loads(file.read_text()) if file.exists() else {}
    part = file.with_suffix(".part")
    part.write_text(json.dumps(merged(before, _results), indent=1))
    part.replace(file)
