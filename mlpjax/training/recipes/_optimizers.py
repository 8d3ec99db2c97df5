"""Optimizers by name."""

import jax
import optax
import optax.contrib

from mlpjax import _check
from mlpjax._types import Any, Callable, Scalar
from mlpjax.layers import Dense
from mlpjax.training.recipes._schedules import Schedule, rate_in_range

DECAYS = ("adamw", "muon", "schedule_free")
"""The optimizers with a decay of their own."""

REMEMBER = ("momentum", "nesterov")
"""The optimizers whose momentum can be chosen."""


def reduce_on_plateau(base: optax.GradientTransformation, **options: Any) -> optax.GradientTransformationExtraArgs:
    """An optimizer whose updates shrink by a factor whenever the loss has stopped falling (OPT4).

    Args:
        base: the optimizer. One that keeps a mean must know the updates as they are made: write
            `averaged(reduce_on_plateau(...))`, not the other way round, and leave schedule-free without it.
        **options: of `optax.contrib.reduce_on_plateau`: `factor`, `patience`, `rtol`, `cooldown`, …

    Returns:
        The optimizer; `training.run` gives it each step's loss.
    """
    return optax.chain(base, optax.contrib.reduce_on_plateau(**options))


def optimizer(
    name: str = "adam",
    learning_rate: float | Scalar | Schedule = 1e-3,
    *,
    momentum: float | Scalar | None = None,
    weight_decay: float = 0.0,
    clip: float | None = None,
) -> optax.GradientTransformation:
    r"""An optimizer by name (OPT1, OPT2, OPT3, OPT6).

    With g the gradient, and every operation entry by entry:

    $$\begin{aligned}
      \text{momentum:}\quad & v \leftarrow \mu v + g, & \theta &\leftarrow \theta - \eta v \\
      \text{nesterov:}\quad & v \leftarrow \mu v + g, & \theta &\leftarrow \theta - \eta (g + \mu v) \\
      \text{rmsprop:}\quad & v \leftarrow \beta v + (1-\beta) g^2, &
      \theta &\leftarrow \theta - \eta\, g/\sqrt{v + \varepsilon} \\
      \text{adam:}\quad & m \leftarrow \beta_1 m + (1-\beta_1) g,\ v \leftarrow \beta_2 v + (1-\beta_2) g^2, &
      \theta &\leftarrow \theta - \eta\, \frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)} + \varepsilon}
      \end{aligned}$$

    with β = β₁ = 0.9, β₂ = 0.999 and ε = 10⁻⁸. AdamW takes ηλθ off the weights besides, outside the quotient, and
    spares the biases.

    Muon replaces the running mean of a weight matrix's gradient (β = 0.95, with Nesterov's look ahead) by roughly the
    nearest orthogonal matrix, times $0.2\sqrt{\max(n_\text{in}, n_\text{out})}$: its entries are then about as large as
    Adam's, so a rate that suits AdamW suits it (Liu et al. 2025). Biases, and whatever else is no weight matrix, go by
    Adam, with Nesterov's look ahead.

    Schedule-free AdamW needs no schedule but, at most, a warm-up. It keeps an average, which is what to evaluate and
    to use: give `run` and `fit` `eval_params=recipes.eval_params`.

    Args:
        name: `"sgd"`, `"momentum"`, `"nesterov"`, `"rmsprop"`, `"adam"`, `"adamw"`, `"muon"` or `"schedule_free"`.
        learning_rate: η, or a schedule of it.
        momentum: μ of `"momentum"` and `"nesterov"`, by default 0.9; the others have none to choose.
        weight_decay: λ of `"adamw"`, `"muon"` and `"schedule_free"`.
        clip: largest allowed norm of the whole gradient, positive, if any.

    Returns:
        An optax transformation.

    Raises:
        ValueError: for an unknown name, a negative rate, a `clip` that is not positive, or a momentum or weight decay
            that the optimizer would not use.

    Example:
        >>> from mlpjax.training import recipes
        >>> optimizer = recipes.optimizer("adamw", recipes.one_cycle(2e-3, 1000), weight_decay=0.01)

    References:
        Polyak (1964); Nesterov (1983); Tieleman and Hinton (2012); Kingma and Ba (2015); Loshchilov and Hutter (2019);
        Defazio et al. (2024); Jordan et al. (2024). Derived in the chapter "Optimizers".
    """
    rate = learning_rate if callable(learning_rate) else rate_in_range(learning_rate)
    mu = 0.9 if momentum is None else momentum
    known: dict[str, Callable[[], optax.GradientTransformation]] = {
        "sgd": lambda: optax.sgd(rate),
        "momentum": lambda: optax.sgd(rate, mu),
        "nesterov": lambda: optax.sgd(rate, mu, nesterov=True),
        "rmsprop": lambda: optax.rmsprop(rate),
        "adam": lambda: optax.adam(rate),
        "adamw": lambda: optax.adamw(rate, weight_decay=weight_decay, mask=_weights),
        "muon": lambda: _muon(rate, weight_decay),
        "schedule_free": lambda: _schedule_free(rate, weight_decay),
    }
    _check.known("optimizer", name, known)
    _check.not_negative("weight_decay", weight_decay, "It shrinks weights; usual values are 0 to 0.1.")
    if name not in DECAYS and not (_check.concrete(weight_decay) and weight_decay == 0):
        raise ValueError(
            f"`weight_decay` acts with {', '.join(map(repr, DECAYS))} only; got {name!r}. Take one of these, "
            f"a decay of 0, or an L2 penalty."
        )
    if name not in REMEMBER and momentum is not None:
        raise ValueError(
            f"`momentum` acts with {', '.join(map(repr, REMEMBER))} only; got {name!r}. Take one of these."
        )
    if clip is not None and _check.concrete(clip) and not float(clip) > 0:
        raise ValueError(f"`clip` must be a positive norm; got {clip}. Leave it out not to clip.")
    return known[name]() if clip is None else optax.chain(optax.clip_by_global_norm(clip), known[name]())


def _muon(rate, weight_decay):
    return optax.contrib.muon(
        rate, weight_decay=weight_decay, muon_weight_dimension_numbers=_orientation, consistent_rms=0.2
    )


def _orientation(params):
    """Our weights are (out, in), the transpose of what optax takes for granted; stacked ones have axes before these."""
    ours = optax.contrib.MuonDimensionNumbers(-1, -2)

    def of(node):
        if isinstance(node, Dense):
            return Dense(ours, None)  # pyright: ignore
        return ours if node.ndim == 2 else None

    return jax.tree.map(of, params, is_leaf=lambda node: isinstance(node, Dense))


def _schedule_free(rate, weight_decay):
    base = optax.chain(
        optax.scale_by_rms(decay=0.999, eps_in_sqrt=False, bias_correction=True),
        optax.add_decayed_weights(weight_decay, mask=_weights),
        optax.scale_by_learning_rate(rate),
    )
    return optax.contrib.schedule_free(base, rate, b1=0.9)


def _weights(params):
    """Which leaves decay: a bias has one axis, or is called `b` where layers are stacked."""
    is_weight = lambda path, leaf: leaf.ndim >= 2 and jax.tree_util.keystr(path[-1:], simple=True) != "b"
    return jax.tree_util.tree_map_with_path(is_weight, params)
