"""Networks of threshold units, against truth tables written another way."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpjax import data, mlp, neuron
from mlpjax.theory import gates


def corners(n):
    return jnp.asarray(list(itertools.product((0.0, 1.0), repeat=n)))


def answers(params, x):
    """0 or 1 for each row of x, and how far the logits stay from the threshold."""
    z = jax.vmap(lambda x: mlp.apply(params, x, activation=neuron.heaviside))(x)[:, 0]
    return np.asarray(neuron.heaviside(z)).astype(int), float(jnp.abs(z).min())


@pytest.mark.ledger("LAY2")
def test_xor_by_hand(measured):
    """All four dishes, with a margin of ½; the hidden units are OR and AND, the output is OR but not AND."""
    xor = data.toy.xor()
    found, margin = answers(gates.xor(), xor.x)
    measured(np.abs(found - np.asarray(xor.y[:, 0])).max(), 0, oracle="truth table of XOR")
    assert margin == 0.5
    first, second = gates.xor()
    for row, gate in enumerate((neuron.or_gate(), neuron.and_gate())):
        np.testing.assert_array_equal(first.W[row], gate.w)
        assert first.b[row] == gate.b
    but_not = neuron.Neuron(second.W[0], second.b[0])
    table = [[float(neuron.apply(but_not, jnp.asarray([a, b]))) for b in (0.0, 1.0)] for a in (0.0, 1.0)]
    assert table == [[0, 0], [1, 0]]


@pytest.mark.ledger("LAY2")
def test_a_network_of_gates():
    """Neurons become rows: (x₁ or x₂) and not (x₁ and x₂), another way to XOR."""
    params = gates.network([neuron.or_gate(), neuron.nand_gate()], neuron.and_gate())
    assert mlp.sizes(params) == (2, 2, 1)
    found, _ = answers(params, data.toy.xor().x)
    assert found.tolist() == [0, 1, 1, 0]


@pytest.mark.ledger("LAY2")
@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_parity(n):
    found, margin = answers(gates.parity(n), corners(n))
    assert found.tolist() == [sum(c) % 2 for c in itertools.product((0, 1), repeat=n)] and margin == 0.5
    assert mlp.sizes(gates.parity(n)) == (n, n, 1)


def by_numpy(table):
    """The logits at all corners and which hidden units fire where, so that nothing compiles."""
    (W, b), (v, c) = (tuple(map(np.asarray, layer)) for layer in gates.boolean(table))
    fired = np.asarray(list(itertools.product((0, 1), repeat=W.shape[1]))) @ W.T + b >= 0
    return fired @ v[0] + c[0], fired


@pytest.mark.ledger("LAY2")
def test_every_function_of_three_inputs():
    """All 256 truth tables, and one of them through the network itself."""
    for table in itertools.product((0, 1), repeat=8):
        z, _ = by_numpy(table)
        np.testing.assert_array_equal(z >= 0, table)
        assert np.abs(z).min() == 0.5
    table = [0, 1, 1, 0, 1, 1, 0, 0]
    assert answers(gates.boolean(table), corners(3))[0].tolist() == table


@pytest.mark.ledger("LAY2")
@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=32, max_size=32))
def test_functions_of_five_inputs(table):
    """One hidden unit for each 1, each firing at its own corner alone."""
    z, fired = by_numpy(table)
    assert fired.shape == (32, sum(table)) and (fired.sum(axis=0) == 1).all()
    np.testing.assert_array_equal(z >= 0, table)


def test_constants_are_functions_too():
    for value in (0, 1):
        found, _ = answers(gates.boolean([value] * 4), corners(2))
        assert found.tolist() == [value] * 4


def test_gates_say_what_is_wrong(unchecked):
    with pytest.raises(ValueError, match=r"`output` must have one input for each of them; got.*\(2,\)\] and \(3,\)"):
        gates.network([neuron.or_gate()], neuron.or_gate(3))
    with pytest.raises(ValueError, match=r"`hidden` must be neurons with equally many inputs"):
        gates.network([neuron.or_gate(), neuron.or_gate(3)], neuron.or_gate())
    with pytest.raises(ValueError, match=r"`inputs` must be .*got 0"):
        gates.parity(0)
    for table in ([0, 1, 1], [1], [], [0, 2]):
        with pytest.raises(ValueError, match=r"`table` must hold 2, 4, 8, … values"):
            gates.boolean(table)


def test_a_traced_table_is_refused():
    with pytest.raises(ValueError, match="`table` must be known, not traced"):
        jax.jit(gates.boolean)(jnp.asarray([0, 1, 1, 0]))
