"""BP10: the adjoint of a chain, by which the page says what all of its authors found, is BP2."""

import pathlib
import re

import jax
import jax.numpy as jnp
import pytest

from mlpjax import backprop, losses, mlp
from mlpjax.activations import tanh

ROOT = pathlib.Path(__file__).parents[2]


def adjoints(steps, x, terminal):
    """λ_t of x_{t+1} = f_t(x_t): all states forward, all adjoints backward."""
    states = [x]
    for f in steps:
        states.append(f(states[-1]))
    found = [terminal(states[-1])]
    for f, x in zip(reversed(steps), reversed(states[:-1]), strict=True):
        found.append(jax.jacfwd(f)(x).T @ found[-1])
    return states, found[::-1]


@pytest.mark.ledger("BP10")
def test_the_adjoint_of_a_network_is_its_error(key, measured):
    params = mlp.init(key, (3, 5, 4, 2))
    x, y = jnp.asarray([0.3, -1.0, 2.0]), jnp.asarray([1.0, -0.5])
    loss = losses.half_squared_error
    steps = [lambda z, layer=layer: layer.W @ tanh(z) + layer.b for layer in params[1:]]
    first = params[0].W @ x + params[0].b
    states, found = adjoints(steps, first, lambda z: z - y)
    _, grads = backprop.value_and_grad(params, x[None], y[None], activation=tanh, loss=loss)
    error = max(float(jnp.abs(f - g.b).max() / jnp.abs(g.b).max()) for f, g in zip(found, grads, strict=True))
    one = backprop.bp2(params[2].W, found[2], states[1], activation=tanh)
    error = max(error, float(jnp.abs(one - found[1]).max() / jnp.abs(found[1]).max()))
    measured(error, 1e-14 if x.dtype == jnp.float64 else 1e-5, oracle="transposed Jacobians of the steps by jax.jacfwd")


def test_the_timeline_is_in_order_and_every_name_is_in_the_sources():
    page = (ROOT / "docs" / "book" / "history.md").read_text("utf-8")
    sources = page[page.index("## Sources") :]
    scope = {}
    exec((ROOT / "docs" / "figures" / "history_timeline.py").read_text("utf-8"), scope)
    years = [year for year, _, _ in scope["EVENTS"]]
    assert years == sorted(years)
    for year, _, text in scope["EVENTS"]:
        for name in re.findall(r"[A-ZŠ][\w-]+", text.split(":")[0].split(" on ")[0]):
            if name != "Adam":
                assert re.search(rf"{name}[^\n]*(?:\n[^-\n][^\n]*)*\(?{year}", sources), (year, name)
