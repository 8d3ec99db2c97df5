"""How large the workloads of an accelerator are: for a card, to try the command on a CPU, and for its test."""

from typing import NamedTuple

from benchmarks import measure, workloads


class Plan(NamedTuple):
    """All sizes.

    Attributes:
        examples: images in an epoch.
        nets: by name: the sizes of those that are trained for an epoch, with each of the `batches`.
        batches: how many images a step takes.
        members: networks in each ensemble.
        ensemble_steps: how long they are trained.
        wide: the sizes of the wide net, trained on `wide_examples` images.
        wide_examples: how many.
        wide_steps: by size of batch: how many steps.
        square: rows and columns of the matrices that show what a card can do.
        copied: numbers that are copied for the same end.
        rounds: how often each program is timed, if there is time for it.
        seconds: about how long one workload is timed.
    """

    examples: int
    nets: dict[str, tuple[int, ...]]
    batches: tuple[int, ...]
    members: tuple[int, ...]
    ensemble_steps: int
    wide: tuple[int, ...]
    wide_examples: int
    wide_steps: dict[int, int]
    square: int
    copied: int
    rounds: int
    seconds: float


FULL = Plan(
    examples=60_000,
    nets={"small": (784, 128, 10), "medium": (784, 512, 512, 10)},
    batches=(128, 1024),
    members=tuple(4**power for power in range(8)),
    ensemble_steps=500,
    wide=workloads.WIDE,
    wide_examples=16_384,
    wide_steps={1024: 80, 4096: 24, 256: 160},
    square=8192,
    copied=2**28,
    rounds=measure.ROUNDS,
    seconds=12.0,
)
SMALL = FULL._replace(
    examples=4096,
    members=(1, 4, 16),
    ensemble_steps=50,
    wide=(784, 250, 200, 10),
    wide_examples=4096,
    wide_steps={256: 8},
    square=512,
    copied=2**20,
    rounds=5,
    seconds=2.0,
)
TINY = Plan(
    examples=64,
    nets={"small": (784, 8, 10)},
    batches=(16,),
    members=(2,),
    ensemble_steps=3,
    wide=(784, 8, 6, 10),
    wide_examples=64,
    wide_steps={16: 2},
    square=16,
    copied=1024,
    rounds=2,
    seconds=0.0,
)
