"""What the rivals are compared on: a workload makes its contestants, and says what is expected of their times."""

import functools
import tempfile
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from benchmarks.rivals import floor, ours
from benchmarks.rivals.problem import Problem
from mlpjax import data, mlp
from mlpjax.data import Dataset

STEPS = 468  # of 128 images: an epoch of MNIST but for its last 96 images
OURS = "mlpjax"


class Bar(NamedTuple):
    """An expectation: the time of `ours` is at most `limit` times the time of `theirs`."""

    ours: str
    theirs: str
    limit: float


class Workload(NamedTuple):
    """One table.

    Attributes:
        title: what is trained.
        contestants: by name; the loss that each returns must be the same.
        bars: what is expected.
        work: how many of `unit` one call does.
        unit: what is counted per second.
        operations: multiplications and additions of the products of matrices in one call, if that is of interest.
        unequal: contestants whose result is not a loss, or not the same one.
        rounds: how many are needed at least.
    """

    title: str
    contestants: dict[str, Callable]
    bars: list[Bar]
    work: float
    unit: str
    operations: float | None = None
    unequal: tuple[str, ...] = ()


def rivals(problem: Problem, names: list[str], missing: Callable[[str, Exception], None]) -> dict[str, Callable]:
    """Contestants of other libraries, those that can be made here."""
    import importlib

    made = {}
    for name in names:
        module, function = name.split(".")
        try:
            made[name] = getattr(importlib.import_module(f"benchmarks.rivals.{module}"), function)(problem)
        except Exception as error:  # a library that is absent, a compiler that is: the table says so
            missing(name, error)
    return made


def initial(sizes: tuple[int, ...], seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """He-normal weights and zero biases."""
    return [(np.asarray(layer.W), np.asarray(layer.b)) for layer in drawn(seed, sizes)]


@functools.partial(jax.jit, static_argnames="sizes")
def drawn(seed, sizes):
    return mlp.init(jax.random.key(seed), sizes)


def mnist_problem(sizes, batch, steps, *, directory, optimizer="adam", rate=1e-3) -> tuple[Problem, np.ndarray]:
    """MNIST's training set, and its pixels as bytes."""
    try:
        images = data.mnist.load(directory, split="train")
    except (OSError, ImportError) as error:
        raise SystemExit(f"{error} Or say --data-dir.") from None
    pixels, y = np.asarray(images.x).reshape(len(images.x), -1), np.asarray(images.y).astype(np.int32)
    x, order = (pixels / 255).astype(np.float32), ours.order(len(pixels), batch, steps)
    return Problem(x, y, order, initial(sizes), "relu", "cross-entropy", optimizer, rate), pixels


JAX_RIVALS = [
    *("equinox.idiom", "equinox.idiom_flat", "equinox.scan"),
    *("nnx.idiom", "nnx.idiom_cached", "nnx.idiom_functional", "nnx.scan"),
]
TORCH = [
    *("pytorch.eager", "pytorch.eager_default", "pytorch.dataloader", "pytorch.compiled_model", "pytorch.compiled")
]


SHORT = ["equinox.idiom", "equinox.idiom_flat", "equinox.scan", "nnx.idiom_functional", "pytorch.eager"]
SHORT += ["pytorch.compiled", "scikit.fit"]


def epoch(sizes, limits, names, *, directory, missing, steps=STEPS) -> Workload:
    """An epoch of MNIST with Adam, batch 128."""
    problem, pixels = mnist_problem(sizes, 128, steps, directory=directory)
    contestants = {
        OURS: ours.run(problem, pixels=pixels),
        "mlpjax, jax.grad": ours.run(problem, pixels=pixels, gradients="autodiff"),
        "matmuls alone": floor.matmuls(problem),
        **rivals(problem, names, missing),
    }
    return Workload(
        f"One epoch of MNIST, {list(sizes)}, batch 128, Adam",
        contestants,
        [Bar(OURS, name, limit) for name, limit in limits.items()],
        128 * steps,
        "examples/s",
        floor.operations(problem),
        ("matmuls alone",),
    )


def small(*, directory, missing):
    limits = {
        "equinox.idiom": 0.45,
        "equinox.idiom_flat": 0.45,
        "pytorch": 0.40,
        "scikit": 0.35,
        "matmuls alone": 1.15,
        "mlpjax, jax.grad": 1.10,
    }
    names = [*JAX_RIVALS, *TORCH, "scikit.fit"]
    return epoch((784, 128, 10), limits, names, directory=directory, missing=missing)


def medium(*, directory, missing):
    limits = {
        "equinox.idiom": 0.62,
        "equinox.idiom_flat": 0.62,
        "pytorch": 0.45,
        "scikit": 0.30,
        "mlpjax, jax.grad": 1.10,
    }
    return epoch((784, 512, 512, 10), limits, SHORT, directory=directory, missing=missing)


def decisions(*, directory, missing, sizes=(784, 128, 10)):
    """The same epoch with one thing done otherwise."""
    from benchmarks import decisions

    problem, pixels = mnist_problem(sizes, 128, STEPS, directory=directory)
    title = f"One epoch of MNIST, {list(sizes)}, batch 128, Adam, with one thing done otherwise"
    contestants = decisions.variants(problem, pixels)
    return Workload(title, contestants, [], 128 * STEPS, "examples/s", unequal=decisions.UNEQUAL)


def fit(*, directory, missing, epochs=5):
    """The host loop with all its effects."""
    problem, pixels = mnist_problem((784, 128, 10), 128, epochs * STEPS, directory=directory)
    held_out = Dataset(pixels[:10_000], problem.y[:10_000])
    folder = tempfile.mkdtemp()
    contestants = ours.watched(problem, held_out, folder, pixels, per_epoch=STEPS)
    return Workload(
        f"{epochs} epochs of MNIST, [784, 128, 10], with progress bar, log, evaluation each epoch and a checkpoint",
        contestants,
        [Bar("training.fit", "training.run, evaluating", 1.10)],
        128 * STEPS * epochs,
        "examples/s",
    )


def xor_problem(steps: int, seed: int = 0) -> Problem:
    corners = data.toy.xor()
    x, y = np.asarray(corners.x, np.float32), np.asarray(corners.y, np.float32)
    return Problem(x, y, ours.order(4, None, steps), initial((2, 4, 1), seed), "sigmoid", "squared", "sgd", 10.0)


def xor(*, directory, missing, steps=2000):
    """Steps too small for anything but their dispatch to matter."""
    problem = xor_problem(steps)
    names = [*JAX_RIVALS, "pytorch.eager", "pytorch.compiled"]
    contestants = {
        OURS: ours.run(problem),
        "mlpjax, jax.grad": ours.run(problem, gradients="autodiff"),
        **rivals(problem, names, missing),
    }
    bars = [
        Bar(OURS, "pytorch", 1 / 50),
        Bar(OURS, "equinox.idiom", 1 / 25),
        Bar(OURS, "equinox.idiom_flat", 1 / 25),
        Bar(OURS, "mlpjax, jax.grad", 1.10),
    ]
    return Workload("XOR, [2, 4, 1], 2,000 full-batch steps", contestants, bars, steps, "steps/s")


def ensemble(*, directory, missing, steps=500, members=1024):
    """Many small networks at once."""
    problems = [xor_problem(steps, seed) for seed in range(members)]
    contestants = {
        OURS: ours.ensemble(problems),
        "mlpjax, jax.grad": ours.ensemble(problems, gradients="autodiff"),
    }
    names = ["equinox.ensemble", "pytorch.ensemble", "pytorch.ensemble_compiled"]
    contestants |= rivals(problems, names, missing)  # pyright: ignore
    one = rivals(problems[0], ["pytorch.eager"], missing)
    contestants |= {f"{name} × {members}": repeated(make, members) for name, make in one.items()}
    bars = [
        Bar(OURS, f"pytorch.eager × {members}", 1 / 2000),
        Bar(OURS, "pytorch.ensemble", 1 / 10),
        Bar(OURS, "pytorch.ensemble_compiled", 1 / 10),
        Bar(OURS, "mlpjax, jax.grad", 1.10),
    ]
    unequal = (f"pytorch.eager × {members}",)
    title = f"{members:,} XOR nets [2, 4, 1], {steps} steps each"
    return Workload(title, contestants, bars, steps * members, "networks × steps/s", unequal=unequal)


class repeated:
    """A contestant that stands for so many runs of its kind one after another: it is run once, its time multiplied."""

    def __init__(self, make, times):
        self.make, self.times = make, times

    def __call__(self):
        return self.make()


WIDE = (784, 2500, 2000, 1500, 1000, 500, 10)


def wide(*, directory, missing, batch=256, optimizer="sgd"):
    """Compute-bound: Cireşan's network, 12 million weights."""
    steps, limit = {256: (24, 0.90), 1024: (8, 0.85)}[batch]
    rate = 0.01 if optimizer == "sgd" else 1e-4
    problem, pixels = mnist_problem(WIDE, batch, steps, directory=directory, optimizer=optimizer, rate=rate)
    contestants = {
        OURS: ours.run(problem, pixels=pixels),
        "mlpjax, jax.grad": ours.run(problem, pixels=pixels, gradients="autodiff"),
        "matmuls alone": floor.matmuls(problem),
        **rivals(problem, ["equinox.idiom", "equinox.scan", "pytorch.eager"], missing),
    }
    bars = [
        Bar(OURS, "matmuls alone", 1 / limit),
        Bar(OURS, "equinox", 1.0),
        Bar(OURS, "pytorch", 1 / 1.5),
        Bar(OURS, "mlpjax, jax.grad", 1.10),
    ]
    title = f"{list(WIDE)}, batch {batch}, {dict(sgd='SGD', adam='Adam')[optimizer]}, {steps} steps"
    operations = floor.operations(problem)
    return Workload(title, contestants, bars, batch * steps, "examples/s", operations, ("matmuls alone",))
