r"""What keeps a network tame: penalties on its parameters, and the spectral norm, which bounds how steep a layer is.

Penalties are functions `params -> scalar`, each with its gradient worked out by hand. They act on *weights*, which are
the leaves with two or more axes, of any pytree; biases go free, since they do not make a network steeper. An L2 penalty
and weight decay are the same for plain gradient steps only: under Adam the penalty's gradient is rescaled like any
other, which is why AdamW decouples the decay (REG4).
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array, Callable, Params, Scalar
from mlpjax._values import Gradient, With

__all__ = ["Penalty", "l1", "l2", "spectral_norm"]


@jax.tree_util.register_static
@dataclass(frozen=True)
class Penalty:
    """A penalty on parameters with its gradient.

    Args:
        name: what it is called in configurations.
        value: `params -> scalar`.
        grad: `params ->` a tree like params. Left out, it is derived by autodiff.

    Hashable and static under `jax.jit`; equal if name, `value` and `grad` are.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.regularizers import Penalty
        >>> biases_too = Penalty("sum of squares", lambda params: jnp.sum(params["b"] ** 2))
        >>> biases_too.grad({"b": jnp.ones(2)})["b"].tolist()
        [2.0, 2.0]
    """

    name: str
    value: Callable[[Params], Array]
    grad: Callable[[Params], Params] = None  # pyright: ignore[reportAssignmentType]

    def __post_init__(self):
        if self.grad is None:
            object.__setattr__(self, "grad", Gradient(self.value))

    def __call__(self, params: Params) -> Scalar:
        """The same as `value`."""
        return self.value(params)

    def __str__(self) -> str:
        return self.name


def _weights(params):
    return [leaf for leaf in jax.tree.leaves(params) if leaf.ndim >= 2]


def _on_weights(f, params):
    return jax.tree.map(lambda leaf: f(leaf) if leaf.ndim >= 2 else jnp.zeros_like(leaf), params)


def _strength(value):
    """A number as Python's own, which takes on the dtype of the weights; a traced one stays."""
    _check.not_negative("strength", value, "A negative penalty would reward large weights.")
    return float(value) if _check.concrete(value) else value


def _l2(params, strength):
    return jnp.asarray(strength / 2 * sum(jnp.sum(W**2) for W in _weights(params)))


def _l2_grad(params, strength):
    return _on_weights(lambda W: strength * W, params)


def l2(strength: float) -> Penalty:
    r"""The L2 or ridge penalty (REG4).

    $$R = \tfrac{\lambda}{2} \sum_l \|W^{(l)}\|_F^2, \qquad \nabla R = \lambda W$$

    A plain gradient step with rate η shrinks every weight by the factor $1 - \eta\lambda$.

    Args:
        strength: λ ≥ 0.

    Returns:
        The penalty; equal for equal λ.

    Raises:
        ValueError: if λ is negative or not finite.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.regularizers import l2
        >>> float(l2(0.5)({"W": jnp.full((2, 2), 2.0), "b": jnp.ones(2)}))
        4.0
    """
    strength = _strength(strength)
    return Penalty(f"l2({strength})", With(_l2, (strength,)), With(_l2_grad, (strength,)))


def _l1(params, strength):
    return jnp.asarray(strength * sum(jnp.sum(jnp.abs(W)) for W in _weights(params)))


def _l1_grad(params, strength):
    return _on_weights(lambda W: strength * jnp.sign(W), params)


def l1(strength: float) -> Penalty:
    r"""The L1 or lasso penalty (REG4).

    $$R = \lambda \sum_l \sum_{ij} |W^{(l)}_{ij}|, \qquad \nabla R = \lambda \operatorname{sign}(W)$$

    A plain gradient step with rate η moves every weight by ηλ towards 0, however small it is already: that is why it
    makes weights sparse where L2 only makes them small. At 0 the gradient is taken as 0.

    Args:
        strength: λ ≥ 0.

    Returns:
        The penalty; equal for equal λ.

    Raises:
        ValueError: if λ is negative or not finite.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.regularizers import l1
        >>> l1(0.5).grad({"W": jnp.asarray([[-3.0, 0.0]])})["W"].tolist()
        [[-0.5, 0.0]]
    """
    strength = _strength(strength)
    return Penalty(f"l1({strength})", With(_l1, (strength,)), With(_l1_grad, (strength,)))


def spectral_norm(
    W: Float[Array, "out in"], start: Float[Array, " in"], *, steps: int
) -> tuple[Scalar, Float[Array, " in"]]:
    r"""The spectral norm of a matrix, by power iteration (PRE7).

    $$\|W\|_2 = \max_{v \ne 0} \frac{\|Wv\|}{\|v\|} = \sigma_1(W), \qquad
      u \leftarrow \frac{Wv}{\|Wv\|}, \quad v \leftarrow \frac{W^\top u}{\|W^\top u\|}$$

    It is the least Lipschitz constant of the affine map $x \mapsto Wx + b$. In each step the tangent of the angle
    between v and the first right singular vector shrinks at least by the factor $(\sigma_2/\sigma_1)^2$, and the bound
    on the estimate's error by the square of that. The estimate $\|Wv\|$ never falls from one step to the next and, but
    for rounding, never exceeds the norm.

    Args:
        W: the matrix, shape `(out, in)`.
        start: where v starts, shape `(in,)`, of any length: a random vector, or the direction that the last call
            returned. It must not be orthogonal to the first right singular vector; a random one is not, with
            probability 1.
        steps: number of steps; 0 evaluates the quotient at the start.

    Returns:
        The estimate and the unit vector v at which it was taken. The estimate can be differentiated: its gradient tends
        to $u_1 v_1^\top$, that of $\sigma_1$, where $\sigma_1 > \sigma_2$.

    Raises:
        ValueError: if `start` does not fit the matrix, or `steps` is not an integer ≥ 0.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax import regularizers
        >>> W = jnp.asarray([[3.0, 0.0], [0.0, 1.0]])
        >>> norm, direction = regularizers.spectral_norm(W, jnp.ones(2), steps=10)
        >>> round(float(norm), 4), jnp.round(direction, 4).tolist()
        (3.0, [1.0, 0.0])

    References:
        T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida (2018), Spectral normalization for generative adversarial networks.
    """
    _fits(W, start, steps)
    v = jax.lax.fori_loop(0, steps, lambda _, v: _unit(W.T @ _unit(W @ v)), _unit(start))
    return jnp.vdot(_unit(W @ v), W @ v), v


def _unit(v):
    """A vector divided by its length; 0, whose length has no derivative, stays 0 and has one."""
    largest = jax.lax.stop_gradient(jnp.max(jnp.abs(v), initial=0))  # so that no square over- or underflows
    v = v / jnp.where(largest > 0, largest, jnp.ones_like(largest))
    square = jnp.vdot(v, v)
    return v * jax.lax.rsqrt(jnp.where(square > 0, square, jnp.ones_like(square)))


def _fits(W, start, steps):
    if W.ndim != 2 or start.shape != W.shape[1:]:
        raise ValueError(
            f"`start` must have one entry for each column of a matrix `W`; got `start` of shape {start.shape} and `W` "
            f"of shape {W.shape}. For instance `jax.random.normal(key, W.shape[1:])`."
        )
    _check.count("steps", steps, 0, "Ten or twenty are usual.")
