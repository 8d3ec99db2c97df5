"""The telephone bill as a 2–3–1 network, for the figures that draw it."""

import jax.numpy as jnp

from mlpjax.layers import Dense

PARAMS = (
    Dense(W=jnp.array([[1.0, 0.0], [0.0, 1.0], [0.125, 1.0]]), b=jnp.array([-100.0, -5.0, -17.0])),
    Dense(W=jnp.array([[0.25, 3.0, -1.0]]), b=jnp.array([10.0])),
)
