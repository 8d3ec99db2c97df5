"""From a network and a loss to what is minimized."""

import inspect
from dataclasses import dataclass

import jax
import numpy as np

from mlpjax import _check
from mlpjax._types import Any, Array, Callable, Params, PRNGKey, Scalar
from mlpjax.activations import softmax
from mlpjax.backprop import shares
from mlpjax.data import Dataset
from mlpjax.losses import Loss
from mlpjax.regularizers import Penalty


def _takes_key(apply: Callable) -> bool:
    return "key" in inspect.signature(apply).parameters


def predict(apply: Callable, params: Params, x: Array, key: PRNGKey | None) -> Array:
    """The network on a batch; each example gets a key of its own where the network takes one."""
    if not _takes_key(apply):
        return jax.vmap(lambda x: apply(params, x))(x)
    if key is None:
        return jax.vmap(lambda x: apply(params, x, key=None))(x)
    return jax.vmap(lambda x, k: apply(params, x, key=k))(x, jax.random.split(key, len(x)))


@jax.tree_util.register_static
@dataclass(frozen=True)
class Supervised:
    """The empirical risk of a network; made by `training.supervised`."""

    apply: Callable[..., Array]
    loss: Loss
    penalty: Penalty | None = None

    def __call__(self, params: Params, batch: Dataset, key: PRNGKey | None) -> Scalar:
        """Mean loss of the batch, weighted where the batch has weights, plus the penalty."""
        z = predict(self.apply, params, batch.x, key)
        value = shares(batch.weight, len(z), z.dtype) @ jax.vmap(self.loss.value)(z, batch.y)
        return value if self.penalty is None else value + self.penalty(params)

    def check(self, params: Params, data: Dataset, example: Dataset) -> None:
        """Look before the first step: at one transformed example's shapes, and at labels, targets and weights.

        Where the transform changes `data.y` or `data.weight`, they are `None` here: what they will be is not known.
        """
        if not isinstance(data, Dataset):
            raise TypeError(
                f"`data` must be a `Dataset(x, y)`; got a {type(data).__name__}. Write `data.Dataset(x, y)`."
            )
        logits = jax.eval_shape(lambda x: predict(self.apply, params, x, None), example.x)
        jax.eval_shape(jax.vmap(self.loss.value), logits, example.y)
        if data.y is not None and _check.concrete(data.y):
            _check_targets(np.asarray(data.y), self.loss, logits.shape[-1])
        if data.weight is not None and _check.concrete(data.weight):
            _check_weights(np.asarray(data.weight))


def _check_targets(y: np.ndarray, loss: Loss, outputs: int) -> None:
    """Labels of a class that there is; targets that the loss's output can reach, and that sum to 1 behind a softmax."""
    if loss.classifies and y.ndim == 1 and np.issubdtype(y.dtype, np.integer):
        return _check.labels(y, outputs)
    low, high = (0.0, 1.0) if loss.output is softmax else getattr(loss.output, "range", (-np.inf, np.inf))
    if y.min() < low or y.max() > high:
        raise ValueError(
            f"`y` must lie in [{low:g}, {high:g}] for `{loss}`, whose output does; got values from {y.min()} to "
            f"{y.max()}. Map two classes to 0 and 1, scale the targets, or take a loss for any number."
        )
    if loss.output is softmax and not np.allclose(total := np.sum(y, -1, dtype=float), 1, atol=1e-2):
        worst = int(np.argmax(np.abs(total - 1)))
        raise ValueError(
            f"`y` must be a distribution over the classes for `{loss}`; got a sum of {total.flat[worst]:.3g} at index "
            f"{worst}. For several classes at once take `binary_cross_entropy`; for importance use `weight`."
        )


def _check_weights(weight: np.ndarray) -> None:
    if weight.ndim != 1 or not np.all(weight >= 0) or not np.any(weight > 0):
        raise ValueError(
            f"`weight` must hold one number ≥ 0 per example, not all 0; got shape {weight.shape}, from {weight.min()} "
            f"to {weight.max()}. For class weights write `class_weights[y]`."
        )


def supervised(apply: Callable[..., Array], loss: Loss, *, penalty: Penalty | None = None) -> Supervised:
    r"""The empirical risk, as a function to minimize (LOS1).

    $$C(\theta) = \frac{1}{n}\sum_{i=1}^n L\bigl(N_\theta(x_i), y_i\bigr) + R(\theta)$$

    With weights in the batch the mean becomes $\sum_i w_i L_i / \sum_i w_i$.

    Args:
        apply: any network of one example: `(params, x) -> logits`. If it takes an argument `key` (for dropout), each
            example gets a key of its own, and `None` at evaluation.
        loss: the loss of one example.
        penalty: R, such as `regularizers.l2(1e-4)`.

    Raises:
        TypeError: if `loss` is no `Loss`.

    Returns:
        A pure function `(params, batch, key) -> scalar` of a batch `Dataset(x, y, weight)`; hashable, and equal for
        equal parts.

    Example:
        >>> import jax
        >>> from mlpjax import data, losses, mlp, training
        >>> objective = training.supervised(mlp.apply, losses.sigmoid_squared_error)
        >>> params = mlp.init(jax.random.key(0), (2, 4, 1))
        >>> objective(params, data.toy.xor(), None).shape
        ()
    """
    if not isinstance(loss, Loss):
        raise TypeError(
            f"`loss` must be a `losses.Loss`; got {loss!r}. `losses.by_name` looks one up by name, "
            f'`losses.Loss("name", fn)` makes one of a function of (logits, target) of one example.'
        )
    return Supervised(apply, loss, penalty)


@jax.tree_util.register_static
@dataclass(frozen=True)
class Metric:
    """A function of logits and targets, on a batch; made by `training.metric`. Equal for equal parts."""

    apply: Callable[..., Array]
    fn: Callable[..., Array]

    def __call__(self, params: Params, batch: Dataset) -> Scalar:
        """The metric of a batch."""
        return self.fn(predict(self.apply, params, batch.x, None), batch.y, weight=batch.weight)


def metric(apply: Callable[..., Array], fn: Callable[..., Array]) -> Callable[[Params, Any], Scalar]:
    """A metric of logits and targets, as a function of parameters and a batch.

    Args:
        apply: the network of one example: `(params, x) -> logits`.
        fn: `(logits, y, weight=...) -> scalar`, such as `metrics.accuracy`.

    Returns:
        `(params, batch) -> scalar`, for the argument `metrics` of `run` and `fit`.

    Example:
        >>> from mlpjax import metrics, mlp, training
        >>> measured = {"accuracy": training.metric(mlp.apply, metrics.accuracy)}
    """
    return Metric(apply, fn)
