"""Where 1,000 trainings end that differ in the seed only, for narrow and wide networks (GD7).

    python -m benchmarks.landscape_seeds [--seeds 1000]

100 real digits of 8 × 8 pixels, averaged to 4 × 4; one hidden layer of tanh units; softmax cross-entropy and an L2
penalty on the weights. Full batches, Adam with a rate that falls to 0, all seeds in one program. The size of the
gradient at the end says how close to a stationary point the runs came. Writes 101 quantiles of the final risks to
docs/figures/data/landscape_seeds.json; takes about two minutes.
"""

import argparse
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.record import write
from mlpjax import initializers, losses, mlp, regularizers
from mlpjax.activations import tanh
from mlpjax.data import digits

EXAMPLES, WIDTHS, STEPS, PENALTY = 100, (1, 2, 4, 8, 16), 1500, 1e-3


def problem():
    """The regularized risk on the first digits."""
    x, y, _ = digits.load("train")
    x = x[:EXAMPLES].reshape(-1, 4, 2, 4, 2).mean((2, 4)).reshape(-1, 16) / digits.MAXIMUM
    penalty = regularizers.l2(PENALTY)

    def risk(params):
        z = jax.vmap(functools.partial(mlp.apply, activation=tanh), (None, 0))(params, x)
        return jnp.mean(jax.vmap(losses.softmax_cross_entropy.value)(z, y[:EXAMPLES])) + penalty(params)

    return risk


def run(risk, width, key):
    """The risk at the end, and the norm of its gradient there."""
    optimizer = optax.adam(optax.cosine_decay_schedule(0.05, STEPS))
    params = mlp.init(key, (16, width, 10), weight_init=initializers.xavier_normal)

    def step(carry, _):
        params, state = carry
        updates, state = optimizer.update(jax.grad(risk)(params), state)
        return (optax.apply_updates(params, updates), state), None

    (params, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), length=STEPS)
    value, grads = jax.value_and_grad(risk)(params)
    return value, optax.tree.norm(grads)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1000)
    seeds = parser.parse_args().seeds
    risk, rows = problem(), []
    for width in WIDTHS:
        keys = jax.random.split(jax.random.key(width), seeds)
        F, size = map(np.asarray, jax.jit(jax.vmap(functools.partial(run, risk, width)))(keys))
        quantiles = np.round(np.quantile(F, np.linspace(0, 1, 101)), 5).tolist()
        rows.append(dict(width=width, F=quantiles, gradient=float(np.quantile(size, 0.95))))
        print(f"width {width:2}: F {quantiles[0]:.4f} … {quantiles[50]:.4f} … {quantiles[99]:.4f}", flush=True)
    settings = dict(examples=EXAMPLES, steps=STEPS, penalty=PENALTY, seeds=seeds)
    write("landscape_seeds", **settings, rows=rows)


if __name__ == "__main__":
    main()
