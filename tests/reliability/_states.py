"""States of a run as `fit` saves them, made without a backend of JAX."""

import jax
import numpy as np
import optax

from mlpjax import mlp
from mlpjax.training import start


def form(sizes):
    """Shapes and dtypes of the state of a run with Adam; its key as bare numbers, for keys need a backend."""
    key = jax.eval_shape(lambda: jax.random.key(0))
    begin = lambda key: start(key, mlp.init(key, sizes, dtype=np.float32), optimizer=optax.adam(1e-3))
    return jax.eval_shape(begin, key)._replace(key=jax.ShapeDtypeStruct((2,), np.uint32))


def at(step, like):
    """A state that only this step has: random bytes, and the step itself."""
    draw = np.random.default_rng(step)
    fill = lambda leaf: np.frombuffer(draw.bytes(leaf.size * leaf.dtype.itemsize), leaf.dtype).reshape(leaf.shape)
    return jax.tree.map(fill, like)._replace(step=np.uint32(step))
