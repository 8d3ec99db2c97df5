"""Random networks, and by how much two derivations of their gradient differ, in units of rounding."""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import activations, losses, mlp, regularizers
from mlpjax._types import Any
from mlpjax.data import Dataset
from mlpjax.layers import Dense
from mlpjax.losses import Loss
from mlpjax.regularizers import Penalty


class Net(NamedTuple):
    """A network with all that its gradient depends on."""

    params: tuple[Dense, ...]
    batch: Dataset
    activation: Any  # one for all hidden layers, or one for each
    loss: Loss
    dropout_rate: float
    penalty: Penalty | None
    key: np.ndarray  # its data, which NumPy draws without a compilation

    def __str__(self):
        sigma = self.activation if callable(self.activation) else ", ".join(map(str, self.activation))
        sizes, targets = "-".join(map(str, mlp.sizes(self.params))), "vectors" if self.batch.y.ndim > 1 else "labels"
        extras = f"{self.penalty}, dropout {self.dropout_rate}, weights: {self.batch.weight is not None}"
        return f"{sizes}; {sigma}; {self.loss} of {targets}; {len(self.batch.x)} examples; {extras}"


def any_parameter(rng, value):
    """A family's member with any parameter, every second time; the rest as it is."""
    families = {
        activations.leaky_relu(): lambda: activations.leaky_relu(rng.uniform(0.01, 0.9)),
        activations.elu(): lambda: activations.elu(rng.uniform(0.1, 3)),
        losses.smoothed_cross_entropy(0.1): lambda: losses.smoothed_cross_entropy(rng.uniform(0, 0.9)),
    }
    return families[value]() if value in families and rng.random() < 0.5 else value


def drawn_activation(rng, i=None):
    """Any, or the one of that number."""
    i = rng.integers(len(activations.ALL)) if i is None else i % len(activations.ALL)
    return any_parameter(rng, activations.ALL[i])


def drawn_loss(rng, i):
    """The one of that number; behind the last, squares behind any output activation."""
    i %= len(losses.ALL) + 1
    return (
        losses.activated_squared_error(drawn_activation(rng))
        if i == len(losses.ALL)
        else any_parameter(rng, losses.ALL[i])
    )


def drawn_targets(rng, loss, n, classes):
    """Labels, unit vectors, distributions and vectors that are none; for regressions any numbers."""
    if not loss.classifies:
        return rng.uniform(size=(n, classes)) if loss == losses.binary_cross_entropy else rng.normal(size=(n, classes))
    labels = rng.integers(0, classes, n)
    kinds = [lambda: np.int32(labels), lambda: np.eye(classes)[labels], lambda: rng.dirichlet(np.ones(classes), n)]
    return [*kinds, lambda: rng.uniform(0, 2, (n, classes))][rng.integers(4)]()


def draw(seed, i) -> Net:
    """Up to 6 layers of up to 32 units, up to 16 examples; the first 182 have every activation under every loss.

    Every eighth has one width and one activation in all hidden layers, so that `deep` takes it.
    """
    rng = np.random.default_rng([seed, i])
    depth, n, even, loss = 1 + i % 6, rng.integers(1, 17), i % 8 == 7, drawn_loss(rng, i)
    sizes = rng.integers(1, 33, depth + 1)
    sizes[1:-1] = sizes[1] if even else sizes[1:-1]
    sigma = tuple(drawn_activation(rng, None if l else i) for l in range(depth - 1))
    sigma = (sigma or (activations.relu,))[0] if even else sigma
    x, gain, bias = rng.normal(size=(n, sizes[0])), np.exp(rng.uniform(-1, 1)), rng.random() < 0.8
    x[0] *= rng.random() < 0.8  # without biases, zeros for an input reach the kinks exactly
    params = tuple(
        Dense(gain * rng.normal(size=(m, k)) * np.sqrt(2 / k), bias * rng.normal(size=m) / 2)
        for k, m in itertools.pairwise(sizes)
    )
    weight = np.append(1.0, rng.choice([0.0, 0.5, 1.0, 3.0], n - 1)) if rng.random() < 0.5 else None
    rate = rng.uniform(0.05, 0.7) if rng.random() < 0.25 else 0.0
    penalty = [None, regularizers.l1(rng.uniform()), regularizers.l2(rng.uniform())][rng.integers(3)]
    batch = Dataset(x, drawn_targets(rng, loss, n, sizes[-1]), weight)
    return Net(params, batch, sigma, loss, rate, penalty, rng.integers(2**32, size=2, dtype=np.uint32))


def trace(params, net):
    """Of every example, under the masks of the key."""
    keys = jax.random.split(jax.random.wrap_key_data(net.key), len(net.batch.x)) if net.dropout_rate else None
    fn = lambda x, key: mlp.trace(params, x, activation=net.activation, dropout_rate=net.dropout_rate, key=key)
    return jax.vmap(fn)(net.batch.x, keys)


def shares(net):
    """What each example contributes to the mean."""
    weight = np.ones(len(net.batch.x)) if net.batch.weight is None else net.batch.weight
    return weight / weight.sum()


def risk(params, net, share):
    """The oracle's own words for what is minimized: nothing of `backprop` or `training` in it."""
    steps = trace(params, net)
    mean = jnp.sum(share * jax.vmap(net.loss.value)(steps.z[-1], net.batch.y))
    value = mean if net.penalty is None else mean + net.penalty.value(params)
    return value, (steps, jax.vmap(net.loss.output)(steps.z[-1]))


def scale(net, steps, prediction):
    """The contractions of BP1 to BP4 with absolute values: what rounding errors are measured in. In NumPy.

    The slope enters by its supremum: autodiff's own σ′ is exact to that only (1 − σ cancels for a saturated sigmoid).
    """
    sigma = mlp.per_layer(net.activation, hidden=len(net.params) - 1)
    delta, grads = shares(net)[:, None] * output_scale(net, prediction), []
    for l in reversed(range(len(net.params))):
        grads.insert(0, Dense(delta.T @ np.abs(steps.a[l]) + pull(net, net.params[l].W), delta.sum(0)))
        if l:
            delta = delta @ np.abs(net.params[l].W) * sigma[l - 1].lipschitz
            delta = delta * steps.masks[l - 1] if steps.masks else delta
    return tuple(grads)


def pull(net, W):
    """The gradient of the penalty with absolute values: λ or λ|W|, by what their names say."""
    if net.penalty is None:
        return 0.0
    name, strength = net.penalty.name[:-1].split("(")
    return float(strength) * np.abs(W) ** (name == "l2")


def output_scale(net, a):
    """|prediction| + |target|, and what the loss multiplies it by."""
    y = np.eye(a.shape[-1])[net.batch.y] if net.batch.y.ndim == 1 else net.batch.y
    mass = np.maximum(1, np.abs(y).sum(1, keepdims=True)) if net.loss.classifies else 1.0
    slope = 2.0 if net.loss == losses.squared_error else 1.0
    if net.loss.name.endswith("squared_error") and net.loss.output != activations.identity:
        slope *= net.loss.output.lipschitz
    # a probability is at most 1; other predictions are what σ makes of z
    a = np.ones_like(a) if net.loss.classifies else np.abs(a)
    return slope * (a * mass + np.abs(y) + 0.1)


def error_in_eps(grads, oracle, scales):
    """The largest entrywise difference, in units of eps times the scale."""
    leaves = zip(*(map(np.asarray, jax.tree.leaves(tree)) for tree in (grads, oracle, scales)), strict=True)
    return max(
        float(np.max(np.abs(g - h) / (s * np.finfo(g.dtype).eps + np.finfo(g.dtype).tiny))) for g, h, s in leaves
    )
