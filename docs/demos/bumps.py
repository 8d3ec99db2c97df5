"""A target with points to drag, and the network of bumps for it: N and the sharpness in the reader's hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from docs._ext import programs
from mlpjax import mlp
from mlpjax.activations import sigmoid
from mlpjax.theory import bumps

ALT = (
    "Three plots of one piecewise linear target and a network of bumps for it. With 8 bumps and a moderate sharpness "
    "the network is a rounded staircase within the band of the guarantee. With 8 bumps and a large sharpness it is a "
    "bar chart. With 32 bumps the stairs and the band are a quarter as high."
)
INTERVAL = (0.0, 1.0)
COUNTS = (2, 4, 8, 16, 32, 64)
GRID = 321  # points of the curves
NEAR = np.array([-8.0, -3.0, 0.0, 3.0, 8.0])  # where the error is measured besides, in units of 1/c from a jump
TARGETS = {
    "hills": ((0.0, 0.14, 0.3, 0.46, 0.62, 0.8, 1.0), (-0.6, 0.1, 0.85, 0.2, -0.5, 0.3, 0.7)),
    "hat: the worst case": ((0.0, 0.15, 0.3, 0.5, 0.7, 0.85, 1.0), (-0.8, -0.35, 0.1, 0.7, 0.1, -0.35, -0.8)),
    "line": ((0.0, 0.15, 0.3, 0.5, 0.7, 0.85, 1.0), (-0.9, -0.63, -0.36, 0.0, 0.36, 0.63, 0.9)),
    "cliff": ((0.0, 0.2, 0.38, 0.5, 0.58, 0.8, 1.0), (-0.7, -0.75, -0.6, -0.5, 0.75, 0.6, 0.7)),
}
CASES = [  # where page and JAX are compared
    (name, n, c) for name in TARGETS for n, c in ((2, 6.0), (8, 20.0), (8, 320.0), (32, 100.0), (64, 2000.0))
]
PLACES = (0, 37, 160, 203, 320)


def target(x, y):
    """The piecewise linear function through points, and its Lipschitz constant: its steepest slope."""
    width = jnp.diff(x)
    slope = jnp.diff(y) / width
    return lambda p: y[0] + jnp.sum(slope * jnp.clip(p - x[:-1], 0, width)), jnp.abs(slope).max()


def look(x, y, sharpness, *, n):
    """Everything that is shown for n bumps."""
    f, lipschitz = target(x, y)
    setting = dict(bumps=n, sharpness=sharpness)
    params = bumps.network(f, INTERVAL, **setting)
    grid, t = jnp.linspace(*INTERVAL, GRID), jnp.linspace(*INTERVAL, n + 1)
    heights = jax.vmap(f)((t[:-1] + t[1:]) / 2)
    near = jnp.clip(t[:, None] + jnp.float32(NEAR)[None] / sharpness, *INTERVAL).ravel()
    seen = lambda p: (f(p), mlp.apply(params, p[None], activation=sigmoid)[0])
    wanted, found = jax.vmap(seen)(jnp.concatenate([grid, near]))
    return {
        "target": wanted[:GRID],
        "network": found[:GRID],
        "off": (found - wanted)[:GRID],
        "bumps": heights[:, None] * jax.vmap(lambda p: bumps.shares(p, INTERVAL, **setting), out_axes=1)(grid),
        "lipschitz": lipschitz,
        "error": jnp.abs(found - wanted).max(),
        "guarantee": bumps.guarantee(lipschitz, INTERVAL, **setting),
        "bars": lipschitz / (2 * n),
    }


POINTS = TARGETS["hills"]
PROGRAMS = {str(n): (functools.partial(look, n=n), *map(np.array, POINTS), 20.0) for n in COUNTS}


def references():
    """JAX's numbers for each of CASES."""
    jitted = jax.jit(look, static_argnames="n")
    for name, n, c in CASES:
        shown = jitted(*map(jnp.float32, TARGETS[name]), jnp.float32(c), n=n)
        numbers = {key: shown[key] for key in ("lipschitz", "error", "guarantee", "bars")}
        curves = {key: shown[key][jnp.asarray(PLACES)] for key in ("target", "network")}
        yield {"target": name, "n": n, "sharpness": c} | programs.plain({"numbers": numbers, "curves": curves}, 7)


@programs.single
def data():
    """Programs, targets, and what JAX finds for some of them."""
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "targets": {name: {"x": x, "y": y} for name, (x, y) in TARGETS.items()},
        "interval": INTERVAL,
        "counts": COUNTS,
        "places": PLACES,
        "references": list(references()),
    }


@programs.single
def draw(plt, C):
    """Few bumps, soft and sharp; four times as many."""
    fig, axes = plt.subplots(1, 3, figsize=(7, 2.4), layout="constrained", sharey=True)
    points, grid = tuple(map(jnp.float32, POINTS)), np.linspace(*INTERVAL, GRID)
    for ax, (n, c) in zip(axes, ((8, 48.0), (8, 800.0), (32, 3200.0)), strict=True):
        shown = jax.tree.map(np.asarray, jax.jit(functools.partial(look, n=n))(*points, jnp.float32(c)))
        for bump in shown["bumps"]:
            ax.fill_between(grid, bump, color=C[0], alpha=0.12, lw=0)
        band = shown["guarantee"]
        ax.fill_between(grid, shown["target"] - band, shown["target"] + band, color=C[2], alpha=0.15, lw=0)
        ax.plot(grid, shown["target"], color=C.ink, lw=1.2)
        ax.plot(grid, shown["network"], color=C[0], lw=1.6)
        ax.set(title=f"$N$ = {n}, $c$ = {c:g}", xticks=(0, 1), yticks=(-1, 0, 1), ylim=(-1.6, 1.6))
        ax.title.set_size(10)
    return fig
