"""Surfaces over the plane to descend on, and one step there by an optimizer of the package. θ is a pair of numbers."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import mlp
from mlpjax.activations import tanh
from mlpjax.layers import Dense
from mlpjax.losses import half_squared_error
from mlpjax.training import recipes

COLUMNS, ROWS = 96, 64  # of the lattice on which a map is computed
INPUTS = (-2.0, -1.0, 0.5, 1.5)  # of the network
TEACHER = (1.4, 1.2)  # its weights, if it makes no error


class Surface(NamedTuple):
    """A function of θ and where to look at it."""

    F: Callable
    title: str
    formula: str
    reach: float  # the map shows center ± reach in x, and two thirds of that in y
    start: tuple
    minima: tuple = ((0.0, 0.0),)  # the lowest first
    lowest: float = 0.0  # the value there
    saddles: tuple = ()
    center: tuple = (0.0, 0.0)
    power: int = 2  # levels drawn: least + (k/n)^power · range


def quadratic(theta, condition, angle):
    """½(μu² + Lv²) with L = 1 and μ = 1/κ in coordinates (u, v) that are turned by an angle."""
    x, y = theta
    c, s = jnp.cos(angle), jnp.sin(angle)
    u, v = c * x + s * y, c * y - s * x
    return (u**2 / condition + v**2) / 2


def saddle(theta):
    """Up along x; down along y, until the fourth power turns it."""
    x, y = theta
    return x**2 / 2 - y**2 / 2 + y**4 / 8


def two_minima(theta):
    """A double well with a tilt: its left minimum is the lower one."""
    x, y = theta
    return x**4 / 8 - x**2 / 2 + x / 5 + y**2 / 2


def rosenbrock(theta):
    """A curved valley, its walls with the factor 10, scaled so that the largest curvature at (1, 1) is about 1."""
    x, y = theta
    return ((1 - x) ** 2 + 10 * (y - x**2) ** 2) / 102


def network(theta):
    """The risk of the network w₂ tanh(w₁x) on data that the weights of TEACHER fit."""
    zero = jnp.zeros(1, jnp.float32)

    def answer(w, x):
        params = tuple(Dense(jnp.reshape(each, (1, 1)), zero) for each in w)
        return mlp.apply(params, x[None], activation=tanh)

    teacher = jax.tree.map(jnp.float32, TEACHER)
    cost = lambda x: half_squared_error.value(answer(theta, x), answer(teacher, x))
    return jnp.mean(jax.vmap(cost)(jnp.asarray(INPUTS, jnp.float32)))


SADDLE = Surface(
    saddle,
    "Saddle",
    "½x² − ½y² + ⅛y⁴",
    3.0,
    (-2.2, 0.1),
    minima=((0.0, 2**0.5), (0.0, -(2**0.5))),
    lowest=-0.5,
    saddles=((0.0, 0.0),),
)
VALLEY = Surface(
    rosenbrock,
    "Curved valley",
    "((1 − x)² + 10(y − x²)²) / 102",
    2.1,
    (-1.3, 1.6),
    minima=((1.0, 1.0),),
    center=(0.0, 0.9),
    power=4,
)


def look(F, lowest=0.0):
    """What is to be seen at a point: value, height above the lowest, gradient, curvatures, distance to 0."""

    def seen(theta, *shape):
        slope = jax.grad(lambda t: F(t, *shape))
        along = lambda *e: jax.jvp(slope, (theta,), (jax.tree.map(jnp.float32, e),))
        (gx, gy), (a, b) = along(1, 0)
        _, (_, d) = along(0, 1)
        middle, apart, value = (a + d) / 2, jnp.hypot((a - d) / 2, b), F(theta, *shape)
        return {
            "value": value,
            "above": value - lowest,
            "gradient": (gx, gy),
            "slope": jnp.hypot(gx, gy),
            "least": middle - apart,
            "most": middle + apart,
            "distance": jnp.hypot(*theta),
        }

    return seen


def heights(F):
    """The values at many points."""
    return lambda xs, ys, *shape: jax.vmap(lambda x, y: F((x, y), *shape))(xs, ys)


def lattice(surface):
    """The points of a map, row by row from its top."""
    (x, y), r = surface.center, surface.reach
    xs, ys = np.linspace(x - r, x + r, COLUMNS), np.linspace(y + r * 2 / 3, y - r * 2 / 3, ROWS)
    return [each.ravel().astype(np.float32) for each in np.meshgrid(xs, ys)]


def begin(rule, theta):
    """The optimizer's state before the first step; the count of steps in float32, which is all that the page has."""
    state = recipes.optimizer(rule, 0.1).init(theta)
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), state)


def move(rule):
    """One step of the package's optimizer from a gradient: `(θ, state, gradient, rate, momentum) → {θ, state}`."""

    def moved(theta, state, gradient, rate, momentum=0.9):
        optimizer = recipes.optimizer(rule, rate, momentum=momentum if rule in ("momentum", "nesterov") else None)
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam needs it
            updates, state = optimizer.update(gradient, state, theta)
        return {"theta": optax.apply_updates(theta, updates), "state": state}

    return moved


def place(surface):
    """What the page needs to know of a surface, beside its programs."""
    return {key: value for key, value in surface._asdict().items() if key != "F"}
