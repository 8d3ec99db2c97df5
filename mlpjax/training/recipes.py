r"""Optimizers and learning-rate schedules by the names that everybody uses, and recipes that put them to work.

Everything here is optax: any of its transformations can stand wherever one of these does. What is added is a check of
the numbers and defaults that train a multilayer perceptron well.
"""

from dataclasses import dataclass

import optax
import optax.contrib

from mlpjax import _check
from mlpjax._types import Any, Callable

__all__ = [
    "Recipe",
    "constant",
    "cosine",
    "digits",
    "exponential",
    "mnist",
    "one_cycle",
    "optimizer",
    "reduce_on_plateau",
    "step_decay",
    "warm_up",
    "xor",
]

Schedule = Callable[[Any], Any]


def _rate(value: Any) -> Any:
    _check.not_negative(
        "learning_rate", value, "A negative rate would climb. Usual values: 1e-3 for Adam, 0.1 for SGD."
    )
    return value


def constant(rate: float) -> Schedule:
    """The same rate at every step (OPT4)."""
    return optax.constant_schedule(_rate(rate))


def step_decay(rate: float, *, every: int, factor: float = 0.1) -> Schedule:
    r"""The rate times a factor every so many steps (OPT4).

    $$\eta_t = \eta_0\, f^{\lfloor t / k \rfloor}$$

    Args:
        rate: η₀.
        every: k, in steps.
        factor: f.

    Returns:
        A schedule: `step -> rate`.
    """
    return optax.exponential_decay(_rate(rate), every, factor, staircase=True)


def exponential(rate: float, *, every: int, factor: float = 0.1) -> Schedule:
    r"""The rate decaying smoothly by a factor every so many steps (OPT4).

    $$\eta_t = \eta_0\, f^{t/k}$$

    Args:
        rate: η₀.
        every: k, in steps.
        factor: f.

    Returns:
        A schedule: `step -> rate`.
    """
    return optax.exponential_decay(_rate(rate), every, factor)


def cosine(rate: float, steps: int, *, final: float = 0.0) -> Schedule:
    r"""Half a period of a cosine, from the rate down to a last one (OPT4).

    $$\eta_t = \eta_T + (\eta_0 - \eta_T)\,\tfrac12\bigl(1 + \cos(\pi t/T)\bigr)$$

    Args:
        rate: η₀.
        steps: T; the rate stays at η_T after it.
        final: η_T.

    Returns:
        A schedule: `step -> rate`.
    """
    return optax.cosine_decay_schedule(_rate(rate), steps, alpha=final / rate if rate else 0.0)


def warm_up(schedule: Schedule, steps: int) -> Schedule:
    r"""A linear rise from 0 to a schedule's first rate, then the schedule (OPT4).

    Args:
        schedule: what follows.
        steps: how long the rise takes.

    Returns:
        A schedule: `step -> rate`.
    """
    return optax.join_schedules([optax.linear_schedule(0.0, schedule(0), steps), schedule], [steps])


def one_cycle(rate: float, steps: int, *, warmup: float = 0.2) -> Schedule:
    r"""Linearly up to the peak, linearly down to 0 (OPT4).

    $$\eta_t = \hat\eta\,\min\Bigl(\frac{t}{wT}, \frac{T-t}{(1-w)T}\Bigr)$$

    Args:
        rate: the peak $\hat\eta$.
        steps: T.
        warmup: w, the fraction of steps on the way up.

    Returns:
        A schedule: `step -> rate`.

    Example:
        >>> from mlpjax.training import recipes
        >>> schedule = recipes.one_cycle(1.0, 100)
        >>> [round(float(schedule(t)), 2) for t in (0, 10, 20, 60, 100)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    up = int(warmup * steps)
    rise, fall = optax.linear_schedule(0.0, _rate(rate), up), optax.linear_schedule(rate, 0.0, steps - up)
    return optax.join_schedules([rise, fall], [up])


def reduce_on_plateau(base: optax.GradientTransformation, **options: Any) -> optax.GradientTransformationExtraArgs:
    """An optimizer whose updates shrink by a factor whenever the loss has stopped falling (OPT4).

    Args:
        base: the optimizer.
        **options: of `optax.contrib.reduce_on_plateau`: `factor`, `patience`, `rtol`, `cooldown`, …

    Returns:
        The optimizer; `training.run` gives it each step's loss.
    """
    return optax.chain(base, optax.contrib.reduce_on_plateau(**options))


def optimizer(
    name: str = "adam",
    learning_rate: float | Schedule = 1e-3,
    *,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    clip: float | None = None,
) -> optax.GradientTransformation:
    r"""An optimizer by name (OPT3).

    Adam divides a running mean of the gradient by the root of a running mean of its square, both corrected for their
    start at 0:

    $$m_t = \beta_1 m_{t-1} + (1-\beta_1) g, \quad v_t = \beta_2 v_{t-1} + (1-\beta_2) g^2, \quad
      \theta \leftarrow \theta - \eta\, \frac{m_t/(1-\beta_1^t)}{\sqrt{v_t/(1-\beta_2^t)} + \varepsilon}$$

    AdamW takes ηλθ off the parameters besides, outside this quotient; the decay spares biases (leaves with one axis).

    Args:
        name: `"sgd"`, `"momentum"`, `"nesterov"`, `"rmsprop"`, `"adam"` or `"adamw"`.
        learning_rate: η, or a schedule of it.
        momentum: of `"momentum"` and `"nesterov"`.
        weight_decay: λ of `"adamw"`.
        clip: largest allowed norm of the whole gradient, if any.

    Returns:
        An optax transformation.

    Raises:
        ValueError: for an unknown name, a negative rate, or a weight decay that the optimizer would not use.

    Example:
        >>> from mlpjax.training import recipes
        >>> optimizer = recipes.optimizer("adamw", recipes.one_cycle(2e-3, 1000), weight_decay=0.01)
    """
    rate = learning_rate if callable(learning_rate) else _rate(learning_rate)
    known: dict[str, Callable[[], optax.GradientTransformation]] = {
        "sgd": lambda: optax.sgd(rate),
        "momentum": lambda: optax.sgd(rate, momentum),
        "nesterov": lambda: optax.sgd(rate, momentum, nesterov=True),
        "rmsprop": lambda: optax.rmsprop(rate),
        "adam": lambda: optax.adam(rate),
        "adamw": lambda: optax.adamw(rate, weight_decay=weight_decay, mask=_weights_only),
    }
    _check.known("optimizer", name, known)
    _check.not_negative("weight_decay", weight_decay, "It shrinks weights; usual values are 0 to 0.1.")
    if weight_decay and name != "adamw":
        raise ValueError(f"`weight_decay` acts with 'adamw' only; got {name!r}. Take 'adamw', or an L2 penalty.")
    return known[name]() if clip is None else optax.chain(optax.clip_by_global_norm(clip), known[name]())


def _weights_only(params):
    import jax

    return jax.tree.map(lambda leaf: leaf.ndim >= 2, params)


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
        schedule: `"constant"`, `"cosine"` or `"one-cycle"`.
        weight_decay: of AdamW.
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
    hidden=(256, 128),
    activation="relu",
    loss="softmax_cross_entropy",
    epochs=60,
    batch_size=64,
    optimizer="adamw",
    learning_rate=4e-3,
    schedule="one-cycle",
    weight_decay=0.05,
    shift=1,
)
"""For the 8×8 digits that ship with the package."""

mnist = Recipe(
    data="mnist",
    hidden=(384, 256),
    activation="relu",
    loss="softmax_cross_entropy",
    epochs=6,
    batch_size=256,
    optimizer="adam",
    learning_rate=4e-3,
    schedule="one-cycle",
    shift=1,
)
"""For MNIST on a laptop."""

xor = Recipe(
    data="xor",
    hidden=(4,),
    activation="sigmoid",
    loss="sigmoid_squared_error",
    epochs=2000,
    batch_size=0,
    optimizer="sgd",
    learning_rate=10.0,
    schedule="constant",
)
"""The demonstration of CHK4: full-batch gradient descent on four points."""
