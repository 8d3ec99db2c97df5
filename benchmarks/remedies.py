"""Draft."""
import argparse, functools, itertools, json, os, pathlib, sys, time
import jax, jax.numpy as jnp, numpy as np, optax
from typing import NamedTuple
from mlpjax import data, initializers, losses, training
from mlpjax.activations import relu, sigmoid
from mlpjax.layers import Dense, dense, norm, residual

DEPTH, WIDTH = 100, 32


class Net(NamedTuple):
    first: Dense
    hidden: Dense
    norms: norm.Norm
    last: Dense


class Remedies(NamedTuple):
    relu: bool
    residual: bool
    norm: bool
    init: bool


def init(key, has):
    k0, k1, k2 = jax.random.split(key, 3)
    draw = lambda k, i, o: dense.init(k, i, o, weight_init=initializers.xavier_normal)
    fit = draw
    if has.init:
        gain = 1.0 if has.norm else (2.0**0.5 if has.relu else 4.0) / (DEPTH if has.residual else 1.0)
        fit = lambda k, i, o: dense.init(k, i, o, weight_init=lambda *a: gain * initializers.orthogonal(*a))
    hidden = jax.vmap(lambda k: fit(k, WIDTH, WIDTH))(jax.random.split(k1, DEPTH - 1))
    if has.init and not has.relu and not has.residual and not has.norm:
        hidden = hidden._replace(b=-hidden.W.sum(-1) / 2)
    norms, running = norm.batch_init(WIDTH)
    norms, running = jax.tree.map(lambda v: jnp.broadcast_to(v, (DEPTH, WIDTH)), (norms, running))
    return Net(draw(k0, 64, WIDTH), hidden, norms, draw(k2, WIDTH, 10)), running


def apply(params, running, x, has, train):
    activation = relu if has.relu else sigmoid

    def layer(a, turn, skip=has.residual):
        weights, scaling, state = turn
        def branch(a):
            nonlocal state
            z = a @ weights.W.T + weights.b
            if has.norm:
                z, state = norm.batch_apply(scaling, state, z, train=train)
            return activation(z)
        a = residual.apply(branch, a) if skip else branch(a)
        return a, state
    top = lambda t: jax.tree.map(lambda v: v[0], t)
    rest = lambda t: jax.tree.map(lambda v: v[1:], t)
    a, s0 = layer(x, (params.first, top(params.norms), top(running)), False)
    a, s = jax.lax.scan(layer, a, (params.hidden, rest(params.norms), rest(running)))
    running = jax.tree.map(lambda u, v: jnp.concatenate([u[None], v]), s0, s)
    return a @ params.last.W.T + params.last.b, running


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--steps", type=int, default=600)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--rates", type=float, nargs="+", default=[1e-4, 1e-3, 1e-2, 1e-1, 1.0])
    p.add_argument("--optimizer", default="momentum")
    p.add_argument("--only", nargs="+")
    a = p.parse_args()
    every = data.digits.load("train")
    test = data.digits.load("test")
    prep = lambda d: data.Dataset(d.x.astype("float32") / 16 - 0.0, d.y)
    every, test = prep(every), prep(test)
    mean, std = every.x.mean(), every.x.std()
    every, test = (d._replace(x=(d.x - mean) / std) for d in (every, test))
    order = np.random.default_rng(0).permutation(len(every.x))
    held, tr = (data.Dataset(every.x[i], every.y[i]) for i in (order[:288], order[288:]))
    for has in itertools.product([False, True], repeat=4):
        has = Remedies(*has)
        name = "+".join(n for n, v in has._asdict().items() if v) or "none"
        if a.only and name not in a.only: continue
        def objective(params, running, batch, key, has=has):
            z, running = apply(params, running, batch.x, has, key is not None)
            return jax.vmap(losses.softmax_cross_entropy.value)(z, batch.y).mean(), running
        def accuracy(params, running, batch):
            return jnp.mean(apply(params, running, batch.x, has, False)[0].argmax(-1) == batch.y)
        def one(key, rate):
            opt = optax.sgd(rate, momentum=0.9) if a.optimizer == "momentum" else optax.adam(rate)
            params, running = init(key, has)
            g = jax.grad(objective, has_aux=True)(params, running, tr, key)[0].hidden.W
            state = training.start(key, params, optimizer=opt, model_state=running)
            state, h = training.run(state, tr, objective=objective, optimizer=opt, steps=a.steps, batch_size=a.batch)
            acc = [accuracy(state.params, state.model_state, d) for d in (tr, held, test)]
            return jnp.stack(acc), h.loss[-1], jnp.sqrt((g**2).sum((-1, -2)))[jnp.array([0, 49, 98])], state.stop_state.first_bad_step
        keys = jax.random.split(jax.random.key(0), a.seeds)
        f = jax.jit(jax.vmap(jax.vmap(one, (None, 0)), (0, None)))
        t = time.time()
        c = f.lower(keys, jnp.array(a.rates)).compile()
        t1 = time.time()
        acc, loss, g, bad = jax.block_until_ready(c(keys, jnp.array(a.rates)))
        t2 = time.time()
        med = np.median(acc, 0)  # rates, 3
        best = med[:, 1].argmax()
        print(f"{name:<26} compile {t1-t:.1f} run {t2-t1:.1f} | held " + " ".join(f"{v:.2f}" for v in med[:, 1]) + f" | test {np.sort(acc[:, best, 2])} | g " + " ".join(f"{v:.0e}" for v in g[0, 0]), flush=True)


main()
