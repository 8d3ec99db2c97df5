"""What the output neuron sees: the four dishes in the coordinates of the hidden units, for two pairs (LAY2)."""

import jax
import numpy as np

from docs.figures._dishes import dishes, square
from mlpjax import data, mlp, neuron
from mlpjax.theory import gates

ALT = (
    "Three squares. First the four dishes with the lines of the OR unit and the AND unit; the liked dishes lie between "
    "the lines. Second, in the coordinates of one unit for each flavor the dishes stand at the four corners as before. "
    "Third, in the coordinates of OR and AND the two liked dishes fall on one point, and a line separates it from the "
    "others."
)


def flavor(i):
    """A unit that looks at one input only."""
    return neuron.Neuron(np.eye(2, dtype="float32")[i], np.float32(-0.5))


def hidden(params):
    x = data.toy.xor().x
    return np.asarray(jax.vmap(lambda x: mlp.trace(params, x, activation=neuron.heaviside).a[1])(x))


def draw(plt, C):
    fig, axes = plt.subplots(1, 3, figsize=(7, 2.7))
    ends = np.array([-0.42, 1.42])
    for b, color, name, at in ((-0.5, C[3], "OR", (-0.2, 0.32)), (-1.5, C[2], "AND", (1.2, 0.72))):
        axes[0].plot(ends, -b - ends, color=color, lw=1.8)
        axes[0].text(*at, name, color=color, fontsize=10, ha="center", va="center")
    axes[0].fill_between(ends, 0.5 - ends, 1.5 - ends, color=C[0], alpha=0.12, lw=0)
    dishes(axes[0], C, names=False)
    square(axes[0], "sweet", "spicy")
    axes[0].set_title("inputs", fontsize=10)
    dishes(axes[1], C, hidden(gates.network([flavor(0), flavor(1)], neuron.or_gate())), names=False)
    square(axes[1], "sweet cook", "spicy cook")
    axes[1].set_title("one cook per flavor", fontsize=10)
    third, (v, c) = axes[2], gates.xor()[1]
    (v1, v2), c = np.asarray(v)[0], float(c[0])
    third.plot(ends, -(v1 * ends + c) / v2, color=C[0], lw=1.8)
    third.fill_between(ends, -0.42, -(v1 * ends + c) / v2, color=C[0], alpha=0.12, lw=0)
    dishes(third, C, hidden(gates.xor()), names=False)
    third.text(1.12, 0, "2×", va="center", fontsize=11)
    square(third, "OR", "AND")
    third.set_title("OR and AND", fontsize=10)
    return fig
