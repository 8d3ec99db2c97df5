"""NaN and infinity injected everywhere, and what `run` and `fit` make of it."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mlpjax import activations, data, losses, mlp, training, trees
from tests.helpers import assert_trees_equal
from tests.reliability.experiments import Claim

TITLE = "NaN, wherever it appears"
HOW = (
    "NaN, ∞ or −∞ is put in place of one number: a weight or bias before training, an entry of an example inside the "
    "transform, a parameter within one forward pass, an entry of a gradient, or of an update of the optimizer; at a "
    "random layer, place and step, in shallow and deep networks of every activation. What is kept is compared with "
    "the states of a run without injections."
)
FULL, QUICK = 1000, 20
STEPS, N, BATCH = 40, 48, 4
PARAMS, DATUM, FORWARD, GRADIENT, UPDATE = range(5)
KINDS = ("parameters", "data", "forward pass", "gradient", "update")
SAYS = (
    "the parameters hold NaN or infinity in `{}`",
    "the batch holds NaN or infinity in `x`",
    "the forward pass overflows in the layer of `{}`",
    "the loss is finite, its gradient is not, in `{}`",
    "the optimizer's update is not, in `{}`",
)
HIDDEN = "the loss is finite, its gradient is not, in `"  # within a forward pass that σ makes finite again
LOSS = losses.half_squared_error


class Plan(NamedTuple):
    """What is replaced: whole numbers, so that the plan itself is finite and one program serves all of a network."""

    kind: Any
    step: Any
    leaf: Any
    entry: Any
    value: Any


class Batch(NamedTuple):
    """Data that carry a plan."""

    x: Any
    y: Any
    index: Any
    plan: Plan


def replaced(plan, kind, step, tree):
    """A tree with the plan's number in its place, if it is of this kind and due."""
    value = jnp.asarray([np.nan, np.inf, -np.inf], float)[plan.value]
    leaves, form = jax.tree.flatten(tree)
    for i, leaf in enumerate(leaves):
        here = (plan.kind == kind) & (plan.step == step.astype(jnp.int32)) & (plan.leaf == i)
        hit = here & (jnp.arange(leaf.size, dtype=jnp.int32).reshape(leaf.shape) == plan.entry)
        leaves[i] = jnp.where(hit, value.astype(leaf.dtype), leaf)
    return form.unflatten(leaves)


def spiked(plan, step, tree):
    """The same within the forward pass, by arithmetic on the number itself: a constant would be named as such."""
    big = jnp.finfo(jnp.zeros(())).max * jnp.asarray([1.0, 1.0, -1.0], float)[plan.value]
    marked = replaced(plan, FORWARD, step, jax.tree.map(jnp.zeros_like, tree))
    spike = lambda leaf, mark: (leaf * 0 + jnp.where(jnp.isfinite(mark), 0, big).astype(leaf.dtype)) * 4
    return jax.tree.map(lambda leaf, mark: jnp.where(jnp.isfinite(mark), leaf, spike(leaf, mark)), tree, marked)


def breaking(plan):
    """An optimizer that passes updates on but for the planned one."""
    passing = lambda updates, state, params=None: (
        replaced(state[1], UPDATE, state[0], updates),
        (state[0] + jnp.uint32(1), state[1]),
    )
    return optax.GradientTransformation(lambda params: (jnp.uint32(0), plan), passing)


class Network:
    """One network, its programs, and the states that an untouched run of it goes through."""

    def __init__(self, sigma, sizes, key):
        self.key, self.paths = key, list(trees.paths(mlp.init(key, sizes)))
        self.params = jax.jit(functools.partial(mlp.init, sizes=sizes))(key)
        self.momentum = optax.sgd(1e-4, 0.9)
        self.optimizer = optax.chain(self.momentum, breaking(Plan(*[jnp.int32(-1)] * 5)))
        risk = training.supervised(functools.partial(mlp.apply, activation=sigma), LOSS)
        self.x, self.y = (np.asarray(jax.random.normal(key, (N, d), float)) for d in (sizes[0], sizes[-1]))

        def objective(params, step, batch, key):
            planned = jax.tree.map(lambda leaf: leaf[0], batch.plan)
            params = spiked(planned, step, params)
            return risk(params, data.Dataset(batch.x, batch.y), None), step + jnp.uint32(1)

        def value_and_grad(params, step, batch, key):
            value, grads = jax.value_and_grad(objective, has_aux=True)(params, step, batch, key)
            planned = jax.tree.map(lambda leaf: leaf[0], batch.plan)
            return value, replaced(planned, GRADIENT, step, grads)

        def transform(batch, key):
            value = jnp.asarray([np.nan, np.inf, -np.inf], float)[batch.plan.value]
            hit = (batch.plan.kind == DATUM) & (batch.index == batch.plan.leaf)
            at = jnp.arange(batch.x.shape[1], dtype=jnp.int32)[None] == batch.plan.entry[:, None]
            return batch._replace(x=jnp.where(hit[:, None] & at, value[:, None], batch.x))

        functions = dict(objective=objective, value_and_grad=value_and_grad, transform=transform)
        self.settings = dict(functions, optimizer=self.optimizer, batch_size=BATCH)
        self.run = jax.jit(lambda state, data: training.run(state, data, steps=STEPS, **self.settings)[0])
        self.one = jax.jit(lambda state, data: training.run(state, data, steps=1, **self.settings)[0])
        self.slope = jax.jit(value_and_grad)
        draw = lambda step: data.batching.indices(self.key, step, n=N, batch_size=BATCH)
        self.order = np.asarray(jax.jit(jax.vmap(draw))(jnp.arange(STEPS)))
        self.states = list(self.trajectory())
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(self.states[-1].params))

    def start(self, plan):
        state = training.start(self.key, self.params, optimizer=self.optimizer, model_state=jnp.uint32(0))
        held = (state.opt_state[0], (jnp.uint32(0), jax.tree.map(jnp.int32, plan)))
        params = replaced(plan, PARAMS, jnp.uint32(plan.step), self.params) if plan.kind == PARAMS else self.params
        return state._replace(params=params, opt_state=held)

    def data(self, plan):
        return Batch(self.x, self.y, np.arange(N, dtype=np.int32), Plan(*(np.full(N, part, np.int32) for part in plan)))

    def trajectory(self):
        nothing = Plan(-1, -1, -1, -1, 0)
        state = self.start(nothing)
        yield state
        for _ in range(STEPS):
            state = self.one(state, self.data(nothing))
            yield state

    def plan(self, kind, rng):
        """A random one of its kind: and the step at which it is due."""
        if kind == DATUM:
            example = int(rng.integers(N))
            step = int(np.nonzero(self.order == example)[0][0])
            return Plan(kind, step, example, int(rng.integers(self.x.shape[1])), int(rng.integers(3)))
        leaf = int(rng.integers(len(self.paths)))
        entry = int(rng.integers(jax.tree.leaves(self.params)[leaf].size))
        step = 0 if kind == PARAMS else int(rng.integers(STEPS))
        return Plan(kind, step, leaf, entry, int(rng.integers(3)))

    def broken(self, plan):
        """Whether the loss of that step is not finite, and whether its gradient is not: σ may be finite at ∞."""
        batch = jax.tree.map(lambda leaf: leaf[self.order[plan.step]], self.data(plan))
        (value, _), grads = self.slope(*self.states[plan.step][:2], batch, self.key)
        return not np.isfinite(value), not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(grads))


def same(state, other):
    """Parameters, momentum and step, bit for bit."""
    try:
        assert_trees_equal(
            (state.params, state.opt_state[0], state.step), (other.params, other.opt_state[0], other.step)
        )
    except AssertionError:
        return False
    return True


def injected(network, plan):
    """What is wrong with how one injection is met; nothing if all is as promised."""
    state, given, saved, wrong = network.start(plan), network.data(plan), [], []
    good = network.states[plan.step]
    good = good._replace(params=state.params) if plan.kind == PARAMS else good
    ran = network.run(state, given)
    kept = plan.step // 32 * 32 if plan.kind == UPDATE else plan.step
    expected = good if plan.kind == PARAMS else network.states[kept]
    if int(ran.stop_state.first_bad_step) != kept or not same(training.revive(ran), expected):
        wrong.append("run")
    try:
        training.fit(
            state, given, steps=STEPS, chunk=STEPS, checkpoint=saved.append, progress=False, **network.settings
        )
        return [*wrong, "not found"]
    except training.NonFiniteError as error:
        hidden = plan.kind == FORWARD and not network.broken(plan)[0]
        says = HIDDEN if hidden else SAYS[plan.kind].format(network.paths[plan.leaf] if plan.kind != DATUM else "")
        wrong += ["step"] * (error.step != plan.step) + ["place"] * (says not in str(error))
        wrong += ["state"] * (not same(error.state, good))
        wrong += ["checkpoint"] * (not same(training.revive(saved[-1]), good))
    return wrong


def measure(count, seed):
    """Injections by turns of kind and network."""
    rng, every = np.random.default_rng(seed), []
    nets = [(sigma, (4,) * depth) for sigma in activations.ALL for depth in (3, 6)]
    nets = nets if count >= 100 else nets[5:6]
    found = {"count": count, "networks": len(nets), "swallowed": 0, "wrong": {}, "kinds": dict.fromkeys(KINDS, 0)}
    for i, (sigma, sizes) in enumerate(nets):
        network = Network(sigma, sizes, jax.random.key(1000 * seed + i))
        for j in range(i, count, len(nets)):
            plan = network.plan(j // len(nets) % len(KINDS), rng)
            if plan.kind == FORWARD and not any(network.broken(plan)):
                found["swallowed"] += 1
                continue
            found["kinds"][KINDS[plan.kind]] += 1
            every += [
                f"{what}: {KINDS[plan.kind]}, {sigma}, {sizes}, {tuple(plan)}" for what in injected(network, plan)
            ]
    for what in ("run", "not found", "step", "place", "state", "checkpoint"):
        found["wrong"][what] = [text for text in every if text.startswith(what)]
    return found


def claims(found):
    """Nothing missed, nothing misplaced, nothing lost."""
    made = sum(found["kinds"].values())
    none = lambda what, expected: Claim(
        expected, f"{len(found['wrong'][what])} of {made} not", not found["wrong"][what] and made > 0
    )
    return [
        none("not found", "`fit` raises `NonFiniteError`"),
        none("step", "it names the step of the injection"),
        none("place", "it names the batch, or the leaf: of the parameters, the forward pass, the gradient, the update"),
        none("state", "it carries the state before that step, bit for bit"),
        none("checkpoint", "so does the last checkpoint"),
        none("run", "`run` ends at that step, or for an update at the last of each 32 before it, with the state there"),
    ]
