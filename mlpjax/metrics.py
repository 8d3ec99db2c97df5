r"""What people ask of a classifier: how often it is right, what it confuses, whether its confidence is earned (LOS7).

Metrics are for people and losses are for gradients: these functions are piecewise constant in the parameters. All are
pure, run under `jit` and `vmap`, and take a `weight` per example (0 for the padding of the last batch). Sums are
made in float32 at least, whatever the dtype of the network.

A network of one output is taken for a binary classifier: class 1 where its logit is positive.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Integer, Num

from mlpjax import _check
from mlpjax._types import Array, Scalar

__all__ = ["accuracy", "calibration_error", "confusion_matrix", "correct"]


def correct(logits: Float[Array, "*K"], y: Num[Array, "*k"]) -> Scalar:
    r"""Whether one example is classified right (LOS7).

    $$\mathbb 1\bigl[\arg\max_k z_k = y\bigr]$$

    The first of equal logits counts; logits with a NaN predict nothing, so they are never right.

    Args:
        logits: outputs z of the network for one example, shape `(K,)`.
        y: class index, shape `()`, or one-hot or probability vector, shape `(K,)`. Float of shape `()`, the
            probability of class 1, if K is 1.

    Returns:
        1 or 0; NaN for a class index outside 0 … K−1. At least float32.

    Raises:
        ValueError: the shapes do not fit, or class indices are not integers.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import metrics
        >>> float(metrics.correct(jnp.array([0.1, 2.0, -1.0]), jnp.array(1)))
        1.0
        >>> z, y = jnp.array([[0.1, 2.0], [3.0, 0.5]]), jnp.array([1, 1])
        >>> jax.vmap(metrics.correct)(z, y).tolist()
        [1.0, 0.0]
    """
    if logits.ndim != 1 or not logits.size:
        raise ValueError(
            f"`logits` must be those of one example, shape (K,); got shape {logits.shape}. For a batch use "
            f"`accuracy`, or `jax.vmap(metrics.correct)`."
        )
    return _hit(logits, y, threshold=0.0)


def accuracy(logits: Float[Array, "*n K"], y: Num[Array, "*m"], *, weight: Num[Array, "*w"] | None = None) -> Scalar:
    r"""The fraction of examples that are classified right (LOS7).

    $$\frac{\sum_i w_i\, \mathbb 1\bigl[\arg\max_k z_{ik} = y_i\bigr]}{\sum_i w_i}$$

    Args:
        logits: outputs z of the network, shape `(n, K)`; probabilities serve as well, unless K is 1.
        y: class indices, shape `(n,)`, or one-hot or probability vectors, shape `(n, K)`.
        weight: how much each example counts, shape `(n,)`; all alike if left out.

    Returns:
        A number in [0, 1], at least float32; NaN if the weights sum to zero or, where only the compiled program sees
        it, a class index is out of range.

    Raises:
        ValueError: the batch is empty, the shapes do not fit, or a class index is out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import metrics
        >>> z = jnp.array([[2.0, 0.0], [0.0, 1.0], [3.0, 1.0], [0.0, 5.0]])
        >>> float(metrics.accuracy(z, jnp.array([0, 1, 1, 1])))
        0.75
        >>> float(metrics.accuracy(z, jnp.array([0, 1, 1, 1]), weight=jnp.array([1, 1, 2, 0])))
        0.5
    """
    _check_matrix("logits", logits)
    _check_batch("logits", logits, logits.shape[1], y, weight)
    hits = jax.vmap(correct)(logits, y)
    weight = jnp.ones_like(hits) if weight is None else weight.astype(hits.dtype)
    return jnp.sum(weight * hits) / jnp.sum(weight)


def confusion_matrix(
    predicted: Integer[Array, "*n"], y: Num[Array, "*m"], *, classes: int, weight: Num[Array, "*w"] | None = None
) -> Num[Array, "K K"]:
    r"""How often each class was taken for which (LOS7).

    $$C_{jk} = \sum_i w_i\, \mathbb 1[y_i = j]\, \mathbb 1[\hat y_i = k]$$

    Rows are the truth, columns the prediction: the diagonal holds what was right, and a row sums to the number of
    examples of its class.

    Args:
        predicted: class indices ŷ, shape `(n,)`: `jnp.argmax(logits, axis=-1)`.
        y: class indices, shape `(n,)`, or one-hot or probability vectors, shape `(n, K)`.
        classes: the number K of classes.
        weight: how much each example counts, shape `(n,)`; all alike if left out.

    Returns:
        Shape `(K, K)`: int32 counts, or sums of the weights in their dtype, at least float32. Where only the compiled
        program sees it, an example with a class index out of range counts nowhere.

    Raises:
        ValueError: the batch is empty, the shapes do not fit, or a class index is out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import metrics
        >>> metrics.confusion_matrix(jnp.array([0, 1, 1]), jnp.array([0, 0, 1]), classes=2).tolist()
        [[1, 1], [0, 1]]
    """
    if predicted.ndim != 1:
        raise ValueError(
            f"`predicted` must hold one class index per example, shape (n,); got shape {predicted.shape}. Of logits or "
            f"probabilities take `jnp.argmax(logits, axis=-1)`."
        )
    if classes < 2:
        raise ValueError(f"`classes` must be at least 2; got {classes}. A network of one output has two classes.")
    _check_batch("predicted", predicted, classes, y, weight)
    _check.labels(predicted, classes)
    row, column = (jax.vmap(lambda k: _index(k, classes))(k) for k in (y, predicted))
    amount = jnp.ones(len(y), jnp.int32) if weight is None else _real(weight)
    return jnp.zeros((classes, classes), amount.dtype).at[row, column].add(amount, mode="drop")


def calibration_error(
    probabilities: Float[Array, "*n K"], y: Num[Array, "*m"], *, bins: int = 15, weight: Num[Array, "*w"] | None = None
) -> Scalar:
    r"""The expected calibration error: how far confidence is from accuracy (LOS7).

    $$\mathrm{ECE} = \sum_{b=1}^{B} \frac{w(I_b)}{w(I)} \bigl|\mathrm{acc}(I_b) - \mathrm{conf}(I_b)\bigr|,
    \qquad I_b = \Bigl\{ i : \tfrac{b-1}{B} < \max_k p_{ik} \le \tfrac{b}{B} \Bigr\}$$

    A classifier that says 80 % should be right four times in five. The mean confidence and the accuracy of a bin
    share their denominator, the weight of the bin, which cancels: only sums of $w_i (\text{hit}_i - \max_k p_{ik})$
    per bin are needed, and an empty bin adds nothing.

    Args:
        probabilities: predicted probabilities p (`loss.output` of the logits), shape `(n, K)`; shape `(n, 1)` holds
            the probability of class 1.
        y: class indices, shape `(n,)`, or one-hot or probability vectors, shape `(n, K)`.
        bins: the number B of bins of equal width. Few bins hide errors, many measure noise.
        weight: how much each example counts, shape `(n,)`; all alike if left out.

    Returns:
        A number in [0, 1], at least float32.

    Raises:
        ValueError: the batch is empty, the shapes do not fit, a class index is out of range, `bins` is not
            positive, or what should be probabilities is not.

    Example:
        Sure of itself, and wrong every second time:

        >>> import jax.numpy as jnp
        >>> from mlpjax import metrics
        >>> float(metrics.calibration_error(jnp.array([[1.0, 0.0], [1.0, 0.0]]), jnp.array([0, 1])))
        0.5

    References:
        Naeini, Cooper & Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning;
        Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks.
    """
    if bins < 1:
        raise ValueError(f"`bins` must be a positive integer; got {bins}. The usual number is 15.")
    _check_matrix("probabilities", probabilities)
    _check_batch("probabilities", probabilities, probabilities.shape[1], y, weight)
    _check_probabilities(probabilities)
    p = _real(probabilities)
    confidence = jnp.maximum(p, 1 - p)[:, 0] if p.shape[1] == 1 else jnp.max(p, axis=1)
    hits = jax.vmap(functools.partial(_hit, threshold=0.5))(p, y)
    weight = jnp.ones_like(hits) if weight is None else weight.astype(hits.dtype)
    b = jnp.clip(jnp.ceil(confidence * bins).astype(jnp.int32) - 1, 0, bins - 1)
    gaps = jnp.zeros(bins, hits.dtype).at[b].add(weight * (hits - confidence))
    return jnp.sum(jnp.abs(gaps)) / jnp.sum(weight)


def _hit(outputs: Array, y: Array, *, threshold: float) -> Array:
    """`correct`, of logits (threshold 0) or of probabilities (threshold ½ for the only one)."""
    classes = max(outputs.size, 2)
    predicted = jnp.argmax(outputs) if outputs.size > 1 else outputs[0] > threshold
    truth = _index(y, outputs.size)
    hit = (predicted.astype(jnp.int32) == truth) & ~jnp.isnan(outputs).any()
    return jnp.where(truth < classes, _real(hit, outputs.dtype), jnp.nan)


def _index(y: Array, outputs: int) -> Array:
    """The class of one example; the number of classes if it is none, so that no index ever wraps."""
    classes = max(outputs, 2)
    if y.shape not in ((), (outputs,)):
        raise ValueError(
            f"`y` must be a class index, shape (), or a vector of shape ({outputs},); got shape {y.shape}. For a batch "
            f"use `accuracy`, or `jax.vmap(metrics.correct)`."
        )
    if y.ndim == 0 and not jnp.issubdtype(y.dtype, jnp.floating):
        y = y.astype(jnp.int32) if y.dtype.itemsize < 4 else y
        return jnp.where((y >= 0) & (y < classes), y, classes).astype(jnp.int32)
    if y.ndim == 0 and outputs > 1:
        raise ValueError(f"`y` must hold integers if it holds class indices; got {y.dtype}. Write y.astype(int).")
    index = jnp.argmax(y) if outputs > 1 else y.reshape(()) > 0.5
    return jnp.where(jnp.isnan(y).any(), classes, index.astype(jnp.int32))


def _real(x: Array, dtype=None) -> Array:
    """In float32, or in float64 where it is so already."""
    dtype = dtype or x.dtype
    return x.astype(dtype if dtype == jnp.float64 else jnp.float32)


def _check_matrix(name: str, outputs: Array) -> None:
    if outputs.ndim != 2 or not outputs.shape[-1]:
        raise ValueError(
            f"`{name}` must be those of a batch, shape (n, K); got shape {outputs.shape}. For one example use "
            f"`{name}[None]`, for a batch of networks `jax.vmap`."
        )


def _check_batch(name: str, outputs: Array, classes: int, y: Array, weight: Array | None) -> None:
    n = len(outputs)
    if n == 0:
        raise ValueError(f"`{name}` is empty: no metric of 0 examples exists. Was the filter right?")
    if y.shape not in ((n,), (n, classes)):
        hint = "Write y[:, 0]." if y.shape == (n, 1) else f"Were `y` and `{name}` cut alike?"
        raise ValueError(
            f"`y` must hold a class index per example, shape ({n},), or a vector, shape ({n}, {classes}); got shape "
            f"{y.shape}. {hint}"
        )
    if weight is not None and weight.shape != (n,):
        raise ValueError(
            f"`weight` must hold a number per example, shape ({n},); got shape {weight.shape}. For class weights write "
            f"`class_weights[y]`."
        )
    if y.ndim == 1 and not jnp.issubdtype(y.dtype, jnp.floating):
        _check.labels(y, max(classes, 2))


def _check_probabilities(p: Array) -> None:
    if _check.concrete(p) and not np.all((p > -1e-3) & (p < 1 + 1e-3)):
        raise ValueError(
            f"`probabilities` must lie in [0, 1]; got values from {float(p.min()):.4g} to {float(p.max()):.4g}. "
            f"Of logits take `jax.nn.softmax`, or `loss.output`."
        )
