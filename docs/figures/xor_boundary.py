"""Five moments of one run on XOR: the output over the square."""

import functools

import jax
import numpy as np

from mlpjax import backprop, data, losses, mlp, training
from mlpjax.activations import sigmoid
from mlpjax.training import recipes

ALT = (
    "Five squares, each colored by the network's output, with the four examples at the corners. First the output "
    "is nearly one half everywhere, then a line cuts off one corner, and at last two lines leave a diagonal band "
    "that holds the two examples of class 1."
)
MOMENTS = (0, 60, 80, 120, 2000)


def moments(seed=3):
    """The parameters and the loss after each of `MOMENTS` steps at rate 10 for the sum of the losses."""
    loss, xor = losses.sigmoid_squared_error, data.toy.xor()
    apply = functools.partial(mlp.apply, activation=sigmoid)
    settings = dict(
        objective=training.supervised(apply, loss),
        value_and_grad=backprop.supervised(activation=sigmoid, loss=loss),
        optimizer=recipes.optimizer("sgd", 40.0),
    )
    key = jax.random.key(seed)
    state = training.start(key, recipes.xor.make_params(key, (2, 4, 1)), optimizer=settings["optimizer"])
    some = jax.jit(lambda state: training.run(state, xor, steps=20, **settings)[0])
    for step in range(0, MOMENTS[-1] + 1, 20):
        if step in MOMENTS:
            yield step, state.params, 4 * float(settings["objective"](state.params, xor, None))
        state = some(state)


def draw(plt, C):
    fig, axes = plt.subplots(1, len(MOMENTS), figsize=(7, 2), sharey=True)
    line = np.linspace(-0.25, 1.25, 61)
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2).astype("float32")
    xor = data.toy.xor()
    for ax, (step, params, loss) in zip(axes, moments(), strict=True):
        z = jax.vmap(lambda x, p=params: mlp.apply(p, x, activation=sigmoid))(grid)
        a = np.asarray(sigmoid(z)).reshape(61, 61)
        ax.imshow(
            a, origin="lower", extent=(-0.25, 1.25, -0.25, 1.25), vmin=0, vmax=1, cmap="RdBu", interpolation="bilinear"
        )
        if a.min() < 0.5 < a.max():
            ax.contour(line, line, a, [0.5], colors=["#222222"], linewidths=1.2)
        for (x1, x2), y in zip(np.asarray(xor.x), np.asarray(xor.y).ravel(), strict=True):
            ax.plot(x1, x2, "o", ms=7, mfc="#222222" if y else "#ffffff", mec="#222222", mew=1.3)
        ax.set_title(f"k = {step:,}\nC = {loss:.2g}", fontsize=9)
        ax.set(xticks=[0, 1], yticks=[0, 1])
        ax.spines[:].set_visible(False)
    return fig
