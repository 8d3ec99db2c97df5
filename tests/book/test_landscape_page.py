"""What the chapter on the landscape of a loss claims beyond the functions, and the numbers it prints."""

import functools
import itertools
import json
import math
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from benchmarks import landscape_critical, landscape_seeds, landscape_width
from benchmarks.backprop_cost import multiply_adds
from mlpjax import derivatives, losses, mlp
from mlpjax.activations import relu, sigmoid, tanh
from mlpjax.layers import Dense
from mlpjax.theory import symmetries
from tests.helpers import eps, tolerance

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs" / "book" / "landscape.md"


def record(name):
    return json.loads((ROOT / "docs" / "figures" / "data" / f"landscape_{name}.json").read_text("utf-8"))


def table(header):
    """The cells of the page's table whose header begins with these words."""
    lines = PAGE.read_text("utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {header}"))
    body = (line for line in lines[start + 2 :])
    rows = []
    while (line := next(body)).startswith("|"):
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def outputs(params, x, activation=tanh):
    return jax.vmap(functools.partial(mlp.apply, activation=activation), (None, 0))(params, x)


# convexity


@pytest.mark.ledger("GD4")
def test_curvature_of_one_weight(measured):
    """L″ = sech² a (1 − 3 tanh² a), zero at artanh(1/√3) = 0.658."""
    a = jnp.linspace(-3.0, 3.0, 301)
    network = lambda a: (Dense(a.reshape(1, 1), jnp.zeros(1)), Dense(jnp.ones((1, 1)), jnp.zeros(1)))
    loss = lambda a: losses.half_squared_error(mlp.apply(network(a), jnp.ones(1), activation=tanh), jnp.zeros(1))
    second = np.asarray(jax.jit(jax.vmap(jax.grad(jax.grad(loss))))(a))
    t = np.tanh(np.asarray(a, np.float64))
    closed = (1 - t**2) * (1 - 3 * t**2)
    measured(np.abs(second - closed).max() / np.abs(closed).max(), tolerance(a.dtype), oracle="sech² a (1 − 3 tanh² a)")
    bend = np.arctanh(1 / np.sqrt(3))
    assert np.round(bend, 3) == 0.658
    assert (second[np.abs(a) < bend - 0.01] > 0).all() and (second[np.abs(a) > bend + 0.01] < 0).all()


@pytest.mark.ledger("GD4")
@pytest.mark.parametrize("activation", [tanh, relu, sigmoid], ids=str)
def test_averages_of_copies_do_less(activation, key):
    """Of sign flips: a constant. Of cyclic shifts: identical units. So a convex loss would need neither."""
    params, x = mlp.init(key, (3, 5, 4, 2)), jax.random.normal(key, (8, 3))

    @jax.jit
    def look(params):
        mean = lambda copies: jax.tree.map(lambda *leaves: sum(leaves) / len(copies), *copies)
        flipped = mean([params, symmetries.flip_signs(params, 2, -jnp.ones(4))])
        middle = mean([symmetries.permute(params, 1, (jnp.arange(5) + k) % 5) for k in range(5)])
        first = Dense(middle[0].W[:1], middle[0].b[:1])
        one = (first, Dense(middle[1].W.sum(1, keepdims=True), middle[1].b), middle[2])
        return outputs(flipped, x, activation), outputs(middle, x, activation), outputs(one, x, activation)

    flipped, middle, one = map(np.asarray, look(params))
    assert activation != tanh or (flipped == np.asarray(params[-1].b)).all()
    np.testing.assert_allclose(middle, one, atol=64 * eps(x.dtype))


# saddles


def embedded(one, share):
    """One unit as two, with shares of its output weight."""
    (w, b), (v, c) = one
    outgoing = jnp.concatenate([share * v, (1 - share) * v], axis=1)
    return (Dense(jnp.tile(w, (2, 1)), jnp.tile(b, 2)), Dense(outgoing, c))


@pytest.mark.x64
@pytest.mark.ledger("GD4")
def test_a_minimum_of_one_unit_is_a_line_of_saddles_of_two(measured):
    """The gradient stays zero; the curvature along (1−λ)d, −λd is λ(1−λ) dᵀAd; here A is indefinite."""
    x = jnp.linspace(-2, 2, 20)[:, None]
    y = jnp.sin(2 * x) + x / 2
    fit = lambda params: jnp.mean((outputs(params, x) - y) ** 2) / 2
    theta, unravel = ravel_pytree((Dense(jnp.ones((1, 1)), jnp.zeros(1)), Dense(jnp.ones((1, 1)), jnp.zeros(1))))
    of = lambda theta: fit(unravel(theta))
    newton = lambda t, _: (t - jnp.linalg.solve(derivatives.hessian(of, t), jax.grad(of)(t)), None)
    d = jnp.asarray([0.3, -0.8])  # of the weight, of the bias

    @jax.jit
    def look(theta, shares):
        theta = jax.lax.scan(lambda t, _: (t - 0.5 * jax.grad(of)(t), None), theta, length=1000)[0]
        one = unravel(jax.lax.scan(newton, theta, length=6)[0])
        pre = x @ one[0].W.T + one[0].b[None]
        bend = -2 * jnp.tanh(pre) * (1 - jnp.tanh(pre) ** 2)
        tilde = jnp.concatenate([x, jnp.ones_like(x)], axis=1)
        A = ((outputs(one, x) - y) * one[1].W * bend * tilde).T @ tilde / 20

        def at(share):
            two = embedded(one, share)
            v = jax.tree.map(jnp.zeros_like, two)
            sides = jnp.stack([1 - share, -share])
            v = (Dense(sides[:, None] * d[None, :1], sides * d[1]), v[1])
            along = ravel_pytree(v)[0] @ ravel_pytree(derivatives.hvp(fit, two, v))[0]
            spectrum = jnp.linalg.eigvalsh(derivatives.hessian(fit, two))
            return fit(two), jnp.linalg.norm(ravel_pytree(jax.grad(fit)(two))[0]), spectrum, along

        return fit(one), jnp.linalg.eigvalsh(derivatives.hessian(fit, one)), A, jax.vmap(at)(shares)

    shares = jnp.asarray([-1.0, 0.0, 0.25, 0.5, 1.0, 2.0])
    least, before, A, (F, size, after, along) = jax.tree.map(np.asarray, look(theta, shares))
    assert before.min() > 1e-3 and np.linalg.eigvalsh(A).min() < -1e-3 < 1e-3 < np.linalg.eigvalsh(A).max()
    assert np.abs(F - least).max() < 1e-14 and size.max() < 1e-13
    inside = np.asarray([0, 2, 3, 5])  # neither 0 nor 1
    assert (after[inside, 0] < -1e-4).all() and (np.abs(after).min(1) < 1e-12).all()
    expected = np.asarray(shares * (1 - shares)) * (np.asarray(d) @ A @ np.asarray(d))
    measured(np.abs(along - expected).max() / np.abs(expected).max(), 1e-11, oracle="λ(1−λ) dᵀAd, by hand")


@pytest.mark.x64
@pytest.mark.ledger("GD4")
def test_the_census(measured):
    """A tenth of the points, polished by Newton's method: gradient zero, loss and index as recorded."""
    samples = [sample for run in record("critical")["runs"] for sample in run["samples"]]
    risk, _ = landscape_critical.problem()
    newton = lambda t, _: (t - jnp.linalg.solve(derivatives.hessian(risk, t), jax.grad(risk)(t)), None)

    @jax.jit
    @jax.vmap
    def look(theta):
        theta = jax.lax.scan(newton, theta, length=4)[0]
        values = jnp.linalg.eigvalsh(derivatives.hessian(risk, theta))
        return risk(theta), jnp.linalg.norm(jax.grad(risk)(theta)), jnp.sum(values < 0)

    F, size, index = look(jnp.asarray([sample["theta"] for sample in samples]))
    assert len(samples) > 50 and float(size.max()) < 1e-10
    assert index.tolist() == [sample["index"] for sample in samples]
    expected = np.asarray([sample["F"] for sample in samples])
    measured(np.abs(np.asarray(F) / expected - 1).max(), 1e-9, oracle="the loss recorded by the search")


@pytest.mark.ledger("GD4")
def test_the_table_of_the_census():
    runs = record("critical")["runs"]
    every = sorted({(F, i) for run in runs for F, i in zip(run["F"], run["index"], strict=True)})
    rows = [[run["converged"], len(run["F"]), *np.bincount(run["index"], minlength=7)] for run in runs]
    F, index = np.asarray(every).T
    printed = table("search begins after")
    assert [[int(cell) for cell in row[1:]] for row in printed[:-1]] == rows
    assert [int(cell) for cell in printed[-1][2:]] == [len(every), *np.bincount(index.astype(int))]
    assert round(np.corrcoef(F, index)[0, 1], 2) == 0.86 and index.max() <= 17 - 5
    assert abs(np.mean(F[index > 0] > F[index == 0].max()) - 2 / 3) < 0.01
    assert abs(np.mean(index == 0) - 0.1) < 0.01


@pytest.mark.ledger("GD4")
def test_no_more_negative_eigenvalues_than_parameters_before_the_last_layer(key):
    """F is convex in the last layer, so its p_L dimensions have no negative curvature."""
    x, y = jax.random.normal(key, (12, 2)), jax.random.normal(key, (12, 1)) * 3
    params = mlp.init(key, (2, 3, 1))
    theta, unravel = ravel_pytree(params)
    risk = lambda theta: jnp.mean((outputs(unravel(theta), x) - y) ** 2)
    spectrum = jax.jit(jax.vmap(lambda t: jnp.linalg.eigvalsh(derivatives.hessian(risk, t))))
    values = spectrum(2 * jax.random.normal(key, (300, theta.size), theta.dtype))
    index = jnp.sum(values < -1e-4, axis=1)
    assert 4 <= int(index.max()) <= theta.size - 4


# products


@pytest.mark.ledger("GD6")
@pytest.mark.parametrize("sizes", [(64, 16, 10), (24, 24, 24, 24, 24)], ids=str)
def test_the_count_of_a_product(sizes, measured):
    """Gradient 3S − c₁, tangents 6S − 4c₁, exactly; the compiled product (8 − 5ρ)/(3 − ρ) gradients, up to σ."""
    n, params = 256, mlp.init(jax.random.key(0), sizes)
    x, y = jnp.ones((n, sizes[0])), jnp.zeros(n, jnp.int32)
    risk = lambda p: jnp.mean(jax.vmap(losses.softmax_cross_entropy.value)(outputs(p, x), y))
    c = [m * k for m, k in itertools.pairwise(sizes)]
    S, first = sum(c), c[0]
    assert multiply_adds(jax.grad(risk), params) == n * (3 * S - first)
    tangents = jax.linearize(jax.grad(risk), params)[1]
    assert multiply_adds(tangents, params) == n * (6 * S - 4 * first)
    product = functools.partial(derivatives.hvp, risk)
    flops = [
        jax.jit(f).lower(*args).compile().cost_analysis()["flops"]
        for f, args in ((jax.grad(risk), (params,)), (product, (params, params)))
    ]
    ratio = (8 * S - 5 * first) / (3 * S - first)
    assert 1.5 <= ratio < 8 / 3
    measured(abs(flops[1] / flops[0] / ratio - 1), 0.08, oracle="(8 − 5ρ)/(3 − ρ), without elementwise operations")


@pytest.mark.ledger("GD6")
def test_the_table_of_products():
    """Memory from p², ratios from the record."""
    assert 4 * 117_000_000**2 == int(5.4756e16) and round(4 * 101_770**2 / 1e9) == 41
    for row, cells in zip(record("hvp")["rows"], table("network"), strict=True):
        p, memory = row["parameters"], 4 * row["parameters"] ** 2
        written = f"{memory / 1e12:.1f} TB" if memory > 1e12 else f"{memory / 1e9:.0f} GB"
        ratios = [f"{row[what]['product'] / row[what]['gradient']:.2f}" for what in ("flops", "seconds")]
        assert cells[1:] == [f"{p:,}", written, *ratios]


@pytest.mark.ledger("GD6")
def test_the_edge_of_stability(measured):
    """Over the last thousand steps the greatest eigenvalue is 2/η."""
    data = record("edge")
    last = 1000 // data["every"]
    ratios = [np.asarray(run["greatest"][-last:]) * run["rate"] / 2 for run in data["runs"]]
    assert np.abs(np.asarray(ratios) - 1).max() < 0.03  # as the page says
    measured(abs(np.mean(ratios) - 1), 0.02, oracle="mean of the greatest eigenvalue, against 2/η")
    assert all(run["F"][-1] < run["F"][len(run["F"]) // 2] for run in data["runs"])


# minima


@pytest.mark.ledger("GD7")
def test_the_table_of_seeds():
    for row, cells in zip(record("seeds")["rows"], table("hidden units"), strict=True):
        best, median, most = (row["F"][k] for k in (0, 50, 99))
        assert cells == [
            str(row["width"]),
            *(f"{F:.3f}" for F in (best, median, most)),
            f"{100 * (most / best - 1):.1f} %",
        ]


@pytest.mark.nightly
@pytest.mark.ledger("GD7")
def test_wide_networks_end_alike(monkeypatch, measured):
    """A shorter run of fewer seeds: the relative spread at width 16 is a small part of that at width 2."""
    monkeypatch.setattr(landscape_seeds, "STEPS", 300)
    risk, spread = landscape_seeds.problem(), {}
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        for width in (2, 16):
            run = jax.jit(jax.vmap(functools.partial(landscape_seeds.run, risk, width)))
            F = np.asarray(run(jax.random.split(jax.random.key(0), 20))[0])
            spread[width] = F.std() / F.min()
    measured(spread[16] / spread[2], 0.4, oracle="spread at width 2")


# width


@pytest.mark.x64
@pytest.mark.ledger("GD9")
def test_as_many_units_as_examples_fit_any_labels(measured):
    """ReLU units with thresholds between the projections: a triangular system."""
    N = 12
    rng = np.random.default_rng(0)
    x, y, u = rng.normal(size=(N, 4)), rng.normal(size=N), rng.normal(size=4)
    x = x[np.argsort(x @ u)]
    s = x @ u
    thresholds = np.append(s[0] - 1, (s[1:] + s[:-1]) / 2)
    Phi = np.maximum(s[:, None] - thresholds[None], 0)
    assert (np.triu(Phi, 1) == 0).all() and (np.diag(Phi) > 0).all()
    first = Dense(jnp.tile(jnp.asarray(u), (N, 1)), jnp.asarray(-thresholds))
    last = Dense(jnp.asarray(np.linalg.solve(Phi, y))[None], jnp.zeros(1))
    fitted = np.asarray(jax.jit(functools.partial(outputs, activation=relu))((first, last), jnp.asarray(x)))[:, 0]
    measured(np.abs(fitted - y).max() / np.abs(y).max(), 1e-9, oracle="the labels themselves")


@pytest.mark.x64
@pytest.mark.ledger("GD9")
def test_random_tanh_units_have_full_rank_and_then_the_gradient_bounds_the_loss(key, measured):
    """‖∇F‖ ≥ σ_min(Φ) ‖r‖/N: no bad critical point where Φ has rank N; a unit less, and there is no such bound."""
    N = 20
    x, y = jax.random.normal(key, (N, 5)), jax.random.normal(jax.random.key(1), (N, 1))
    params = mlp.init(key, (5, N, 1))
    risk = lambda last: jnp.mean((outputs((params[0], last), x) - y) ** 2) / 2
    g, z = jax.jit(lambda last: (jax.grad(risk)(last), outputs((params[0], last), x)))(params[1])
    g, r = np.append(g.W, g.b), np.asarray(z - y)[:, 0]
    Phi = np.append(np.tanh(np.asarray(x) @ np.asarray(params[0].W).T), np.ones((N, 1)), axis=1)
    assert [np.linalg.matrix_rank(Phi[:, k:]) for k in (0, 1, 2)] == [20, 20, 19]
    measured(np.abs(g - Phi.T @ r / N).max() / np.abs(g).max(), 1e-12, oracle="Φᵀr/N")
    smallest = np.linalg.svd(Phi, compute_uv=False)[-1]
    assert np.linalg.norm(g) >= smallest * np.linalg.norm(r) / N > 0


@pytest.mark.ledger("GD9")
def test_the_table_of_widths():
    rows = {row["width"]: row for row in record("width")["rows"]}

    def written(value):
        digits = f"{value:.2g}"
        return digits if value >= 1e-3 and "e" not in digits and value >= 0.01 else f"{value:.1e}".replace("e-0", "e-")

    for cells in table("width $m$"):
        row = rows[int(cells[0])]
        expected = [f"{row['parameters']:,}", written(np.median(row["loss"])), written(max(row["loss"]))]
        assert cells[1:] == [*expected, f"{row['moved']:.2f}"]
    assert max(max(row["loss"]) for width, row in rows.items() if width >= 32) < 4e-4
    moved = [rows[width]["moved"] * math.sqrt(width) for width in (32, 128, 512)]
    assert max(moved) / min(moved) < 1.15


@pytest.mark.nightly
@pytest.mark.ledger("GD9")
def test_width_fits_random_labels(monkeypatch, measured):
    """A shorter run: 64 units against one."""
    monkeypatch.setattr(landscape_width, "STEPS", 200)
    keys = jax.random.split(jax.random.key(0), 4)
    loss = {width: jax.jit(jax.vmap(functools.partial(landscape_width.run, width)))(keys)[1] for width in (1, 64)}
    measured(jnp.median(loss[64]) / jnp.median(loss[1]), 0.25, oracle="the loss of one unit")
