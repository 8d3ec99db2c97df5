"""Transforms of a batch: exact, uniform, static values."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlpjax.data import Dataset, augment


def pictures(n, height, width, dtype=np.uint8):
    """Distinct pixels, none zero."""
    x = 1 + np.random.default_rng(0).permuted(np.tile(np.arange(height * width), (n, 1)), axis=1)
    return Dataset(jnp.asarray(x.astype(dtype)), jnp.arange(n))


def moved(x, down, right, height, width):
    """The oracle: roll, then blank what came round."""
    x = np.roll(np.asarray(x).reshape(height, width), (down, right), (0, 1))
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    inside = (rows >= down) & (rows < height + down) & (columns >= right) & (columns < width + right)
    return np.where(inside, x, 0).astype(x.dtype).ravel()


def moves_of(before, after, pixels, height, width):
    """For each picture the one shift that explains it."""
    every = list(itertools.product(range(-pixels, pixels + 1), repeat=2))
    result = []
    for x, z in zip(np.asarray(before), np.asarray(after), strict=True):
        fits = [i for i, move in enumerate(every) if np.array_equal(moved(x, *move, height, width), z)]
        assert len(fits) == 1
        result += fits
    return np.array(result)


@pytest.mark.parametrize(("pixels", "height", "width"), [(1, 2, 2), (1, 5, 7), (2, 7, 5), (3, 4, 4), (4, 5, 9)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_every_shift_is_roll_with_zeros(pixels, height, width, dtype):
    x = pictures(1, height, width, dtype).x[0]
    move = jax.jit(augment.shift(pixels, height=height, width=width).move)
    for down, right in itertools.product(range(-pixels, pixels + 1), repeat=2):
        found = move(x, jnp.int32(down), jnp.int32(right))
        np.testing.assert_array_equal(found, moved(x, down, right, height, width), strict=True)


def test_shifts_are_equally_likely_and_independent(key):
    batch = pictures(4000, 4, 6)
    after = jax.jit(augment.shift(1, height=4, width=6))(batch, key)
    which = moves_of(batch.x, after.x, 1, 4, 6)
    for labels, cells in ((which, 9), (9 * which[:-1] + which[1:], 81)):
        counts = np.bincount(labels, minlength=cells)
        statistic = ((counts - counts.mean()) ** 2 / counts.mean()).sum()
        assert abs(statistic - cells + 1) < 5 * np.sqrt(2 * cells)
    assert after.y is batch.y or np.array_equal(after.y, batch.y)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "bfloat16", "bool"])
def test_shift_keeps_dtype_weights_and_targets(key, dtype):
    batch = pictures(6, 3, 3)
    batch = Dataset(batch.x.astype(dtype), batch.y, jnp.arange(6.0))
    after = jax.jit(augment.shift(2, height=3, width=3))(batch, key)
    assert after.x.dtype == batch.x.dtype and after.x.shape == batch.x.shape
    np.testing.assert_array_equal(after.y, batch.y)
    np.testing.assert_array_equal(after.weight, batch.weight)


def test_shift_without_key_or_without_pixels_is_the_identity(key):
    batch = pictures(6, 3, 4)
    assert augment.shift(2, height=3, width=4)(batch, None) is batch
    np.testing.assert_array_equal(augment.shift(0, height=3, width=4)(batch, key).x, batch.x)


def test_jit_vmap_and_scan_agree(key):
    batch, keys = pictures(5, 6, 6), jax.random.split(key, 4)
    transform = augment.compose(augment.shift(2, height=6, width=6), augment.scale(4))
    run = jax.jit(transform)
    expected = np.stack([run(batch, k).x for k in keys])
    assert len({row.tobytes() for row in expected}) == 4
    mapped = jax.jit(jax.vmap(transform, (None, 0)))(batch, keys)
    scanned = jax.jit(lambda keys: jax.lax.map(lambda k: transform(batch, k).x, keys))(keys)
    np.testing.assert_array_equal(mapped.x, expected)
    np.testing.assert_array_equal(scanned, expected)


def test_gradient_flows_back_to_the_picture(key):
    batch = Dataset(jnp.ones((2, 9)), jnp.arange(2))
    move = augment.shift(1, height=3, width=3)
    total = lambda x: jnp.sum(move(batch._replace(x=x), key).x)
    remains = jax.jit(jax.grad(total))(batch.x)
    assert float(jnp.sum(remains)) == float(total(batch.x)) and set(np.unique(remains)) <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("dtype", "result"),
    [("uint8", None), ("int32", None), ("bool", None), ("float32", "float32"), ("bfloat16", "bfloat16")],
)
@pytest.mark.parametrize("key", [None, 0])
def test_scale_divides_and_casts(dtype, result, key):
    batch = Dataset(jnp.array([[0, 1, 100]]).astype(dtype), jnp.array([1]))
    x = augment.scale(4)(batch, None if key is None else jax.random.key(key)).x
    assert x.dtype == (jnp.result_type(float) if result is None else result) and not x.weak_type
    np.testing.assert_array_equal(np.asarray(x, float), np.asarray(batch.x, float) / 4)


def test_compose_applies_first_to_last_with_a_key_each(key):
    seen = []

    def record(batch, key):
        seen.append(key)
        return batch._replace(x=batch.x + 1)

    batch = Dataset(jnp.array([[3.0]]), jnp.array([0]))
    assert float(augment.compose(record, augment.scale(2), record)(batch, key).x[0, 0]) == 3.0
    assert seen[0] != seen[1] and seen[0] != key
    assert augment.compose()(batch, key) is batch and augment.compose()(batch, None) is batch
    augment.compose(record)(batch, None)
    assert seen[2] is None


def test_transforms_are_values():
    def make(pixels, divisor):
        return augment.compose(augment.shift(pixels, height=4, width=4), augment.scale(divisor))

    assert make(1, 255) == make(1, 255) and hash(make(1, 255)) == hash(make(1, 255))
    assert make(1, 255) != make(2, 255) and make(1, 255) != make(1, 16)
    assert repr(make(1, 255)) == "compose(shift(1, height=4, width=4), scale(255))"
    assert eval(repr(make(1, 255)), vars(augment)) == make(1, 255)
    apply = jax.jit(lambda transform, batch: transform(batch, None).x)
    for _ in range(2):
        apply(make(1, 255), pictures(2, 4, 4))
    assert apply._cache_size() == 1 and jax.tree.leaves(make(1, 255)) == []


@pytest.mark.parametrize("divisor", [0, 0.0, float("inf"), float("nan")])
def test_wrong_divisor_is_named(divisor):
    with pytest.raises(ValueError, match="`divisor` must be a finite number other than zero"):
        augment.scale(divisor)


@pytest.mark.parametrize("pixels", [-1, 3, 28])
def test_wrong_pixels_are_named(pixels):
    with pytest.raises(ValueError, match=rf"`pixels` must .*`height` \(=3\).*got {pixels}"):
        augment.shift(pixels, height=3, width=5)


@pytest.mark.parametrize("shape", [(2, 15), (16,), (2, 4, 4)])
def test_pictures_of_another_size_are_named(shape, key):
    with pytest.raises(ValueError, match=r"`x` must have shape \(n, 16\), flat pictures of 4 × 4"):
        augment.shift(1, height=4, width=4)(Dataset(jnp.zeros(shape), jnp.zeros(2)), key)
