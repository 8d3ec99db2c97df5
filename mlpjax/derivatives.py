r"""Derivatives beyond the gradient, of any real function of a pytree.

The Hessian of a network with p parameters has p² entries and is never needed whole: `hvp` multiplies it with a vector
at the price of about two gradients (GD6), and from such products `extreme_eigenvalues` finds both ends of its spectrum.
`hessian` writes the matrix out, for networks small enough to look at all of it.
"""

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, Callable, Params, PRNGKey, Scalar

__all__ = ["extreme_eigenvalues", "hessian", "hvp"]


def hvp(f: Callable[[Params], Scalar], params: Params, v: Params) -> Params:
    r"""The Hessian times a vector, without the Hessian (GD6).

    $$\nabla^2\!F(\theta)\, v = \frac{\mathrm{d}}{\mathrm{d}t}\, \nabla F(\theta + t v) \Big|_{t=0}$$

    The derivative of the gradient in one direction: forward mode over reverse mode. It stores vectors of length p, no
    p × p matrix, and costs between 3/2 and 8/3 of a gradient's multiply–adds in a multilayer perceptron.

    Args:
        f: a real function of parameters, twice differentiable at `params`.
        params: where: any pytree of floating-point arrays.
        v: the direction, a tree like `params`.

    Returns:
        The product, a tree like `params`. Its inner product with v is the curvature $v^\top \nabla^2\!F\, v$.

    Raises:
        ValueError: `v` does not have the structure, shapes and dtypes of `params`.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import derivatives
        >>> f = lambda w: w[0] ** 2 * w[1]
        >>> derivatives.hvp(f, jnp.asarray([1.0, 2.0]), jnp.asarray([1.0, 0.0])).tolist()
        [4.0, 2.0]

    References:
        B. A. Pearlmutter: Fast exact multiplication by the Hessian, Neural Computation 6, 1994.
    """
    _check_alike(params, v)
    return jax.jvp(jax.grad(f), (params,), (v,))[1]


def hessian(f: Callable[[Params], Scalar], params: Params) -> Float[Array, "p p"]:
    r"""The matrix of second derivatives, for small networks (GD4).

    $$H_{ij} = \frac{\partial^2 F}{\partial\theta_i\, \partial\theta_j}$$

    Rows and columns follow the parameters as `jax.flatten_util.ravel_pytree` lines them up: layer by layer, W before
    b. It takes p products and p² numbers: 400 MB for 10,000 parameters in float32.

    Args:
        f: a real function of parameters, twice differentiable at `params`.
        params: where: any pytree of floating-point arrays, p numbers in all.

    Returns:
        H, shape `(p, p)`. Give it to `jnp.linalg.eigvalsh` for its spectrum.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import derivatives
        >>> f = lambda p: p["x"] ** 2 + 3 * p["x"] * p["y"]
        >>> derivatives.hessian(f, {"x": jnp.asarray(1.0), "y": jnp.asarray(1.0)}).tolist()
        [[2.0, 3.0], [3.0, 0.0]]
    """
    theta, product = _product(f, params)
    return jax.vmap(product)(jnp.eye(theta.size, dtype=theta.dtype))


def extreme_eigenvalues(
    f: Callable[[Params], Scalar], params: Params, *, key: PRNGKey, steps: int = 32
) -> tuple[Scalar, Scalar]:
    r"""The least and the greatest eigenvalue of the Hessian, from products alone (GD6).

    Lanczos' method: an orthonormal basis Q of the space spanned by $q, Hq, H^2q, \dots$, in which H becomes
    tridiagonal. The ends of the spectrum of $T = Q^\top H Q$ approach those of H from within, soon if they stand apart
    from the rest, as the greatest eigenvalues of a network's Hessian do.

    Args:
        f: a real function of parameters, twice differentiable at `params`.
        params: where: any pytree of floating-point arrays, p numbers in all.
        key: randomness of the first vector.
        steps: products to compute, and vectors to store; never more than p. With p of them the result is exact.

    Returns:
        `(least, greatest)`: a minimum has no negative one, and gradient descent with a learning rate η is unstable
            where the greatest exceeds 2/η.

    Raises:
        ValueError: `steps` is less than 1.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import derivatives
        >>> f = lambda w: (jnp.linspace(-1.0, 3.0, 20) * w**2).sum() / 2
        >>> ends = derivatives.extreme_eigenvalues(f, jnp.zeros(20), key=jax.random.key(0))
        >>> [round(float(end), 3) for end in ends]
        [-1.0, 3.0]

    References:
        C. Lanczos: An iteration method for the solution of the eigenvalue problem, 1950.
    """
    _check.key("key", key)
    if steps < 1:
        raise ValueError(f"`steps` must be at least 1; got {steps}. More steps come closer to the ends.")
    theta, product = _product(f, params)
    q = jax.random.normal(key, theta.shape, theta.dtype)
    alpha, beta = _lanczos(product, q, min(steps, theta.size))
    values = jnp.linalg.eigvalsh(jnp.diag(alpha) + jnp.diag(beta[:-1], 1) + jnp.diag(beta[:-1], -1))
    return values[0], values[-1]


def _product(f, params):
    """θ as one vector, and v ↦ Hv of such vectors."""
    theta, unravel = ravel_pytree(params)
    gradient = jax.grad(lambda theta: f(unravel(theta)))
    return theta, lambda v: jax.jvp(gradient, (theta,), (v,))[1]


def _lanczos(product, q, steps):
    """The diagonals of T. Each new vector is made orthogonal to all before, twice: once leaves rounding behind.

    If the second time takes most of the vector away, it was rounding: the space is exhausted, and T has its final ends.
    From there on T repeats its first entry, which lies between them, with zeros beside it.
    """

    def step(carry, i):
        Q, q = carry
        Q = Q.at[i].set(q)
        w = product(q)
        alpha = jnp.vdot(q, w)
        once = w - Q.T @ (Q @ w)
        twice = once - Q.T @ (Q @ once)
        beta = jnp.linalg.norm(twice)
        more = beta > jnp.linalg.norm(once) / 2
        return (Q, jnp.where(more, twice, 0) / jnp.where(more, beta, 1)), (alpha, jnp.where(more, beta, 0))

    start = jnp.zeros((steps, q.size), q.dtype), q / jnp.linalg.norm(q)
    _, (alpha, beta) = jax.lax.scan(step, start, jnp.arange(steps))
    return jnp.where(jnp.arange(steps) > jnp.sum(beta > 0), alpha[0], alpha), beta


def _check_alike(params, v):
    describe = lambda tree: str(jax.tree.map(lambda leaf: f"{jnp.result_type(leaf)}{list(jnp.shape(leaf))}", tree))
    if (wanted := describe(params)) != (found := describe(v)):
        raise ValueError(
            f"`v` must be a tree like `params`, {wanted}; got {found}. Make one by `jax.tree.map`, or from a flat "
            f"vector by the second value of `jax.flatten_util.ravel_pytree(params)`."
        )
