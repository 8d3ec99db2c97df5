"""The guarantee and the error: against the number of bumps, and against the sharpness."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import mlp
from mlpjax.activations import sigmoid
from mlpjax.theory import bumps

ALT = (
    "Left: error against the number of bumps from 4 to 256, both logarithmic. The guarantee is a line of slope minus "
    "one; the errors of three functions with the same Lipschitz constant run along it or below it. Right: error "
    "in units of L h against c h. The guarantee falls from 3 to one half; the error for the hat lies on it, those for "
    "a line and a sine below it; from c h = 8 on nothing changes."
)
TARGETS = {
    "hat": lambda x: jnp.abs(x - 0.5),
    "line": lambda x: x,
    "sine": lambda x: jnp.sin(9 * x) / 9,
}
COUNTS = (4, 8, 16, 32, 64, 128, 256)
SOFT = np.geomspace(0.4, 20, 18)
NEAR = np.array([-6.0, -2.0, 0.0, 2.0, 6.0])


def error(f, n, sharpness):
    """The largest one on a grid, at the jumps and beside them."""
    params = bumps.network(f, (0.0, 1.0), bumps=n, sharpness=sharpness)
    t = jnp.linspace(0, 1, n + 1)
    beside = jnp.clip(t[:, None] + jnp.float32(NEAR)[None] / sharpness, 0, 1).ravel()
    off = lambda x: jnp.abs(mlp.apply(params, x[None], activation=sigmoid)[0] - f(x))
    return jax.vmap(off)(jnp.concatenate([jnp.linspace(0, 1, 400), beside])).max()


@jax.jit
def by_count():
    """For each N: the guarantee, and the error of each target, at c h = 40."""
    rows = [[bumps.guarantee(1.0, (0.0, 1.0), bumps=n)] for n in COUNTS]
    return jnp.array(
        [row + [error(f, n, 40.0 * n) for f in TARGETS.values()] for row, n in zip(rows, COUNTS, strict=True)]
    )


@jax.jit
@jax.vmap
def by_sharpness(soft):
    """The same in units of L h, for N = 16 and each c h."""
    setting = dict(bumps=16, sharpness=16 * soft)
    return 16 * jnp.array(
        [bumps.guarantee(1.0, (0.0, 1.0), **setting), *(error(f, 16, 16 * soft) for f in TARGETS.values())]
    )


def draw(plt, C):
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
    colors = dict(zip(TARGETS, (C[4], C[2], C[0]), strict=True))
    for ax, x, rows in ((left, COUNTS, by_count()), (right, SOFT, by_sharpness(jnp.float32(SOFT)))):
        promised, *errors = np.asarray(rows).T
        ax.plot(x, promised, color=C.ink, lw=1.2, ls="--", label="guarantee")
        for (name, color), each, mark, size in zip(colors.items(), errors, "osD", (8, 5.5, 3), strict=True):
            ax.plot(x, each, mark, color=color, ms=size, mfc=C.paper if size > 3 else color, label=name)
        ax.set_xscale("log")
        ax.grid(True, lw=0.5)
    left.set_yscale("log")
    left.set(xlabel="$N$", ylabel="error", xticks=(4, 16, 64, 256), title="$ch = 40$")
    left.legend(fontsize=8, frameon=False)
    right.set(xlabel="$c\\,h$", ylabel="error / $Lh$", ylim=(0, 3.6), xticks=(0.5, 2, 8), title="$N = 16$")
    for ax, ticks in ((left, (4, 16, 64, 256)), (right, (0.5, 2, 8))):
        ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
        ax.minorticks_off()
        ax.title.set_size(10)
    return fig
