"""What the chapter on piecewise affine functions claims beyond the functions: the lemmas of its proofs."""

import itertools

import numpy as np
import pytest


@pytest.mark.ledger("UAT5")
def test_a_piece_above_at_one_point_and_below_at_another():
    """The lemma of Step 3, for all pairs of 200 points and a random maximum of minima in four dimensions."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        values = rng.normal(size=(200, 4)) @ rng.normal(size=(9, 4)).T + rng.normal(size=9)
        sets = [rng.choice(9, 3, replace=False) for _ in range(4)]
        f = np.max([values[:, s].min(axis=1) for s in sets], axis=0)
        above, below = values >= f[:, None], values <= f[:, None]
        assert (above[:, None] & below).any(axis=-1).all()


@pytest.mark.ledger("UAT5")
def test_inclusion_and_exclusion(measured):
    """Σ (−1)^|T| max(r, max_T u) = −ReLU(min u − r), with r below, among and above the u."""
    rng, worst = np.random.default_rng(1), 0.0
    for size in (1, 2, 5):
        u = rng.normal(size=(100, size))
        for r in (rng.normal(size=100), u.min(axis=1) - 1, u.max(axis=1) + 1):
            subsets = itertools.chain.from_iterable(itertools.combinations(range(size), n) for n in range(size + 1))
            total = sum((-1) ** len(T) * np.max([r, *(u[:, j] for j in T)], axis=0) for T in subsets)
            worst = max(worst, np.abs(total + np.maximum(u.min(axis=1) - r, 0)).max())
    measured(worst, 1e-13, oracle="−ReLU(min u − r)")


def test_spacing_of_numbers():
    assert np.spacing(np.float32(1e9)) == 64


@pytest.mark.ledger("UAT5")
def test_largest_cells_are_not_enough():
    """Exercise 6: the set of the half-plane y ≥ 0 is {0}, and then the formula gives 0 where f is −1."""
    x, y = np.random.default_rng(2).normal(size=(2, 1000))
    upper = y >= 0
    pieces = np.stack([0 * x, y + x, y - x])
    f = np.minimum(0, pieces[1:].max(axis=0))
    assert not f[upper].any()
    above = [j for j in range(3) if (pieces[j][upper] >= 0).all()]
    assert above == [0]
    below = np.argmin(f)
    assert pieces[above, below].min() == 0 > -1 > f[below]
