"""The check of the checks: what it breaks is broken wherever it is referred to, and whole again afterwards."""

import jax
import jax.numpy as jnp
import optax
import pytest

from mlpjax import activations, backprop, losses, training
from tests import perturb


def test_a_function_is_wrong_within_and_right_afterwards():
    """Also where it was bound before, and through a compiled function."""
    bound, delta = backprop.bp4, jnp.asarray([1.0, -2.0])
    compiled = jax.jit(lambda d: backprop.bp4(d))
    assert jnp.array_equal(compiled(delta), delta)
    with perturb.replaced(backprop.bp4, None):
        for f in (bound, backprop.bp4, compiled):
            assert jnp.allclose(f(delta), 1.001 * delta, rtol=1e-6) and not jnp.array_equal(f(delta), delta)
    assert jnp.array_equal(bound(delta), delta) and jnp.array_equal(compiled(delta), delta)


@pytest.mark.parametrize("target, part", [(activations.tanh, "fn"), (activations.tanh, "prime")])
def test_one_part_of_a_value(target, part):
    x, other = jnp.asarray(0.5), "prime" if part == "fn" else "fn"
    before, untouched = getattr(target, part)(x), getattr(target, other)(x)
    with perturb.replaced(target, part):
        assert getattr(target, part)(x) != before and getattr(target, other)(x) == untouched
    assert getattr(target, part)(x) == before


def test_it_is_mended_after_an_exception():
    with pytest.raises(ZeroDivisionError), perturb.replaced(losses.half_squared_error, "value"):
        raise ZeroDivisionError
    assert losses.half_squared_error.value(jnp.asarray([2.0]), jnp.asarray([0.0])) == 2.0


def test_what_is_scaled():
    tree = {"a": jnp.ones(2), "n": jnp.arange(2), "x": 2.0, "key": jax.random.key(0)}
    scaled = perturb.scaled(tree)
    assert jnp.allclose(scaled["a"], 1.001) and scaled["x"] == pytest.approx(2.002)
    assert jnp.array_equal(scaled["n"], tree["n"]) and scaled["key"] is tree["key"]
    assert perturb.scaled(activations.leaky_relu(0.1)).prime(jnp.asarray(1.0)) == pytest.approx(1.001)
    optimizer, ones = perturb.scaled(optax.trace(0.5)), jnp.ones(2)
    updates, state = optimizer.update(ones, optimizer.init(ones))
    assert jnp.allclose(updates, 1.001) and jnp.array_equal(state.trace, ones)
    objective = perturb.scaled(training.supervised)(lambda p, x: p * x, losses.half_squared_error)
    assert callable(objective)


@pytest.mark.parametrize("tag", ["BP99", "BP7", "bp2"])
def test_an_unknown_equation_is_refused(tag, capsys):
    """And does not run the whole suite."""
    with pytest.raises(SystemExit):
        perturb.main([tag])
    assert "no equations of the book" in capsys.readouterr().err
