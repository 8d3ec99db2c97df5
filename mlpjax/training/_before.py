"""What can be known before the first step of a run."""

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np

from mlpjax import _check
from mlpjax._types import Any, Callable
from mlpjax.training.stopping import NEVER


def check(state, data, objective, optimizer, steps, batch_size, transform, validation, evaluate_every, stop) -> int:
    """Every fact that can be checked before the first step; returns the number of examples."""
    n = _check.leading_axis(data)
    for name, value in {"steps": steps, "batch_size": batch_size, "evaluate_every": evaluate_every}.items():
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(
                f"`{name}` must be a positive integer; got {value!r}. It is the same for all runs of a `vmap`, and not "
                f"traced."
            )
    begun = int(state.step) if _check.concrete(state.step) and np.ndim(state.step) == 0 else 0
    if begun + steps >= NEVER:
        raise ValueError(
            f"`steps` must keep the count of all steps below {NEVER:,}, which stands for what never happened; got "
            f"{steps:,} from step {begun:,} on. Take fewer."
        )
    if batch_size is not None and batch_size > n:
        raise ValueError(
            f"`batch_size` must not exceed the number of examples; got {batch_size} for {n}. "
            f"`batch_size=None` takes all of them at every step."
        )
    if stop is not None and validation is None:
        raise ValueError("`stop` looks at evaluations: give it a `validation` set to evaluate on.")
    form = lambda tree: (jax.tree.structure(tree), [np.shape(leaf) for leaf in jax.tree.leaves(tree)])
    # JAX keeps what it learns of each call as long as the function itself: this one goes with the call
    if form(jax.eval_shape(lambda params: optimizer.init(params), state.params)) != form(state.opt_state):
        raise ValueError(
            "`optimizer` must be the one that `start` was given, for parameters of these shapes; its state has another "
            "form. For other parameters, or another optimizer, call `training.start`."
        )
    ruleless = isinstance(state.stop_state.rule, tuple) and not state.stop_state.rule
    if (stop is None) != ruleless:
        raise ValueError(
            "`stop` must be the same for `start` and for the run; one of the two was given none. Give it to both."
        )
    bad_step = state.stop_state.first_bad_step
    if _check.concrete(bad_step) and np.ndim(bad_step) == 0 and int(bad_step) != NEVER:
        raise ValueError(
            f"`state` ended at step {int(bad_step)}, which was not finite: nothing would move. Go on from "
            f"`training.revive(state)` with a lower learning rate."
        )
    for name, part in {"data": data, "validation": validation}.items():
        if part is not None:
            _check.leading_axis(part)
            _check.finite(name, part)
            if hasattr(objective, "check"):
                objective.check(state.params, *_transformed(part, transform))
    return n


def _transformed(data: Any, transform: Callable | None) -> tuple[Any, Any]:
    """What is known of data behind a transform: the arrays that it leaves alone, and the shapes of one example."""
    shown = jax.eval_shape(lambda data: jax.tree.map(lambda array: jnp.asarray(array)[:1], data), data)
    if transform is None:
        return data, shown
    traced, shown = jax.make_jaxpr(transform, return_shape=True)(shown, None)
    alone = dict(zip(traced.jaxpr.invars, jax.tree.leaves(data), strict=True))
    known = [alone.get(out) if isinstance(out, jax.extend.core.Var) else None for out in traced.jaxpr.outvars]
    return jax.tree.unflatten(jax.tree.structure(shown), known), shown
