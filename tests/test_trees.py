"""Functions of any pytree."""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax import trees
from tests.helpers import assert_trees_equal


class Layer(NamedTuple):
    W: jax.Array
    b: jax.Array | None


def net(key):
    k1, k2 = jax.random.split(key)
    return (Layer(jax.random.normal(k1, (3, 2)), jnp.zeros(3)), Layer(jax.random.normal(k2, (1, 3)), None))


MASKS = {
    "one flag": True,
    "a prefix": (True, False),
    "a full tree": (Layer(True, False), Layer(np.True_, None)),
    "a function": lambda path: path.endswith("W"),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_merge_inverts_split(key, mask):
    tree = net(key)
    selected, rest = trees.split(tree, mask)
    assert_trees_equal(trees.merge(selected, rest), tree)
    assert_trees_equal(trees.merge(rest, selected), tree)
    assert trees.count(selected) + trees.count(rest) == trees.count(tree)


def test_split_selects_what_the_mask_says(key):
    tree = net(key)
    assert list(trees.paths(trees.split(tree, MASKS["a function"])[0])) == ["0/W", "1/W"]
    assert list(trees.paths(trees.split(tree, (False, True))[0])) == ["1/W"]
    assert trees.split(tree, (False, True))[1][0].W is tree[0].W
    assert list(trees.paths(trees.split(tree, MASKS["a full tree"])[1])) == ["0/b"]


def test_gradient_and_optimizer_see_the_selected_part_only(key):
    tree = net(key)
    selected, rest = trees.split(tree, lambda path: path.startswith("1"))

    @jax.jit
    def loss(selected, rest):
        first, last = trees.merge(selected, rest)
        return jnp.sum(last.W @ jnp.tanh(first.W @ jnp.ones(2) + first.b))

    grads = jax.grad(loss)(selected, rest)
    whole = jax.grad(lambda tree: loss(tree, jax.tree.map(lambda _: None, tree)))(tree)
    assert_trees_equal(grads, trees.split(whole, (False, True))[0])
    state = optax.sgd(0.1, momentum=0.9).init(selected)
    assert trees.count(state) == 3


@pytest.mark.parametrize("mask", [(True,), {"a": True}, (True, Layer(None, None)), [True, False]])
def test_mask_of_another_form(key, mask):
    with pytest.raises(ValueError, match=r"`mask` must have the form of `tree`"):
        trees.split(net(key), mask)


@pytest.mark.parametrize("flag", [1, "W", 0.0, np.ones(2, bool)])
def test_mask_of_no_booleans(key, flag):
    with pytest.raises(TypeError, match=r"`mask` must hold booleans.*at '1'"):
        trees.split(net(key), (True, flag))


def test_merge_refuses_other_forms_and_doubles(key):
    tree = net(key)
    selected, rest = trees.split(tree, (True, False))
    with pytest.raises(ValueError, match="must have one form"):
        trees.merge(selected, rest[:1])
    with pytest.raises(ValueError, match="both hold a leaf at '0/W'"):
        trees.merge(tree, tree)


def test_unstack_inverts_stack(key):
    members = [(net(k), k, jnp.int8(i)) for i, k in enumerate(jax.random.split(key, 3))]
    ensemble = trees.stack(m for m in members)
    assert ensemble[0][0].W.shape == (3, 3, 2) and ensemble[0][1].b is None
    for member, taken in zip(members, trees.unstack(ensemble), strict=True):
        assert_trees_equal(taken, member)
    assert_trees_equal(jax.jit(lambda e: trees.stack(trees.unstack(e)))(ensemble), ensemble)


def test_an_ensemble_of_stacked_members_is_what_vmap_makes(key):
    keys = jax.random.split(key, 4)
    assert_trees_equal(trees.stack([net(k) for k in keys]), jax.vmap(net)(keys))


def test_stack_refuses(key):
    tree = net(key)
    with pytest.raises(ValueError, match="at least one tree"):
        trees.stack([])
    with pytest.raises(ValueError, match=r"; 0 and 2 differ: '0/W' is .* and missing"):
        trees.stack([tree, tree, tree[0]])
    with pytest.raises(ValueError, match=r"; 0 and 1 differ: 'b' is float\d\d\[3\] and float\d\d\[4\]"):
        trees.stack([tree[0], tree[0]._replace(b=jnp.zeros(4, tree[0].b.dtype))])
    with pytest.raises(ValueError, match=r"differ: PyTreeDef\(.*Layer.* and PyTreeDef"):
        trees.stack([tree, list(tree)])
    with pytest.raises(ValueError, match="float16"):
        trees.stack([tree[0], tree[0]._replace(b=tree[0].b.astype(jnp.float16))])


@pytest.mark.parametrize(
    "tree", [{}, {"a": jnp.ones(())}, {"a": jnp.ones(2), "b": jnp.ones(3)}, {"a": jnp.ones(2), "b": jnp.ones(())}]
)
def test_unstack_refuses(tree):
    with pytest.raises(ValueError, match="same leading axis"):
        trees.unstack(tree)


def test_count_and_nbytes(key):
    tree = {"net": net(key), "half": jnp.zeros((4, 0, 2), jnp.bfloat16), "one": jnp.bfloat16(1), "keys": key}
    sizes = [leaf.size for leaf in jax.tree.leaves(tree)]
    assert trees.count(tree) == sum(sizes) == 14
    assert trees.nbytes(tree) == sum(leaf.nbytes for leaf in jax.tree.leaves(tree))
    shapes = jax.eval_shape(lambda: tree)
    assert (trees.count(shapes), trees.nbytes(shapes)) == (trees.count(tree), trees.nbytes(tree))
    assert trees.count(()) == trees.nbytes(None) == 0
    assert trees.count([1.0, 2]) == 2


def test_summary_is_a_table(key):
    tree = {"embedding": jax.ShapeDtypeStruct((50_000, 300), jnp.float16), "net": net(key), "step": 3}
    lines = trees.summary(tree).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == ["path", "shape", "dtype", "count"]
    assert lines[1].split() == ["embedding", "(50000,", "300)", "float16", "15,000,000"]
    assert [line.split()[0] for line in lines[2:]] == ["net/0/W", "net/0/b", "net/1/W", "step", "total"]
    assert lines[-1].endswith("15,000,013") and "30.0 MB" in lines[-1]
    assert trees.summary({}).splitlines()[-1].split() == ["total", "0", "B", "0"]
    assert trees.summary(tree) == trees.summary(jax.eval_shape(lambda: tree | {"embedding": 0}) | tree)


def test_paths():
    tree = {"b": [1, {"x": 2}], "a": (Layer(3, None), None)}
    assert trees.paths(tree) == {"a/0/W": 3, "b/0": 1, "b/1/x": 2}
    assert list(trees.paths(tree).values()) == jax.tree.leaves(tree)
    assert trees.paths(7) == {"": 7} and trees.paths(None) == {}


def test_paths_that_collide():
    keys = [{"a": {"b": 1}, "a/b": 2}, {"a/b": 2, "a": [0, 1], "a/1": 3}]
    for tree in keys:
        with pytest.raises(ValueError, match="two leaves of `tree` have the path 'a/"):
            trees.paths(tree)
    assert trees.paths({"a/b": 1}) == {"a/b": 1}


def test_every_function_under_jit(key):
    tree = net(key)

    @jax.jit
    def f(tree):
        parts = trees.split(tree, lambda path: path == "0/W")
        return trees.merge(*parts), jnp.array([trees.count(tree), len(trees.summary(tree).splitlines())])

    same, numbers = f(tree)
    assert_trees_equal(same, tree)
    assert numbers.tolist() == [12, 5]
    assert list(itertools.chain(trees.paths(tree))) == ["0/W", "0/b", "1/W"]
