"""Signals through depth: activations forward, errors backward, one layer's program run again and again."""

import base64
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np

from docs._ext import programs
from mlpjax import backprop, gradflow
from mlpjax.activations import gelu, relu, sigmoid, tanh
from mlpjax.layers import Dense, dense

ALT = (
    "Size of the activations and of the errors through 50 layers, on a logarithmic axis, for three networks. With "
    "sigmoids the error falls along a straight line to 1e-31 at the first layer. With tanh and large weights it grows "
    "to 1e6. With ReLU and He weights activations and errors keep their size."
)
WIDTH, DEPTH, BATCH = 64, 50, 8
ACTIVATIONS = (sigmoid, tanh, relu, gelu)
KINDS = {  # of weights, and g = √n · their standard deviation
    "small": ("normal", 0.5),
    "Xavier": ("normal", 1.0),
    "He": ("normal", 2**0.5),
    "large": ("normal", 3.0),
    "orthogonal": ("orthogonal", 1.0),
    "orthogonal, times √2": ("orthogonal", 2**0.5),
}
TIMES = (0.25, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.7, 2.0, 2.8, 4.0)
Z = np.linspace(-8, 8, 401)
NORMAL = np.exp(-(Z**2) / 2) / np.sum(np.exp(-(Z**2) / 2))  # weights of a mean over the normal distribution


def column(Q, G, one):
    """One column of the orthogonal factor of G = QR, by Gram and Schmidt, projected twice against rounding."""
    v = G @ one
    v = v - Q @ (Q.T @ v)
    v = v - Q @ (Q.T @ v)
    return Q + jnp.outer(v / jnp.sqrt(jnp.sum(v**2)), one)


def rms(v):
    """The size of a signal."""
    return gradflow.norms(v) / v.size**0.5


def forward(W, gain, a, *, activation):
    """One layer forward, for a batch: z, a, the size of a, and the share of flat units."""
    layer = Dense(gain * W, jnp.zeros(WIDTH, W.dtype))
    z = jax.vmap(lambda a: dense.apply(layer, a))(a)
    flat = jnp.abs(activation.prime(z)) < 0.1 * activation.lipschitz
    a = activation(z)
    return {"z": z, "a": a, "size": rms(a), "flat": jnp.mean(flat.astype(z.dtype))}


def backward(W, gain, delta, z, log, *, activation):
    """One layer backward (BP2): errors of size 1, and the logarithm of what their size was."""
    back = functools.partial(backprop.bp2, gain * W, activation=activation)
    delta = jax.vmap(lambda delta, z: back(delta, z))(delta, z)
    size = rms(delta)
    return {"delta": delta / jnp.where(size > 0, size, 1.0), "log": log + jnp.log10(size)}


def predict(spread, gain, *, activation):
    """What a wide layer does to z ~ N(0, spread²): the size of a, the next spread, and the factor of the error."""
    z, share = spread * jnp.asarray(Z, jnp.float32), jnp.asarray(NORMAL**0.5, jnp.float32)
    size = gradflow.norms(share * activation(z))
    return {"size": size, "spread": gain * size, "factor": gain * gradflow.norms(share * activation.prime(z))}


def _programs():
    W, v, one = np.ones((WIDTH, WIDTH)), np.ones((BATCH, WIDTH)), np.ones(WIDTH)
    yield "column", (column, W, W, one)
    for sigma in ACTIVATIONS:
        yield f"{sigma}.forward", (functools.partial(forward, activation=sigma), W, 1.0, v)
        yield f"{sigma}.backward", (functools.partial(backward, activation=sigma), W, 1.0, v, v, 0.0)
        yield f"{sigma}.predict", (functools.partial(predict, activation=sigma), 1.0, 1.0)


PROGRAMS = dict(_programs())


@functools.cache
def given():
    """Bytes of the weights, inputs of size 1 and errors of size 1 at the output."""
    keys = jax.random.split(jax.random.key(8), 3)
    byte = np.asarray(jax.random.bits(keys[0], (DEPTH, WIDTH, WIDTH), "uint8"))
    x, delta = (jax.random.normal(key, (BATCH, WIDTH), "float32") for key in keys[1:])
    return byte, x / rms(x), delta / rms(delta)


def levels():
    """What a byte stands for: 256 equally likely values of a normal distribution of variance 1/n."""
    middle = jax.scipy.special.ndtri((jnp.arange(256, dtype=jnp.float32) + 0.5) / 256)
    return middle / jnp.sqrt(jnp.mean(middle**2) * WIDTH)


@functools.cache
def weights(kind):
    """All weights of a kind; the orthogonal ones by the factorization of NumPy."""
    N = levels()[given()[0]]
    if kind == "normal":
        return N
    Q, R = np.linalg.qr(np.asarray(N, np.float64))
    return jnp.asarray(Q * np.sign(np.diagonal(R, axis1=1, axis2=2))[:, None], jnp.float32)


@functools.partial(jax.jit, static_argnames=("activation", "depth"))
def through(W, gain, activation, depth):
    """Sizes of a in layers 1 … depth, and logarithms of the sizes of δ, by scans."""
    _, x, delta = given()

    def up(a, W):
        out = forward(W, gain, a, activation=activation)
        return out["a"], (out["z"], out["size"])

    def down(carry, layer):
        out = backward(layer[0], gain, *carry[:1], layer[1], carry[1], activation=activation)
        return (out["delta"], out["log"]), out["log"]

    _, (z, sizes) = jax.lax.scan(up, x, W[:depth])
    _, logs = jax.lax.scan(down, (delta, jnp.float32(0)), (W[1:depth], z[:-1]), reverse=True)
    return sizes, jnp.append(logs, 0.0)


def chaotic(activation, gain):
    """Whether differences in rounding grow with depth, so that in deep layers no two computers agree."""
    return activation == tanh and gain > 1.2


def references():
    """JAX's answers: `[activation, kind, times, depth, log10 of the size of a, factor per layer of δ]`."""
    found = []
    for sigma, (name, (kind, gain)), times in itertools.product(ACTIVATIONS, KINDS.items(), (1.0, 0.5)):
        depth = 8 if chaotic(sigma, gain * times) else 40
        sizes, logs = through(weights(kind), jnp.float32(gain * times), sigma, depth)
        answers = jnp.log10(sizes[-1]), 10 ** (logs[0] / (depth - 1))
        found.append([sigma.name, name, TIMES.index(times), depth, *programs.plain(answers)])
    return found


@programs.single
def data():
    """Programs, the bytes of the weights, and JAX's answers."""
    byte, x, delta = given()
    return {
        "programs": {name: programs.export(fn, *args) for name, (fn, *args) in PROGRAMS.items()},
        "bytes": base64.b64encode(byte.tobytes()).decode(),
        "levels": programs.encode(levels())[0],
        "x": programs.encode(x)[0],
        "delta": programs.encode(delta)[0],
        "width": WIDTH,
        "depth": DEPTH,
        "activations": [{"name": s.name, "range": programs.plain(list(s.range))} for s in ACTIVATIONS],
        "kinds": [[name, kind, gain] for name, (kind, gain) in KINDS.items()],
        "times": list(TIMES),
        "references": references(),
    }


@programs.single
def draw(plt, C):
    """Three networks of fifty layers."""
    fig, axes = plt.subplots(1, 3, figsize=(7, 2.9), sharex=True)
    cases = (("sigmoid, Xavier", sigmoid, 1.0), ("tanh, large", tanh, 3.0), ("ReLU, He", relu, 2**0.5))
    for ax, (title, sigma, gain) in zip(axes, cases, strict=True):
        sizes, logs = through(weights("normal"), jnp.float32(gain), sigma, DEPTH)
        layers = np.arange(1, DEPTH + 1)
        ax.plot(layers, np.log10(sizes), "o", color=C[0], ms=2.5)
        ax.plot(layers, logs, "o", color=C[1], ms=2.5)
        low, high = ax.get_ylim()
        ax.set(xlabel="layer", title=title, xticks=(1, 25, 50), ylim=(min(low, -1.5), max(high, 1.5)))
        ax.grid(True, lw=0.5)
    axes[0].set_ylabel("$\\log_{10}$ of the size")
    axes[0].text(2, -4, "a", color=C[0], fontsize=11)
    axes[0].text(24, -22, "δ", color=C[1], fontsize=11)
    return fig
