"""Gradients by hand against autodiff, entry by entry, on random networks in float64."""

import jax
import numpy as np

from mlpjax import activations, backprop, deep, losses
from mlpjax.layers import Dense
from tests.helpers import EPS_OF_SCALE, FAST_TO_COMPILE
from tests.reliability import _nets
from tests.reliability.experiments import Claim

TITLE = "Hand-written gradients against autodiff"
HOW = (
    "Random networks of 1 to 6 layers: any activation in any layer, any loss, labels or vectors as targets, with and "
    "without weights of examples, dropout and penalties. Every entry of `backprop.supervised`, and of "
    "`deep.supervised` where the widths are equal, is compared with `jax.grad` in float64. The unit is eps times the "
    "same sum with absolute values for its terms."
)
FULL, QUICK = 2000, 200


def errors(net):
    """Of the gradient by `backprop`, of that by `deep` (0 where it does not apply) and of the value; one program."""
    parts = dict(activation=net.activation, loss=net.loss, dropout_rate=net.dropout_rate, penalty=net.penalty)
    stackable = callable(net.activation) and len(net.params) > 1

    def gradients(params, batch, key, share):
        drawn, wrapped = net._replace(batch=batch, key=key), jax.random.wrap_key_data(key)
        oracle = jax.value_and_grad(_nets.risk, has_aux=True)(params, drawn, share)
        hand = backprop.supervised(**parts)(params, batch, wrapped)
        return oracle, hand, deep.supervised(**parts)(deep.stack(params), batch, wrapped) if stackable else None

    arguments = net.params, net.batch, net.key, _nets.shares(net)
    program = jax.jit(gradients).lower(*arguments).compile(compiler_options=FAST_TO_COMPILE)
    ((expected, (steps, prediction)), oracle), (value, grads), stacked = jax.device_get(program(*arguments))
    scale = _nets.scale(net, steps, prediction)
    of_stack = _nets.error_in_eps(unstacked(stacked[1]), oracle, scale) if stackable else 0.0
    of_value = abs(value - expected) / (abs(expected) + np.finfo(float).tiny) / np.finfo(float).eps
    return [_nets.error_in_eps(grads, oracle, scale), of_stack, float(of_value)], stackable


def unstacked(grads):
    """`deep.unstack`, in NumPy."""
    return (grads.first, *map(Dense, *grads.hidden), grads.last)


def pairs(net):
    """Which activations stand under which loss; families by their names, squares behind an activation as one."""
    sigmas = [net.activation] * (len(net.params) > 1) if callable(net.activation) else net.activation
    activated = net.loss.name.endswith("_squared_error") and net.loss not in losses.ALL
    loss = "activated" if activated else str(net.loss).partition("(")[0]
    return {(str(sigma).partition("(")[0], loss) for sigma in sigmas}


def measure(count, seed):
    """The largest errors, and the networks that have them."""
    rows, seen, stacks = [], set(), 0
    with jax.enable_x64(True):
        for i in range(count):
            net = _nets.draw(seed, i)
            error, stackable = errors(net)
            rows.append((np.nan_to_num(error, nan=np.inf), f"network {i}: {net}"))
            seen, stacks = seen | pairs(net), stacks + stackable
            if i % 100 == 99:
                jax.clear_caches()  # programs hold memory maps, of which a process may have 65,530
    table = np.array([error for error, _ in rows])
    worst = [rows[k][1] for k in table.argmax(0)]
    return {
        "networks": count,
        "stacked": stacks,
        "pairs": [len(seen), len(activations.ALL) * (len(losses.ALL) + 1)],
        "largest": dict(zip(("backprop", "deep", "value"), table.max(0).tolist(), strict=True)),
        "worst": dict(zip(("backprop", "deep", "value"), worst, strict=True)),
        "median": float(np.median(table[:, 0])),
        "beyond": [name for error, name in rows if error.max() > EPS_OF_SCALE][:20],
    }


def claims(found):
    """At most 16 eps of the scale."""
    largest, (seen, possible) = found["largest"], found["pairs"]
    nets, stacked = f"{found['networks']:,}", f"{found['stacked']:,}"
    return [
        Claim(
            f"`backprop`: every entry of the gradients of {nets} networks within {EPS_OF_SCALE} eps of scale",
            f"at most {largest['backprop']:.2g}, in the median {found['median']:.2g}",
            largest["backprop"] <= EPS_OF_SCALE,
        ),
        Claim(
            f"`deep`: the same for the {stacked} of them with equal widths",
            f"at most {largest['deep']:.2g}",
            found["stacked"] > 0 and largest["deep"] <= EPS_OF_SCALE,
        ),
        Claim(
            f"the loss itself within {EPS_OF_SCALE} eps of its value",
            f"at most {largest['value']:.2g}",
            largest["value"] <= EPS_OF_SCALE,
        ),
        Claim("every activation under every loss", f"{seen} of {possible} pairs", seen == possible),
    ]
