"""The schedules of OPT4."""

import jax
import jax.numpy as jnp
import optax

from mlpjax.training import recipes

ALT = (
    "Eight small plots of the learning rate over a run of 100 steps: constant; step, which falls twice; "
    "exponential; cosine; a warm-up before a cosine; one cycle, up for a fifth and down again; "
    "and reduce on plateau, which halves when the loss, drawn faintly, has stopped falling."
)
T = 100


def plateau():
    """The factor of `reduce_on_plateau`, and a loss that falls to a floor as high as the rate allows."""
    optimizer = recipes.reduce_on_plateau(optax.sgd(1.0), factor=0.5, patience=8, rtol=0.02)

    def body(carry, _):
        loss, state = carry
        _, after = optimizer.update(jnp.zeros(()), state, jnp.zeros(()), value=loss)
        floor = 0.5 * after[1].scale
        return (floor + 0.8 * (loss - floor), after), (loss, after[1].scale)

    return jax.lax.scan(body, (jnp.ones(()), optimizer.init(jnp.zeros(()))), length=T)[1]


def draw(plt, C):
    """Two rows of curves on one scale."""
    schedules = {
        "constant": recipes.constant(1.0),
        "step": recipes.step_decay(1.0, every=34, factor=0.3),
        "exponential": recipes.exponential(1.0, every=50),
        "cosine": recipes.cosine(1.0, T),
        "warm-up, then constant": recipes.warm_up(recipes.constant(1.0), 15),
        "warm-up, then cosine": recipes.warm_up(recipes.cosine(1.0, T - 15), 15),
        "one cycle": recipes.one_cycle(1.0, T),
    }
    t = jnp.arange(T)
    curves = jax.jit(lambda t: [jnp.broadcast_to(jax.vmap(s)(t), T) for s in schedules.values()])(t)
    loss, factors = jax.jit(plateau)()
    fig, axes = plt.subplots(2, 4, figsize=(7, 3.0), sharex=True, sharey=True)
    for ax, name, curve in zip(axes.flat, [*schedules, "on plateau"], [*curves, factors], strict=True):
        ax.plot(t, curve, color=C[0], lw=1.8)
        ax.set_title(name, fontsize=8.5, loc="left")
        ax.set_xticks([0, 50, 100])
        ax.set_yticks([0, 1], ["0", r"$\eta$"])
        ax.grid(alpha=0.5, lw=0.5)
    axes[1, 3].plot(t, loss, color=C[1], lw=1, ls="--")
    axes[1, 3].text(9, 0.33, "loss", color=C[1], fontsize=8)
    axes[0, 0].set_ylim(-0.05, 1.12)
    return fig
