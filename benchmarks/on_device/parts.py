"""A training run with a part of its step left out, to learn what the part costs where it may cost much.

`without("settle")` changes the modules of `mlpjax.training` while it lasts; what is traced meanwhile lacks the part.
Such runs are not safe any more, or not shuffled: they are for measuring alone.
"""

import contextlib
import importlib

import jax
import jax.numpy as jnp

LOOP, STEP = (importlib.import_module(f"mlpjax.training.{name}") for name in ("_loop", "_step"))


class Instead:
    """A module, but for some of its names."""

    def __init__(self, module, **names):
        self.__dict__ |= {"_module": module, **names}

    def __getattr__(self, name):
        return getattr(self._module, name)


def unsettled(condition, yes, no, *operands):
    """`jax.lax.cond`, but the parameters are never looked at."""
    return no(*operands) if yes is STEP.settle else jax.lax.cond(condition, yes, no, *operands)


def chosen(condition, yes, no, *operands):
    """`jax.lax.cond`, but both ways are gone and one result is chosen."""
    return STEP.select(condition, yes(*operands), no(*operands))


def in_order(key, step, *, n, batch_size):
    """`batching.indices` without a permutation."""
    return ((step * jnp.uint32(batch_size) + jnp.arange(batch_size, dtype=jnp.uint32)) % n).astype(jnp.int32)


def always(condition, update, old, *given):
    """`only_if` without the condition."""
    return update(old, *given)


def conditional(cond):
    """JAX with another `lax.cond`."""
    return Instead(jax, lax=Instead(jax.lax, cond=cond))


# By name: what is left out, and what takes its place: (module, name, value).
PARTS = {
    "settle": ("looking at the parameters, the branch included", (LOOP, "jax", conditional(unsettled))),
    "branches": ("branches: both ways are gone at every step", (LOOP, "jax", conditional(chosen))),
    "finite": ("looking whether the gradient is finite", (STEP, "finite", lambda *trees: jnp.asarray(True))),
    "choice": ("the choice between old and new numbers", (STEP, "only_if", always)),
    "shuffle": ("the permutation of the examples", (LOOP, "batching", Instead(LOOP.batching, indices=in_order))),
}


@contextlib.contextmanager
def without(*names: str):
    """Leave these parts out of what is traced meanwhile."""
    changes = [PARTS[name][1] for name in names]
    before = [(module, attribute, getattr(module, attribute)) for module, attribute, _ in changes]
    jax.clear_caches()  # JAX may have kept what it traced of a function that calls one of these
    try:
        for module, attribute, value in changes:
            setattr(module, attribute, value)
        yield
    finally:
        for module, attribute, value in reversed(before):
            setattr(module, attribute, value)
        jax.clear_caches()
