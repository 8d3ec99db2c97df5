"""Critical points of a small network's loss, and the signs of their Hessians (GD4).

    python -m benchmarks.landscape_critical [--starts 1000]

A 2-4-1 tanh network, 17 parameters, squared error on 30 points with random labels, weight decay. From random
parameters, some steps of gradient descent lead to the place where a search for a zero of the gradient begins:
Levenberg and Marquardt's method on |∇F|², in float64. It does not ask whether F falls, so it finds saddles as well as
minima. Points of equal loss are copies of each other under the symmetries, and are counted once. Writes
docs/figures/data/landscape_critical.json; takes about two minutes.
"""

import argparse
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from benchmarks.record import write
from mlpjax import derivatives, mlp
from mlpjax.activations import tanh

SIZES, POINTS, DECAY, RATE = (2, 4, 1), 30, 1e-3, 0.1
DESCENT = (0, 100, 1000, 10000)


def problem():
    """F as a function of θ, a vector, and the function that makes parameters of θ."""
    k1, k2 = jax.random.split(jax.random.key(0))
    x, y = jax.random.normal(k1, (POINTS, SIZES[0])), jax.random.normal(k2, (POINTS,))
    _, unravel = ravel_pytree(mlp.init(k1, SIZES))

    def risk(theta):
        z = jax.vmap(functools.partial(mlp.apply, activation=tanh), (None, 0))(unravel(theta), x)
        return jnp.mean((z[:, 0] - y) ** 2) / 2 + DECAY / 2 * jnp.sum(theta**2)

    return risk, unravel


def search(risk, theta, steps=300):
    """A zero of the gradient near θ: minimize |∇F|² with damping that adapts, then two steps of Newton."""
    gradient, hessian = jax.grad(risk), functools.partial(derivatives.hessian, risk)
    newton = lambda theta: theta - jnp.linalg.solve(hessian(theta), gradient(theta))

    def step(carry, _):
        theta, damping = carry
        g, H = gradient(theta), hessian(theta)
        new = theta - jnp.linalg.solve(H @ H + damping * jnp.eye(theta.size), H @ g)
        better = jnp.sum(gradient(new) ** 2) < jnp.sum(g**2)
        return (jnp.where(better, new, theta), jnp.where(better, damping / 4, damping * 3)), None

    (theta, _), _ = jax.lax.scan(step, (theta, jnp.asarray(1e-2)), length=steps)
    return newton(newton(theta))


def find(risk, descent, key):
    """One critical point: θ, F, ‖∇F‖ and the eigenvalues of the Hessian."""
    theta = jax.random.normal(key, (sum(m * (n + 1) for n, m in itertools.pairwise(SIZES)),))
    down = lambda theta, _: (theta - RATE * jax.grad(risk)(theta), None)
    theta = search(risk, jax.lax.scan(down, theta, length=descent)[0])
    gradient, H = jax.grad(risk)(theta), derivatives.hessian(risk, theta)
    return theta, risk(theta), jnp.linalg.norm(gradient), jnp.linalg.eigvalsh(H)


def distinct(theta, F, size, values):
    """What was found: converged, nondegenerate, once for each loss, by increasing loss; θ of one in ten, to check."""
    kept = (size < 1e-10) & (np.abs(theta).max(1) < 100) & (np.abs(values).min(1) > 1e-6)
    theta, F, index = theta[kept], F[kept], (values[kept] < 0).sum(1)
    _, first = np.unique(np.round(F, 8), return_index=True)
    samples = [dict(F=F[i], index=int(index[i]), theta=np.round(theta[i], 5).tolist()) for i in first[::10]]
    return dict(
        converged=int(kept.sum()), F=np.round(F[first], 8).tolist(), index=index[first].tolist(), samples=samples
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=1000, help="for each length of the descent")
    starts = parser.parse_args().starts
    jax.config.update("jax_enable_x64", True)
    risk, _ = problem()
    runs = []
    for descent in DESCENT:
        keys = jax.random.split(jax.random.key(descent), starts)
        found = jax.jit(jax.vmap(functools.partial(find, risk, descent)))(keys)
        runs.append(dict(descent=descent, **distinct(*map(np.asarray, found))))
        converged, index = runs[-1]["converged"], np.bincount(runs[-1]["index"])
        print(f"after {descent:5} steps: {converged} of {starts} converged, {index.sum()} distinct; by index {index}")
    write("landscape_critical", sizes=SIZES, points=POINTS, decay=DECAY, rate=RATE, starts=starts, runs=runs)


if __name__ == "__main__":
    main()
