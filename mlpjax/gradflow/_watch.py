"""The flow of the gradient during a run: at every step by the optimizer, at evaluations by metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import UInt32

from mlpjax import _check
from mlpjax._types import Any, Array, Callable, Params, Scalar
from mlpjax.activations import Activation, relu
from mlpjax.data import Dataset
from mlpjax.gradflow._flow import norm, steep, trace
from mlpjax.losses import Loss


def norms(grads: Params) -> Params:
    """The Euclidean norm of every leaf, of any pytree of gradients (VAN3).

    Args:
        grads: gradients, or an optimizer's updates.

    Returns:
        A tree of the same structure, with one number for each leaf.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import gradflow
        >>> float(gradflow.norms({"W": jnp.asarray([[3.0, 4.0]])})["W"])
        5.0
    """
    return jax.tree.map(norm, grads)


class Record(NamedTuple):
    """The state of a `recorder`.

    Attributes:
        values: what was measured, with a first axis of the recorder's length: step k stands at k mod length.
        steps: how many steps were recorded in all.
    """

    values: Any
    steps: UInt32[Array, "*ensemble"]


def recorder(steps: int, *, measure: Callable[[Params], Any] = norms) -> optax.GradientTransformation:
    """An optax transformation that changes nothing and keeps what it measures of the gradients it sees (VAN3).

    Where it stands in a chain decides what it sees: first the gradients, last the updates. Norms take about three
    operations for each parameter, against six for each parameter and example of a gradient; there is no second
    backward pass. The record is part of the optimizer's state: it is vmapped, checkpointed and resumed with it.

    Args:
        steps: how many of the latest steps to keep.
        measure: `grads ->` any pytree of arrays. Of a stacked network take
            `lambda grads: gradflow.norms(deep.unstack(grads))`.

    Returns:
        The transformation, for `optax.chain`.

    Raises:
        ValueError: if `steps` is not a positive integer.

    Example:
        >>> import jax, optax
        >>> from mlpjax import data, gradflow, losses, mlp, training
        >>> optimizer = optax.chain(gradflow.recorder(100), optax.adam(0.1))
        >>> objective = training.supervised(mlp.apply, losses.sigmoid_squared_error)
        >>> params = mlp.init(jax.random.key(0), (2, 8, 1))
        >>> state = training.start(jax.random.key(0), params, optimizer=optimizer)
        >>> state, _ = training.run(state, data.toy.xor(), objective=objective, optimizer=optimizer, steps=60)
        >>> gradflow.recorded(state)[0].W.shape
        (60,)
    """
    _check.count("steps", steps, 1, "It is the number of steps to keep.")

    def init(params):
        seen = jax.eval_shape(measure, params)
        return Record(jax.tree.map(lambda s: jnp.zeros((steps, *s.shape), s.dtype), seen), jnp.uint32(0))

    def update(updates, state, params=None):
        del params
        place = state.steps % jnp.uint32(steps)
        put = lambda kept, new: jax.lax.dynamic_update_index_in_dim(kept, new.astype(kept.dtype), place, 0)
        values = jax.tree.map(put, state.values, measure(updates))
        return updates, Record(values, state.steps + jnp.uint32(1))

    return optax.GradientTransformation(init, update)


def recorded(state: Any) -> Any:
    """What a `recorder` has kept, in the order of the steps.

    Args:
        state: whatever holds exactly one `Record`: a state of training, or of an optimizer. Of a vmapped run, take
            one member first.

    Returns:
        What was measured, with a first axis of as many steps as were recorded, at most those the recorder keeps.

    Raises:
        ValueError: if there is no record, or more than one, or if it is that of a vmapped run.

    Example:
        See `recorder`.
    """
    is_record = lambda node: isinstance(node, Record)
    found = [node for node in jax.tree.leaves(state, is_leaf=is_record) if is_record(node)]
    if len(found) != 1:
        raise ValueError(
            f"`state` must hold one `Record`; got {len(found)}. Put one `gradflow.recorder(...)` into the optimizer's "
            f"chain, or pick the part of the state that you mean."
        )
    values, steps = found[0]
    if jnp.ndim(steps):
        raise ValueError(
            f"`state` must be one run's; got {jnp.shape(steps)} of them, from a vmapped run. Take one member "
            f"first: `jax.tree.map(lambda leaf: leaf[0], state)`."
        )
    kept, seen = len(jax.tree.leaves(values)[0]), int(steps)
    first = seen % kept if seen > kept else 0
    return jax.tree.map(lambda v: jnp.roll(v, -first, axis=0)[:seen], values)


def metrics(
    layers: int, *, activation: Activation | Sequence[Activation] = relu, loss: Loss
) -> dict[str, Callable[[Params, Dataset], Scalar]]:
    """The numbers of `trace` as metrics, for `training.run` and `training.fit` (VAN3).

    Their names are the fields of `Flow` with the layer, counted from 1: `"delta/1"`, `"W/3"`, `"flat/2"`. A run
    measures them at each evaluation, on its validation set. If that has more than 1,000 examples, they are means
    over chunks. Weights of examples are not looked at.

    Args:
        layers: L, the number of layers: `len(params)`.
        activation: σ of the hidden layers, or one for each of them.
        loss: the loss.

    Returns:
        By name, functions of parameters and a batch `Dataset(x, y)`.

    Example:
        >>> from mlpjax import gradflow, losses
        >>> sorted(gradflow.metrics(2, loss=losses.half_squared_error))
        ['W/1', 'W/2', 'a/1', 'a/2', 'dead/1', 'delta/1', 'delta/2', 'flat/1']
    """
    sigma = steep(activation, hidden=layers - 1)
    fields = dict(a=layers, delta=layers, W=layers, flat=layers - 1, dead=layers - 1)
    return {f"{f}/{l + 1}": Entry(f, l, sigma, loss) for f, n in fields.items() for l in range(n)}


@jax.tree_util.register_static
@dataclass(frozen=True)
class Entry:
    """One number of the flow, as a metric; equal for equal parts."""

    field: str
    layer: int
    activation: tuple[Activation, ...]
    loss: Loss

    def __call__(self, params, batch):
        return getattr(_traced(params, batch.x, batch.y, self.activation, self.loss), self.field)[self.layer]


@jax.jit
def _traced(params, x, y, activation, loss):
    """Jitted, so that JAX traces it once for all metrics; XLA computes once what they share."""
    return trace(params, x, y, activation=activation, loss=loss)
