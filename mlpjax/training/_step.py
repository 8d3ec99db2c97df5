"""One step: gradient, update, and nothing at all if the gradient is not finite."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from mlpjax._types import Any, Array, Callable, Params, Scalar
from mlpjax.training._state import TrainState
from mlpjax.training.stopping import NEVER, Stop

SMALL = 256
"""Leaves of up to so many numbers are looked at together, one number at a time."""

LARGE = 2**17
"""Gradients of more numbers are left to `settle`: out of the cache by then, they would take up to a tenth of a step."""


def select(condition: Array, new: Any, old: Any) -> Any:
    """`new` where the condition holds, else `old`, leaf by leaf."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)


def finite(*trees: Any) -> Array:
    """Whether every floating-point number in some trees is finite."""

    def sound(x):
        # 0·x is 0 for a finite x and NaN for any other: a sum of these is half the work of `all(isfinite(x))` on a CPU,
        # but a call of its own: of a network of a few units it would take longer than the numbers
        return jnp.isfinite(jnp.ravel(x)) if x.size <= SMALL else jnp.sum(x * 0)[None] == 0

    parts = [sound(x) for x in jax.tree.leaves(trees) if jnp.issubdtype(x.dtype, jnp.inexact)]
    return jnp.all(jnp.concatenate(parts)) if parts else jnp.asarray(True)


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


class Kept(NamedTuple):
    """What a run goes back to should its parameters turn out to be broken: where it began, or was last found finite."""

    params: Params
    model_state: Any
    opt_state: Any
    step: Array


def keep(state: TrainState) -> Kept:
    """A state, without what is never broken."""
    return Kept(state.params, state.model_state, state.opt_state, state.step)


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
    """One update; nothing changes but the count of steps once the run is over, or if loss or gradient is not finite.

    Whether the update itself is finite is looked at by `settle`, every so often: at each step it would have to be known
    before the old numbers are overwritten. A finite gradient breaks an update only where a number overflows or the
    optimizer divides by zero. A gradient of more than `LARGE` numbers is left to `settle` too.
    """
    stateful = state.model_state is not None
    grad_fn = gradients(objective, value_and_grad, stateful)
    (value, model_state), grads = grad_fn(state.params, state.model_state, batch, key)
    grads = jax.tree.map(lambda g, p: g.astype(p.dtype), grads, state.params)

    def value_fn(params):
        return with_model_state(objective, stateful)(params, state.model_state, batch, key)[0]

    def update(old, grads, model_state):
        # optax's bias corrections mix dtypes on purpose
        with jax.numpy_dtype_promotion("standard"):
            extra = dict(value=value, grad=grads, value_fn=value_fn)
            change = optax.with_extra_args_support(optimizer).update
            updates, opt_state = change(grads, old.opt_state, old.params, **extra)
            return Kept(optax.apply_updates(old.params, updates), model_state, opt_state, old.step)

    running = active(state, stop)
    looked_at = [grad for grad in jax.tree.leaves(grads) if grad.size <= LARGE]
    good = jnp.isfinite(value) & finite(looked_at, model_state)
    new = only_if(running & good, update, keep(state), grads, model_state)
    bad_step = jnp.where(running & ~good, state.step, state.stop_state.first_bad_step)
    stop_state = state.stop_state._replace(first_bad_step=bad_step)
    step = state.step + jnp.uint32(1)
    state = TrainState(new.params, new.model_state, new.opt_state, stop_state, state.key, step)
    return state, jnp.where(running, value, jnp.nan)


def only_if(condition: Array, update: Callable, old: Any, *given: Any) -> Any:
    """`update(old, *given)` where the condition holds, else `old`.

    On the CPU by a branch, in which XLA overwrites the old numbers in place. To choose afterwards (`select`) it has to
    keep both, which made an epoch of MNIST up to a fifth longer. Other platforms would have to ask the device which
    way to go, at every step.
    """

    def by_branch(old, *given):
        return jax.lax.cond(condition, update, lambda old, *_: old, old, *given)

    def by_choice(old, *given):
        return select(condition, update(old, *given), old)

    return jax.lax.platform_dependent(old, *given, cpu=by_branch, default=by_choice)


def settle(state: TrainState, kept: Kept) -> tuple[TrainState, Kept]:
    """Keep this state if its numbers are finite; if not, go back to the one kept before, and end the run there.

    An optimizer's state may hold infinities on purpose: what counts there is whether what was finite still is.
    """
    pairs = zip(jax.tree.leaves(state.opt_state), jax.tree.leaves(kept.opt_state), strict=True)
    sound = finite(state.params, state.model_state)
    for new, old in pairs:
        sound &= finite(new) | ~finite(old)
    kept = only_if(sound, lambda _, new: new, kept, keep(state))
    bad_step = state.stop_state.first_bad_step
    bad_step = jnp.where(sound, bad_step, jnp.minimum(bad_step, kept.step))
    stop_state = state.stop_state._replace(first_bad_step=bad_step)
    params, model_state, opt_state, _ = kept
    return TrainState(params, model_state, opt_state, stop_state, state.key, state.step), kept
