"""The floor: the products of matrices of a training step and nothing else, in one compiled scan.

Forward, each layer's input times its weights; backward, each error times the layer's input (its gradient) and, but in
the first layer, times its weights. The shapes, the orientation of every factor and the order in which one product needs
another are those of the step; activation, loss, update, and the choice of the batch are left out, the batch being a
slice of the data. No training step that multiplies these matrices by the same library can be faster.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.rivals.problem import Problem


def products(problem: Problem) -> tuple[Callable, tuple[tuple[jax.Array, ...], jax.Array]]:
    """As many steps as the problem has, and what they are a function of: weights and data.

    Both are arguments because XLA would store the transposes of constants, and takes long over millions of them.
    """
    weights = tuple(jnp.asarray(W) for W, _ in problem.layers)
    x, batch = jnp.asarray(problem.x), problem.order.shape[1]
    first = jnp.asarray(problem.order[:, 0] % max(1, len(x) - batch + 1))

    def step(weights, x, start):
        a = [jax.lax.dynamic_slice(x, (start, 0), (batch, x.shape[1]))]
        for W in weights:
            a.append(a[-1] @ W.T)
        delta, grads = a[-1], []
        for W, inputs in zip(reversed(weights), reversed(a[:-1]), strict=True):
            grads.append(delta.T @ inputs)
            delta = delta @ W if inputs is not a[0] else delta
        return tuple(reversed(grads))

    def all_steps(weights, x):
        none = jax.tree.map(jnp.zeros_like, weights)
        return jax.lax.scan(lambda _, start: (step(weights, x, start), None), none, first)[0]

    return all_steps, (weights, x)


def matmuls(problem: Problem) -> Callable:
    """Contestant: these products; its result means nothing."""
    all_steps, arguments = products(problem)
    compiled = jax.jit(all_steps)
    return lambda: lambda: float(np.asarray(jax.block_until_ready(compiled(*arguments))[0])[0, 0])


def operations(problem: Problem) -> float:
    """Multiplications and additions of those products, all steps together."""
    steps, batch = problem.order.shape
    first, *rest = (W.size for W, _ in problem.layers)
    return 2.0 * batch * steps * (2 * first + 3 * sum(rest))
