"""A whole recipe as plain values, and one for each data set."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import optax

from mlpjax import _check, activations, initializers, mlp
from mlpjax._types import Callable, PRNGKey
from mlpjax.layers import Dense
from mlpjax.training.recipes._optimizers import optimizer
from mlpjax.training.recipes._schedules import Schedule, constant, cosine, one_cycle


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run, as plain values: what the command line sets and a checkpoint records.

    Attributes:
        data: the data set: `"digits"`, `"mnist"` or `"xor"`.
        hidden: sizes of the hidden layers.
        activation: of the hidden layers, by name.
        loss: by name.
        epochs: how many times every example is seen.
        batch_size: examples per step; 0 takes all of them at every step.
        optimizer: by name.
        learning_rate: the peak of the schedule.
        schedule: `"constant"`, `"cosine"` or `"one-cycle"`; `"constant"` suits schedule-free AdamW.
        weight_decay: of AdamW, Muon and schedule-free AdamW.
        dropout: the probability to drop a hidden unit.
        l1: strength of the L1 penalty.
        l2: strength of the L2 penalty.
        shift: largest random shift of a training image, in pixels.
        gradients: `"bp"` for the hand-written backpropagation, `"autodiff"` for `jax.grad`.
        patience: epochs without a better validation loss before stopping; 0 never stops early.
        validation: the fraction of the training set that is held out to look at while training.
        seed: of everything random.
    """

    data: str
    hidden: tuple[int, ...]
    activation: str
    loss: str
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    schedule: str
    weight_decay: float = 0.0
    dropout: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    shift: int = 0
    gradients: str = "bp"
    patience: int = 0
    validation: float = 0.0
    seed: int = 0

    def make_params(self, key: PRNGKey, sizes: Sequence[int]) -> tuple[Dense, ...]:
        """Initial parameters: Xavier for the activations made like tanh, He for those made like ReLU.

        Args:
            key: randomness.
            sizes: as for `mlp.init`.

        Returns:
            One `Dense` per layer, from one compiled program: op by op, the draws would take a second to compile.
        """
        saturates = activations.by_name(self.activation).saturates == "both"
        weight_init = initializers.xavier_normal if saturates else initializers.he_normal
        sizes = _check.sizes(sizes)
        return jax.jit(lambda key: mlp.init(key, sizes, weight_init=weight_init))(key)

    def make_optimizer(self, steps: int) -> optax.GradientTransformation:
        """The optimizer of the recipe for a run of so many steps."""
        schedules: dict[str, Callable[[], Schedule]] = {
            "constant": lambda: constant(self.learning_rate),
            "cosine": lambda: cosine(self.learning_rate, steps),
            "one-cycle": lambda: one_cycle(self.learning_rate, steps),
        }
        _check.known("schedule", self.schedule, schedules)
        return optimizer(self.optimizer, schedules[self.schedule](), weight_decay=self.weight_decay)


digits = Recipe(
    data="digits",
    hidden=(256, 256),
    activation="gelu",
    loss="smoothed_cross_entropy(0.1)",
    epochs=60,
    batch_size=64,
    optimizer="adamw",
    learning_rate=3e-3,
    schedule="one-cycle",
    weight_decay=0.05,
    dropout=0.3,
    validation=0.1,
)
"""For the 8×8 digits that ship with the package; chosen by cross-validation within its training part."""

mnist = Recipe(
    data="mnist",
    hidden=(512, 512),
    activation="gelu",
    loss="smoothed_cross_entropy(0.1)",
    epochs=6,
    batch_size=256,
    optimizer="adamw",
    learning_rate=3e-3,
    schedule="one-cycle",
    weight_decay=0.05,
    shift=1,
    validation=0.1,
)
"""For MNIST on a laptop; chosen on the last 10,000 training images, held out; six epochs, for time."""

xor = Recipe(
    data="xor",
    hidden=(4,),
    activation="sigmoid",
    loss="sigmoid_squared_error",
    epochs=2000,
    batch_size=0,
    optimizer="sgd",
    learning_rate=40.0,
    schedule="constant",
)
"""The demonstration of CHK4: gradient descent on four points. The rate is 10 for the sum of the four losses."""
