"""Where a step became non-finite: in the data, a parameter, the forward pass, or the gradient."""

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax._types import Any, Callable
from mlpjax.training._state import TrainState
from mlpjax.training._step import gradients, with_model_state

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
    state: TrainState, batch: Any, key: Any, *, objective: Callable, value_and_grad: Callable | None = None
) -> str:
    """What is the first thing to go wrong in a step, in words.

    Args:
        state: the last good state.
        batch: the batch of the bad step.
        key: its key.
        objective: what is minimized.
        value_and_grad: what computes its gradient, if not autodiff.

    Returns:
        A phrase that names the batch, the leaf of the parameters or of the gradient, or the layer of the forward
        pass.
    """
    stateful = state.model_state is not None
    if bad := _bad_leaves(batch):
        return f"the batch holds NaN or infinity in `{bad[0]}`"
    if bad := _bad_leaves(state.params):
        return f"the parameters hold NaN or infinity in `{', '.join(bad)}`"
    loss = with_model_state(objective, stateful)
    if not np.isfinite(float(loss(state.params, state.model_state, batch, key)[0])):
        layer = _first_bad_layer(lambda params: loss(params, state.model_state, batch, key)[0], state.params)
        return f"the forward pass overflows {layer}"
    (_, _), grads = gradients(objective, value_and_grad, stateful)(state.params, state.model_state, batch, key)
    if bad := _bad_leaves(grads):
        return f"the loss is finite, its gradient is not, in `{', '.join(bad)}`"
    norm = float(optax.tree.norm(grads))
    return f"loss and gradient (of norm {norm:.3g}) are finite, but the step taken with them is not"


def _first_bad_layer(f: Callable, params: Any) -> str:
    """The parameter whose use comes right before the first non-finite intermediate result."""
    names = [
        jax.tree_util.keystr(p, simple=True, separator="/") for p, _ in jax.tree_util.tree_leaves_with_path(params)
    ]
    closed = jax.make_jaxpr(f)(params)
    found, _ = _walk(closed.jaxpr, closed.consts, list(zip(jax.tree.leaves(params), range(len(names)), strict=True)))
    return "before any parameter is used" if found is None or found < 0 else f"in the layer of `{names[found]}`"


def _walk(jaxpr: Any, consts: Any, inputs: list) -> tuple[int | None, list]:
    """Evaluate a jaxpr step by step; each value carries the number of the last parameter that went into it.

    Returns that number for the first result that is not finite (`None` if all are), and the outputs.
    """
    env: dict[Any, tuple[Any, int]] = {}
    env.update(zip(jaxpr.constvars, ((c, -1) for c in consts), strict=True))
    env.update(zip(jaxpr.invars, inputs, strict=True))
    read = lambda atom: (atom.val, -1) if hasattr(atom, "val") else env[atom]
    for eqn in jaxpr.eqns:
        pairs = [read(atom) for atom in eqn.invars]
        inner = eqn.params.get("jaxpr") or eqn.params.get("call_jaxpr")
        if inner is not None and eqn.primitive.name in _INLINE:
            closed = inner if hasattr(inner, "consts") else jax.extend.core.ClosedJaxpr(inner, ())
            found, outputs = _walk(closed.jaxpr, closed.consts, pairs)
            if found is not None:
                return found, []
        else:
            last = max((mark for _, mark in pairs), default=-1)
            results = eqn.primitive.bind(*(value for value, _ in pairs), **eqn.params)
            outputs = [(r, last) for r in (results if eqn.primitive.multiple_results else [results])]
            if any(_is_bad(value) for value, _ in outputs):
                return last, []
        env.update(zip(eqn.outvars, outputs, strict=True))
    return None, [read(atom) for atom in jaxpr.outvars]


def _is_bad(value: Any) -> bool:
    # −∞ alone is no failure: masks are made of it, and what overflows downwards is NaN soon after
    return jnp.issubdtype(value.dtype, jnp.inexact) and not bool(jnp.all(value < jnp.inf))
