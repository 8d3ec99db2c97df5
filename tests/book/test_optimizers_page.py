"""What the chapter on optimizers says beyond the functions: its code, its tables, and the numbers in its prose."""

import ast
import json
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import optimizers as rules

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "book" / "optimizers.md").read_text("utf-8")
RESULTS = json.loads((ROOT / "docs" / "figures" / "data" / "optimizers.json").read_text("utf-8"))
OPTIMIZERS = {
    "SGD": "sgd",
    "momentum": "momentum",
    "Nesterov": "nesterov",
    "RMSProp": "rmsprop",
    "Adam": "adam",
    "AdamW, $\\lambda = 0.1$": "adamw",
    "Adam, clipped at 1": "adam, clipped",
    "Adam, averaged, $d = 0.99$": "adam, averaged",
    "Adam with SAM, $\\rho = 0.1$": "adam, sam",
    "Muon": "muon",
    "schedule-free": "schedule_free",
}
SCHEDULES = ["constant", "step", "exponential", "cosine", "warm-up, constant", "warm-up, cosine"]
SCHEDULES = {name: name for name in SCHEDULES} | {"one cycle": "one-cycle", "on plateau": "plateau"}
SETTINGS = {
    "defaults: $\\beta_1 = 0.9$, $\\beta_2 = 0.999$, $\\varepsilon = 10^{-8}$": "adam",
    "$\\beta_1 = 0$": "beta1 = 0",
    "$\\beta_1 = 0.99$": "beta1 = 0.99",
    "$\\beta_2 = 0.5$": "beta2 = 0.5",
    "$\\beta_2 = 0$": "beta2 = 0",
    "$\\varepsilon = 0.1$": "eps = 0.1",
    "$\\varepsilon = 0$": "eps = 0",
    "$\\eta = 10^{-5}$": "eta = 1e-5",
    "$\\eta = 0.03$": "eta = 0.03",
    "$\\eta = 0.03$, no corrections": "eta = 0.03, uncorrected",
    "no corrections": "uncorrected",
    "$\\eta = 0.1$": "eta = 0.1",
}


def functions(source):
    """The functions that stand by themselves in a source, by name."""
    return {node.name: ast.dump(node) for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.ledger("OPT1", "OPT2", "OPT3", "OPT6")
def test_the_page_shows_the_rules_that_are_tested():
    shown = functions("\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)))
    tested = functions((ROOT / "tests" / "optimizers.py").read_text("utf-8"))
    assert len(tested) == 6 and {name: shown.get(name) for name in tested} == tested


def table(header):
    """The rows below a header, by their first cell."""
    lines = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return {row[0]: row[1:] for row in cells}


def accuracy(found):
    """Mean and its standard error, in percent."""
    values = 100 * np.asarray(found["test_accuracy"])
    return values.mean(), values.std(ddof=1) / np.sqrt(len(values))


def steps(found):
    """The median number of steps to the goal, infinite for runs that do not reach it."""
    return np.median([np.inf if s is None else s for s in found["steps_to_goal"]])


@pytest.mark.ledger("OPT6")
def test_the_table_of_optimizers_is_what_was_measured():
    rows = table("| Optimizer | Rate")
    assert rows.keys() == OPTIMIZERS.keys()
    for label, (rate, right, loss, taken, *_) in rows.items():
        found = RESULTS["optimizers"][OPTIMIZERS[label]]
        mean, error = accuracy(found)
        assert (rate, right) == (f"{found['rate']:.2g}", f"{mean:.2f} ± {error:.2f}")
        assert loss == f"{np.mean(found['test_loss']):.3f}"
        assert taken == ("—" if np.isinf(steps(found)) else f"{steps(found):.0f}")


@pytest.mark.ledger("OPT4")
def test_the_table_of_schedules_is_what_was_measured():
    rows = table("| Schedule | Rate")
    assert rows.keys() == SCHEDULES.keys()
    for label, (rate, loss, right) in rows.items():
        found = RESULTS["schedules"][SCHEDULES[label]]
        mean, error = accuracy(found)
        assert (rate, right) == (f"{found['rate']:.2g}", f"{mean:.2f} ± {error:.2f}")
        assert loss == f"{np.mean(found['training_loss']):.4f}"


@pytest.mark.ledger("OPT3")
def test_the_table_of_settings_is_what_was_measured():
    rows = table("| Setting | Test")
    assert {label: row[0] for label, row in rows.items()} == {
        label: f"{accuracy(RESULTS['settings'][name])[0]:.2f}" for label, name in SETTINGS.items()
    }
    assert [RESULTS["settings"][name]["broken_runs"] for name in ("beta2 = 0", "eps = 0", "eps = 0.1")] == [10, 10, 0]
    assert RESULTS["settings"]["beta1 = 0.99"]["steps_to_goal"] == [None] * 10


@pytest.mark.ledger("OPT1", "OPT6")
def test_prose_about_the_digits_is_what_was_measured():
    found = {name: RESULTS["settings"][f"momentum {name}"] for name in ("0.9", "0.99", "0.99, eta/10")}
    assert [round(accuracy(r)[0], 1) for r in found.values()] == [96.8, 13.0, 95.8]
    assert [steps(found["0.9"]), round(steps(found["0.99, eta/10"]))] == [161.5, 370]
    about = RESULTS["about"]
    assert about["examples"] == [1154, 284, 359] and about["sizes"] == [64, 64, 64, 10] and about["epochs"] == 20
    adam, adam_error = accuracy(RESULTS["optimizers"]["adam"])
    for name, r in RESULTS["optimizers"].items():
        mean, error = accuracy(r)
        assert (abs(mean - adam) > 3 * np.hypot(error, adam_error)) == (name in ("adam, averaged", "muon")), name
        assert 0 < r["rates"].index(r["rate"]) < len(r["rates"]) - 1, name  # no rate at the end of its grid
    assert sum(s is None for s in RESULTS["optimizers"]["schedule_free"]["steps_to_goal"]) > 5
    muon = RESULTS["schedules"]["muon, cosine"]
    assert f"{muon['rate']:.2g}" == "0.01"
    for name, r in (("adam", RESULTS["optimizers"]["adam"]), ("muon", RESULTS["optimizers"]["muon"]), ("cosine", muon)):
        losses = np.array(r["held_out_loss"], float)
        assert (np.sum(losses < 1.5 * losses.min()) >= 3) == (name == "adam")  # a factor of ten is forgiven


# momentum


def moduli(matrix):
    return np.abs(np.linalg.eigvals(matrix))


@pytest.mark.ledger("OPT1")
@pytest.mark.parametrize("mu", [0.5, 0.9])
def test_roots_of_momentum_on_a_quadratic(mu, measured):
    """The heavy ball shrinks all eigenvalues in the window by √μ, Nesterov by √(μ(1 − ηλ)): from the rules."""

    def matrix(rule, x):
        """The linear map (θ, v) → (θ, v) of a rule at ηλ = x, with η = 1."""
        _, update = rule(1.0, mu)
        return jax.jacobian(lambda s: jnp.stack(update(s[0], s[1], x * s[0])))(jnp.ones(2))

    inside = np.linspace((1 - mu**0.5) ** 2, (1 + mu**0.5) ** 2, 9)[1:-1]
    heavy = np.asarray(jax.jit(jax.vmap(lambda x: matrix(rules.heavy_ball, x)))(jnp.asarray(inside)))
    measured(np.abs(moduli(heavy) / mu**0.5 - 1).max(), 1e-5, oracle="√μ")
    gentle = np.linspace(((1 - mu**0.5) / (1 + mu**0.5)) ** 0.5, 0.95, 5)
    gentle = gentle[4 * mu > (1 + mu) ** 2 * (1 - gentle)]
    ahead = np.asarray(jax.jit(jax.vmap(lambda x: matrix(rules.nesterov, x)))(jnp.asarray(gentle)))
    measured(np.abs(moduli(ahead) / np.sqrt(mu * (1 - gentle))[:, None] - 1).max(), 1e-5, oracle="√(μ(1 − ηλ))")


# Adam


@pytest.mark.ledger("OPT3")
def test_how_much_too_long_steps_without_correction_are():
    t = np.arange(1, 2001)
    factor = (1 - 0.9**t) / np.sqrt(1 - 0.999**t)
    assert round(factor[0], 1) == 3.2 and round(factor.max(), 1) == 6.6 and factor.argmax() == 11
    assert round(factor[999], 2) == 1.26 and factor.min() > 1


@pytest.mark.ledger("OPT3")
def test_bias_correction_makes_means_of_means_right(key, measured):
    """E m̂ = E g and E v̂ = E g² at every step, over many runs of gradients with one mean."""
    g = 1 + 0.5 * jax.random.normal(key, (12, 20000))
    init, update = rules.adam(0.0)
    body = lambda s, g: (lambda s: (s, s))(update(jnp.zeros_like(g), s, g)[1])
    _, (m, v, t) = jax.jit(lambda g: jax.lax.scan(body, init(g[0]), g))(g)
    m, v = np.asarray(m).mean(1) / (1 - 0.9 ** np.asarray(t)), np.asarray(v).mean(1) / (1 - 0.999 ** np.asarray(t))
    measured(max(np.abs(m - 1).max(), np.abs(v / 1.25 - 1).max()), 0.02, oracle="E g = 1, E g² = 1.25")


@pytest.mark.ledger("OPT3")
def test_decay_alone_shrinks_by_one_minus_eta_lambda(measured):
    init, update = rules.adam(0.01, decay=0.1)
    theta = jnp.asarray([2.0, -3.0])
    body = lambda carry, _: (update(*carry, jnp.zeros(2)), None)
    end, _ = jax.jit(lambda theta: jax.lax.scan(body, (theta, init(theta)), length=500))(theta)
    measured(np.abs(end[0] / theta / 0.999**500 - 1).max(), 1e-4, oracle="(1 − ηλ)ᵗ")


@pytest.mark.ledger("OPT1", "OPT2", "OPT3")
def test_only_entrywise_rules_depend_on_the_axes():
    """In a ravine turned by 45°, momentum takes the turned path; RMSProp and Adam another, and a worse one."""
    hessian, start = jnp.diag(jnp.asarray([1.0, 100.0])), jnp.asarray([2.0, 1.0])
    Q = jnp.asarray([[1.0, -1.0], [1.0, 1.0]]) / 2**0.5

    def end(rule, turn):
        init, update = rule
        body = lambda carry, _: (update(*carry, turn @ hessian @ turn.T @ carry[0]), None)
        theta = turn @ start
        return jax.lax.scan(body, (theta, init(theta)), length=100)[0][0]

    made = {"heavy": rules.heavy_ball(0.01), "rms": rules.rmsprop(0.02), "adam": rules.adam(0.05)}
    both = jax.jit(lambda: {name: (Q @ end(rule, jnp.eye(2)), end(rule, Q)) for name, rule in made.items()})()
    for name, (along, turned) in both.items():
        assert bool(jnp.allclose(along, turned, atol=1e-4)) == (name == "heavy")
    assert all(float(jnp.linalg.norm(b)) > 2 * float(jnp.linalg.norm(a)) for a, b in (both["rms"], both["adam"]))


# Muon


@pytest.mark.ledger("OPT6")
def test_the_polar_factor_is_the_steepest_step_and_five_iterations_come_near(measured):
    rng = np.random.default_rng(0)
    G = rng.normal(size=(6, 9))
    U, s, Vt = np.linalg.svd(G, full_matrices=False)
    measured(abs(np.sum(G * (U @ Vt)) / s.sum() - 1), 1e-12, oracle="the sum of the singular values")
    others = rng.normal(size=(200, 6, 9))
    others /= np.linalg.norm(others, 2, axis=(1, 2))[:, None, None]
    assert np.all(np.sum(G * others, axis=(1, 2)) < s.sum())
    x = np.logspace(np.log10(0.002), 0, 4001)
    for _ in range(5):
        x = 3.4445 * x - 4.7750 * x**3 + 2.0315 * x**5
    assert 0.68 < x.min() and round(x.max(), 2) == 1.2
