"""Optimizers by name."""

import jax
import optax
import optax.contrib

from mlpjax import _check
from mlpjax._types import Any, Callable, Scalar
from mlpjax.training.recipes._schedules import Schedule, rate_in_range


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
    learning_rate: float | Scalar | Schedule = 1e-3,
    *,
    momentum: float | Scalar = 0.9,
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
    rate = learning_rate if callable(learning_rate) else rate_in_range(learning_rate)
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
    if name != "adamw" and weight_decay:
        raise ValueError(f"`weight_decay` acts with 'adamw' only; got {name!r}. Take 'adamw', or an L2 penalty.")
    return known[name]() if clip is None else optax.chain(optax.clip_by_global_norm(clip), known[name]())


def _weights_only(params):
    return jax.tree.map(lambda leaf: leaf.ndim >= 2, params)
