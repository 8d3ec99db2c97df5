"""Explorer: each activation with its derivative, at a point that the reader moves."""

import functools

import jax.numpy as jnp
import numpy as np

from docs._ext import programs
from mlpjax import activations

ALT = (
    "Six activation functions with their derivatives on one set of axes each: sigmoid, tanh, ReLU, leaky ReLU, ELU "
    "and GELU. Where a derivative is close to 0, the function is flat."
)
GRID = np.linspace(-5, 5, 321)
POINTS = np.append(GRID, 0.0)  # the reader's point comes last
PROBES = (-4.25, -0.6, 0.8, 3.5)  # where the page's answers are compared with JAX's
STOPS = {"leaky_relu": (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9), "elu": (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)}
ROWS = {"sigmoid": "ACT1", "tanh": "ACT2", "relu": "ACT3", "leaky_relu": "ACT4", "elu": "ACT5", "gelu": "ACT6"}
ROWS |= {"gelu_tanh": "ACT6"}  # all others are in ACT8


def of_family(bound):
    """A family's σ or σ′ as a function of z and its parameter: what `With` binds, left free."""
    return lambda z, alpha: bound.fn(z, alpha)


def _programs():
    for activation in activations.ALL:
        for part in ("fn", "prime"):
            f = getattr(activation, part)
            if activation.name in STOPS:
                yield f"{activation.name}.{part}", (of_family(f), POINTS, 0.5)
            else:
                yield f"{activation.name}.{part}", (functools.partial(f), POINTS)


PROGRAMS = dict(_programs())


def facts(activation):
    """What the package says of an activation; infinity and not-a-number become null."""
    numbers = programs.plain({"range": list(activation.range), "lipschitz": activation.lipschitz}, 6)
    smooth = "∞" if activation.smooth == np.inf else str(int(activation.smooth))
    return {**numbers, "saturates": activation.saturates, "monotone": activation.monotone, "smooth": smooth}


def member(activation):
    """Facts and reference values of one activation."""
    z = jnp.asarray(PROBES, jnp.float32)
    return {
        **facts(activation),
        "value": programs.plain(activation.fn(z)),
        "slope": programs.plain(activation.prime(z)),
    }


def entry(activation):
    """All that the page knows of one activation, or of one family."""
    name = activation.name
    alphas = STOPS.get(name)
    members = [getattr(activations, name)(alpha) for alpha in alphas] if alphas else [activation]
    return {
        "name": name,
        "row": ROWS.get(name, "ACT8"),
        "advantage": activation.advantage,
        "drawback": activation.drawback,
        "alphas": list(alphas or ()),
        "start": alphas.index(0.1 if name == "leaky_relu" else 1.0) if alphas else 0,
        "members": [member(a) for a in members],
    }


@programs.single
def data():
    """Programs, facts, and values by JAX to compare the page with."""
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "grid": [float(GRID[0]), float(GRID[-1]), len(GRID)],
        "probes": list(PROBES),
        "activations": [entry(activation) for activation in activations.ALL],
    }


@programs.single
def draw(plt, C):
    """Six of them, as a figure."""
    fig, axes = plt.subplots(2, 3, figsize=(7, 3.6), sharex=True, sharey=True, layout="constrained")
    z = jnp.linspace(-4, 4, 401)
    a = activations
    for ax, activation in zip(axes.flat, (a.sigmoid, a.tanh, a.relu, a.leaky_relu(0.1), a.elu(), a.gelu), strict=True):
        prime = np.asarray(activation.prime(z))
        prime = np.where(np.abs(np.diff(prime, append=prime[-1])) > 0.3, np.nan, prime)  # a jump is no slope
        ax.axhline(0, color=C.faint, lw=0.8)
        ax.plot(z, activation(z), color=C[0], lw=2, label="σ")
        ax.plot(z, prime, color=C[1], lw=1.6, ls="--", label="σ′")
        ax.set(title=activation.name, ylim=(-1.3, 2.3), xticks=(-3, 0, 3), yticks=(-1, 0, 1, 2))
    axes[0, 0].legend(frameon=False, loc="upper left", handlelength=1.5)
    return fig
