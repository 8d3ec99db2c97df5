"""Gradient norms and flat units, layer by layer, while networks of 20 layers learn the digits (VAN3).

    python benchmarks/gradient_flow.py [--steps 2000]

Widths 64, softmax with cross-entropy, SGD with momentum 0.9 on batches of 64, float32. `gradflow.recorder` keeps the
norm of each layer's gradient at every step; their geometric means over 40 equal parts of the run are written down, with
what `gradflow.trace` sees on 500 images at the beginning of each part. Writes docs/figures/data/gradient_flow.json.
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
LOSS, WIDTH, LAYERS, PARTS = losses.softmax_cross_entropy, 64, 20, 40
NETS = {  # activation, weights, learning rate
    "sigmoid": (sigmoid, initializers.xavier_normal, 0.1),
    "tanh, rate 0.1": (tanh, initializers.xavier_normal, 0.1),
    "tanh": (tanh, initializers.xavier_normal, 0.01),
    "relu": (relu, initializers.he_normal, 0.01),
}
BROKEN = {"relu, rate 0.1": (relu, initializers.he_normal, 0.1)}


def digits(split):
    """Pixels from 0 to 1."""
    x, y, _ = data.digits.load(split)
    return data.Dataset(x / data.digits.MAXIMUM, y)


def train(name, steps):
    """A run, looked at before each of its parts: final state, flows, losses."""
    activation, weight_init, rate = (NETS | BROKEN)[name]
    apply = functools.partial(mlp.apply, activation=activation)
    objective, digit = training.supervised(apply, LOSS), digits("train")
    params = mlp.init(jax.random.key(0), (64, *[WIDTH] * (LAYERS - 1), 10), weight_init=weight_init)
    optimizer = optax.chain(gradflow.recorder(steps), optax.sgd(rate, momentum=0.9))
    settings = dict(objective=objective, optimizer=optimizer, steps=steps // PARTS, batch_size=64)

    def part(state, _):
        flow = gradflow.trace(state.params, digit.x[:500], digit.y[:500], activation=activation, loss=LOSS)
        loss = training.evaluate(state.params, digit, objective=objective)["loss"]
        return training.run(state, digit, **settings)[0], (flow, loss)

    state = training.start(jax.random.key(1), params, optimizer=optimizer)
    return jax.jit(lambda state: jax.lax.scan(part, state, length=PARTS))(state), params


def measure(name, steps):
    """What the figures and the page show of one network."""
    activation, _, rate = NETS[name]
    ((state, (flow, loss)), before), test = train(name, steps), digits("test")
    norms = np.stack([layer.W for layer in gradflow.recorded(state)])
    logs = np.log10(np.maximum(norms, 1e-45)).reshape(LAYERS, PARTS, -1).mean(-1)
    pairs = list(zip(state.params, before, strict=True))
    moved = [float(gradflow.norms(new.W - old.W) / gradflow.norms(old.W)) for new, old in pairs]
    changed = [float(jnp.mean(new.W != old.W)) for new, old in pairs]
    z = jax.vmap(functools.partial(mlp.apply, activation=activation), (None, 0))(state.params, test.x)
    rounded = lambda v, digits: np.round(np.asarray(v, float), digits).tolist()
    return dict(
        activation=activation.name,
        rate=rate,
        log10_norms=rounded(logs, 2),
        first=[float(f"{v:.3g}") for v in norms[:, 0]],
        flat=rounded(flow.flat.T, 3),
        dead=rounded(flow.dead.T, 3),
        loss=rounded(loss, 4),
        moved=[float(f"{v:.2g}") for v in moved],
        changed=rounded(changed, 4),
        accuracy=round(float(metrics.accuracy(z, test.y)), 4),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000, help=f"a multiple of {PARTS}")
    steps = parser.parse_args().steps
    nets = {}
    for name in NETS:
        nets[name] = found = measure(name, steps)
        print(f"{name}: loss {found['loss'][-1]}, accuracy {found['accuracy']}, layer 1 moved by {found['moved'][0]}")
    broke = {name: int(train(name, steps)[0][0].stop_state.first_bad_step) for name in BROKEN}
    print("first step that is not finite:", broke)
    machine = dict(machine=platform.machine(), jax=jax.__version__, python=platform.python_version())
    settings = dict(steps=steps, layers=LAYERS, width=WIDTH, batch=64, momentum=0.9, dtype="float32")
    found = dict(date=datetime.date.today().isoformat(), **machine, **settings, nets=nets, broke=broke)
    TARGET.write_text(json.dumps(found) + "\n")
    print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
