r"""Continuous piecewise affine functions: to networks of rectified units, and back (UAT5).

Such a function has finitely many affine pieces $\ell_j(x) = a_j \cdot x + b_j$, the rows of a matrix A and a vector b.
`max_affine` is the convex case. `lattice`, a maximum of minima, is every case, and `difference` and `convex_parts` are
g − h with both convex. `from_samples` and `from_triangulation` start from values at points, and `hinges` trades units
for layers.
"""

from mlpjax.theory.cpwa._back import Spline as Spline
from mlpjax.theory.cpwa._back import from_network as from_network
from mlpjax.theory.cpwa._hinges import from_hinges as from_hinges
from mlpjax.theory.cpwa._hinges import hinges as hinges
from mlpjax.theory.cpwa._interpolate import from_samples as from_samples
from mlpjax.theory.cpwa._interpolate import from_triangulation as from_triangulation
from mlpjax.theory.cpwa._interpolate import lattice_form as lattice_form
from mlpjax.theory.cpwa._lattice import convex_parts as convex_parts
from mlpjax.theory.cpwa._lattice import difference as difference
from mlpjax.theory.cpwa._lattice import lattice as lattice
from mlpjax.theory.cpwa._lattice import max_affine as max_affine

__all__ = [
    "Spline",
    "convex_parts",
    "difference",
    "from_hinges",
    "from_network",
    "from_samples",
    "from_triangulation",
    "hinges",
    "lattice",
    "lattice_form",
    "max_affine",
]
