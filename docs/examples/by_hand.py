"""The same training with nothing but NumPy-like arithmetic: forward pass, BP1–BP4, Adam, shuffling (MNI2).

    python docs/examples/by_hand.py

No autodiff, no optax, no mlpjax beyond the data: the whole of it is on this page. It is to be read, not to be fast.
"""

import jax
import jax.numpy as jnp

from mlpjax import data


def init(key, sizes):
    """He's initial weights, zero biases."""
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    keys = jax.random.split(key, len(shapes))
    normal = lambda k, m, n: jnp.sqrt(2 / n) * jax.random.normal(k, (m, n))
    return [(normal(k, m, n), jnp.zeros(m)) for k, (m, n) in zip(keys, shapes, strict=True)]


def forward(params, x):
    """All z and a of a batch, a row per example: ReLU inside, logits at the end."""
    a, z = [x], []
    for l, (W, b) in enumerate(params):
        z.append(a[-1] @ W.T + b[None])  # FWD1
        if l < len(params) - 1:
            a.append(jnp.maximum(z[-1], 0))  # FWD2
    return a, z


def softmax(z):
    """Probabilities of a batch of logits."""
    e = jnp.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def gradients(params, x, y):
    """Mean cross-entropy of a batch and its gradient (BP5)."""
    a, z = forward(params, x)
    n, L = len(x), len(params)
    p, e = softmax(z[-1]), jnp.eye(10)[y]
    delta = (p - e) / n  # BP1, for softmax and cross-entropy
    grads = [None] * L
    for l in reversed(range(L)):
        grads[l] = (delta.T @ a[l], delta.sum(axis=0))  # BP3, BP4
        if l:
            delta = (delta @ params[l][0]) * (z[l - 1] > 0)  # BP2
    return -jnp.mean(jnp.log(p[jnp.arange(n), y])), grads


def adam(params, grads, m, v, t, rate, b1=0.9, b2=0.999, eps=1e-8):
    """One step of Adam (OPT3)."""
    tree = jax.tree.map
    m = tree(lambda m, g: b1 * m + (1 - b1) * g, m, grads)
    v = tree(lambda v, g: b2 * v + (1 - b2) * g**2, v, grads)
    moved = lambda p, m, v: p - rate * (m / (1 - b1**t)) / (jnp.sqrt(v / (1 - b2**t)) + eps)
    return tree(moved, params, m, v), m, v


@jax.jit
def step(params, m, v, t, x, y, rate):
    """The loss of a batch, and the parameters after one step on it."""
    loss, grads = gradients(params, x, y)
    return loss, *adam(params, grads, m, v, t, rate)


def train(x, y, *, hidden=(64,), epochs=15, batch_size=64, rate=3e-3, seed=0):
    """Epochs of shuffled mini-batches; the parameters, and the loss of every step."""
    key, init_key = jax.random.split(jax.random.key(seed))
    params = init(init_key, (x.shape[1], *hidden, 10))
    m = v = jax.tree.map(jnp.zeros_like, params)
    curve = []
    for epoch in range(epochs):
        order = jax.random.permutation(jax.random.fold_in(key, epoch), len(x))
        for first in range(0, len(x) - batch_size + 1, batch_size):
            batch = order[first : first + batch_size]
            t = float(len(curve) + 1)
            loss, params, m, v = step(params, m, v, t, x[batch], y[batch], rate)
            curve.append(float(loss))
    return params, curve


def accuracy(params, x, y):
    """The fraction of examples whose largest logit is the right one."""
    logits = forward(params, x)[1][-1]
    return float(jnp.mean(logits.argmax(axis=1).astype(y.dtype) == y))


def main():
    train_set, test_set = data.digits.load("train"), data.digits.load("test")
    params, curve = train(train_set.x / 16.0, train_set.y)
    found = accuracy(params, test_set.x / 16.0, test_set.y)
    print(f"loss {curve[0]:.2f} -> {curve[-1]:.4f}, test accuracy {found:.2%}")


if __name__ == "__main__":
    main()
