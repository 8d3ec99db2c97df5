"""Where a step became non-finite: in the data, a parameter, the forward pass, or the gradient."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax._types import Any, Callable
from mlpjax.training._state import TrainState
from mlpjax.training._step import gradients, step, with_model_state

_INLINE = {"jit", "pjit", "closed_call", "core_call", "checkpoint", "remat", "custom_jvp_call", "custom_vjp_call"}


class NonFiniteError(FloatingPointError):
    """Training met a loss or a gradient that is not finite.

    Attributes:
        step: the step at which it happened.
        where: what was not finite: a leaf of the batch, of the parameters, of the gradient, or the forward pass.
        state: the last good state, from before that step; to go on from, with other settings.
        history: what was measured until then.
        unsaved: why that state could not be saved, if so: the checkpoint is of an earlier one then.
    """

    def __init__(
        self, step: int, where: str, state: TrainState, history: Any = None, unsaved: Exception | str | None = None
    ):
        self.step, self.where, self.state, self.history = step, where, state, history
        self.unsaved = unsaved and (getattr(unsaved, "strerror", None) or str(unsaved))
        kept = "kept in `.state`" if unsaved else "kept (`.state`, and the checkpoint if there is one)"
        lost = f" They could not be saved: {self.unsaved}" if unsaved else ""
        super().__init__(
            f"step {step} is not finite: {where}. The parameters of the step before are {kept}. Try a lower "
            f"learning rate, a warm-up, or clipping by the global norm (`optax.clip_by_global_norm(1.0)`); look at the "
            f"data if the batch is named.{lost}"
        )

    def __reduce__(self):  # or no process could tell another of it
        return type(self), (self.step, self.where, self.state, self.history, self.unsaved)


def _bad_leaves(tree: Any) -> list[str]:
    named = jax.tree_util.tree_leaves_with_path(tree)
    return [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, leaf in named
        if jnp.issubdtype(leaf.dtype, jnp.inexact) and not np.isfinite(np.asarray(leaf, np.float64)).all()
    ]


def diagnose(
    state: TrainState,
    batch: Any,
    key: Any,
    *,
    objective: Callable,
    value_and_grad: Callable | None = None,
    optimizer: optax.GradientTransformation | None = None,
) -> str:
    """What is the first thing to go wrong in a step, in words.

    Args:
        state: the last good state.
        batch: the batch of the bad step.
        key: its key.
        objective: what is minimized.
        value_and_grad: what computes its gradient, if not autodiff.
        optimizer: what makes the update of it; without it the update is not looked at.

    Returns:
        A phrase that names the batch, the leaf of the parameters, of the gradient or of the update, or the layer of the
        forward pass.
    """
    stateful = state.model_state is not None
    if bad := _bad_leaves(batch):
        return f"the batch holds NaN or infinity in `{bad[0]}`"
    if bad := _bad_leaves(state.params):
        return f"the parameters hold NaN or infinity in `{', '.join(bad)}`"
    loss = lambda params: with_model_state(objective, stateful)(params, state.model_state, batch, key)[0]
    if not np.isfinite(float(loss(state.params))):
        return _first_bad_layer(loss, state.params)
    grad_fn = gradients(objective, value_and_grad, stateful)
    (value, model_state), grads = grad_fn(state.params, state.model_state, batch, key)
    if bad := _bad_leaves(grads):
        return f"the loss is finite, its gradient is not, in `{', '.join(bad)}`"
    if not np.isfinite(float(value)):
        return f"`value_and_grad` returns the loss {float(value)}, where `objective` is finite"
    if bad := _bad_leaves(model_state):
        return f"loss and gradient are finite, the new model state is not, in `{', '.join(bad)}`"
    if optimizer is not None:
        take = lambda state: step(
            state, batch, key, objective=objective, value_and_grad=value_and_grad, optimizer=optimizer, stop=None
        )
        if bad := _bad_leaves(jax.jit(take)(state)[0].params):
            held = _bad_leaves(state.opt_state)
            why = f", for the optimizer's state holds NaN or infinity in `{held[0]}`" if held else ""
            return f"loss and gradient are finite, the optimizer's update is not, in `{', '.join(bad)}`{why}"
    norm = float(optax.tree.norm(grads))
    return f"loss and gradient (of norm {norm:.3g}) are finite, but the step taken with them is not"


def _first_bad_layer(f: Callable, params: Any) -> str:
    """The parameter whose use comes right before what made the loss not finite."""
    names = [
        jax.tree_util.keystr(p, simple=True, separator="/") for p, _ in jax.tree_util.tree_leaves_with_path(params)
    ]
    closed = jax.make_jaxpr(f)(params)
    inputs = [Value(leaf, Mark(i, -1, i)) for i, leaf in enumerate(jax.tree.leaves(params))]
    (loss,) = _walk(closed.jaxpr, closed.consts, inputs)
    if loss.origin is None:
        return "the loss is not finite; evaluated step by step it is"
    if loss.origin == NOWHERE:
        return "the loss is not finite for the batch alone, whatever the parameters: is a label out of range?"
    turn = f"[{loss.origin.turn}]" if loss.origin.turn >= 0 else ""
    return f"the forward pass overflows in the layer of `{names[loss.origin.leaf]}{turn}`"


class Mark(NamedTuple):
    """A parameter: its place in the order of use, its turn if a loop takes it slice by slice, its number."""

    place: int
    turn: int
    leaf: int


NOWHERE = Mark(-1, -1, -1)


class Value(NamedTuple):
    """An intermediate result: the last parameter that went into it, and the one at which it ceased to be finite."""

    array: Any
    last: Mark = NOWHERE
    origin: Mark | None = None


def _walk(jaxpr: Any, consts: Any, inputs: list[Value]) -> list[Value]:
    """Evaluate a jaxpr step by step."""
    env: dict[Any, Value] = {}
    env.update(zip(jaxpr.constvars, map(Value, consts), strict=True))
    env.update(zip(jaxpr.invars, inputs, strict=True))
    read = lambda atom: Value(atom.val) if hasattr(atom, "val") else env[atom]
    for eqn in jaxpr.eqns:
        values = [read(atom) for atom in eqn.invars]
        inner = eqn.params.get("jaxpr") or eqn.params.get("call_jaxpr")
        if eqn.primitive.name == "scan" and eqn.params["length"]:
            outputs = _walk_scan(eqn.params, values)
        elif inner is not None and eqn.primitive.name in _INLINE:
            closed = inner if hasattr(inner, "consts") else jax.extend.core.ClosedJaxpr(inner, ())
            outputs = _walk(closed.jaxpr, closed.consts, values)
        else:
            results = eqn.primitive.bind(*(value.array for value in values), **eqn.params)
            outputs = [_result(r, values) for r in (results if eqn.primitive.multiple_results else [results])]
        env.update(zip(eqn.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _walk_scan(about: dict, values: list[Value]) -> list[Value]:
    """A loop, turn by turn: a parameter that it takes slice by slice is another one at each turn."""
    closed, fixed, carry = about["jaxpr"], about["num_consts"], about["num_carry"]
    consts, held, sliced = values[:fixed], values[fixed : fixed + carry], values[fixed + carry :]
    place = min((value.last.place for value in sliced if value.last != NOWHERE), default=-1)
    turns, stacked = range(about["length"]), []
    for i in reversed(turns) if about["reverse"] else turns:
        mark = lambda last, i=i: last if last == NOWHERE else Mark(place, i, last.leaf)
        own = [Value(value.array[i], mark(value.last), value.origin) for value in sliced]
        outputs = _walk(closed.jaxpr, closed.consts, consts + held + own)
        held = outputs[:carry]
        stacked.append(outputs[carry:])
    stacked = stacked[::-1] if about["reverse"] else stacked
    return held + [_result(jnp.stack([v.array for v in all_]), all_) for all_ in zip(*stacked, strict=True)]


def _result(array: Any, inputs: Sequence[Value]) -> Value:
    """What comes of some values: not finite since the first of those that it has it from, or since now."""
    last = max((value.last for value in inputs), default=NOWHERE)
    if not jnp.issubdtype(array.dtype, jnp.inexact) or bool(jnp.isfinite(array).all()):
        return Value(array, last)
    # a constant may be infinite on purpose, as in a mask: it is to blame only if nothing else is
    origins = sorted(value.origin for value in inputs if value.origin is not None)
    return Value(array, last, next((o for o in origins if o != NOWHERE), origins[0] if origins else last))
