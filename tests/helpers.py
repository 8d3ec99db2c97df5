"""What the tests share: one tolerance table per dtype, and comparisons that look at structure too."""

import jax
import jax.numpy as jnp
import numpy as np

from docs._ext.compiling import FAST_TO_COMPILE as FAST_TO_COMPILE
from docs._ext.compiling import OPTIMIZED as OPTIMIZED
from docs._ext.compiling import xla_flags as xla_flags

# Largest accepted difference between two ways of computing the same gradient, in units of the scale that the
# same contraction has with absolute values (tests of backprop) or of the largest entry (elsewhere).
EPS_OF_SCALE = 16
RELATIVE = {"float64": 1e-12, "float32": 2e-5, "bfloat16": 4e-2}


def eps(dtype) -> float:
    """The spacing of numbers at 1."""
    return float(jnp.finfo(dtype).eps)


def tolerance(dtype) -> float:
    """Relative tolerance for two formulas of the same quantity."""
    return RELATIVE[jnp.dtype(dtype).name]


def assert_trees_equal(a, b):
    """Same structure, dtypes, shapes and bits (typed keys included)."""
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for (path, x), y in zip(jax.tree_util.tree_leaves_with_path(a), jax.tree.leaves(b), strict=True):
        if jnp.issubdtype(getattr(x, "dtype", np.dtype(float)), jax.dtypes.prng_key):
            assert jax.random.key_impl(x) == jax.random.key_impl(y)
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        x, y = np.asarray(x), np.asarray(y)
        assert x.dtype == y.dtype and x.shape == y.shape, jax.tree_util.keystr(path)
        assert x.tobytes() == y.tobytes(), jax.tree_util.keystr(path)


def assert_trees_close(a, b, *, rtol=None):
    """Same structure, dtypes and shapes; values equal up to `rtol` times the largest entry of the leaf."""
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for (path, x), y in zip(jax.tree_util.tree_leaves_with_path(a), jax.tree.leaves(b), strict=True):
        name = jax.tree_util.keystr(path)
        assert x.dtype == y.dtype and x.shape == y.shape, name
        limit = tolerance(x.dtype) if rtol is None else rtol
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        scale = np.max(np.abs(y), initial=0.0)
        np.testing.assert_allclose(x, y, rtol=0, atol=limit * max(scale, np.finfo(float).tiny), err_msg=name)


def slope(x, y):
    """Of the line through (log x, log y), with half the width of its 95 % interval by Student's t."""
    from scipy import stats

    fit = stats.linregress(np.log(np.asarray(x, float)), np.log(np.asarray(y, float)))
    return fit.slope, stats.t.ppf(0.975, len(x) - 2) * fit.stderr
