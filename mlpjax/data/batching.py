r"""Batches as a function of `(key, step)`.

There is no iterator whose place could be lost. Batch `step` holds the positions `step * B` to `step * B + B - 1` of an
endless sequence; position $p$ belongs to epoch $e = \lfloor p/N \rfloor$ and stands for example $\pi_e(p \bmod N)$,
where $\pi_e$ is a permutation of the examples drawn from `key` for this epoch. A batch may so begin in one epoch and
end in the next: all have the same size, each example comes once per epoch, and resuming a run needs the number of its
step and nothing else.

The permutation is never stored. It is a bijection that is computed for the positions asked for, after the manner of a
Feistel cipher: a step of training pays for 128 examples, not for 60,000.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int32

from mlpjax import _check
from mlpjax._types import Any, Array, ArrayLike, PRNGKey

__all__ = ["indices", "permute"]

_MOST = 2**31 - 1


def indices(key: PRNGKey, step: ArrayLike, *, n: int, batch_size: int) -> Int32[Array, " batch"]:
    r"""Which examples batch `step` consists of.

    $$i_k = \pi_{\lfloor p_k / N \rfloor}(p_k \bmod N), \qquad p_k = \text{step} \cdot B + k, \qquad k = 0, \dots, B-1$$

    Works under `jit`, `vmap` over keys or steps, `scan`, and inside a function that is differentiated. Nothing
    overflows: the product is divided exactly even where it exceeds 32 bits.

    Args:
        key: the key of the run; the same key gives the same batches.
        step: the number of the batch, from 0 to $2^{32} - 1$.
        n: number $N$ of examples, at most $2^{31} - 1$.
        batch_size: number $B$ of examples in a batch, at most `n`.

    Returns:
        Indices of examples, shape `(batch_size,)`. With `batch_size == n` they are a permutation of all of them.

    Raises:
        ValueError: if `n` or `batch_size` is out of range.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax.data import batching
        >>> batch = lambda step: batching.indices(jax.random.key(0), step, n=12, batch_size=4)
        >>> epoch = jax.jit(jax.vmap(batch))(jnp.arange(3))
        >>> sorted(epoch.ravel().tolist())
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    """
    n, batch_size = _sizes(n, batch_size)
    epoch, first = _divmod_product(_uint32("step", step), batch_size, n)
    positions = first + jnp.arange(batch_size, dtype=jnp.uint32)
    if n % batch_size == 0:  # no batch crosses the border of an epoch
        return _permute(positions, _round_keys(key, epoch, n), n, _grid(n))
    later = positions >= n
    before, after = _round_keys(key, epoch, n), _round_keys(key, epoch + 1, n)
    keys = jnp.where(later, after[..., None], before[..., None])
    return _permute(jnp.where(later, positions - n, positions), keys, n, _grid(n))


def permute(key: PRNGKey, epoch: ArrayLike, positions: ArrayLike, *, n: int) -> Int32[Array, "..."]:
    r"""The examples at some positions of an epoch's permutation $\pi_e$ of $0, \dots, n-1$.

    A product of rounds, each a bijection of $0, \dots, n-1$. A round rotates by a random amount, then writes the first
    $ab \le n$ positions, $a \approx b \approx \sqrt n$, as $x = Lb + R$ and shifts each half by a hash of the other:

    $$x \leftarrow (x + k) \bmod n, \qquad L \leftarrow (L + F(R)) \bmod a, \qquad R \leftarrow (R + F(L)) \bmod b$$

    The few positions from $ab$ on wait for the next rotation, so that no value ever has to be walked back into range as
    in format-preserving encryption: there is no loop whose length depends on the data.

    Args:
        key: the key of the run.
        epoch: the number $e$ of the epoch, a scalar from 0 to $2^{32} - 1$.
        positions: places in the epoch, integers from 0 to `n - 1`, of any shape.
        n: number of examples, at most $2^{31} - 1$.

    Returns:
        Indices of examples, of the shape of `positions`; different positions give different indices.

    Raises:
        ValueError: if `n` or a concrete position is out of range.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from mlpjax.data import batching
        >>> sorted(batching.permute(jax.random.key(0), 7, jnp.arange(5), n=5).tolist())
        [0, 1, 2, 3, 4]

    References:
        M. Luby, C. Rackoff (1988). How to construct pseudorandom permutations from pseudorandom functions. SIAM
        Journal on Computing 17(2).
    """
    n, _ = _sizes(n, 1)
    return _permute(_uint32("positions", positions, n), _round_keys(key, _uint32("epoch", epoch), n), n, _grid(n))


def _permute(x: Array, keys: Array, n: int | Array, sides: tuple[int | Array, int | Array]) -> Array:
    """Rounds of `permute`, with keys of shape `(rounds, 3)`, or `(rounds, 3, len(x))` if each place has its own."""
    a, b = sides

    def one_round(x, keys):
        rotation, left_key, right_key = keys
        x = (x + rotation % n) % n
        left = (x // b + _hash(x % b + left_key)) % a
        right = (x % b + _hash(left + right_key)) % b
        return jnp.where(x < a * b, left * b + right, x), None

    def unrolled(x, keys):
        for own in keys:
            x, _ = one_round(x, own)
        return x

    # On the CPU, XLA fuses what computes an index into the gather that uses it, and may then evaluate the whole chain
    # for every pixel that is gathered: a step became fifteen times slower. Into a loop it does not fuse, and one round
    # is compiled sooner than all. On other platforms each round of a loop is a launch.
    rolled = lambda x, keys: jax.lax.scan(one_round, x, keys)[0]
    return jax.lax.platform_dependent(x, keys, cpu=rolled, default=unrolled).astype(jnp.int32)


def _mix(x: Array) -> Array:
    """A bijection of 32 bits in which each depends on all (the finalizer of MurmurHash3)."""
    x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


def _hash(x: Array) -> Array:
    """31 well-mixed bits: one bit fewer leaves room for a sum."""
    return _mix(x) >> 1


def _grid(n: int) -> tuple[int, int]:
    """Sides a, b of the largest grid of n positions with a even: rotating an even number of rows can be odd."""
    a = max(min(2, n), math.isqrt(n) // 2 * 2)
    return a, n // a


def _rounds(n: int) -> int:
    """Two positions in one column stay in one with probability 1/a a round: as many rounds as bring it below 2^-16."""
    return max(4, math.ceil(16 / math.log2(max(2, _grid(n)[0]))))


def _round_keys(key: PRNGKey, epoch: Array, n: int) -> Array:
    """Three keys for each round, hashed from the words of the run's key, the epoch, and their own number.

    A cipher of the epoch (`jax.random.fold_in`) would do too, but took 3 % of a small step and a quarter of the time
    to compile one. For each number, epoch to key is one to one.
    """
    number = jnp.arange(1, 3 * _rounds(n) + 1, dtype=jnp.uint32)
    before = after = number * jnp.uint32(0x9E3779B9)  # the golden ratio: what follows begins far apart
    for word in jnp.ravel(jax.random.key_data(key)):
        before, after = _mix(after + word), _mix(before ^ word)
    return _mix(after ^ _mix(before + epoch)).reshape(-1, 3)


def _divmod_product(step: Array, factor: int, n: int | Array) -> tuple[Array, Array]:
    """Quotient and remainder of step · factor by n, exactly: schoolbook over the bits of factor ≤ n < 2^31."""
    one = (step // n, step % n)
    product = (jnp.zeros_like(step), jnp.zeros_like(step))
    for bit in f"{factor:b}":
        product = _add(product, product, n)
        product = _add(product, one, n) if bit == "1" else product
    return product


def _add(a: tuple[Array, Array], b: tuple[Array, Array], n: int | Array) -> tuple[Array, Array]:
    """The sum of two numbers written as (quotient, remainder) by n; no remainder's sum reaches 2^32."""
    remainder = a[1] + b[1]
    carry = remainder >= n
    return a[0] + b[0] + carry.astype(jnp.uint32), jnp.where(carry, remainder - n, remainder)


def _uint32(argument: str, value: ArrayLike, end: int = 2**32) -> Array:
    """A whole number as uint32; a concrete one is looked at, since a cast would wrap it silently."""
    dtype = jnp.result_type(value)
    if not jnp.issubdtype(dtype, jnp.integer):
        raise TypeError(f"`{argument}` must be an integer or an array of integers; got dtype {dtype}. Cast it first.")
    if _check.concrete(value) and np.size(value):
        low, high = int(np.asarray(value).min()), int(np.asarray(value).max())
        if low < 0 or high >= end:
            raise ValueError(f"`{argument}` must lie in 0 … {end - 1}; got {low if low < 0 else high}. Count from 0.")
    return jnp.asarray(value, jnp.uint32)


def _sizes(n: Any, batch_size: Any) -> tuple[int, int]:
    if not (_whole(n) and 1 <= n <= _MOST):
        raise ValueError(
            f"`n` must be the number of examples, an integer from 1 to {_MOST}; got {n!r}. Is the data empty?"
        )
    if not (_whole(batch_size) and 1 <= batch_size <= n):
        raise ValueError(
            f"`batch_size` must be an integer from 1 to the number of examples (={n}); got {batch_size!r}. Use at most "
            f"{n}, which is full batch."
        )
    return int(n), int(batch_size)


def _whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
