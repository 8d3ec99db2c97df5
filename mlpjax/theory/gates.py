r"""Functions of zeros and ones as networks of threshold units: XOR by hand, parity, and every truth table.

Each function returns parameters of an ordinary network, a tuple of two `Dense`. With the Heaviside step in the hidden
layer its logit is positive exactly where the answer is 1:

```python
>>> import jax
>>> from mlpjax import data, mlp, neuron
>>> from mlpjax.theory import gates
>>> answer = lambda x: neuron.heaviside(mlp.apply(gates.xor(), x, activation=neuron.heaviside))
>>> jax.vmap(answer)(data.toy.xor().x).ravel().tolist()
[0.0, 1.0, 1.0, 0.0]

```
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from mlpjax import _check
from mlpjax._types import ArrayLike
from mlpjax.layers import Dense
from mlpjax.neuron import Neuron, or_gate

__all__ = ["boolean", "network", "parity", "xor"]


def network(hidden: Sequence[Neuron], output: Neuron) -> tuple[Dense, Dense]:
    r"""Neurons on one input, and a neuron on their answers, as a network (LAY2, LAY3).

    $$W^{(1)} = \begin{pmatrix} w_1^\top \\ \vdots \\ w_h^\top \end{pmatrix}, \quad
      b^{(1)} = \begin{pmatrix} b_1 \\ \vdots \\ b_h \end{pmatrix}, \quad W^{(2)} = v^\top, \quad b^{(2)} = c$$

    Args:
        hidden: h neurons with equally many inputs; one becomes one row.
        output: a neuron with h inputs.

    Returns:
        Parameters for `mlp.apply`.

    Raises:
        ValueError: if the neurons do not fit together.

    Example:
        >>> from mlpjax import neuron
        >>> from mlpjax.theory import gates
        >>> exactly_one = gates.network([neuron.or_gate(), neuron.nand_gate()], neuron.and_gate())
        >>> exactly_one[0].W.tolist()
        [[1.0, 1.0], [-1.0, -1.0]]
    """
    shapes = [unit.w.shape for unit in hidden]
    if len(set(shapes)) != 1 or output.w.shape != (len(shapes),):
        raise ValueError(
            f"`hidden` must be neurons with equally many inputs, and `output` must have one input for each of them; "
            f"got weights of shapes {shapes} and {output.w.shape}. Gates take that number."
        )
    first = Dense(jnp.stack([unit.w for unit in hidden]), jnp.stack([unit.b for unit in hidden]))
    return first, Dense(output.w[None, :], output.b[None])


def parity(inputs: int) -> tuple[Dense, Dense]:
    r"""Whether the number of ones is odd, with one hidden unit for each input (LAY2).

    $$h_k = H(x_1 + \dots + x_n + \tfrac12 - k), \qquad \hat y = H(h_1 - h_2 + h_3 - \dots - \tfrac12)$$

    Unit k fires where at least k inputs are 1. If s of them are, the units 1 to s fire, and the alternating sum of s
    ones is 1 for odd s and 0 for even s. For two inputs the units are OR and AND.

    Args:
        inputs: their number n.

    Returns:
        Parameters of sizes (n, n, 1).

    Raises:
        ValueError: if n is not a positive integer.

    Example:
        >>> from mlpjax.theory import gates
        >>> gates.parity(3)[1].W.tolist()
        [[1.0, -1.0, 1.0]]
    """
    _check.count("inputs", inputs, 1, "Parity is a function of at least one input.")
    k = jnp.arange(1.0, inputs + 1)
    signs = jnp.where(k % 2 == 1, 1.0, -1.0)
    return Dense(jnp.ones((inputs, inputs)), 0.5 - k), Dense(signs[None, :], jnp.full(1, -0.5))


def xor() -> tuple[Dense, Dense]:
    r"""XOR by hand: an OR unit, an AND unit, and OR but not AND (LAY2).

    $$h_1 = H(x_1 + x_2 - \tfrac12), \qquad h_2 = H(x_1 + x_2 - \tfrac32), \qquad \hat y = H(h_1 - h_2 - \tfrac12)$$

    Returns:
        Parameters of sizes (2, 2, 1).

    Example:
        >>> from mlpjax.theory import gates
        >>> [layer.b.tolist() for layer in gates.xor()]
        [[-0.5, -1.5], [-0.5]]
    """
    return parity(2)


def boolean(table: Sequence[int] | ArrayLike) -> tuple[Dense, Dense]:
    r"""Any function of n zeros and ones, with one hidden unit for each 1 in its truth table.

    $$h_c = H\Bigl(\sum_i (2c_i - 1)\,x_i + \tfrac12 - \sum_i c_i\Bigr), \qquad
      \hat y = H\Bigl(\sum_c h_c - \tfrac12\Bigr)$$

    The unit of a corner c fires at c and nowhere else: where x differs from c in d places, its pre-activation is ½ − d.
    The output is OR. In logic this is the disjunctive normal form.

    Args:
        table: the $2^n$ values, 0 or 1, for the inputs in the order 0…00, 0…01, …, 1…11.

    Returns:
        Parameters of sizes (n, number of ones, 1).

    Raises:
        ValueError: if the length is not a power of two, at least 2, or a value is neither 0 nor 1.

    Example:
        >>> from mlpjax import mlp
        >>> from mlpjax.theory import gates
        >>> mlp.sizes(gates.boolean([0, 1, 1, 0, 1, 0, 0, 1]))
        (3, 4, 1)
    """
    if not _check.concrete(table):
        raise ValueError("`table` must be known, not traced: its ones decide how many units the network has.")
    values = np.asarray(table)
    inputs = int(np.log2(max(values.size, 1)))
    if values.ndim != 1 or inputs < 1 or values.size != 2**inputs or not np.isin(values, (0, 1)).all():
        raise ValueError(
            f"`table` must hold 2, 4, 8, … values, each 0 or 1, one for each corner; got {table}. XOR is [0, 1, 1, 0]."
        )
    corners = (np.flatnonzero(values)[:, None] >> np.arange(inputs)[::-1]) & 1
    either = or_gate(max(len(corners), 1))
    first = Dense(jnp.asarray(2.0 * corners - 1), jnp.asarray(0.5 - corners.sum(axis=1)))
    return first, Dense(either.w[None, : len(corners)], either.b[None])
