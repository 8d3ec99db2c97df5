"""`mlpjax gradcheck`."""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

from mlpjax.cli import _report
from mlpjax.cli._parser import naming_options, parse

ABOUT = """Check backpropagation in float64, layer by layer: BP1 to BP4 against central differences and jax.grad.

Examples:
  mlpjax gradcheck
  mlpjax gradcheck --sizes 6,8,8,4 --activation gelu --loss half_squared_error

An error below 1e-7 passes. With a kink (relu and its kin) one in many thousand networks fails without a bug, because a
difference reaches across the kink: try another --seed.
"""

LIMIT, EXACT = 1e-7, 1e-10
"""The largest error against central differences, and against autodiff."""


@dataclass(frozen=True)
class Options:
    """Which network to check.

    Attributes:
        sizes: of the layers, inputs first, outputs last.
        activation: of the hidden layers, by name.
        loss: by name.
        examples: how many in the batch.
        seed: of parameters and data.
    """

    sizes: tuple[int, ...] = (4, 5, 3)
    activation: str = "tanh"
    loss: str = "softmax_cross_entropy"
    examples: int = 8
    seed: int = 0


class Row(NamedTuple):
    """One equation in one layer, with its errors."""

    equation: str
    what: str
    shape: tuple[int, ...]
    differences: float
    autodiff: float

    @property
    def passes(self) -> bool:
        """Whether both are small; NaN is not."""
        return self.differences <= LIMIT and self.autodiff <= EXACT


def run(args: list[str]) -> int:
    """Check as the arguments say."""
    import jax

    (options,) = parse("gradcheck", ABOUT, args, Options, positional={})
    with jax.enable_x64(True), naming_options():
        rows = check(options)
    cells = [
        [row.equation, row.what, " × ".join(map(str, row.shape)), f"{row.differences:.1e}", f"{row.autodiff:.1e}",
         "passes" if row.passes else "FAILS"]
        for row in rows
    ]  # fmt: skip
    heads = ["equation", "of", "shape", "against differences", "against autodiff", ""]
    name = f"{'-'.join(map(str, options.sizes))}, {options.activation}, {options.loss}, {options.examples} examples"
    _report.columns(f"Relative errors of backpropagation ({name})", heads, cells)
    failed = [row for row in rows if not row.passes]
    if failed:
        print(f"FAILED: {', '.join(f'{row.equation} ({row.what})' for row in failed)}. The limit is {LIMIT:.0e}.")
    else:
        print(f"All {len(rows)} pass: every error is below {LIMIT:.0e}.")
    return 1 if failed else 0


def check(options: Options) -> list[Row]:
    """Every equation in every layer, from the output back."""
    import jax
    import jax.numpy as jnp

    from mlpjax import _check, activations, losses, mlp

    sizes = _check.sizes(options.sizes)
    if options.examples < 1 or not 0 <= options.seed < 2**32:
        raise ValueError(
            f"`examples` must be at least 1, and `seed` from 0 to 2^32 − 1; got {options.examples} and {options.seed}. "
            f"Leave them out for the defaults."
        )
    activation, loss = activations.by_name(options.activation), losses.by_name(options.loss)
    keys = jax.random.split(jax.random.key(options.seed), 3)
    params = mlp.init(keys[0], sizes, bias_init=_normal, dtype=jnp.float64)
    x = jax.random.normal(keys[1], (options.examples, sizes[0]), jnp.float64)
    if loss.classifies:
        y = jax.random.randint(keys[2], (options.examples,), 0, sizes[-1])
    else:
        y = jax.random.uniform(keys[2], (options.examples, sizes[-1]), jnp.float64)
    errors = jax.jit(functools.partial(_errors, activation=activation, loss=loss))(params, x, y)
    return [Row(*label, *map(float, pair)) for label, pair in zip(_labels(sizes), errors, strict=True)]


def _labels(sizes: tuple[int, ...]) -> list[tuple[str, str, tuple[int, ...]]]:
    """Equation, quantity and shape of each row, from the output back."""
    layers = list(enumerate(zip(sizes[1:], sizes[:-1], strict=True), 1))[::-1]
    deltas = [("BP1" if l == len(layers) else "BP2", f"δ of layer {l}", (m,)) for l, (m, _) in layers]
    pairs = [(("BP3", f"W of layer {l}", (m, n)), ("BP4", f"b of layer {l}", (m,))) for l, (m, n) in layers]
    return deltas + [row for pair in pairs for row in pair]


def _errors(params: Any, x: Any, y: Any, *, activation: Any, loss: Any) -> list[tuple[Any, Any]]:
    """The errors of each row: BP1 and BP2 of the first example, BP3 and BP4 of the whole batch."""
    from mlpjax import backprop

    settings: dict[str, Any] = {"activation": activation, "loss": loss}
    grads = backprop.value_and_grad(params, x, y, **settings)[1]
    mean_loss = functools.partial(_mean_loss, x=x, y=y, **settings)
    return _errors_of_layers(params, x[0], y[0], **settings) + _errors_of_parameters(mean_loss, grads, params)


def _errors_of_layers(params: Any, x: Any, y: Any, activation: Any, loss: Any) -> list[tuple[Any, Any]]:
    """BP1 and BP2: is δ the derivative in the pre-activations? Asked of the rest of the network above them."""
    from mlpjax import backprop, mlp

    z, errors = mlp.trace(params, x, activation=activation).z, []
    delta = backprop.bp1(z[-1], y, loss=loss)
    for l in reversed(range(len(params))):
        if l < len(params) - 1:
            delta = backprop.bp2(params[l + 1].W, delta, z[l], activation=activation)
        above = functools.partial(_above, params=params[l + 1 :], y=y, activation=activation, loss=loss)
        errors += _compare([delta], above, z[l])
    return errors


def _errors_of_parameters(f: Any, grads: Any, params: Any) -> list[tuple[Any, Any]]:
    """BP3 and BP4: the gradients in W and b, layer by layer."""
    return _compare([leaf for layer in reversed(grads) for leaf in layer], f, params, lambda tree: tree[::-1])


def _compare(mine: list[Any], f: Any, at: Any, order: Any = lambda tree: tree) -> list[tuple[Any, Any]]:
    """Leaf by leaf, the distance from central differences of f and from its autodiff."""
    import jax

    from mlpjax import gradcheck

    others = [jax.tree.leaves(order(gradient)) for gradient in (gradcheck.central_difference(f, at), jax.grad(f)(at))]
    return [(gradcheck.distance(g, a), gradcheck.distance(g, b)) for g, a, b in zip(mine, *others, strict=True)]


def _above(z: Any, *, params: Any, y: Any, activation: Any, loss: Any) -> Any:
    """The loss, as a function of the pre-activations of one layer."""
    for layer in params:
        z = layer.W @ activation(z) + layer.b
    return loss.value(z, y)


def _mean_loss(params: Any, *, x: Any, y: Any, activation: Any, loss: Any) -> Any:
    """The mean loss, without a line of `backprop`."""
    import jax
    import jax.numpy as jnp

    from mlpjax import mlp

    z = jax.vmap(lambda x: mlp.apply(params, x, activation=activation))(x)
    return jnp.mean(jax.vmap(loss.value)(z, y))


def _normal(key: Any, shape: Any, dtype: Any) -> Any:
    """Biases that are not zero, so that nothing about them can hide."""
    import jax

    return jax.random.normal(key, shape, dtype)
