"""Means over a whole data set, a chunk at a time."""

import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp

from mlpjax import _check
from mlpjax._types import Any, Callable
from mlpjax.training._step import with_model_state


def evaluate(
    params: Any,
    data: Any,
    *,
    objective: Callable | None = None,
    metrics: Mapping[str, Callable] | None = None,
    model_state: Any = None,
    transform: Callable | None = None,
    batch_size: int = 1000,
) -> dict[str, Any]:
    """Objective and metrics over a whole data set, in chunks that bound the memory.

    Pure: jit it, or call it inside a compiled run. Every example counts once, by its weight where the data have
    weights; the last, shorter chunk is computed as it is, so nothing is padded.

    Args:
        params: parameters.
        data: any pytree of arrays whose first axis counts the examples.
        objective: as for `run`; called with key `None`, which switches dropout off. Reported as `"loss"`.
        metrics: by name, `(params, batch) -> scalar` means.
        model_state: given to both, before the batch, if there is one.
        transform: as for `run`; called with key `None`: its deterministic part.
        batch_size: examples per chunk.

    Returns:
        One scalar per name.

    Example:
        >>> import jax
        >>> from mlpjax import data, losses, mlp, training
        >>> objective = training.supervised(mlp.apply, losses.sigmoid_squared_error)
        >>> params = mlp.init(jax.random.key(0), (2, 4, 1))
        >>> sorted(training.evaluate(params, data.toy.xor(), objective=objective))
        ['loss']
    """
    data = jax.tree.map(jnp.asarray, data)
    settings = (objective, tuple((metrics or {}).items()), transform, batch_size)
    make = _compiled if _check.concrete((params, data, model_state)) and _hashable(settings) else _means
    return make(*settings)(params, data, model_state)


def _hashable(value: Any) -> bool:
    try:
        return bool([hash(value)])
    except TypeError:
        return False


@functools.lru_cache(16)
def _compiled(*settings) -> Callable:
    """One program for many calls; it goes when sixteen others have come."""
    return jax.jit(_means(*settings))


def _means(objective, metrics, transform, batch_size) -> Callable:
    """`evaluate` of parameters, data and model state."""

    def measure(params, model_state, batch):
        state = () if model_state is None else (model_state,)
        batch = batch if transform is None else transform(batch, None)
        means = {name: _scalar(name, fn(params, *state, batch)) for name, fn in metrics}
        if objective is not None:
            value, _ = with_model_state(objective, bool(state))(params, model_state, batch, None)
            means = {"loss": value} | means
        weight = batch.get("weight") if isinstance(batch, Mapping) else getattr(batch, "weight", None)
        total = jnp.sum(weight) if weight is not None else jnp.asarray(float(jax.tree.leaves(batch)[0].shape[0]))
        return means, total

    def mean_of_parts(params, data, model_state):
        n = _check.leading_axis(data)
        whole = n // batch_size
        parts = []
        if whole:
            head = jax.tree.map(lambda a: a[: whole * batch_size].reshape(whole, batch_size, *a.shape[1:]), data)
            parts.append(jax.lax.map(functools.partial(measure, params, model_state), head))
        if n % batch_size:
            tail = measure(params, model_state, jax.tree.map(lambda a: a[whole * batch_size :], data))
            parts.append(jax.tree.map(lambda v: v[None], tail))
        means, totals = jax.tree.map(lambda *v: jnp.concatenate(v), *parts)
        share = totals / jnp.sum(totals)
        # a chunk without weight has no mean, and neither have data without any
        mean = lambda v: jnp.sum(jnp.where(share == 0, 0, v * share.astype(v.dtype)))
        return {name: mean(values) for name, values in means.items()}

    return mean_of_parts


def _scalar(name: str, value: Any) -> Any:
    value = jnp.asarray(value)
    if value.shape != ():
        raise ValueError(
            f"metric {name!r} must return one number, a mean over the batch; got shape {value.shape}. Of a function of "
            f"one example take the mean of its `jax.vmap`."
        )
    return value if jnp.issubdtype(value.dtype, jnp.inexact) else value.astype(float)
