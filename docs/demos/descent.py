"""Gradient descent on five surfaces: the step size, the conditioning and the start in the reader's hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from docs._ext import programs
from docs.demos import _surfaces as land
from mlpjax.theory import convex

ALT = (
    "Three maps of one ravine with level lines, and the path of gradient descent on each from the same start. With a "
    "small step the path turns into the valley and stops far from its lowest point. With the step 2 over mu plus L it "
    "goes to and fro across the valley and arrives. With a step above 2 over L its swings grow and it leaves the map."
)
TILT = 0.35  # of the ravine, in radians
ravine = lambda theta, condition: land.quadratic(theta, condition, TILT)
CRITICAL = sorted(np.roots([0.5, 0, -1, 0.2]).tolist())  # of the double well, along y = 0
SURFACES = {
    "ravine": land.Surface(ravine, "Bowl or ravine", "½(μu² + Lv²), μ = 1/κ, L = 1", 3.0, (-2.4, 0.9)),
    "saddle": land.SADDLE,
    "minima": land.Surface(
        land.two_minima,
        "Two minima",
        "⅛x⁴ − ½x² + ⅕x + ½y²",
        3.0,
        (2.4, 1.3),
        minima=((CRITICAL[0], 0.0), (CRITICAL[2], 0.0)),
        lowest=land.two_minima((CRITICAL[0], 0.0)),
        saddles=((CRITICAL[1], 0.0),),
    ),
    "valley": land.VALLEY,
    "network": land.Surface(
        land.network,
        "A network’s loss",
        "mean of ½(w₂ tanh(w₁x) − y)² over four examples",
        3.0,
        (-0.7, 1.2),
        minima=(land.TEACHER, tuple(-w for w in land.TEACHER)),
        saddles=((0.0, 0.0),),
    ),
}
RULES = {"sgd": "gradient descent", "momentum": "heavy ball", "nesterov": "Nesterov"}
STEPS = {  # too small, right, too large: plain, and with momentum
    "saddle": ((0.05, 0.7, 2.1), (0.005, 0.15, 3.0)),
    "minima": ((0.05, 0.6, 2.6), (0.004, 0.1, 2.0)),
    "valley": ((0.05, 0.9, 2.3), (0.02, 0.6, 3.0)),
    "network": ((0.05, 0.8, 2.6), (0.002, 0.01, 3.0)),
}
MARKS = (1, 2, 3, 5, 8, 13, 21)
CASES = {  # where page and JAX are compared: rates, momentum, condition numbers
    "sgd": [(rate, 0.0, condition) for rate in (0.1, 0.9, 1.9) for condition in (1.0, 10.0, 100.0)],
    "momentum": [(rate, beta, 10.0) for rate in (0.1, 1.0) for beta in (0.5, 0.9)],
    "nesterov": [(rate, beta, 10.0) for rate in (0.1, 1.0) for beta in (0.5, 0.9)],
}
OTHERS = [(rate, 0.0, 1.0) for rate in (0.1, 0.5)]


def shape(name, condition):
    """Further arguments of a surface."""
    return (condition,) if name == "ravine" else ()


def carried(rule, curvature, rate, momentum):
    """The factor per step that a rule with momentum tends to on ½·curvature·x²: a spectral radius.

    The step is linear in the position and the state, so its values at (1, 0) and (0, 1) are the matrix that is applied
    again and again.
    """

    def one(x, m):
        state = jax.tree.map(lambda _: m, land.begin(rule, (x,)))
        new = land.move(rule)((x,), state, (curvature * x,), rate, momentum)
        return new["theta"][0], *jax.tree.leaves(new["state"])

    (a, c), (b, d) = one(jnp.float32(1), jnp.float32(0)), one(jnp.float32(0), jnp.float32(1))
    half, det = (a + d) / 2, a * d - b * c
    real = jnp.abs(half) + jnp.sqrt(jnp.maximum(half**2 - det, 0))
    return jnp.where(half**2 < det, jnp.sqrt(jnp.maximum(det, 0)), real)


def rates(rule):
    """What is known of a rule on a quadratic with curvatures 1/κ and 1: its factor, its best setting, its limit."""

    def known(rate, momentum, condition):
        mu, L = jnp.float32(1) / condition, jnp.float32(1)
        if rule == "sgd":
            factor = convex.quadratic_factor(rate, jnp.concatenate([mu[None], L[None]]))
            best, limit = (convex.optimal_rate(mu, L), 0 * mu), 2 / L
        else:
            factor = jnp.maximum(*(carried(rule, each, rate, momentum) for each in (mu, L)))
            tuning = {"momentum": convex.heavy_ball_tuning, "nesterov": convex.nesterov_tuning}[rule]
            best = tuple(tuning(mu, L))
            limit = 2 * (1 + momentum) / L / (1 if rule == "momentum" else 1 + 2 * momentum)
        return {"factor": factor, "digit": -jnp.log(10.0) / jnp.log(factor), "best": best, "limit": limit}

    return known


def bound(distance, rate, condition, steps):
    """The theorem's bound on the distance after these numbers of steps (GD3), for rates up to 2/(μ + L)."""
    return distance * jnp.sqrt(convex.contraction(rate, 1 / condition, jnp.float32(1))) ** steps


def trend(distance, factor, steps):
    """The distance if every step multiplied it by a factor."""
    return distance * factor**steps


LINE = np.linspace(0, 2000, 81)  # steps at which the bound is drawn: straight on a logarithmic axis


def _programs():
    point = (0.3, 0.7)
    for name, surface in SURFACES.items():
        extra = shape(name, 10.0)
        yield f"look.{name}", (land.look(surface.F, surface.lowest), point, *extra)
        yield f"map.{name}", (land.heights(surface.F), *land.lattice(surface), *extra)
    for rule in RULES:
        with jax.enable_x64(False):
            state = jax.tree.map(np.asarray, land.begin(rule, jax.tree.map(jnp.float32, point)))
        yield f"move.{rule}", (land.move(rule), point, state, (0.1, -0.2), 0.5, 0.9)
        yield f"rates.{rule}", (rates(rule), 0.5, 0.9, 10.0)
    yield "bound", (bound, 2.5, 0.5, 10.0, LINE)
    yield "trend", (trend, 2.5, 0.9, LINE)


PROGRAMS = dict(_programs())


def walk(name, rule, start, rate, momentum, condition, steps):
    """Everything that is seen before each step."""
    surface, extra = SURFACES[name], shape(name, condition)
    seen = land.look(surface.F, surface.lowest)

    def body(carry, _):
        theta, state = carry
        now = seen(theta, *extra)
        new = land.move(rule)(theta, state, now["gradient"], rate, momentum)
        return (new["theta"], new["state"]), {"x": theta[0], "y": theta[1]} | now

    theta = jax.tree.map(jnp.float32, tuple(start))
    return jax.lax.scan(body, (theta, land.begin(rule, theta)), None, length=steps)[1]


SHOWN = ("x", "y", "value", "slope", "least", "most")


def references():
    """JAX's numbers at MARKS: `{surface, rule, rate, momentum, condition, marks: [[x, y, …], …]}` for each case."""
    for name in SURFACES:
        for rule, cases in (CASES if name == "ravine" else {"sgd": OTHERS}).items():
            run = functools.partial(walk, name, rule, SURFACES[name].start, steps=MARKS[-1] + 1)
            both = lambda *case, run=run, rule=rule: (run(*case), rates(rule)(*case))
            seen, facts = jax.jit(jax.vmap(both))(*np.float32(cases).T)
            table = np.stack([seen[key] for key in SHOWN], -1)[:, MARKS]
            for k, (rate, momentum, condition) in enumerate(cases):
                case = {"surface": name, "rule": rule, "rate": rate, "momentum": momentum, "condition": condition}
                known = jax.tree.map(lambda leaf, k=k: leaf[k], facts) if name == "ravine" else {}
                yield case | {"marks": programs.plain(table[k], 6), "rates": programs.plain(known, 6)}


@programs.single
def data():
    """Programs, surfaces, and JAX's paths."""
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "surfaces": {name: land.place(surface) | {"steps": STEPS.get(name)} for name, surface in SURFACES.items()},
        "rules": RULES,
        "columns": land.COLUMNS,
        "rows": land.ROWS,
        "line": LINE.tolist(),
        "marks": list(MARKS),
        "shown": list(SHOWN),
        "references": list(references()),
    }


@programs.single
def draw(plt, C):
    """Too small, right, too large."""
    surface, condition = SURFACES["ravine"], 12.0
    fig, axes = plt.subplots(1, 3, figsize=(7, 2.1), layout="constrained", sharey=True)
    xs, ys = land.lattice(surface)
    height = np.asarray(land.heights(ravine)(xs, ys, condition)).reshape(land.ROWS, land.COLUMNS)
    x, y = xs[: land.COLUMNS], ys[:: land.COLUMNS]
    best = 2 / (1 + 1 / condition)
    settings, steps = np.float32([0.06, best, 2.16]), (26, 26, 8)
    seen = jax.jit(jax.vmap(lambda rate: walk("ravine", "sgd", surface.start, rate, 0.0, condition, 26)))(settings)
    titles = ("too small", "$\\tau^* = 2/(\\mu+L)$", "above $2/L$")
    for k, (ax, title, color) in enumerate(zip(axes, titles, (C[1], C[2], C[4]), strict=True)):
        ax.contour(x, y, height, levels=height.max() * (np.arange(1, 11) / 10) ** 2, colors=[C.faint], linewidths=0.8)
        ax.plot(seen["x"][k, : steps[k]], seen["y"][k, : steps[k]], "o-", color=color, ms=3, lw=1.2)
        ax.plot(*surface.start, "o", color=C[0], ms=6)
        ax.plot(0, 0, "+", color=C.ink, ms=9, mew=1.5)
        ax.set(title=title, aspect="equal", xlim=(-3, 3), ylim=(-2, 2), xticks=(-2, 0, 2), yticks=(-1, 0, 1))
        ax.title.set_size(10)
    return fig
