"""Learning rates as functions of the step."""

import optax

from mlpjax import _check
from mlpjax._types import Any, Callable, Scalar

Schedule = Callable[[Any], Any]


def rate_in_range(value: Any) -> Any:
    """A learning rate that is not negative; a traced one passes unseen."""
    _check.not_negative(
        "learning_rate", value, "A negative rate would climb. Usual values: 1e-3 for Adam, 0.1 for SGD."
    )
    return value


def constant(rate: float | Scalar) -> Schedule:
    """The same rate at every step (OPT4).

    Args:
        rate: η, which may be a traced number, as in a sweep over rates.

    Returns:
        A schedule: `step -> rate`.
    """
    return optax.constant_schedule(rate_in_range(rate))


def step_decay(rate: float | Scalar, *, every: int, factor: float = 0.1) -> Schedule:
    r"""The rate times a factor every so many steps (OPT4).

    $$\eta_t = \eta_0\, f^{\lfloor t / k \rfloor}$$

    Args:
        rate: η₀.
        every: k, in steps.
        factor: f.

    Returns:
        A schedule: `step -> rate`.
    """
    return optax.exponential_decay(rate_in_range(rate), every, factor, staircase=True)


def exponential(rate: float | Scalar, *, every: int, factor: float = 0.1) -> Schedule:
    r"""The rate decaying smoothly by a factor every so many steps (OPT4).

    $$\eta_t = \eta_0\, f^{t/k}$$

    Args:
        rate: η₀.
        every: k, in steps.
        factor: f.

    Returns:
        A schedule: `step -> rate`.
    """
    return optax.exponential_decay(rate_in_range(rate), every, factor)


def cosine(rate: float | Scalar, steps: int, *, final: float = 0.0) -> Schedule:
    r"""Half a period of a cosine, from the rate down to a last one (OPT4).

    $$\eta_t = \eta_T + (\eta_0 - \eta_T)\,\tfrac12\bigl(1 + \cos(\pi t/T)\bigr)$$

    Args:
        rate: η₀.
        steps: T; the rate stays at η_T after it.
        final: η_T.

    Returns:
        A schedule: `step -> rate`.
    """
    return optax.cosine_decay_schedule(rate_in_range(rate), steps, alpha=final / rate if final else 0.0)


def warm_up(schedule: Schedule, steps: int) -> Schedule:
    r"""A linear rise from 0 to a schedule's first rate, then the schedule (OPT4).

    Args:
        schedule: what follows.
        steps: how long the rise takes.

    Returns:
        A schedule: `step -> rate`.
    """
    return optax.join_schedules([optax.linear_schedule(0.0, schedule(0), steps), schedule], [steps])


def one_cycle(rate: float | Scalar, steps: int, *, warmup: float = 0.2) -> Schedule:
    r"""Linearly up to the peak, linearly down to 0 (OPT4).

    $$\eta_t = \hat\eta\,\min\Bigl(\frac{t}{wT}, \frac{T-t}{(1-w)T}\Bigr)$$

    Args:
        rate: the peak $\hat\eta$.
        steps: T.
        warmup: w, the fraction of steps on the way up.

    Returns:
        A schedule: `step -> rate`.

    Raises:
        ValueError: if `warmup` is not between 0 and 1.

    Example:
        >>> from mlpjax.training import recipes
        >>> schedule = recipes.one_cycle(1.0, 100)
        >>> [round(float(schedule(t)), 2) for t in (0, 10, 20, 60, 100)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if not 0 <= warmup <= 1:
        raise ValueError(f"`warmup` must be a fraction of the steps, from 0 to 1; got {warmup}. A usual value is 0.1.")
    up = int(warmup * steps)
    rise, fall = optax.linear_schedule(0.0, rate_in_range(rate), up), optax.linear_schedule(rate, 0.0, steps - up)
    return optax.join_schedules([rise, fall], [up])
