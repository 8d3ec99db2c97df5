"""Reliability on handwritten digits: hard labels, smoothed labels, and hard labels with a fitted temperature (LOS7)."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import losses, metrics, mlp, training
from mlpjax.data import Dataset, digits

ALT = (
    "Three reliability diagrams, accuracy against confidence in ten bins, the diagonal being perfect calibration. Hard "
    "labels lie below the diagonal: overconfident. Smoothed labels lie above it: underconfident. Hard labels with a "
    "fitted temperature lie close to it."
)


def split(data, part):
    """Pixels to [0, 1], and a slice of the examples."""
    return Dataset(data.x[part] / digits.MAXIMUM, data.y[part])


def logits(loss, train, *others):
    """What a network says of other data after training on little."""
    optimizer = optax.adam(1e-2)
    start = training.start(jax.random.key(0), mlp.init(jax.random.key(0), (64, 64, 10)), optimizer=optimizer)
    objective = training.supervised(mlp.apply, loss)
    run = jax.jit(lambda start: training.run(start, train, objective=objective, optimizer=optimizer, steps=300))
    state, _ = run(start)
    return [jax.vmap(mlp.apply, (None, 0))(state.params, data.x) for data in others]


def coldness(z, y):
    """β of least cross-entropy of βz, by bisection on its derivative."""
    slope = jax.jit(jax.grad(lambda beta: jax.vmap(losses.softmax_cross_entropy)(beta * z, y).mean()))
    low, high = 0.01, 10.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return middle


def bins(p, y, n=10):
    """Mean confidence, accuracy and share of the examples, of every bin that holds twenty examples or more."""
    confidence, hit = np.asarray(p.max(1)), np.asarray(p.argmax(1) == y)
    index = np.clip(np.ceil(confidence * n).astype(int) - 1, 0, n - 1)
    inside = [index == b for b in range(n) if (index == b).sum() >= 20]
    return np.array([(confidence[i].mean(), hit[i].mean(), i.mean()) for i in inside]).T


def draw(plt, C):
    every = digits.load("train")
    train, held_out = split(every, slice(0, 100)), split(every, slice(100, 600))
    rest, other = split(every, slice(600, None)), split(digits.load("test"), slice(None))
    test = Dataset(jnp.concatenate([rest.x, other.x]), jnp.concatenate([rest.y, other.y]))
    z_held, z = logits(losses.softmax_cross_entropy, train, held_out, test)
    (z_smooth,) = logits(losses.smoothed_cross_entropy(0.1), train, test)
    beta = coldness(z_held, held_out.y)
    panels = (
        (z, C[4], "hard labels"),
        (z_smooth, C[1], "label smoothing"),
        (beta * z, C[0], f"hard, $T = {1 / beta:.1f}$"),
    )
    figure, axes = plt.subplots(1, 3, figsize=(7.6, 3), sharey=True)
    for axis, (outputs, color, title) in zip(axes, panels, strict=True):
        p = jax.nn.softmax(outputs)
        confidence, accuracy, share = bins(p, test.y)
        axis.plot([0, 1], [0, 1], color=C.faint, linewidth=1.5)
        axis.plot(confidence, accuracy, color=color, linewidth=1.5)
        axis.scatter(confidence, accuracy, s=12 + 500 * share, color=color, alpha=0.75, linewidths=0)
        error = float(metrics.calibration_error(p, test.y, bins=10))
        axis.text(0.04, 0.95, f"ECE {100 * error:.1f} %", va="top", fontsize=10)
        axis.set(title=title, xlabel="confidence", xlim=(0, 1.05), ylim=(-0.04, 1.05), aspect="equal")
        axis.set(xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes[0].set_ylabel("accuracy")
    return figure
