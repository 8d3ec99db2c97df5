"""Noise of mini-batch gradients on the digits against the batch size."""

import jax
import jax.numpy as jnp
import numpy as np

from mlpjax import data, losses, mlp
from mlpjax.theory import convex

ALT = (
    "Noise relative to the full gradient against the batch size from 1 to 1438, both logarithmic. With replacement it "
    "falls along a straight line of slope minus one half. Without, it follows this line and then drops to zero at "
    "1438. Measured dots lie on both curves."
)


def gradients():
    """One row of parameters for each digit."""
    x, y, _ = data.digits.load("train")
    params = mlp.init(jax.random.key(0), (64, 16, 10))
    one = jax.grad(lambda p, x, y: losses.softmax_cross_entropy.value(mlp.apply(p, x), y))
    tree = jax.jit(jax.vmap(one, (None, 0, 0)))(params, x / data.digits.MAXIMUM, y)
    return jnp.concatenate([g.reshape(len(y), -1) for g in jax.tree.leaves(tree)], axis=1)


@jax.jit
def sampled(off, key, batch, replacement):
    """Root mean square over 200 batches; `off` are the gradients less their mean."""
    n = len(off)

    def weights(key):
        chosen = jnp.where(replacement, jax.random.randint(key, (n,), 0, n), jax.random.permutation(key, n))
        return jnp.zeros(n).at[chosen].add((jnp.arange(n) < batch) / batch)

    return jnp.sqrt(jnp.mean(jnp.sum((jax.vmap(weights)(jax.random.split(key, 200)) @ off) ** 2, axis=1)))


def draw(plt, C):
    g = gradients()
    n, full = len(g), float(jnp.linalg.norm(g.mean(0)))
    off = g - g.mean(0)
    fig, ax = plt.subplots(figsize=(6, 3.2))
    one = float(convex.batch_noise(g, 1)) / full
    line = np.geomspace(1, n - 0.5, 200)
    ax.loglog(line, one / np.sqrt(line), color=C[1], lw=1.6)
    ax.loglog(line, one / np.sqrt(line) * np.sqrt((n - line) / (n - 1)), color=C[0], lw=1.6)
    for batch in (1, 4, 16, 64, 256, 1024, 1400):
        for replacement, color, marker in ((True, 1, "o"), (False, 0, "s")):
            noise = float(sampled(off, jax.random.key(batch), batch, replacement)) / full
            ax.loglog(batch, noise, marker, color=C[color], ms=5)
    ax.axhline(1, color=C.faint, lw=1)
    ax.text(1.1, 1.07, "length of the full gradient", fontsize=8.5, va="bottom")
    ax.text(330, 0.32, "with\nreplacement", color=C[1], fontsize=9.5)
    ax.text(280, 0.045, "without", color=C[0], fontsize=9.5)
    ax.set(xlabel="batch size $B$", ylabel="noise / full gradient", xlim=(0.9, 2200), ylim=(0.02, 8))
    ax.set_xticks([1, 4, 16, 64, 256, n], ["1", "4", "16", "64", "256", f"{n}"])
    ax.minorticks_off()
    return fig
