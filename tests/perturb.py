"""Whether each numbered equation's test would notice a wrong function: `python -m tests.perturb [TAG ...]`.

For every equation of the book, what its function returns is multiplied by 1.001, and the tests that the equation names
must then fail; each of them must fail for some such change. An `Activation` is changed in σ and in σ′, a `Loss` in its
value and in its δ, one at a time. Of a transformation of optax the updates are changed.
"""

import argparse
import contextlib
import dataclasses
import importlib
import inspect
import io
import pathlib
import sys
import tempfile
import types

import hypothesis
import jax
import jax.numpy as jnp
import optax
import pytest

from docs._ext import ledger, places
from mlpjax.activations import Activation
from mlpjax.losses import Loss

FACTOR = 1.001
QUIET = ["-W", "ignore::pytest.PytestAssertRewriteWarning", "--jaxtyping-packages="]
PARTS = {Activation: ("fn", "prime"), Loss: ("value", "delta")}


def scaled(value):
    """What a wrong function returns: every real number a little too large, in arrays, trees, functions and values."""
    if type(value) in PARTS:
        return dataclasses.replace(value, **{part: wrong(getattr(value, part)) for part in PARTS[type(value)]})
    if isinstance(value, optax.GradientTransformation):
        return value._replace(update=longer(value.update))
    if callable(value):
        return wrong(value)
    return jax.tree.map(larger, value)


def larger(x):
    """A real or complex number, or an array of such, times the factor."""
    if isinstance(x, float):
        return x * FACTOR
    return x * jnp.asarray(FACTOR, x.dtype) if jnp.issubdtype(getattr(x, "dtype", int), jnp.inexact) else x


def longer(update):
    """An optimizer's update that goes too far, with the right state."""

    def too_far(*args, **kwargs):
        updates, state = update(*args, **kwargs)
        return scaled(updates), state

    return too_far


def wrong(function):
    """A function that computes too much."""
    return lambda *args, **kwargs: scaled(function(*args, **kwargs))


@contextlib.contextmanager
def replaced(target, part):
    """Make one part of a function or value wrong in place, wherever it is referred to."""
    jax.clear_caches()
    if part:
        before = getattr(target, part)
        object.__setattr__(target, part, wrong(before))
        try:
            yield
        finally:
            object.__setattr__(target, part, before)
    else:
        function = inspect.unwrap(target)
        before, scope = function.__code__, function.__globals__
        right = types.FunctionType(before, scope, function.__name__, function.__defaults__, function.__closure__)
        right.__kwdefaults__ = function.__kwdefaults__
        scope["__perturbed__"] = wrong(right)
        function.__code__ = (lambda *args, **kwargs: __perturbed__(*args, **kwargs)).__code__
        try:
            yield
        finally:
            function.__code__ = before
            del scope["__perturbed__"]
    jax.clear_caches()


def resolve(name):
    """The object of a public name."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        return getattr(resolve(module), attribute)


def failing(tests):
    """Which of the tests fail, in a run of their own."""
    failed = set()

    class Listener:
        def pytest_runtest_logreport(self, report):
            if report.failed:
                failed.add(report.nodeid)

    options = ["-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line", *QUIET]
    with contextlib.redirect_stdout(io.StringIO()) as text:
        code = pytest.main([*tests, *options], plugins=[Listener()])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"pytest ended with {code!r}:\n{text.getvalue()}")
    return {test for test in tests if any(f == test or f.startswith((f"{test}[", f"{test}::")) for f in failed)}


def survivors(tags):
    """`(tag, what survived)`: changes that no test noticed, and tests that no change made fail."""
    equations = {tag: e for tag, (_, e) in places.anchors().items() if e and (not tags or tag in tags)}
    every = sorted({test for e in equations.values() for test in e["test"].split()})
    if broken := failing(every):
        raise SystemExit(f"these fail before anything is changed: {sorted(broken)}")
    for tag, equation in equations.items():
        tests, noticed = equation["test"].split(), set()
        for name in equation["impl"].split():
            target = resolve(name)
            for part in PARTS.get(type(target), (None,)):
                with replaced(target, part):
                    failed = failing(tests)
                noticed |= failed
                what = f"{name}.{part}" if part else name
                print(f"{tag}: {what} × {FACTOR}: {len(failed)} of {len(tests)} tests fail", flush=True)
                if not failed:
                    yield tag, f"{what}: no test noticed"
        yield from ((tag, f"{test} noticed nothing") for test in tests if test not in noticed)


def main(arguments=None):
    """Print what survived; fail if anything did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tag", nargs="*", help="equations such as BP2 (default: all of them)")
    tags = parser.parse_args(arguments).tag
    if unknown := [tag for tag in tags if not places.anchors().get(tag, (None, None))[1]]:
        parser.error(f"no equations of the book: {', '.join(unknown)}")
    hypothesis.settings.register_profile("perturb", phases=[hypothesis.Phase.generate], database=None, deadline=None)
    hypothesis.settings.load_profile("perturb")
    with tempfile.TemporaryDirectory() as folder:
        ledger.MEASUREMENTS = pathlib.Path(folder) / "measurements.json"
        found = list(survivors(tags))
    for tag, what in found:
        print(f"SURVIVED {tag}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
