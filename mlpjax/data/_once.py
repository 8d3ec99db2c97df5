"""A fence for the compiler."""

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Shaped

from mlpjax._types import Array


def once(x: Shaped[Array, "..."], never: Bool[Array, ""]) -> Shaped[Array, "..."]:
    """Integers `x`, computed once and stored, rather than again wherever they are used.

    On the CPU, XLA fuses what computes an index into the gather that uses it, and may then evaluate the whole chain
    for every pixel that is gathered: a training step became fifteen times slower. It drops `optimization_barrier`
    before it fuses; into a loop it does not fuse, so here is one that never runs. Other platforms weigh what is
    computed twice, and would have to ask the device whether to loop: there `x` passes as it is. So do numbers that are
    not integers, since gradients do not flow back through a loop.

    Args:
        x: the integers.
        never: false, in a way that the compiler cannot know.

    Returns:
        `x`.
    """
    if not jnp.issubdtype(x.dtype, jnp.integer):
        return x
    # The body must change x: what a loop leaves alone is taken out of it.
    body = lambda carry: (carry[0] + 1, ~carry[1])
    loop = lambda x: jax.lax.while_loop(lambda carry: carry[1], body, (x, never))[0]
    return jax.lax.platform_dependent(x, cpu=loop, default=lambda x: x)
