"""Every contestant of the benchmarks trains the same network on the same batches: the losses agree."""

import functools
import importlib
import importlib.util
import itertools

import jax
import numpy as np
import pytest

from benchmarks.rivals import reference
from benchmarks.rivals.problem import Problem

LIBRARIES = {"equinox": "equinox", "nnx": "flax", "pytorch": "torch", "scikit": "sklearn"}
# Loss, activation and optimizer; sizes, batch (none: full batch) and rate.
PROBLEMS = {
    "cross-entropy, relu, adam": ((5, 8, 8, 3), 6, 0.02),
    "squared, sigmoid, sgd": ((2, 4, 1), None, 2.0),
    "cross-entropy, sigmoid, sgd": ((5, 8, 6, 3), 6, 1.0),
    "squared, relu, adam": ((5, 8, 3), 6, 0.02),
}
ALL, TWO = list(PROBLEMS), list(PROBLEMS)[:2]
# A contestant that shares network, loss and optimizer with another one is tried on two problems only.
CONTESTANTS = {
    "equinox.idiom": ALL,
    "equinox.idiom_flat": TWO,
    "equinox.scan": TWO,
    "nnx.idiom": ALL,
    "nnx.idiom_cached": TWO,
    "nnx.idiom_functional": TWO,
    "nnx.scan": TWO,
    "pytorch.eager": ALL,
    "pytorch.eager_default": TWO,
    "pytorch.dataloader": TWO,
    "pytorch.compiled_model": TWO,
    "pytorch.compiled": TWO,
    "scikit.fit": ALL,
}
# torch.compile starts a C++ compiler: most of a minute for these, and importing it warns of what it uses itself.
COMPILED = [pytest.mark.nightly, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
ENSEMBLES = ["equinox.ensemble", "pytorch.ensemble", pytest.param("pytorch.ensemble_compiled", marks=COMPILED)]
STEPS, EXAMPLES, TOLERANCE = 30, 20, 1e-4


@pytest.fixture(autouse=True)
def as_users_run_it():
    """JAX's own settings: the suite's are stricter than what optax and the rivals are written for."""
    with jax.enable_x64(False), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@functools.cache
def problem(name: str, seed: int = 0) -> Problem:
    """A small problem; the seed is that of the initial values alone."""
    sizes, batch, rate = PROBLEMS[name]
    loss, activation, optimizer = name.split(", ")
    rng, initial = np.random.default_rng(1), np.random.default_rng(seed)
    x = rng.normal(size=(EXAMPLES, sizes[0])).astype(np.float32)
    y = rng.integers(0, sizes[-1], EXAMPLES).astype(np.int32)
    if loss == "squared":
        y = rng.random((EXAMPLES, sizes[-1])).astype(np.float32)
    rows = np.arange(EXAMPLES) if batch is None else rng.integers(0, EXAMPLES, (STEPS, batch))
    order = np.broadcast_to(rows, (STEPS, batch or EXAMPLES)).astype(np.int32)
    draw = lambda fan_in, *shape: (initial.normal(size=shape) / fan_in**0.5).astype(np.float32)
    layers = [(draw(m, n, m), draw(m, n)) for m, n in itertools.pairwise(sizes)]
    return Problem(x, y, order, layers, activation, loss, optimizer, rate)


@functools.cache
def expected(name: str, seed: int = 0) -> float:
    """The reference's mean loss, computed before any contestant could touch the arrays."""
    return reference.mean_loss(problem(name, seed))


def contestant(name: str):
    """The function of that name, if its library and its module are here."""
    module, function = name.split(".")
    if importlib.util.find_spec(f"benchmarks.rivals.{module}") is None:
        pytest.skip(f"benchmarks/rivals/{module}.py does not exist")
    pytest.importorskip(LIBRARIES[module], reason=f"{LIBRARIES[module]} is not installed")
    return getattr(importlib.import_module(f"benchmarks.rivals.{module}"), function)


def pairs():
    """Every contestant with each of its problems."""
    for rival, names in CONTESTANTS.items():
        for name in names:
            yield pytest.param(rival, name, marks=COMPILED if "compiled" in rival else [])


@pytest.mark.parametrize("rival, name", list(pairs()))
def test_the_losses_agree(rival, name):
    wanted, make = expected(name), contestant(rival)
    try:
        prepare = make(problem(name))
    except NotImplementedError as missing:
        pytest.skip(str(missing))
    first, second = prepare()(), prepare()()
    assert isinstance(first, float)
    assert first == pytest.approx(wanted, rel=TOLERANCE)
    assert second == pytest.approx(wanted, rel=TOLERANCE)  # each run starts from the initial values


@pytest.mark.parametrize("rival", ENSEMBLES)
def test_an_ensemble_agrees_with_its_members(rival):
    name, seeds = "squared, relu, adam", (0, 1, 2)
    wanted, make = np.mean([expected(name, seed) for seed in seeds]), contestant(rival)
    try:
        prepare = make([problem(name, seed) for seed in seeds])
    except NotImplementedError as missing:
        pytest.skip(str(missing))
    assert prepare()() == pytest.approx(wanted, rel=TOLERANCE)
    assert prepare()() == pytest.approx(wanted, rel=TOLERANCE)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_problems_tell_a_wrong_run_from_a_right_one(name):
    """A rate 1 % off, or weights of the first layer 5 % off, move the mean loss by more than is tolerated."""
    right, wanted = problem(name), expected(name)
    (W, b), *rest = right.layers
    for wrong in (right._replace(rate=1.01 * right.rate), right._replace(layers=[(1.05 * W, b), *rest])):
        assert abs(reference.mean_loss(wrong) - wanted) > 2 * TOLERANCE * wanted
