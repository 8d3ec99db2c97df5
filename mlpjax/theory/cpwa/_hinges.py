"""Maxima of many affine functions from maxima of at most d + 1 of them (UAT5)."""

import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

import jax
import numpy as np
from jaxtyping import Float

from mlpjax import _check
from mlpjax._types import Array
from mlpjax.layers.dense import Dense
from mlpjax.theory import calculus
from mlpjax.theory.cpwa._lattice import check_pieces, checked_sets, max_affine

Terms = tuple[tuple[int, tuple[int, ...]], ...]


def hinges(A: Float[Array | np.ndarray, "M d"], b: Float[Array | np.ndarray, " M"]) -> Terms:
    r"""The maximum of M affine functions in d dimensions as a signed sum of maxima of at most d + 1 (UAT5).

    $$\max_{m} (a_m \cdot x + b_m) = \sum_k c_k \max_{m \in S_k} (a_m \cdot x + b_m), \qquad |S_k| \le d + 1,
      \quad c_k \in \mathbb Z$$

    More than d + 1 slopes are affinely dependent, $\sum_m \lambda_m a_m = 0$ with $\sum_m \lambda_m = 0$; choose the
    sign such that $\sum_m \lambda_m b_m \ge 0$. Then at every x the largest function with $\lambda_m > 0$ reaches the
    least one of $J = \{m : \lambda_m < 0\}$, and by inclusion and exclusion

    $$\max_S = \sum_{T \subsetneq J} (-1)^{|J| - |T| + 1} \max_{(S \setminus J)\,\cup\,T} .$$

    Repeated until no set is larger than d + 1.

    Args:
        A: slopes $a_m$, shape `(M, d)`. Their dependencies are found up to rounding.
        b: values at 0, shape `(M,)`.

    Returns:
        Pairs of $c_k$ and $S_k$. Their number can grow like $2^M$.

    Raises:
        ValueError: if the shapes do not fit, or the values are traced.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax.theory import cpwa
        >>> cpwa.hinges(jnp.asarray([[-1.0], [0.0], [1.0]]), jnp.asarray([0.0, 0.5, 0.0]))
        ((-1, (1,)), (1, (0, 1)), (1, (1, 2)))

    References:
        S. Wang, X. Sun (2005). Generalization of hinging hyperplanes. *IEEE Transactions on Information Theory* 51(12),
        4425–4431.
    """
    if not _check.concrete((A, b)):
        raise ValueError("`A` and `b` must be known, not traced: they decide which functions meet in which maximum.")
    check_pieces(A, b)
    slopes, values = np.asarray(A, float), np.asarray(b, float)
    terms = Counter({tuple(range(len(values))): 1})
    for size in range(len(values), slopes.shape[1] + 1, -1):
        for whole in [s for s in terms if len(s) == size]:
            coefficient = terms.pop(whole)
            for sign, part in _split(slopes, values, whole):
                terms[part] += coefficient * sign
    return tuple(sorted(((c, s) for s, c in terms.items() if c), key=lambda term: (len(term[1]), term)))


def from_hinges(
    A: Float[Array, "M d"], b: Float[Array, " M"], terms: Sequence[tuple[float, Sequence[int]]]
) -> tuple[Dense, ...]:
    r"""A signed sum of maxima as a network (UAT5).

    $$f(x) = \sum_k c_k \max_{m \in S_k} (a_m \cdot x + b_m), \qquad L = \lceil\log_2 \max_k |S_k|\rceil + 1$$

    Args:
        A: slopes, shape `(M, d)`.
        b: values at 0, shape `(M,)`.
        terms: pairs of a number $c_k$ and indices $S_k$ of rows, from 0 to M − 1, as `hinges` finds them.

    Returns:
        Parameters with d inputs and one output.

    Raises:
        ValueError: if the shapes do not fit, a set is empty or holds what is no index, or there is none.

    Example:
        >>> import jax.numpy as jnp
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import cpwa
        >>> A, b = jnp.asarray([[-1.0], [0.0], [1.0]]), jnp.asarray([0.0, 0.5, 0.0])
        >>> mlp.sizes(cpwa.max_affine(A, b)), mlp.sizes(cpwa.from_hinges(A, b, cpwa.hinges(A, b)))
        ((1, 5, 3, 1), (1, 8, 1))
    """
    check_pieces(A, b)
    sets = checked_sets([s for _, s in terms], len(b), "terms")
    return _from_hinges(A, b, tuple(zip((float(c) for c, _ in terms), sets, strict=True)))


@functools.partial(jax.jit, static_argnames="terms")
def _from_hinges(A: Array, b: Array, terms: tuple[tuple[float, tuple[int, ...]], ...]) -> tuple[Dense, ...]:
    maxima = ((c, max_affine(A[np.asarray(s)], b[np.asarray(s)])) for c, s in terms)
    return calculus.add(*(calculus.scale(network, c) for c, network in maxima))


def _split(A: np.ndarray, b: np.ndarray, whole: Sequence[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The maximum over a set of more than d + 1 functions as signed maxima over smaller ones."""
    some = list(whole[: A.shape[1] + 2])
    dependency = np.linalg.svd(np.c_[A[some], np.ones(len(some))].T)[2][-1]
    dependency = dependency if dependency @ b[some] >= 0 else -dependency
    J = [m for m, weight in zip(some, dependency, strict=True) if weight < -1e-9]
    rest = set(whole).difference(J)
    for size in range(len(J)):
        for T in itertools.combinations(J, size):
            yield (-1) ** (len(J) - size + 1), tuple(sorted(rest.union(T)))
