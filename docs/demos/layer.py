"""The kitchen of XOR: two hidden units whose lines the reader moves, and an output neuron that combines them."""

import jax
import jax.numpy as jnp
import numpy as np

from docs._ext import programs
from docs.figures._dishes import DISHES, dishes, square
from mlpjax import data as datasets
from mlpjax import mlp, neuron
from mlpjax.activations import sigmoid
from mlpjax.layers import Dense

ALT = (
    "Two squares with the four dishes of XOR at their corners, colored by the answer of a network. On the left the "
    "hidden units look at one flavor each, and the answer is wrong at one corner. On the right they are OR and AND, "
    "the colored band between their parallel lines holds the two liked dishes, and all four answers are right."
)
SIDE, EDGE = 97, 0.45  # of the map: SIDE × SIDE points on [−EDGE, 1 + EDGE]²
TICKS = np.linspace(-EDGE, 1 + EDGE, SIDE)
PLANE = np.stack(np.meshgrid(TICKS, TICKS[::-1]), -1).reshape(-1, 2)  # the first row of the map is its top
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
ARROW = 0.22
TEAMS = {  # of each unit the direction in degrees and the distance of its line from the middle; then the output neuron
    "One cook per flavor": ([0.0, 90.0], [0.0, 0.0], [1.0, 1.0, -0.5]),
    "OR and AND": ([45.0, 45.0], [-0.35, 0.35], [1.0, -1.0, -0.5]),
}
TRIALS = [
    *TEAMS.values(),
    ([45.0, -135.0], [-0.35, -0.35], [1.0, 1.0, -1.5]),
    ([20.0, 160.0], [0.1, -0.3], [1.5, 2.0, -1.0]),
]


def team(turns, shifts, output):
    """The network of two units, each given by its direction and its distance from the middle of the square."""
    angles = turns[:, None] * (np.pi / 180)
    directions = jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], 1)
    biases = -(directions @ jnp.full(2, 0.5, directions.dtype)) - shifts
    return (Dense(directions, biases), Dense(output[None, :2], output[2:])), directions


def step(turns, shifts, output, points):
    """What every unit says of every point, with threshold units; and where the lines and their arrows are drawn."""
    params, directions = team(turns, shifts, output)
    a, z, _ = jax.vmap(lambda x: mlp.trace(params, x, activation=neuron.heaviside))(points)
    foot = 0.5 + shifts[:, None] * directions
    drawn = {"foot": foot, "tip": foot + ARROW * directions}
    return {"lines": z[0].T, "units": a[1].T, "z": z[1][:, 0], "answer": neuron.heaviside(z[1])[:, 0], **drawn}


def smooth(turns, shifts, output, points, steepness):
    """The same with sigmoids: all weights and biases are multiplied by the steepness."""
    params, _ = team(turns, shifts, output)
    params = jax.tree.map(lambda p: steepness * p, params)
    a, z, _ = jax.vmap(lambda x: mlp.trace(params, x, activation=sigmoid))(points)
    return {"lines": z[0].T, "units": a[1].T, "z": z[1][:, 0], "answer": sigmoid(z[1])[:, 0]}


START = tuple(map(np.array, TEAMS["One cook per flavor"]))
PROGRAMS = {
    "step": (step, *START, PLANE),
    "stepCorners": (step, *START, CORNERS),
    "smooth": (smooth, *START, PLANE, 8.0),
    "smoothCorners": (smooth, *START, CORNERS, 8.0),
}


def reference(turns, shifts, output, steepness):
    """The numbers of the table without the code that the page runs: numpy, one unit and one dish at a time."""
    squash = (lambda z: 1.0 * (z >= 0)) if steepness is None else (lambda z: 1 / (1 + np.exp(-z)))
    s, rows = steepness or 1.0, []
    for x in CORNERS:
        z = [s * (np.cos(np.radians(t)) * (x[0] - 0.5) + np.sin(np.radians(t)) * (x[1] - 0.5) - d)
             for t, d in zip(turns, shifts, strict=True)]  # fmt: skip
        h = [squash(v) for v in z]
        last = s * (output[0] * h[0] + output[1] * h[1] + output[2])
        rows.append([*h, last, squash(last)])
    found = {"turns": turns, "shifts": shifts, "output": output, "rows": programs.plain(rows)}
    return {**found, "steepness": steepness}


@programs.single
def data():
    """Programs, the two teams, and the numbers by numpy for several settings."""
    settings = [(*trial, steepness) for trial in TRIALS for steepness in (None, 8.0, 3.0)]
    xor = datasets.toy.xor()
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "teams": [{"name": name, "turns": t, "shifts": s, "output": o} for name, (t, s, o) in TEAMS.items()],
        "references": [reference(*setting) for setting in settings],
        "dishes": list(DISHES),
        "x": programs.plain(xor.x),
        "y": programs.plain(xor.y[:, 0]),
        "arrow": ARROW,
        "side": SIDE,
        "edge": EDGE,
    }


@programs.single
def draw(plt, C):
    """Both teams, with the plane colored by the answer."""
    fig, axes = plt.subplots(1, 2, figsize=(7, 3.3), layout="constrained")
    for ax, (name, setting) in zip(axes, TEAMS.items(), strict=True):
        out = jax.jit(step)(*(jnp.asarray(part, jnp.float32) for part in (*setting, PLANE)))
        maps = {key: np.asarray(out[key]).reshape(-1, SIDE, SIDE) for key in ("lines", "answer")}
        ax.contourf(TICKS, TICKS[::-1], maps["answer"][0], levels=(-1, 0.5, 2), colors=[C[1], C[0]], alpha=0.16)
        for line, color, foot, tip in zip(maps["lines"], (C[3], C[2]), out["foot"], out["tip"], strict=True):
            ax.contour(TICKS, TICKS[::-1], line, levels=(0,), colors=[color], linewidths=2)
            ax.annotate("", tip, foot, arrowprops=dict(arrowstyle="-|>", color=color, lw=1.8, shrinkA=0, shrinkB=0))
        dishes(ax, C)
        square(ax, "sweet", "spicy", EDGE)
        ax.set_title(name, fontsize=10)
    return fig
