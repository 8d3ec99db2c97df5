"""Draw docs/assets/img/thousand-runs.png: a thousand whole training runs on XOR, made by one call of one function."""

import functools
import pathlib

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.figure import Figure

from mlpjax import data, losses, mlp, training
from mlpjax.activations import sigmoid
from mlpjax.training import recipes

TARGET = pathlib.Path(__file__).parents[1] / "docs" / "assets" / "img" / "thousand-runs.png"
STEPS, RUNS = 2000, 1000
BLUE, ORANGE, GRAY = "#0072b2", "#d55e00", "#666666"

apply = functools.partial(mlp.apply, activation=sigmoid)
xor = data.toy.xor()


def run(key, sizes):
    """One whole run: initial values, 2,000 steps, and whether all four answers are right at the end."""
    optimizer = recipes.optimizer("sgd", recipes.xor.learning_rate)
    state = training.start(key, recipes.xor.make_params(key, sizes), optimizer=optimizer)
    objective = training.supervised(apply, losses.sigmoid_squared_error)
    state, history = training.run(state, xor, objective=objective, optimizer=optimizer, steps=STEPS)
    logits = jax.vmap(functools.partial(apply, state.params))(xor.x)
    return state.params, len(xor.x) * history.loss, jnp.all((logits > 0) == (xor.y > 0.5))


def curves(axes, loss, right, title):
    steps = np.unique(np.geomspace(1, STEPS, 300).astype(int))
    for curve, ok in zip(loss[:200], right[:200], strict=True):
        axes.loglog(steps, curve[steps - 1], color=BLUE if ok else ORANGE, lw=0.6, alpha=0.35, zorder=1 if ok else 2)
    axes.set(title=f"{title}\n{right.mean():.1%} of {RUNS:,} runs learn XOR", xlabel="step", ylim=(5e-5, 2))
    axes.spines[["top", "right"]].set_visible(False)


def boundary(axes, params):
    grid = np.linspace(-0.5, 1.5, 200)
    points = jnp.asarray(np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2))
    p = jax.nn.sigmoid(jax.vmap(functools.partial(apply, params))(points)).reshape(200, 200)
    axes.contourf(grid, grid, p, levels=np.linspace(0, 1, 21), cmap="RdBu", alpha=0.8)
    axes.contour(grid, grid, p, levels=[0.5], colors="black", linewidths=1)
    for (a, b), y in zip(np.asarray(xor.x), np.asarray(xor.y)[:, 0], strict=True):
        axes.plot(a, b, "o", ms=9, mfc=BLUE if y else ORANGE, mec="white", mew=1.5)
    axes.set(
        title="one of them\nafter 2,000 steps",
        xlabel="$x_1$",
        ylabel="$x_2$",
        xticks=[0, 1],
        yticks=[0, 1],
        aspect="equal",
    )


def main():
    matplotlib.rcParams.update({"font.size": 9, "axes.titlesize": 9.5, "svg.hashsalt": "mlpjax"})
    keys = jax.random.split(jax.random.key(0), RUNS)
    params, loss4, right4 = jax.jit(jax.vmap(functools.partial(run, sizes=(2, 4, 1))))(keys)
    _, loss2, right2 = jax.jit(jax.vmap(functools.partial(run, sizes=(2, 2, 1))))(keys)
    figure = Figure(figsize=(9, 3), layout="constrained", dpi=160)
    left, middle, last = figure.subplots(1, 3, width_ratios=[1, 1, 0.85])
    curves(left, np.asarray(loss4), np.asarray(right4), "[2, 4, 1] network")
    curves(middle, np.asarray(loss2), np.asarray(right2), "[2, 2, 1] network")
    left.set_ylabel("loss, summed over the four points")
    left.text(30, 1.2e-4, "learned", color=BLUE)
    middle.text(300, 0.45, "stuck", color=ORANGE)
    boundary(last, jax.tree.map(lambda leaf: leaf[0], params))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(TARGET, metadata={"Software": None})
    print(f"{TARGET.name}: {right4.mean():.1%} and {right2.mean():.1%} of {RUNS:,} runs succeed")


if __name__ == "__main__":
    main()
