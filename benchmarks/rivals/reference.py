"""What every contestant must arrive at: the same training in NumPy, in float64, with the gradient written by hand."""

import itertools

import numpy as np

from benchmarks.rivals.problem import Problem


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def outputs(layers, x, activation):
    """The activation of each layer, inputs first; of the last layer the weighted input."""
    a = [x]
    for l, (W, b) in enumerate(layers):
        z = a[l] @ W.T + b
        last = l == len(layers) - 1
        a.append(z if last else np.maximum(z, 0) if activation == "relu" else sigmoid(z))
    return a


def cross_entropy(z, y):
    """Mean loss of a batch, and its derivative by the logits."""
    shifted = z - z.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    target = np.eye(z.shape[1])[y]
    return -(target * logs).sum(axis=1).mean(), (np.exp(logs) - target) / len(z)


def squared(z, y):
    """Mean loss of a batch, and its derivative by what goes into the sigmoid."""
    a = sigmoid(z)
    return ((a - y) ** 2).sum(axis=1).mean() / 2, (a - y) * a * (1 - a) / len(z)


def gradients(layers, x, y, problem):
    """Mean loss of a batch, and its derivatives by the weights and biases of each layer."""
    a = outputs(layers, x, problem.activation)
    value, delta = {"cross-entropy": cross_entropy, "squared": squared}[problem.loss](a[-1], y)
    grads = []
    for l in reversed(range(len(layers))):
        grads.insert(0, (delta.T @ a[l], delta.sum(axis=0)))
        prime = a[l] > 0 if problem.activation == "relu" else a[l] * (1 - a[l])
        delta = (delta @ layers[l][0]) * prime
    return value, grads


def adam(g, m, v, t):
    """Moments and step of Adam; t counts from 1."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return m, v, (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


def mean_loss(problem: Problem) -> float:
    """The mean over all steps of the loss before each."""
    layers = [[v.astype(np.float64) for v in layer] for layer in problem.layers]
    moments, losses = [[[0.0, 0.0], [0.0, 0.0]] for _ in layers], []
    for t, rows in enumerate(problem.order, 1):
        value, grads = gradients(layers, problem.x[rows].astype(np.float64), problem.y[rows], problem)
        losses.append(value)
        for l, k in itertools.product(range(len(layers)), range(2)):
            step = grads[l][k]
            if problem.optimizer == "adam":
                *moments[l][k], step = adam(step, *moments[l][k], t)
            layers[l][k] -= problem.rate * step
    return float(np.mean(losses))
