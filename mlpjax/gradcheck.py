r"""Gradient checking: is a gradient the derivative of its function? Answered without trusting either.

`central_difference` evaluates the function twice for each parameter; `directional` twice in all, for any number of
parameters, along one random direction; `complex_step` once for each parameter, with no cancellation at all, where the
function is analytic.

How small a step (CHK1): the truncation error of a central difference falls like ε², its rounding error grows like u/ε
with u the spacing of floating-point numbers at 1, so the best ε is about $u^{1/3}$: 6·10⁻⁶ in float64, 5·10⁻³ in
float32. Check gradients in float64, and do not expect less than 10⁻⁵ from float32. A relative error above 10⁻⁷ in
float64 is a bug, or a kink of ReLU between θ − ε and θ + ε, or a gradient that is nearly 0, or a function that changes
over much less than 1 in a parameter: give ε then. By default ε grows with a parameter beyond 1, since the spacing of
numbers does: at 10⁶ the estimate is 10⁵ times better for it.
"""

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from mlpjax._types import Callable, Params, PRNGKey, Scalar

__all__ = ["central_difference", "complex_step", "directional", "distance", "relative_error"]


def default_step(params: Params) -> float:
    r"""The step that balances truncation and rounding, $u^{1/3}$ of the parameters' dtype (CHK1)."""
    return float(jnp.finfo(ravel_pytree(params)[0].dtype).eps) ** (1 / 3)


def central_difference(f: Callable[[Params], Scalar], params: Params, *, eps: float | Scalar | None = None) -> Params:
    r"""The gradient by central differences, one parameter at a time (CHK1).

    $$\hat g_i = \frac{C(\theta + \varepsilon e_i) - C(\theta - \varepsilon e_i)}{2\varepsilon}
      = \partial_i C + O(\varepsilon^2) + O(u/\varepsilon)$$

    Args:
        f: a real function of parameters.
        params: where to differentiate: any pytree of floating-point arrays, P numbers in all.
        eps: ε; by default $u^{1/3}\max(1, |\theta_i|)$ with u of the dtype.

    Returns:
        The estimate, a tree like `params`. It costs 2P evaluations of f.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import gradcheck
        >>> g = gradcheck.central_difference(lambda w: jnp.sum(w**2), jnp.asarray([1.0, 2.0]))
        >>> [round(float(v), 2) for v in g]
        [2.0, 4.0]
    """
    theta, unravel = ravel_pytree(params)
    step = default_step(params) * jnp.maximum(1, jnp.abs(theta)) if eps is None else jnp.full_like(theta, eps)

    def estimate(i):
        # the step that was really taken, after rounding: θ ± ε need not be representable
        up, down = theta.at[i].add(step[i]), theta.at[i].add(-step[i])
        return (f(unravel(up)) - f(unravel(down))) / (up[i] - down[i])

    return unravel(jax.lax.map(estimate, jnp.arange(theta.size)).astype(theta.dtype))


def directional(
    f: Callable[[Params], Scalar], grads: Params, params: Params, *, key: PRNGKey, eps: float | Scalar | None = None
) -> Scalar:
    r"""Relative error of a gradient along one random direction: two evaluations of f for any P (CHK3).

    $$\left|\, \langle g, v\rangle - \frac{C(\theta+\varepsilon v) - C(\theta-\varepsilon v)}{2\varepsilon} \right|
      \Big/ \|g\|, \qquad v \sim N(0, I)$$

    Divided by ‖g‖ = the standard deviation of ⟨g, v⟩, so that no unlucky direction inflates it. An error in a single
    entry of a large gradient can hide from it: `relative_error` sees every entry.

    Args:
        f: a real function of parameters.
        grads: the gradient to check, a tree like `params`.
        params: where.
        key: randomness of the direction.
        eps: ε; by default $u^{1/3}$ of the dtype.

    Returns:
        The error relative to ‖g‖.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import gradcheck
        >>> w = jnp.linspace(0.0, 1.0, 1000)
        >>> bool(gradcheck.directional(lambda w: jnp.sum(w**2), 2 * w, w, key=jax.random.key(0)) < 1e-2)
        True
    """
    theta, unravel = ravel_pytree(params)
    g = ravel_pytree(grads)[0]
    eps = default_step(params) if eps is None else eps
    v = jax.random.normal(key, theta.shape, theta.dtype)
    slope = (f(unravel(theta + eps * v)) - f(unravel(theta - eps * v))) / (2 * eps)
    return jnp.abs(jnp.vdot(g, v) - slope) / (jnp.linalg.norm(g) + 1e-30)


def complex_step(f: Callable[[Params], Scalar], params: Params, *, eps: float = 1e-30) -> Params:
    r"""The gradient by complex steps: exact to rounding, where f is analytic (CHK3).

    $$\hat g_i = \frac{\operatorname{Im}\, C(\theta + \mathrm{i}\,\varepsilon e_i)}{\varepsilon}
      = \partial_i C + O(\varepsilon^2)$$

    Nothing is subtracted, so ε may be so small that the truncation error vanishes too. The function must be built of
    analytic operations: sigmoid, tanh and exp, but no abs, max, ReLU or comparison. Nor JAX's `logaddexp`, and with it
    softplus and log-softmax, which lose a small imaginary part: write `log1p(exp(z))` instead.

    Args:
        f: a real-analytic function of parameters.
        params: where to differentiate: any pytree of floating-point arrays.
        eps: ε.

    Returns:
        The gradient, a tree like `params`, for P evaluations of f in complex arithmetic.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import gradcheck
        >>> float(gradcheck.complex_step(lambda w: jnp.exp(w[0]), jnp.zeros(1))[0])
        1.0

    References:
        W. Squire, G. Trapp: Using complex variables to estimate derivatives of real functions, 1998.
    """
    theta, unravel = ravel_pytree(params)
    structure, shapes = jax.tree.structure(params), [leaf.shape for leaf in jax.tree.leaves(params)]
    sizes = [leaf.size for leaf in jax.tree.leaves(params)]

    def assemble(flat):
        # `unravel` would cast back to the real dtype
        parts = jnp.split(flat, [sum(sizes[:k]) for k in range(1, len(sizes))])
        return jax.tree.unflatten(structure, [p.reshape(s) for p, s in zip(parts, shapes, strict=True)])

    def estimate(i):
        return jnp.imag(f(assemble(jax.lax.complex(theta, jnp.zeros_like(theta).at[i].set(eps))))) / eps

    return unravel(jax.lax.map(estimate, jnp.arange(theta.size)).astype(theta.dtype))


def distance(g: Params, h: Params, *, floor: float = 1e-30) -> Scalar:
    r"""The relative error between two gradients (CHK2).

    $$\frac{\|g - \hat g\|}{\|g\| + \|\hat g\| + \delta}$$

    Args:
        g: a gradient.
        h: another, a tree of the same structure.
        floor: δ, which keeps two zero gradients from dividing 0 by 0.

    Returns:
        A number between 0 (equal) and 1 (opposite or unrelated in size).

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import gradcheck
        >>> float(gradcheck.distance(jnp.ones(3), -jnp.ones(3)))
        1.0
    """
    g, h = ravel_pytree(g)[0], ravel_pytree(h)[0]
    return jnp.linalg.norm(g - h) / (jnp.linalg.norm(g) + jnp.linalg.norm(h) + floor)


def relative_error(
    f: Callable[[Params], Scalar], grads: Params, params: Params, *, eps: float | Scalar | None = None
) -> Scalar:
    r"""How far a gradient is from central differences of its function (CHK2); below 10⁻⁷ in float64 it passes.

    $$\frac{\|g - \hat g\|}{\|g\| + \|\hat g\| + \delta}$$

    Args:
        f: a real function of parameters.
        grads: the gradient to check, a tree like `params`.
        params: where.
        eps: ε; by default that of `central_difference`.

    Returns:
        The relative error. It costs 2P evaluations of f, so take a small network; `directional` suits large ones.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import gradcheck
        >>> w = jnp.asarray([1.0, 2.0])
        >>> bool(gradcheck.relative_error(lambda w: jnp.sum(w**2), 2 * w, w) < 1e-3)
        True
        >>> bool(gradcheck.relative_error(lambda w: jnp.sum(w**2), w, w) > 0.3)
        True
    """
    return distance(grads, central_difference(f, params, eps=eps))
