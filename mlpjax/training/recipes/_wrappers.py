"""Optimizers around another: the mean of its parameters, and the gradient a little uphill."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
import optax.contrib
from optax.contrib import ScheduleFreeState

from mlpjax import _check
from mlpjax._types import Any, Array, Params
from mlpjax.training._state import TrainState


class AverageState(NamedTuple):
    """State of `averaged`.

    Attributes:
        base: the state of the optimizer itself.
        mean: of the parameters, at least in float32.
        weight: the sum of the weights in the mean.
        step: how many updates there were.
    """

    base: optax.OptState
    mean: Params
    weight: Array
    step: Array


def averaged(
    base: optax.GradientTransformation, decay: float = 0.99, *, after: int = 0
) -> optax.GradientTransformationExtraArgs:
    r"""An optimizer that keeps a mean of its parameters beside them, and is not changed by it (OPT6).

    $$\bar\theta_t = \frac{\sum_{k=s+1}^{t} d^{\,t-k}\,\theta_k}{\sum_{k=s+1}^{t} d^{\,t-k}}, \qquad
      w_t = d\,w_{t-1} + 1, \quad \bar\theta_t = \bar\theta_{t-1} + \frac{\theta_t - \bar\theta_{t-1}}{w_t}$$

    With d < 1 it is the exponential moving average, corrected for its start as Adam's means are. With d = 1 it is the
    plain mean of all parameters after step s: that of Polyak and Ruppert, and of stochastic weight averaging (SWA).

    Give `training.run` and `training.fit` `eval_params=recipes.eval_params`, so that the mean is what is evaluated.

    Args:
        base: the optimizer, with all that changes its updates: what is chained behind `averaged` is not in the mean.
        decay: d in (0, 1]; the mean reaches back over about 1/(1 − d) steps.
        after: s: until then the mean is the parameters themselves.

    Returns:
        An optax transformation, with the updates of `base`.

    Raises:
        ValueError: if `decay` is not in (0, 1], or `after` is negative.

    Example:
        >>> import jax, optax
        >>> from mlpjax import data, losses, mlp, training
        >>> from mlpjax.training import recipes
        >>> optimizer = recipes.averaged(optax.adam(0.1), 0.9)
        >>> objective = training.supervised(mlp.apply, losses.sigmoid_squared_error)
        >>> state = training.start(jax.random.key(1), mlp.init(jax.random.key(0), (2, 8, 1)), optimizer=optimizer)
        >>> state, _ = training.run(state, data.toy.xor(), objective=objective, optimizer=optimizer, steps=50)
        >>> mlp.sizes(recipes.eval_params(state))
        (2, 8, 1)

    References:
        Polyak and Juditsky (1992); Izmailov et al. (2018), "Averaging weights leads to wider optima and better
        generalization".
    """
    if _check.concrete(decay) and not 0 < float(decay) <= 1:
        raise ValueError(f"`decay` must lie in (0, 1]; got {decay}. 0.99 averages over about 100 steps, 1 over all.")
    _check.not_negative("after", after, "It counts steps: 0 averages from the first.")
    inner = optax.with_extra_args_support(base)

    def init(params):
        return AverageState(inner.init(params), jax.tree.map(_wide, params), jnp.zeros(()), jnp.uint32(0))

    def update(updates, state, params: Any = None, **extra):
        if params is None:
            raise ValueError("`params` must be given to the `update` of `averaged`: it is their mean that it keeps.")
        updates, base_state = inner.update(updates, state.base, params, **extra)
        theta = optax.apply_updates(params, updates)
        step = state.step + jnp.uint32(1)
        weight = jnp.where(step > after, decay * state.weight + 1, jnp.zeros_like(state.weight))
        share = 1 / jnp.maximum(weight, 1)
        mean = jax.tree.map(lambda m, p: m + share.astype(m.dtype) * (p.astype(m.dtype) - m), state.mean, theta)
        return updates, AverageState(base_state, mean, weight, step)

    return optax.GradientTransformationExtraArgs(init, update)


def sam(base: optax.GradientTransformation, radius: float = 0.05) -> optax.GradientTransformationExtraArgs:
    r"""Sharpness-aware minimization: an optimizer given the gradient a little uphill of where it stands (OPT6).

    $$g = \nabla C(\theta), \qquad \hat g = \nabla C\Bigl(\theta + \rho\,\frac{g}{\lVert g\rVert}\Bigr)$$

    `base` makes its update from ĝ. `training.run` and `training.fit` hand over what it takes to compute ĝ: the
    objective on the batch and with the noise of the step, differentiated by JAX. A step costs two gradients.

    It is `optax.contrib.sam`, in the mode that hides the step uphill, and safe where g = 0.

    Args:
        base: the optimizer. Whatever reads the loss, such as `reduce_on_plateau`, goes around `sam`.
        radius: ρ, the length of the step uphill.

    Returns:
        An optax transformation; its `update` needs `value_fn`, the objective as a function of the parameters.

    Raises:
        ValueError: if `radius` is negative.

    Example:
        >>> import jax.numpy as jnp, optax
        >>> from mlpjax.training import recipes
        >>> f, theta = lambda x: jnp.sum(x**2), jnp.array([3.0, 4.0])
        >>> optimizer = recipes.sam(optax.sgd(1.0), radius=0.5)
        >>> updates, _ = optimizer.update(2 * theta, optimizer.init(theta), theta, value_fn=f)
        >>> [round(float(u), 3) for u in updates]  # -2 (theta + 0.5 theta/5)
        [-6.6, -8.8]

    References:
        Foret et al. (2021), "Sharpness-aware minimization for efficiently improving generalization".
    """
    _check.not_negative("radius", radius, "It is a length; usual values are 0.01 to 0.5.")
    uphill = optax.chain(optax.normalize_by_update_norm(), optax.sgd(radius))
    inner = optax.contrib.sam(base, uphill, opaque_mode=True)

    def update(updates, state, params=None, *, value_fn: Any = None, **_):
        if value_fn is None:
            raise ValueError("`value_fn` must be given to the `update` of `sam`: the objective of the parameters.")
        return inner.update(updates, state, params, grad_fn=jax.grad(lambda theta, _: value_fn(theta)))

    return optax.GradientTransformationExtraArgs(inner.init, update)


def eval_params(state: TrainState) -> Params:
    """The parameters to evaluate and to use: the mean that the optimizer keeps, or the parameters as they are (OPT6).

    For `eval_params` of `training.run` and `training.fit`, and for the state that they return. Of an ensemble,
    `jax.vmap(eval_params)`.

    Args:
        state: of a run with any optimizer. `averaged` and `optax.contrib.schedule_free` keep means, also within others.

    Returns:
        Parameters, with the dtypes of `state.params`.

    Example:
        >>> import jax, optax
        >>> from mlpjax import mlp, training
        >>> from mlpjax.training import recipes
        >>> state = training.start(jax.random.key(1), mlp.init(jax.random.key(0), (2, 1)), optimizer=optax.sgd(0.1))
        >>> recipes.eval_params(state) is state.params
        True
    """
    keeps = lambda node: isinstance(node, AverageState | ScheduleFreeState)
    for node in filter(keeps, jax.tree.leaves(state.opt_state, is_leaf=keeps)):
        mean: Any = node.mean if isinstance(node, AverageState) else None
        mean = optax.contrib.schedule_free_eval_params(node, state.params) if mean is None else mean
        return jax.tree.map(lambda m, p: m.astype(p.dtype), mean, state.params)
    return state.params


def _wide(p):
    """A copy: a mean that shared its memory with the parameters could not be donated with them."""
    return jnp.array(p, jnp.float32 if p.dtype.itemsize < 4 else p.dtype, copy=True)
