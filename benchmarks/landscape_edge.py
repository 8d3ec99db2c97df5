"""The greatest eigenvalue of the Hessian along gradient descent, against the threshold 2/η (GD6).

    python -m benchmarks.landscape_edge [--steps 4000]

500 real digits, a 64-32-10 tanh network, half the squared error, full batches, three learning rates from one start.
Every 50 steps Lanczos' method finds the ends of the spectrum from 24 Hessian–vector products. Writes
docs/figures/data/landscape_edge.json; takes about a minute.
"""

import argparse
import functools

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.record import write
from mlpjax import derivatives, initializers, losses, mlp
from mlpjax.activations import tanh
from mlpjax.data import digits

SIZES, EXAMPLES, RATES, EVERY = (64, 32, 10), 500, (0.1, 0.14, 0.2), 50


def problem():
    """The risk on the first digits, and parameters to start from."""
    x, y, _ = digits.load("train")
    x, y = x[:EXAMPLES] / digits.MAXIMUM, jax.vmap(lambda y: losses.one_hot(y, 10))(y[:EXAMPLES])

    def risk(params):
        z = jax.vmap(functools.partial(mlp.apply, activation=tanh), (None, 0))(params, x)
        return jnp.mean(jax.vmap(losses.half_squared_error.value)(z, y))

    return risk, mlp.init(jax.random.key(0), SIZES, weight_init=initializers.variance_scaling(0.25))


def descend(risk, params, rate, chunks):
    """Loss, least and greatest eigenvalue, every `EVERY` steps."""
    down = lambda params, _: (jax.tree.map(lambda p, g: p - rate * g, params, jax.grad(risk)(params)), None)

    def chunk(params, key):
        ends = derivatives.extreme_eigenvalues(risk, params, key=key, steps=24)
        return jax.lax.scan(down, params, length=EVERY)[0], (risk(params), *ends)

    return jax.lax.scan(chunk, params, jax.random.split(jax.random.key(1), chunks))[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000)
    steps = parser.parse_args().steps
    risk, params = problem()
    runs = []
    measure = jax.jit(functools.partial(descend, risk, chunks=steps // EVERY))
    for rate in RATES:
        F, least, greatest = (np.round(np.asarray(a, float), 5).tolist() for a in measure(params, rate))
        print(f"2/η = {2 / rate:.1f}: F {F[0]:.3f} … {F[-1]:.4f}, greatest {greatest[0]:.2f} … {greatest[-1]:.2f}")
        runs.append(dict(rate=rate, F=F, least=least, greatest=greatest))
    write("landscape_edge", sizes=SIZES, examples=EXAMPLES, every=EVERY, runs=runs)


if __name__ == "__main__":
    main()
