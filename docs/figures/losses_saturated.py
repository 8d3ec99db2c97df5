"""One sigmoid unit that starts out sure and wrong, trained by gradient descent under both losses (LOS5)."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import losses, mlp, training
from mlpjax.activations import sigmoid
from mlpjax.data import Dataset
from mlpjax.layers.dense import Dense

ALT = (
    "Left: the output of one sigmoid unit against the training step on a logarithmic axis, from a start of 0.9997 "
    "where 0 is right. Under cross-entropy it falls below one half at step 9, under squared error at step 3011. Right: "
    "the steps needed, on a logarithmic axis, against the starting logit from 1 to 8: nearly z plus 1 under "
    "cross-entropy, exponential in z under squared error; dots for measured runs lie on the curves computed by hand."
)


def outputs(loss, starts, steps):
    """The unit's output after each step, for each starting logit."""
    example = Dataset(x=jnp.ones((1, 1)), y=jnp.zeros((1, 1)))
    optimizer = optax.sgd(0.5)
    objective = training.supervised(mlp.apply, loss)
    output = {"a": lambda params, batch: sigmoid(mlp.apply(params, batch.x[0]))[0]}

    def run(z):
        params = (Dense(W=0.625 * z.reshape(1, 1), b=0.375 * z.reshape(1)),)
        _, history = training.run(
            training.start(jax.random.key(0), params, optimizer=optimizer),
            example,
            objective=objective,
            optimizer=optimizer,
            steps=steps,
            validation=example,
            metrics=output,
            evaluate_every=1,
        )
        return history.validation["a"]

    return np.asarray(jax.jit(jax.vmap(run))(starts))


def draw(plt, C):
    starts = jnp.arange(1.0, 9.0)
    z = np.linspace(1, 8, 200)
    flow = np.exp(z) - 1 + 3 * z + 3 * (1 - np.exp(-z)) + (1 - np.exp(-2 * z)) / 2
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3))
    for loss, steps, color, by_hand, label, place in (
        (losses.binary_cross_entropy, 40, C[0], z + 1 - np.exp(-z), "cross-\nentropy", (7, 0.2)),
        (losses.sigmoid_squared_error, 4000, C[1], flow, "squared\nerror", (2600, 0.2)),
    ):
        a = outputs(loss, starts, steps)
        left.plot(np.arange(1, steps + 1), a[-1], color=color)
        left.text(*place, label, color=color, ha="right")
        right.plot(z, by_hand, color=color, linewidth=1.5)
        right.plot(starts, 1 + np.argmax(a < 0.5, axis=1), "o", color=color, markersize=5)
    left.set(title="output, started at 0.9997", xlabel="step", xscale="log", ylim=(0, 1.05), yticks=[0, 0.5, 1])
    left.axhline(0.5, color=C.faint, linewidth=1, zorder=0)
    right.set(title="steps until it is below ½", xlabel="logit at the start", yscale="log", xticks=range(1, 9))
    return figure
