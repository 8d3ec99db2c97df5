"""What the chapter on depth claims of training: cost, degradation, pieces found and pieces at the start."""

import functools
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from benchmarks import backprop_cost, depth_accuracy, depth_pieces, record
from mlpjax import deep, losses, training, trees
from mlpjax.data import Dataset
from mlpjax.layers import Dense
from mlpjax.theory import regions
from tests.helpers import FAST_TO_COMPILE, eps

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "book" / "depth.md"
RECORD = record.read("depth_accuracy")
LOSS = losses.softmax_cross_entropy
PIECES = record.read("depth_pieces")


def section():
    page = PAGE.read_text("utf-8")
    return page[page.index("## What more layers cost") : page.index("## Exercises")]


def percent(values):
    """Mean and standard error as the page writes them."""
    values = 100 * np.array(values)
    return f"{values.mean():.1f} ± {values.std(ddof=1) / len(values) ** 0.5:.1f}"


@pytest.mark.ledger("DEP3")
def test_table_of_accuracy():
    """Every cell, from the record."""
    found = {(row["law"], row["depth"], row["start"]): row for row in RECORD["digits"]["rows"]}
    assert (RECORD["digits"]["steps"], RECORD["digits"]["seeds"]) == (400, 10) and len(RECORD["digits"]["rates"]) == 5
    for law, starts in (
        ("equal width", ("plain", "identity", "residual")),
        ("equal parameters", ("plain", "residual")),
    ):
        for depth in depth_accuracy.DEPTHS:
            rows = [found[law, depth, start] for start in starts]
            cells = [percent(row[part]) for part in ("train", "test") for row in rows]
            head = f"{depth}" if law == "equal width" else f"{depth} | {rows[0]['width']}"
            assert f"| {head} | {' | '.join(cells)} |" in section()


@pytest.mark.ledger("DEP3")
def test_what_the_section_says_of_accuracy():
    """The sentences about the tables, from the record."""
    rows = RECORD["digits"]["rows"]
    plain = {(row["law"], row["depth"]): row for row in rows if row["start"] == "plain"}
    longer = RECORD["longer"]
    assert longer["steps"] == 1600 and longer["rate"] == plain["equal width", 64]["rate"]
    assert f"they stop at {percent(plain['equal width', 64]['train'])} %" in section()
    assert f"bring them to {percent(longer['train'])} %" in section()
    assert max(plain["equal parameters", 64]["train"]) < 0.5
    deepest = [row for row in rows if row["depth"] >= 32 and row["start"] != "residual" and row["width"] == 32]
    assert len(deepest) == 4 and {row["rate"] for row in deepest} == {0.001}
    others = [row for row in rows if row["start"] != "plain" and row["law"] == "equal width"]
    assert min(np.mean(row["train"]) for row in others) > 0.99
    few = max(np.mean(row["test"]) - np.std(row["test"], ddof=1) / 10**0.5 for row in rows if row["depth"] > 2)
    assert few < max(np.mean(row["test"]) for row in rows if row["depth"] <= 2)


@pytest.mark.ledger("DEP3")
def test_table_of_cost():
    """Every cell, from the record; times are ratios to the network with one hidden layer, and their intervals small."""
    found = {(row["law"], row["depth"]): row for row in RECORD["cost"]["rows"]}
    for depth in depth_accuracy.DEPTHS:
        cells = [f"{depth}"]
        for law in depth_accuracy.LAWS:
            row = found[law, depth]
            ratio = row["ratio"]
            cells += [f"{row['parameters']:,}", f"{row['multiply_adds']:,}", f"{row['temporaries'] / 1e3:.0f} kB"]
            cells += [f"{ratio['median']:.1f}"]
            assert 0.8 < ratio["low"] / ratio["median"] <= ratio["high"] / ratio["median"] < 1.2
        assert f"| {' | '.join(cells)} |" in section()
    work = {depth: found["equal parameters", depth]["multiply_adds"] for depth in depth_accuracy.DEPTHS}
    assert f"64 layers take {work[64] / work[1]:.1f} times as many multiplications as one" in section()


@pytest.mark.ledger("DEP3")
def test_table_of_the_sawtooth():
    """How many of the seeds found it, from the record."""
    found = {(row["arm"], row["k"]): row for row in PIECES["sawtooth"]["rows"]}
    assert PIECES["sawtooth"]["seeds"] == 24
    for arm in depth_pieces.ARMS:
        cells = [str(found[arm, k]["found"]) for k in range(1, 6)]
        assert f" | {' | '.join(cells)} |\n" in section(), (arm, cells)


@pytest.mark.ledger("DEP3")
@pytest.mark.parametrize("law", depth_accuracy.LAWS)
def test_counts_of_cost(law, measured):
    """Parameters and multiply-adds against the arrays and the traced program of a step."""
    for depth in (1, 3, 64):
        width = depth_accuracy.width_of(law, depth)
        params = jax.eval_shape(lambda d=depth, w=width: depth_accuracy.init(jax.random.key(0), d, w, "plain"))
        count = sum(leaf.size for leaf in jax.tree.leaves(params))
        assert count == depth_accuracy.parameters(depth, width)
        x, y = jax.ShapeDtypeStruct((8, 64), params.first.W.dtype), jax.ShapeDtypeStruct((8,), int)
        step = lambda p, x, y: deep.value_and_grad(p, x, y, loss=LOSS)
        counted = backprop_cost.multiply_adds(step, params, x, y) / 8
        measured(abs(depth_accuracy.multiply_adds(depth, width) / counted - 1), 0.02, oracle="products in the jaxpr")
        assert law == "equal width" or 9_600 < count < 10_800


@pytest.mark.ledger("DEP3")
def test_a_deeper_network_contains_the_shallower():
    """Identities behind a ReLU leave every output as it is, to the last bit."""
    rng, kind = np.random.default_rng(0), jnp.zeros(()).dtype
    layer = lambda n, m: Dense(rng.normal(size=(m, n)).astype(kind), rng.normal(size=m).astype(kind))
    first, second, last = layer(5, 7), layer(7, 7), layer(7, 3)
    one = Dense(np.eye(7, dtype=kind), np.zeros(7, kind))
    outputs = jax.jit(jax.vmap(deep.apply, (None, 0)), compiler_options=FAST_TO_COMPILE)
    stack = lambda *layers: deep.Deep(first, Dense(*map(np.stack, zip(*layers, strict=True))), last)
    x = rng.normal(size=(50, 5)).astype(kind)
    z = outputs(stack(second), x)
    np.testing.assert_array_equal(outputs(stack(second, *[one] * 62), x), z)
    assert np.any(outputs(stack(second, one._replace(W=-one.W)), x) != z)


@pytest.mark.ledger("DEP3")
def test_plain_layers_degrade():
    """64 layers of 12 units after sixty steps on 320 digits: two starts of one network."""
    x, y, _ = jax.tree.map(lambda v: v[:320], depth_accuracy.digits()[0])
    how = dict(optimizer=optax.adam(0.003), steps=60, batch_size=64, value_and_grad=deep.supervised(loss=LOSS))

    @functools.partial(jax.jit, compiler_options=FAST_TO_COMPILE)
    def reached(key):
        starts = [depth_accuracy.init(key, 64, 12, start) for start in ("plain", "identity")]

        def accuracy(params):
            state = training.start(key, params, optimizer=how["optimizer"])
            state, _ = training.run(state, Dataset(x, y), objective=training.supervised(deep.apply, LOSS), **how)
            return jnp.mean(jax.vmap(deep.apply, (None, 0))(state.params, x).argmax(-1).astype(y.dtype) == y)

        return jax.vmap(accuracy)(trees.stack(starts))

    plain, identity = reached(jax.random.key(0))
    assert plain < 0.25 < 0.5 < identity


def random_network(rng, widths):
    """Normal weights, no biases, three inputs, one output."""
    sizes = list(zip((3, *widths), (*widths, 1), strict=True))
    return tuple(Dense(rng.normal(size=(m, n)) * rng.uniform(0.1, 9), np.zeros(m)) for n, m in sizes)


@pytest.mark.ledger("DEP3")
@pytest.mark.parametrize("widths", [(3, 3, 3, 3), (2, 6, 4)], ids=str)
def test_pieces_of_a_random_network(widths, measured):
    """Mean of exact counts against 1 + θ/π Σ n_l Π (1 − (n_j + 1)/2^n_j), which the product changes much."""
    rng, angle = np.random.default_rng(0), 2.0
    u, v = np.array([1.0, 0, 0]), 3 * np.array([np.cos(angle), np.sin(angle), 0])
    count = lambda: len(regions.pieces(random_network(rng, widths), u, v - u, low=0.0, high=1.0).slopes)
    kept = np.cumprod([1.0] + [1 - (n + 1) / 2**n for n in widths[:-1]])
    expected = 1 + angle / np.pi * (widths @ kept)
    measured(abs(np.mean([count() for _ in range(250)]) / expected - 1), 0.08, oracle="the formula for the mean")
    assert 1 + angle / np.pi * sum(widths) > 1.3 * expected


@pytest.mark.ledger("DEP3")
def test_random_networks_at_the_start():
    """The record agrees with the formula, and with what the page says of it."""
    found = PIECES["start"]
    angle = np.array(found["angles"]) / np.pi
    for row in found["rows"]:
        rate = (np.array(row["pieces"]) - 1) / (row["width"] * row["depth"]) - angle
        assert abs(rate.mean()) < 3.5 * rate.std(ddof=1) / len(rate) ** 0.5, row["width"]
    by_shape = {(row["width"], row["depth"]): np.mean(row["pieces"]) for row in found["rows"]}
    assert f"mean of $\\theta/\\pi$ is {angle.mean():.2f}" in section()
    assert f"has {by_shape[32, 64]:.0f} pieces" in section()


@pytest.mark.ledger("DEP3")
@pytest.mark.parametrize("k", [1, 3, 5])
def test_the_written_sawtooth(k, measured):
    """The network that the experiment starts near is the target, and has 2ᵏ pieces."""
    target, network = depth_pieces.sawtooth(k), depth_pieces.exact(k)
    outputs = jax.jit(jax.vmap(deep.apply, (None, 0)), compiler_options=FAST_TO_COMPILE)(network, target.x)
    measured(np.abs(outputs - target.y).max(), 2**k * 16 * eps(outputs.dtype), oracle="the tent map, k times")
    written = regions.pieces(deep.unstack(network), np.zeros(1), np.ones(1), low=-1.0, high=1.0)
    assert 1 + written.bends.sum() == 2**k and network.hidden.W.shape == (k - 1, 2, 2)
