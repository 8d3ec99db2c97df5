"""What the section on the four remedies claims: bounds, factors, scale invariance, and the numbers it quotes."""

import functools
import json
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import remedies
from benchmarks.remedies import Remedies
from mlpjax import activations, initializers
from mlpjax.activations import relu, sigmoid, tanh
from mlpjax.layers import norm
from tests.helpers import FAST_TO_COMPILE, eps

BOOK = pathlib.Path(__file__).parents[2] / "docs" / "book"
RECORD = json.loads(remedies.TARGET.read_text("utf-8"))
NETWORKS = RECORD["networks"]
fast = functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)


@functools.partial(fast, static_argnums=0)
def variance_and_slope(activation):
    """Var σ(Z) and E σ′(Z)², by the midpoint rule."""
    z = jnp.linspace(-9.9995, 9.9995, 20_000)
    density = jnp.exp(-(z**2) / 2) / jnp.sqrt(2 * jnp.pi) / 1000
    a, slope = activation(z), activation.prime(z)
    return density @ a**2 - (density @ a) ** 2, density @ slope**2


@pytest.mark.ledger("VAN4")
def test_poincare(measured):
    """χ of a normalized layer is at least 1, and π/(π − 1) for ReLU."""
    chi = {sigma: float(np.divide(*variance_and_slope(sigma)[::-1])) for sigma in activations.ALL}
    assert min(chi.values()) > 1 - 1e-4 and chi[activations.identity] < 1 + 1e-4
    measured(abs(chi[relu] / (np.pi / (np.pi - 1)) - 1), 1e-4, oracle="π/(π − 1)")
    assert abs(chi[sigmoid] - 1.034) < 5e-4 and 5 < chi[sigmoid] ** 50 < 5.5 and 1.9e8 < chi[relu] ** 50 < 2.2e8


@pytest.mark.ledger("VAN4")
@pytest.mark.parametrize("activation", [sigmoid, relu, tanh], ids=str)
def test_factor_of_a_normalized_layer(activation, key, measured):
    """The errors of the pre-activations, from layer to layer, in a network of width 256."""
    n, depth = 256, 8
    kw, kx, kr = jax.random.split(key, 3)
    draw = lambda key: initializers.xavier_normal(key, (n, n))
    W = jax.vmap(draw)(jax.random.split(kw, depth))
    x, r = jax.random.normal(kx, (n, n)), jax.random.normal(kr, (n, n))

    def end(shift):
        def layer(a, turn):
            z, _ = norm.batch_apply(*norm.batch_init(n), a @ turn[0].T + turn[1], train=True)
            return activation(z), None

        return jnp.sum(jax.lax.scan(layer, x, (W, shift))[0] * r)

    delta = fast(jax.grad(end))(jnp.zeros((depth, n, n)))
    size = np.sqrt(np.mean(np.square(delta), (1, 2)))
    factors = (size[:-1] / size[1:])[1:]  # the first layer has inputs of another variance below it
    variance, slope = variance_and_slope(activation)
    expected = np.sqrt(slope / variance)
    error = np.exp(np.mean(np.log(factors))) / expected - 1
    measured(abs(error), 0.05, oracle="√(E σ′(Z)² / Var σ(Z))")


@pytest.mark.ledger("VAN4")
def test_gradient_is_orthogonal_to_normalized_weights(key, measured):
    """w·∇F = 0 for each unit, and ∇F(cw) = ∇F(w)/c."""
    W, x, r = jax.random.normal(key, (3, 6, 6))
    F = lambda W: jnp.sum(jnp.tanh(norm.batch_apply(*norm.batch_init(6), x @ W.T, train=True, epsilon=0.0)[0]) * r)
    g, scaled = fast(lambda: (jax.grad(F)(W), jax.grad(F)(W * 8)))()
    cosine = np.sum(g * W, 1) / np.linalg.norm(g, axis=1) / np.linalg.norm(W, axis=1)
    measured(np.abs(cosine).max(), 500 * eps(W.dtype), oracle="0")
    measured(np.abs(8 * scaled / g - 1).max(), 1e4 * eps(W.dtype), oracle="∇F(w)/c")


@pytest.mark.x64
@pytest.mark.ledger("VAN4")
def test_gradients_at_the_start():
    """In the experiment's network, in float64: nothing arrives at layer 1; with either of two remedies it does."""
    train, *_ = remedies.digits()
    batch = jax.tree.map(lambda v: v[:64], train)

    @functools.partial(fast, static_argnums=0)
    def norms(has):
        params, running = remedies.init(jax.random.key(0), has)
        return remedies.gradient_norms(has, params, running, batch)

    plain = norms(Remedies())
    assert 1e-65 < plain[0] < 1e-63
    for has in (Remedies(residual=True), Remedies(norm=True)):
        g = norms(has)
        assert 1e-3 < g[0] / g[-1] < 1e3
    exploding = norms(Remedies(relu=True, norm=True))
    assert exploding[0] > 1e7 * exploding[-1]


@pytest.mark.ledger("VAN4")
def test_a_fit_of_the_sigmoid_is_tanh(key, measured):
    """4 Q and −½ Σ W make of sigmoids the network of tanh units with orthogonal weights."""
    W = 4 * jax.vmap(lambda k: initializers.orthogonal(k, (16, 16), float))(jax.random.split(key, 10))
    z = jax.random.normal(key, (16,))
    by_sigmoid = by_tanh = z
    for layer in W:
        by_sigmoid = layer @ sigmoid(by_sigmoid) - layer.sum(1) / 2
        by_tanh = layer / 4 @ (2 * jnp.tanh(by_tanh / 2))
    measured(np.abs(by_sigmoid - by_tanh).max(), 1e4 * eps(z.dtype), oracle="2 Q tanh(z/2)")


@pytest.mark.ledger("VAN4")
def test_relu_brings_directions_together(key, measured):
    """The cosine behind a wide layer is f(c) = (√(1 − c²) + (π − arccos c) c)/π, which is at least c."""
    x = jax.random.normal(key, (2, 16))
    W = jax.random.normal(jax.random.fold_in(key, 1), (40_000, 16))
    cosine = lambda u, v: np.vdot(u, v) / np.linalg.norm(u) / np.linalg.norm(v)
    f = lambda c: (np.sqrt(1 - c**2) + (np.pi - np.arccos(c)) * c) / np.pi
    c = cosine(*np.float64(x))
    measured(abs(cosine(*np.float64(relu(x @ W.T))) / f(c) - 1), 0.02, oracle="Cho and Saul's f(c)")
    assert (f(np.linspace(-1, 1, 201)) >= np.linspace(-1, 1, 201) - 1e-12).all()


def median(*names):
    """Median test accuracies in whole percent."""
    return [round(100 * np.median(NETWORKS[name]["test"])) for name in names]


@pytest.mark.ledger("VAN4")
def test_the_page_quotes_the_record():
    """The numbers in the section's prose and in its small table."""
    texts = (page.read_text("utf-8") for page in BOOK.glob("*.md"))
    (page,) = (text for text in texts if '!!! row "VAN4"' in text)
    section = page[page.index("## Four remedies") :]
    assert list(NETWORKS) == [str(has) for has in remedies.ALL]
    assert RECORD["depth"] == 100 and RECORD["steps"] == 400
    assert median("none", "relu", "relu+norm", "relu+residual") == [10, 10, 10, 10]
    assert max(NETWORKS["none"]["test"]) < 0.11
    best = max(median(*NETWORKS))
    assert median("relu+residual+init") == [best] == [97] and "it does, to 97 %" in section
    assert "takes it to {} %, normalization to {} %".format(*median("residual", "norm")) in section
    slow = [round(100 * np.median(RECORD["longer"][name])) for name in ("init", "relu+init")]
    both = [*median("init", "relu+init"), *slow]
    assert "reach {} % in 400 steps and {} % in 1,600".format(*both[::2]) in section
    assert "reaches {} % in 400 steps and {} % in 1,600".format(*both[1::2]) in section
    assert "reach {} % without it".format(*median("norm+init")) in section
    others = ("residual+norm+init", "relu+norm+init", "relu+residual+init", "relu+residual+norm")
    row = "| " + " | ".join(f"{value} %" for value in median("relu+residual+norm+init", *others)) + " |"
    assert row in section and re.search(r"without ReLU \| without the identity", section)
