"""One step: gradient, update, and nothing at all if the gradient is not finite."""

import jax
import jax.numpy as jnp
import optax

from mlpjax._types import Any, Array, Callable, Scalar
from mlpjax.training._state import TrainState
from mlpjax.training.stopping import NEVER, Stop


def select(condition: Array, new: Any, old: Any) -> Any:
    """`new` where the condition holds, else `old`, leaf by leaf."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)


def finite(*trees: Any) -> Array:
    """Whether every floating-point number in trees of one structure is finite."""
    # 0·x is 0 for a finite x and NaN for any other: a sum of these is half the work of `all(isfinite(x))` on a CPU,
    # and leaves that belong together are read in one pass
    together = zip(*map(jax.tree.leaves, trees), strict=True)
    zeros = [jnp.sum(sum(x * 0 for x in leaves)) for leaves in together if jnp.issubdtype(leaves[0].dtype, jnp.inexact)]
    return jnp.sum(jnp.stack([z.astype(float) for z in zeros])) == 0 if zeros else jnp.asarray(True)


def active(state: TrainState, stop: Stop | None) -> Array:
    """Whether the run still goes on: no step was bad, no rule said stop."""
    healthy = state.stop_state.first_bad_step == jnp.uint32(NEVER)
    return healthy if stop is None else healthy & ~stop.stopped(state.stop_state.rule)


def with_model_state(fn: Callable, stateful: bool, returns_grads: bool = False) -> Callable:
    """Lift `(params, batch, key)` to `(params, model_state, batch, key)`, so that one loop serves both forms."""
    if stateful:
        return fn

    def lifted(params, model_state, batch, key):
        if returns_grads:
            value, grads = fn(params, batch, key)
            return (value, model_state), grads
        return fn(params, batch, key), model_state

    return lifted


def gradients(objective: Callable, value_and_grad: Callable | None, stateful: bool) -> Callable:
    """`(params, model_state, batch, key) -> ((value, model_state), grads)`, by autodiff unless told otherwise."""
    if value_and_grad is not None:
        return with_model_state(value_and_grad, stateful, returns_grads=True)
    return jax.value_and_grad(with_model_state(objective, stateful), has_aux=True)


def step(
    state: TrainState,
    batch: Any,
    key: Array,
    *,
    objective: Callable,
    value_and_grad: Callable | None,
    optimizer: optax.GradientTransformation,
    stop: Stop | None,
) -> tuple[TrainState, Scalar]:
    """One update; the state stays as it is, but for its step, once the run is over or if this step is not finite."""
    stateful = state.model_state is not None
    grad_fn = gradients(objective, value_and_grad, stateful)
    (value, model_state), grads = grad_fn(state.params, state.model_state, batch, key)
    grads = jax.tree.map(lambda g, p: g.astype(p.dtype), grads, state.params)

    def value_fn(params):
        return with_model_state(objective, stateful)(params, state.model_state, batch, key)[0]

    # optax's bias corrections mix dtypes on purpose
    with jax.numpy_dtype_promotion("standard"):
        update = optax.with_extra_args_support(optimizer).update
        updates, opt_state = update(grads, state.opt_state, state.params, value=value, grad=grads, value_fn=value_fn)
        params = optax.apply_updates(state.params, updates)

    running = active(state, stop)
    good = jnp.isfinite(value) & finite(params, grads) & finite(model_state)
    bad_step = jnp.where(running & ~good, state.step, state.stop_state.first_bad_step)
    new, old = (params, model_state, opt_state), (state.params, state.model_state, state.opt_state)
    params, model_state, opt_state = select(running & good, new, old)
    stop_state = state.stop_state._replace(first_bad_step=bad_step)
    state = TrainState(params, model_state, opt_state, stop_state, state.key, state.step + jnp.uint32(1))
    return state, jnp.where(running, value, jnp.nan)
