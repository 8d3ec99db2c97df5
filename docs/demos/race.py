"""Five optimizers from one start: gradient descent, heavy ball, Nesterov, RMSProp, Adam, each at a rate of its own."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np

from docs._ext import figures, programs
from docs.demos import _surfaces as land

ALT = (
    "Two maps of one ravine with the paths of five optimizers. Where the ravine lies along the axes, RMSProp and Adam "
    "go straight towards its lowest point. In the ravine turned by 45 degrees, at the same rates, gradient descent, "
    "heavy ball and Nesterov take the same paths, turned with it; RMSProp and Adam are still far from the lowest point."
)
RULES = {
    "sgd": "Gradient descent",
    "momentum": "Heavy ball",
    "nesterov": "Nesterov",
    "rmsprop": "RMSProp",
    "adam": "Adam",
}
CONDITION = 100.0
ANGLES = (0, 15, 30, 45)  # of the ravine, in degrees
START = (-2.0, 1.15)  # on the ravine that is not turned
STEPS, TOLERANCE = 300, 1e-3  # of a race; the goal is this part of the height at the start
RATES = 2.0 ** np.arange(-8, 1.6, 0.125)  # from which the best is taken
MARKS = (1, 2, 3, 5, 8, 13, 21)
SURFACES = {
    "ravine": land.Surface(
        lambda theta, angle: land.quadratic(theta, CONDITION, angle), "Ravine", "½(u²/100 + v²)", 3.4, START
    ),
    "valley": land.VALLEY._replace(F=lambda theta, angle: land.rosenbrock(theta)),
    "saddle": land.SADDLE._replace(F=lambda theta, angle: land.saddle(theta), start=(-2.2, 0.01)),
}
NOISE = {"ravine": 0.05, "valley": 0.005, "saddle": 0.05}  # standard deviation in each entry of a noisy gradient


def turned(point, angle):
    """A point after a turn by an angle in degrees."""
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    return (float(c * point[0] - s * point[1]), float(s * point[0] + c * point[1]))


COURSES = [("ravine", angle, turned(START, angle)) for angle in ANGLES]
COURSES += [(name, 0, SURFACES[name].start) for name in ("valley", "saddle")]


def look(name):
    """The height above the lowest point, and the gradient with noise added to it."""
    surface, level = SURFACES[name], NOISE[name]

    def seen(theta, angle, noise):
        value, gradient = jax.value_and_grad(surface.F)(theta, jnp.deg2rad(angle))
        return {"above": value - surface.lowest, "gradient": jax.tree.map(lambda g, e: g + level * e, gradient, noise)}

    return seen


def heights(name):
    """The map of a surface."""
    of = land.heights(SURFACES[name].F)
    return lambda xs, ys, angle: of(xs, ys, jnp.deg2rad(angle))


def goal(above):
    """The height that has to be reached from a start."""
    return TOLERANCE * above


def move(rule):
    """A step of the optimizer with the package's own momentum."""
    return lambda theta, state, gradient, rate: land.move(rule)(theta, state, gradient, rate)


def _programs():
    point = (0.3, 0.7)
    for name, surface in SURFACES.items():
        yield f"look.{name}", (look(name), point, 30.0, (0.1, 0.2))
        yield f"map.{name}", (heights(name), *land.lattice(surface), 30.0)
    for rule in RULES:
        with jax.enable_x64(False):
            state = jax.tree.map(
                lambda leaf: np.asarray(leaf + 0.5), land.begin(rule, jax.tree.map(jnp.float32, point))
            )
        yield f"move.{rule}", (move(rule), point, state, (0.1, -0.2), 0.5)
    yield "goal", (goal, 2.0)


PROGRAMS = dict(_programs())


def race(surface, rule, start, angle, rate, noise):
    """Position and height before each step; `surface` is a number, `noise` has one pair for each step."""
    looks = [look(name) for name in SURFACES]

    def body(carry, pair):
        theta, state = carry
        now = jax.lax.switch(surface, looks, theta, angle, (pair[0], pair[1]))
        new = move(rule)(theta, state, now["gradient"], rate)
        return (new["theta"], new["state"]), (*theta, now["above"])

    theta = jax.tree.map(jnp.float32, tuple(start))
    return jnp.stack(jax.lax.scan(body, (theta, land.begin(rule, theta)), noise)[1], -1)


def noises():
    """No noise, and normal noise: the same for every optimizer on every course."""
    return jnp.stack([jnp.zeros((STEPS + 1, 2)), jax.random.normal(jax.random.key(4), (STEPS + 1, 2))])


def finished(above):
    """The step from which on a path stays at the goal; the number of steps if there is none."""
    late = above > goal(above[..., :1])
    return jnp.where(late.any(-1), late.shape[-1] - jnp.argmax(late[..., ::-1], -1), 0)


def best(paths):
    """Which of some rates is best, of those that never climb to twice the height of the start.

    Without noise it is the rate that brings the path to the goal first, with noise that of the least mean log height.
    """
    above = jnp.nan_to_num(paths[..., 2], nan=1e9, posinf=1e9)
    wild = jnp.where(above.max(-1) > 2 * above[..., 0], 1e6, 0.0)
    quick = finished(above).astype(above.dtype) + above[..., -1] / (1 + above[..., -1])
    low = jnp.mean(jnp.log(jnp.maximum(above, 1e-9)), -1)
    return jnp.argmin(wild + jnp.stack([quick[:, 0], low[:, 1]], 1), -1)


@functools.cache
def tuned(rule):
    """For every course, without and with noise: the best rate and JAX's path with it."""
    run = lambda surface, start, angle, noise, rate: race(surface, rule, start, angle, rate, noise)
    rates = jax.vmap(run, (None, None, None, None, 0))
    over = jax.vmap(jax.vmap(rates, (None, None, None, 0, None)), (0, 0, 0, None, None))

    def found(surfaces, starts, angles):
        paths = over(surfaces, starts, angles, noises(), jnp.asarray(RATES, jnp.float32))
        k = best(paths)
        return jnp.asarray(RATES, jnp.float32)[k], jnp.take_along_axis(paths, k[..., None, None, None], 2)[:, :, 0]

    surfaces = np.int32([list(SURFACES).index(name) for name, *_ in COURSES])
    return jax.jit(found)(surfaces, np.float32([c[2] for c in COURSES]), np.float32([c[1] for c in COURSES]))


def results():
    """`{surface: {rule: [course][noise] …}}` of best rates and of JAX's positions and heights at MARKS."""
    rates, paths = {}, {}
    for name in SURFACES:
        of = np.array([course[0] == name for course in COURSES])
        rates[name] = {rule: programs.plain(tuned(rule)[0][of], 9) for rule in RULES}
        paths[name] = {rule: programs.plain(tuned(rule)[1][of][:, :, np.asarray(MARKS)], 6) for rule in RULES}
    return {"rates": rates, "references": paths}


@programs.single
def data():
    """Programs, surfaces, noise, the best rates, and JAX's paths with them."""
    return results() | {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "surfaces": {name: land.place(surface) for name, surface in SURFACES.items()},
        "starts": {name: [course[2] for course in COURSES if course[0] == name] for name in SURFACES},
        "rules": RULES,
        "angles": list(ANGLES),
        "noise": programs.encode(noises()[1]),
        "columns": land.COLUMNS,
        "rows": land.ROWS,
        "steps": STEPS,
        "tried": len(RATES),
        "marks": list(MARKS),
    }


@programs.single
def draw(plt, C):
    """The ravine along the axes and turned, at the same rates."""
    fig, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained", sharey=True)
    xs, ys = land.lattice(SURFACES["ravine"])
    x, y = xs[: land.COLUMNS], ys[:: land.COLUMNS]
    angles, rates = np.float32([0, 45]), json.loads(figures.demo_data("race"))["rates"]["ravine"]
    starts = np.float32([turned(START, a) for a in angles])
    styles = (("o", C[0], "-"), ("s", C[1], "--"), ("^", C[2], ":"), ("D", C[3], "-."), ("X", C[4], "-"))
    for ax, angle, title in zip(axes, angles, ("along the axes", "turned, same rates"), strict=True):
        height = np.asarray(heights("ravine")(xs, ys, angle)).reshape(land.ROWS, land.COLUMNS)
        ax.contour(x, y, height, levels=height.max() * (np.arange(1, 11) / 10) ** 2, colors=[C.faint], linewidths=0.8)
        ax.set(title=title, aspect="equal", xlim=(-3.2, 3.2), ylim=(-2.1, 2.1), xticks=(-2, 0, 2), yticks=(-1, 0, 1))
        ax.title.set_size(10)
    for rule, (marker, color, dash) in zip(RULES, styles, strict=True):
        rate = rates[rule][0][0]  # along the axes, without noise
        run = lambda start, angle, rule=rule, rate=rate: race(0, rule, start, angle, rate, noises()[0][:60])
        for ax, path in zip(axes, jax.jit(jax.vmap(run))(starts, angles), strict=True):
            ax.plot(path[:, 0], path[:, 1], dash, color=color, lw=1.3)
            ax.plot(path[-1, 0], path[-1, 1], marker, color=color, ms=6, label=RULES[rule])
    handles = axes[0].get_legend_handles_labels()
    fig.legend(*handles, loc="outside lower center", ncols=5, fontsize=8.5, columnspacing=1, handletextpad=0.2)
    return fig
