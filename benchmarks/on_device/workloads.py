"""What is measured on an accelerator."""

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import measure
from benchmarks.on_device import parts, programs
from benchmarks.on_device.plans import Plan
from benchmarks.on_device.programs import Program
from benchmarks.rivals import floor
from benchmarks.workloads import OURS, Bar
from mlpjax.data import Dataset

AUTODIFF, ALONE = f"{OURS}, jax.grad", "matmuls alone"
# By name: the setting of JAX, the dtype of parameters and data, and how far mean losses may differ.
PRECISIONS = {
    "float32": ("highest", np.float32, 2e-3),
    "TF32": ("tensorfloat32", np.float32, 2e-2),
    "bfloat16": (None, jnp.bfloat16, 5e-2),
}
RATES = {"Adam": 1e-4, "SGD": 0.01}
MOVED = {"Adam": 7, "SGD": 3}  # numbers read or written for each parameter: it, its gradient, its two moments
Samples = dict[str, list[measure.Sample]]


class Entry(NamedTuple):
    """A workload.

    Attributes:
        title: of its table.
        unit: what is counted per second.
        makers: by name: what compiles a program.
        work: how many of `unit` one call does; of each, if they differ.
        precision: JAX's setting for products while programs are compiled and run.
        operations: multiplications and additions in the products of one call.
        bars: what is expected.
        found: what else the samples say of a contestant: by its name, intervals by what they are.
        tolerance: how far mean losses may differ.
        unequal: those that have no loss, or another one.
    """

    title: str
    unit: str
    makers: dict[str, Callable[[], Program]]
    work: float | dict[str, float]
    precision: str | None = None
    operations: float | None = None
    bars: tuple[Bar, ...] = ()
    found: Callable[[Samples], dict[str, dict[str, measure.Interval]]] = lambda samples: {}
    tolerance: float = 1e-2
    unequal: tuple[str, ...] = ()


def multiplying(precision: str | None) -> contextlib.AbstractContextManager:
    """While products are computed in this precision, by JAX's name for it; its default if there is none."""
    return jax.default_matmul_precision(precision) if precision else contextlib.nullcontext()


def seconds(samples: Samples, name: str) -> np.ndarray:
    return np.array([taken.seconds for taken in samples[name]])


class Bench:
    """All workloads of a plan, and the rates of the card, which the wide ones are compared with."""

    def __init__(self, plan: Plan, directory: str | None):
        self.plan, self.directory = plan, directory
        self.rates: dict[str, float] = {}

    def catalog(self) -> Iterator[tuple[str, Callable[[], Entry]]]:
        """Names and workloads, what matters most first: time may run out."""
        small, *_ = self.plan.nets
        yield "card", self.card
        for net in self.plan.nets:
            for batch in self.plan.batches:
                yield f"epoch-{net}-{batch}", lambda net=net, batch=batch: self.epoch(net, batch)
        yield "ensemble", self.ensemble
        yield "parts", lambda: self.parts(small, self.plan.batches[0])
        for batch in self.plan.wide_steps:
            for name in PRECISIONS:
                yield f"wide-{batch}-{name}", lambda name=name, batch=batch: self.wide(name, batch)

    def problem(self, sizes, batch, steps, examples, **options):
        return programs.problem(sizes, batch, steps, directory=self.directory, examples=examples, **options)

    def card(self) -> Entry:
        """What the card can do at all."""
        n, products, passes = self.plan.square, 8, 32

        def product(precision, dtype):
            with multiplying(precision):
                return programs.square(n, dtype, products)

        makers = {
            name: lambda precision=precision, dtype=dtype: product(precision, dtype)
            for name, (precision, dtype, _) in PRECISIONS.items()
        }
        work = dict.fromkeys(makers, 2.0 * products * n**3)
        copied = f"copying {self.plan.copied * 4 / 2**20:.4g} MiB, bytes"
        makers[copied] = lambda: programs.copying(self.plan.copied, passes)
        work[copied] = 4.0 * self.plan.copied * (2 * passes + 1)

        def remember(samples):
            names = {**{name: name for name in PRECISIONS}, copied: "copying"}
            rates = {names[name]: work[name] / float(np.median(seconds(samples, name))) for name in samples}
            self.rates.update(rates)
            return {}

        title = f"The card: products of {n:,} × {n:,} matrices, operations per second, and copying"
        return Entry(title, "/s", makers, work, found=remember, unequal=tuple(makers))

    def epoch(self, net: str, batch: int) -> Entry:
        """A whole epoch, beside its products alone, the loop in Python and Equinox."""
        sizes, steps = self.plan.nets[net], self.plan.examples // batch
        problem, pixels = self.problem(sizes, batch, steps, self.plan.examples)
        makers = {
            OURS: lambda: programs.whole_run(problem, pixels=pixels),
            AUTODIFF: lambda: programs.whole_run(problem, pixels=pixels, gradients="autodiff"),
            ALONE: lambda: programs.products(problem),
            "jitted step, loop in Python": lambda: programs.python_loop(problem, pixels=pixels),
            "equinox.scan": lambda: programs.late(equinox(problem)),
        }
        return Entry(
            f"{steps} steps of {'MNIST' if self.directory else 'random images'}, {list(sizes)}, batch {batch}, Adam",
            "examples/s",
            makers,
            float(batch * steps),
            operations=floor.operations(problem),
            bars=(Bar(OURS, AUTODIFF, 1.10), Bar(OURS, "equinox.scan", 1.10)),
            unequal=(ALONE,),
        )

    def ensemble(self) -> Entry:
        """Many small networks at once."""
        steps = self.plan.ensemble_steps
        names = {f"{members:,} nets" if members > 1 else "1 net": members for members in self.plan.members}
        makers = {name: lambda members=members: programs.ensemble(members, steps) for name, members in names.items()}
        work = {name: float(members * steps) for name, members in names.items()}
        title = f"XOR nets [2, 4, 1] by jax.vmap of a run, {steps} full-batch steps"
        return Entry(title, "networks × steps/s", makers, work, unequal=tuple(names))

    def parts(self, net: str, batch: int) -> Entry:
        """The run with one thing left out, or done otherwise."""
        sizes, steps = self.plan.nets[net], self.plan.examples // batch
        problem, pixels = self.problem(sizes, batch, steps, self.plan.examples)
        validation = Dataset(jnp.asarray(pixels[:10_000]), jnp.asarray(problem.y[:10_000]))

        def lacking(name):
            with parts.without(name):
                return programs.whole_run(problem, pixels=pixels)

        looks = dict(validation=validation, evaluate_every=steps)
        makers = {
            OURS: lambda: programs.whole_run(problem, pixels=pixels),
            **{f"without {name}": lambda name=name: lacking(name) for name in parts.PARTS},
            "evaluating within the run": lambda: programs.whole_run(problem, pixels=pixels, **looks),
            "evaluating after it": lambda: programs.evaluated_after(problem, pixels=pixels, validation=validation),
        }
        title = f"What the parts of a step cost: {list(sizes)}, batch {batch}, Adam, {steps} steps"
        return Entry(title, "examples/s", makers, float(batch * steps), unequal=("without shuffle",))

    def wide(self, precision: str, batch: int) -> Entry:
        """Compute-bound, or bound by memory: 12 million weights."""
        setting, dtype, tolerance = PRECISIONS[precision]
        sizes, steps = self.plan.wide, self.plan.wide_steps[batch]
        problem, _ = self.problem(sizes, batch, steps, self.plan.wide_examples, dtype=dtype)
        makers = {}
        for name, rate in RATES.items():
            one = problem._replace(optimizer=name.lower(), rate=rate)
            makers[f"{OURS}, {name}"] = lambda one=one: programs.whole_run(one)
            makers[f"{AUTODIFF}, {name}"] = lambda one=one: programs.whole_run(one, gradients="autodiff")
        makers[ALONE] = lambda: programs.products(problem)
        operations = floor.operations(problem)
        moved = sum(W.nbytes + b.nbytes for W, b in problem.layers) * steps
        return Entry(
            f"{list(sizes)}, batch {batch}, {steps} steps, {precision}",
            "examples/s",
            makers,
            float(batch * steps),
            setting,
            operations,
            tuple(Bar(f"{OURS}, {name}", f"{AUTODIFF}, {name}", 1.10) for name in RATES),
            lambda samples: self.shares(samples, precision, operations, moved),
            tolerance,
            (ALONE, *(name for name in makers if name.endswith("SGD"))),
        )

    def shares(
        self, samples: Samples, precision: str, operations: float, moved: float
    ) -> dict[str, dict[str, measure.Interval]]:
        """How much a run gets of what the card can do, and the products alone."""
        square, found = f"{self.plan.square:,} × {self.plan.square:,}", {name: {} for name in samples}
        for name in samples:
            if peak := self.rates.get(precision):
                found[name][f"of the rate of {square}"] = operations / seconds(samples, name) / peak
        for name, times in ((f"{OURS}, {optimizer}", times) for optimizer, times in MOVED.items()):
            if {name, ALONE} <= set(samples):
                alone, taken = seconds(samples, ALONE), seconds(samples, name)
                found[name]["of these products alone"] = alone / taken
                if rate := self.rates.get("copying"):
                    found[name]["of them and the update's bytes"] = (alone + times * moved / rate) / taken
        return {name: {what: measure.interval(v) for what, v in of.items()} for name, of in found.items()}


def equinox(problem):
    """Imported only when it is asked for: it may be absent."""
    from benchmarks.rivals import equinox

    return equinox.scan(problem)
