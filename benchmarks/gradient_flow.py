"""Gradient norms and saturation, layer by layer, while networks learn the digits (VAN3).

    python benchmarks/gradient_flow.py [--steps 4000] [--rate 0.5]

Networks of 20 layers, and a sigmoid network of 5. Widths 64, softmax with cross-entropy, SGD with momentum 0.9 on
batches of 64, float32. The norms of the gradients are recorded at every step by `gradflow.recorder`, averaged here
over windows; the rest is measured on 500 images by `gradflow.trace`. Writes docs/figures/data/gradient_flow.json.
"""

import argparse
import datetime
import functools
import json
import os
import pathlib
import platform

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import data, gradflow, initializers, losses, metrics, mlp, training
from mlpjax.activations import relu, sigmoid, tanh

TARGET = pathlib.Path(__file__).parents[1] / "docs" / "figures" / "data" / "gradient_flow.json"
LOSS, WIDTH = losses.softmax_cross_entropy, 64
NETS = {
    "sigmoid, 20 layers": (20, sigmoid, initializers.xavier_normal),
    "sigmoid, 5 layers": (5, sigmoid, initializers.xavier_normal),
    "tanh, 20 layers": (20, tanh, initializers.xavier_normal),
    "relu, 20 layers": (20, relu, initializers.he_normal),
}


def digits(split):
    x, y, _ = data.digits.load(split)
    return data.Dataset(x / data.digits.MAXIMUM, y)


def train(name, steps, rate, looks):
    layers, activation, weight_init = NETS[name]
    apply = functools.partial(mlp.apply, activation=activation)
    params = mlp.init(jax.random.key(0), (64, *[WIDTH] * (layers - 1), 10), weight_init=weight_init)
    optimizer = optax.chain(gradflow.recorder(steps), optax.sgd(rate, momentum=0.9))
    state = training.start(jax.random.key(1), params, optimizer=optimizer)
    objective, train_set, test_set = training.supervised(apply, LOSS), digits("train"), digits("test")
    probe = jax.tree.map(lambda v: v[:500], train_set)
    every = steps // looks

    def look(state, _):
        flow = gradflow.trace(state.params, probe.x, probe.y, activation=activation, loss=LOSS)
        moved = jax.tree.map(lambda new, old: gradflow.norms(new - old) / gradflow.norms(old), *(
            [layer.W for layer in tree] for tree in (state.params, params)))
        loss = training.evaluate(state.params, train_set, objective=objective)["loss"]
        seen = flow, jnp.stack(moved), loss
        state, _ = training.run(
            state, train_set, objective=objective, optimizer=optimizer, steps=every, batch_size=64
        )
        return state, seen

    state, (flow, moved, loss) = jax.jit(lambda state: jax.lax.scan(look, state, length=looks))(state)
    accuracy = metrics.accuracy(jax.vmap(apply, (None, 0))(state.params, test_set.x), test_set.y)
    norms = np.stack([layer.W for layer in gradflow.recorded(state)])  # layers × steps
    return state, params, flow, moved, loss, accuracy, norms

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--nets", nargs="+", default=list(NETS))
    a = parser.parse_args()
    import time
    for name in a.nets:
        t=time.time()
        state, params, flow, moved, loss, acc, norms = train(name, a.steps, a.rate, 40)
        print(name, "acc", acc, "time", time.time()-t, int(state.stop_state.first_bad_step))
        print(" loss", np.round(np.asarray(loss),3)[::4])
        for l in range(len(norms)):
            print("  layer", l+1, "W", [f"{v:.1e}" for v in norms[l, ::a.steps//8]], "moved", f"{moved[-1,l]:.1e}", "flat", flow.flat[[0,-1], l] if l< len(norms)-1 else "", "dead", flow.dead[[0,-1], l] if l < len(norms)-1 else "")
if __name__ == "__main__":
    main()
