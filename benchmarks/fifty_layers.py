"""Fifty layers, five schemes, seven activations (INI4): what one layer does to a signal, measured and predicted.

    python -m benchmarks.fifty_layers [--width 256] [--networks 5]

Square layers without biases, in float64, since the smallest signals leave float32's range. Activations start at normal
inputs, errors at normal numbers behind the last layer. The root mean square over inputs and units changes from layer to
layer by a factor, whose geometric mean over the layers and over several networks is compared with what the recursion of
`theory.meanfield` predicts. Writes docs/figures/data/initialization_fifty.json; a minute on a quiet core.
"""

import argparse
import functools
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import initializers
from mlpjax.activations import elu, gelu, identity, leaky_relu, relu, sigmoid, tanh
from mlpjax.theory import meanfield

TARGET = pathlib.Path(__file__).parents[1] / "docs" / "figures" / "data" / "initialization_fifty.json"
DEPTH, INPUTS = 50, 32
ACTIVATIONS = (identity, tanh, relu, leaky_relu(0.1), elu(), gelu, sigmoid)
SCHEMES = {
    "0.01": initializers.normal(0.01),
    "LeCun": initializers.lecun_normal,
    "Xavier": initializers.xavier_normal,
    "orthogonal": initializers.orthogonal,
    "He": initializers.he_normal,
}


def weight_variance(scheme, width):
    """n Var W of a square layer."""
    return {"0.01": width * 0.01**2, "He": 2.0}.get(scheme, 1.0)


@jax.jit
def mean_squares(W, x, delta):
    """Of a(1) … a(50) and of δ(1) … δ(50), for each activation in turn: arrays `(activation, layer)`."""

    def network(i):
        sigma = lambda z: jax.lax.switch(i, ACTIVATIONS, z)
        prime = lambda z: jax.lax.switch(i, [activation.prime for activation in ACTIVATIONS], z)

        def forward(a, W):
            z = a @ W.T
            return sigma(z), (z, jnp.mean(sigma(z) ** 2))

        def backward(delta, layer):
            W, z = layer
            delta = (delta @ W) * prime(z)
            return delta, jnp.mean(delta**2)

        _, (z, a) = jax.lax.scan(forward, x, W)
        _, back = jax.lax.scan(backward, delta, (W[1:], z[:-1]), reverse=True)
        return a, jnp.append(back, jnp.mean(delta**2))

    return jax.lax.map(network, jnp.arange(len(ACTIVATIONS)))


def measured(scheme, width, networks=1):
    """Factor per layer of the size of activations and of errors, arrays `(activation,)`."""
    total, root = 0.0, 1 / (2 * (DEPTH - 1))
    with jax.enable_x64(True):
        for key in jax.random.split(jax.random.key(list(SCHEMES).index(scheme)), networks):
            kw, kx, kd = jax.random.split(key, 3)
            draw = functools.partial(SCHEMES[scheme], shape=(width, width), dtype=jnp.float32)
            W = jax.vmap(lambda key, draw=draw: draw(key))(jax.random.split(kw, DEPTH)).astype(float)
            x, delta = (jax.random.normal(k, (INPUTS, width)) for k in (kx, kd))
            a, delta = mean_squares(W, x, delta)
            total += root * np.log([a[:, -1] / a[:, 0], delta[:, 0] / delta[:, -1]]) / networks
    return np.exp(total)


def predicted(scheme, width):
    """The same by the recursion for infinite width."""
    s, found = weight_variance(scheme, width), []
    for activation in ACTIVATIONS:
        q = meanfield.second_moments(activation, weight_variance=s, depth=DEPTH + 1)
        factors = meanfield.gradient_factors(activation, q[: DEPTH - 1], weight_variance=s)
        # without biases a(l) has the mean square q(l + 1)/s
        found.append(((q[-1] / q[1]) ** (1 / (2 * (DEPTH - 1))), jnp.exp(jnp.mean(jnp.log(factors)) / 2)))
    return tuple(np.array(found).T)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--networks", type=int, default=5)
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    tables = dict(measured=[], predicted=[])
    for scheme in SCHEMES:
        tables["measured"].append(measured(scheme, arguments.width, arguments.networks))
        tables["predicted"].append(predicted(scheme, arguments.width))
        found, theory = (table[-1] for table in tables.values())
        print(f"{scheme:<10} worst error {np.abs(np.divide(found, theory) - 1).max():.1%}")
    # (scheme, which, activation) -> (which, activation, scheme)
    tables = {name: np.transpose(table, (1, 2, 0)).round(6).tolist() for name, table in tables.items()}
    about = dict(width=arguments.width, depth=DEPTH, networks=arguments.networks, inputs=INPUTS)
    names = dict(schemes=list(SCHEMES), activations=[str(activation) for activation in ACTIVATIONS])
    TARGET.write_text(json.dumps({**about, **names, **tables}) + "\n")
    print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
