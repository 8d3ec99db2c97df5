"""Batches as a function of (key, step): a bijection in every epoch, uniform, exact for every step.

The statistics run on keys fixed by the test's name, so that a test either always passes or never does. Their limits lie
five or more standard deviations from the mean.
"""

import functools
import itertools
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpjax.data import batching

MOST = 2**31 - 1
SMALL = [1, 2, 3, 33]
LARGE = [59_999, 60_000, 65_536, 2**20 + 1]


@functools.partial(jax.jit, static_argnames="n")
def epoch_of(key, epoch, *, n):
    return batching.permute(key, epoch, jnp.arange(n), n=n)


def many(key, count, *, n, positions=None):
    """Permutations of `count` keys, shape `(count, n)`."""
    places = jnp.arange(n) if positions is None else jnp.asarray(positions)
    draw = jax.vmap(lambda key: batching.permute(key, 0, places, n=n))
    return np.asarray(jax.jit(draw)(jax.random.split(key, count)))


def chi_square(counts):
    """Pearson's statistic against equal counts, in standard deviations from its mean."""
    expected, free = counts.sum() / counts.size, counts.size - 1
    return (((counts - expected) ** 2 / expected).sum() - free) / math.sqrt(2 * free)


def finalized(x):
    """MurmurHash3's finalizer in Python's integers."""
    x = (x ^ x >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    x = (x ^ x >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return x ^ x >> 16


def round_key(words, epoch, number):
    """A key of one round from the words of the run's key, in Python's integers."""
    before = after = number * 0x9E3779B9 & 0xFFFFFFFF
    for word in words:
        before, after = finalized(after + word & 0xFFFFFFFF), finalized(before ^ word)
    return finalized(after ^ finalized(before + epoch & 0xFFFFFFFF))


def reference(words, position, n):
    """The formula of `permute` in Python's integers."""
    mixed = lambda x: finalized(x) >> 1
    a = max(min(2, n), math.isqrt(n) - math.isqrt(n) % 2)
    b = n // a
    for rotation, left_key, right_key in zip(*[iter(words)] * 3, strict=True):
        position = (position + rotation) % n
        if position < a * b:
            left, right = divmod(position, b)
            left = (left + mixed((right + left_key) & 0xFFFFFFFF)) % a
            right = (right + mixed((left + right_key) & 0xFFFFFFFF)) % b
            position = left * b + right
    return position


@pytest.mark.parametrize("counted", ["epochs", "seeds"])
@pytest.mark.parametrize("n", [2, 3, 33])
def test_successive_epochs_and_seeds_are_independent_draws(key, n, counted):
    """Each example is as frequent in each place, and one permutation says nothing of the next ones.

    The seeds are counted from 0 as people do, with no cipher between a seed and its permutation.
    """
    of = {
        "epochs": lambda i: batching.permute(key, i, jnp.arange(n), n=n),
        "seeds": lambda i: batching.permute(jax.random.key(i), 0, jnp.arange(n), n=n),
    }
    drawn = np.asarray(jax.jit(jax.vmap(of[counted]))(jnp.arange(66_000)))
    for place in range(min(n, 5)):
        assert abs(chi_square(np.bincount(drawn[:, place], minlength=n))) < 5
        for later in (1, 2, 256):
            pairs = drawn[:-later, place] * n + drawn[later:, place]
            assert abs(chi_square(np.bincount(pairs, minlength=n * n))) < 5


@pytest.mark.parametrize("n", [1, 6, 100, 60_000, MOST])
def test_permute_is_the_formula(key, n):
    epoch = 2**32 - 1
    positions = np.unique(np.linspace(0, n - 1, 20).astype(int))
    numbers = range(1, 3 * batching._rounds(n) + 1)
    words = [round_key(jax.random.key_data(key).tolist(), epoch, number) for number in numbers]
    found = jax.jit(lambda positions: batching.permute(key, epoch, positions, n=n))(positions)
    assert found.dtype == jnp.int32 and not found.weak_type
    assert found.tolist() == [reference(words, int(p), n) for p in positions]


def test_every_n_to_600_is_permuted(key):
    """One compilation for each number of rounds: n and the sides of the grid are arguments here."""

    @jax.jit
    def images(keys, n, a, b):
        places = jnp.arange(600, dtype=jnp.uint32)
        return batching._permute(jnp.minimum(places, n - 1), keys.reshape(-1, 3), n, (a, b))

    words = np.asarray(jax.random.bits(key, (601, 48), jnp.uint32))
    for n in range(1, 601):
        keys = words[n, : 3 * batching._rounds(n)]
        a, b = batching._grid(n)
        assert a * b <= n < a * b + max(a, b) + 1
        found = np.asarray(images(keys, *np.array([n, a, b], np.uint32)))[:n]
        np.testing.assert_array_equal(np.sort(found), np.arange(n), err_msg=f"n = {n}")


@pytest.mark.parametrize("n", SMALL + LARGE)
def test_permute_is_a_bijection(key, n):
    found = epoch_of(key, 3, n=n)
    np.testing.assert_array_equal(np.sort(found), np.arange(n))


@pytest.mark.parametrize("n", [4, 5, 6])
def test_all_permutations_are_equally_likely(key, n):
    codes = many(key, 250 * math.factorial(n), n=n) @ n ** np.arange(n)
    every = [np.dot(p, n ** np.arange(n)) for p in itertools.permutations(range(n))]
    counts = np.array([np.count_nonzero(codes == code) for code in every])
    assert counts.sum() == len(codes) and abs(chi_square(counts)) < 5


@pytest.mark.parametrize("n", [7, 16, 40])
def test_every_position_takes_every_index_equally_often(key, n):
    found = many(key, 400 * n, n=n)
    counts = np.stack([np.bincount(column, minlength=n) for column in found.T])
    # Rows and columns have fixed sums: n (n − 1) is the mean of the statistic, not n² − 1.
    statistic = ((counts - 400) ** 2 / 400).sum()
    assert abs(statistic - n * (n - 1)) < 5 * math.sqrt(2) * n


@pytest.mark.parametrize("n", [6, 12, 16, 100])
def test_two_positions_take_every_distance_equally_often(key, n):
    """What a Feistel network of too few rounds fails: neighbors of one row or column stay together."""
    found = many(key, 200_000 // n, n=n)
    for gap in range(1, n):
        distance = (np.roll(found, -gap, axis=1) - found) % n
        # distances within one permutation depend on each other: true shuffles reach 7 in one of 300 such statistics
        assert abs(chi_square(np.bincount(distance.ravel(), minlength=n)[1:])) < 12, f"gap {gap}"


@pytest.mark.parametrize("n", [9, 16])
def test_half_of_the_permutations_are_odd(key, n):
    found = many(key, 2000, n=n)
    inversions = sum((found[:, [i]] > found[:, i + 1 :]).sum(axis=1) for i in range(n))
    assert abs((inversions % 2).mean() - 0.5) < 5 * 0.5 / math.sqrt(2000)


def test_pairs_of_the_first_batch_of_a_large_set(key):
    found = many(key, 20_000, n=60_000, positions=[0, 1, 2, 127, 244, 245]) // 15_000
    for i, j in itertools.combinations(range(found.shape[1]), 2):
        assert abs(chi_square(np.bincount(4 * found[:, i] + found[:, j], minlength=16))) < 5.5, (i, j)


@pytest.mark.parametrize("n", [1000, 60_000])
def test_an_epoch_is_not_like_the_identity_nor_like_another_epoch(key, n):
    first, second, other = (
        np.asarray(epoch_of(k, e, n=n), float) for k, e in ((key, 0), (key, 1), (jax.random.fold_in(key, 1), 0))
    )
    sequences = {"identity": np.arange(n), "next epoch": second, "other key": other, "neighbor": np.roll(first, 1)}
    for name, sequence in sequences.items():
        assert abs(np.corrcoef(first, sequence)[0, 1]) * math.sqrt(n) < 5, name
        assert np.count_nonzero(first == sequence) < 10, name  # Poisson of mean 1
        assert np.count_nonzero(np.diff(first) == np.diff(sequence)) < 10, name
    assert abs(np.abs(first - np.arange(n)).mean() / n - 1 / 3) < 5 * 0.24 / math.sqrt(n)


def test_same_key_same_batches_other_key_other_batches(key):
    draw = jax.jit(lambda key, step: batching.indices(key, step, n=1000, batch_size=32))
    once, again, later, other = draw(key, 5), draw(key, 5), draw(key, 6), draw(jax.random.fold_in(key, 0), 5)
    np.testing.assert_array_equal(once, again)
    assert len(np.intersect1d(once, later)) == 0
    assert np.count_nonzero(once == other) < 5


@pytest.mark.parametrize(("n", "batch_size"), [(103, 10), (10, 7), (12, 4), (9, 9), (1, 1)])
def test_each_example_comes_once_per_epoch(key, n, batch_size):
    draw = jax.jit(jax.vmap(lambda step: batching.indices(key, step, n=n, batch_size=batch_size)))
    epochs = np.asarray(draw(jnp.arange(3 * n))).reshape(-1, n)
    np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(n), (3 * batch_size, 1)))


@pytest.mark.parametrize(
    ("n", "batch_size"),
    [(23, 4), (60_000, 128), (50, 50), (MOST, 6), (MOST - 1, 1000)],
)
def test_batches_are_those_of_exact_arithmetic(key, n, batch_size):
    draw = jax.jit(lambda step: batching.indices(key, step, n=n, batch_size=batch_size))
    place = jax.jit(lambda epoch, positions: batching.permute(key, epoch, positions, n=n))
    crossing = n // batch_size  # the batch in which the first epoch ends
    for step in (0, 1, crossing, crossing + 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1):
        exact = [divmod(step * batch_size + i, n) for i in range(batch_size)]
        expected = np.zeros(batch_size, int)
        for epoch in {epoch for epoch, _ in exact}:
            mine = np.array([e == epoch for e, _ in exact])
            expected[mine] = place(np.uint32(epoch), np.array([p for _, p in exact], np.uint32))[mine]
        np.testing.assert_array_equal(draw(np.uint32(step % 2**32)), expected, err_msg=f"step {step}")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_product_is_divided_exactly(data):
    n = data.draw(st.one_of(st.integers(1, 100), st.integers(1, MOST), st.integers(MOST - 5, MOST)))
    factor = data.draw(st.one_of(st.integers(1, n), st.integers(max(1, n - 3), n)))
    drawn = data.draw(st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4))
    steps = [*drawn, 0, 1, 2**31, 2**32 - 1]
    found = batching._divmod_product(jnp.array(steps, jnp.uint32), factor, jnp.uint32(n))
    assert list(zip(*(part.tolist() for part in found), strict=True)) == [divmod(step * factor, n) for step in steps]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint32])
def test_step_may_have_any_integer_dtype(key, dtype):
    draw = jax.jit(lambda step: batching.indices(key, step, n=50, batch_size=8))
    np.testing.assert_array_equal(draw(dtype(77)), draw(77))


def test_sizes_may_be_integers_of_numpy():
    sizes = batching._sizes(np.int64(50), np.int32(8))
    assert sizes == (50, 8) and {type(size) for size in sizes} == {int}


def test_vmap_scan_and_one_compilation(key):
    keys, steps = jax.random.split(key, 3), jnp.arange(7)
    draw = jax.jit(lambda key, step: batching.indices(key, step, n=20, batch_size=6))
    one_by_one = np.array([[draw(k, s) for s in steps] for k in keys])
    assert draw._cache_size() == 1
    mapped = jax.jit(jax.vmap(jax.vmap(draw, (None, 0)), (0, None)))(keys, steps)
    scanned = jax.jit(jax.vmap(lambda key: jax.lax.map(lambda step: draw(key, step), steps)))(keys)
    np.testing.assert_array_equal(mapped, one_by_one)
    np.testing.assert_array_equal(scanned, one_by_one)


def test_gradient_flows_through_a_scan_that_draws_batches(key):
    """Stochastic gradient descent on a mean: d(result)/d(start) is known in closed form, and the batches matter."""
    data, rate, steps = jnp.arange(20.0), 0.1, 9

    def run(start, key):
        def step(carry, _):
            w, count = carry
            batch = data[batching.indices(key, count, n=20, batch_size=6)]
            return (w - rate * jnp.mean(w - batch), count + 1), None

        return jax.lax.scan(step, (start, jnp.uint32(0)), length=steps)[0][0]

    for gradient in (jax.jit(jax.grad(run)), jax.jit(jax.jacfwd(run))):
        np.testing.assert_allclose(gradient(0.5, key), (1 - rate) ** steps, rtol=1e-5)
    per_key = jax.jit(jax.vmap(jax.value_and_grad(run), (None, 0)))(0.5, jax.random.split(key, 4))
    assert len(np.unique(per_key[0])) == 4
    np.testing.assert_allclose(per_key[1], (1 - rate) ** steps, rtol=1e-5)


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg", "unsafe_rbg"])
def test_any_kind_of_key(impl):
    draw = jax.jit(lambda key: jax.lax.map(lambda s: batching.indices(key, s, n=15, batch_size=5), jnp.arange(3)))
    assert sorted(draw(jax.random.key(0, impl=impl)).ravel().tolist()) == list(range(15))


def test_the_hash_is_not_evaluated_for_every_pixel(key):
    """XLA on the CPU would fuse the indices into the gather that uses them: see `mlpjax/data/_once.py`."""

    def gather(key, step, x):
        return x[batching.indices(key, step, n=64, batch_size=8)].astype(jnp.float32)

    compiled = jax.jit(gather).lower(key, jnp.uint32(0), jnp.zeros((64, 784), jnp.uint8)).compile().as_text()
    computations = re.split(r"\n\}\n", compiled)
    gathers = [text for text in computations if re.search(r"u8\[\S* gather\(", text)]
    assert gathers and not any("shift-right" in text for text in gathers)


@pytest.mark.parametrize(
    ("n", "batch_size", "says"),
    [
        (0, 1, "`n` must be .* got 0. Is the data empty"),
        (2**31, 1, "`n` must be .* 2147483647; got 2147483648"),
        (2.0, 1, "`n` must be"),
        (True, 1, "`n` must be"),
        (10, 11, r"`batch_size` must be an integer from 1 to the number of examples \(=10\); got 11. Use at most 10"),
        (10, 0, "`batch_size` must be .* got 0"),
        (10, -1, "`batch_size` must be .* got -1"),
        (10, 2.5, "`batch_size` must be .* got 2.5"),
    ],
)
def test_wrong_sizes_are_named(n, batch_size, says):
    with pytest.raises(ValueError, match=says):
        batching._sizes(n, batch_size)


@pytest.mark.parametrize("step", [-1, 2**32])
def test_a_step_that_would_wrap_is_refused(key, step):
    with pytest.raises(ValueError, match=f"`step` must lie in 0 … 4294967295; got {step}"):
        batching.indices(key, step, n=10, batch_size=2)


def test_wrong_positions_are_named(key):
    with pytest.raises(ValueError, match="`positions` must lie in 0 … 9; got 10"):
        batching.permute(key, 0, np.array([3, 10]), n=10)
    with pytest.raises(ValueError, match="`positions` must lie in 0 … 9; got -1"):
        batching.permute(key, 0, -1, n=10)
    with pytest.raises(TypeError, match="`positions` must be an integer"):
        batching.permute(key, 0, np.array([0.5]), n=10)
    assert batching.permute(key, 0, np.zeros((0, 2), int), n=10).shape == (0, 2)
