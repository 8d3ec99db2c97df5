"""What a recipe means: its data, its network, what is minimized and what is measured."""

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mlpjax import _check

PICTURES = ("digits", "mnist")
"""The data sets of pictures."""

WATCHED = 2000
"""How many training images are watched while training, where none are held out."""


class Problem(NamedTuple):
    """A recipe, translated.

    Attributes:
        recipe: the recipe.
        sizes: of the network.
        classes: of the data.
        apply: the network of one example.
        loss: the loss.
        objective: what is minimized.
        value_and_grad: its gradient by hand; `None` leaves it to autodiff.
        preprocessing: what was done to the pictures, as plain values; empty for points.
        transform: shifts and scaling, inside the compiled step; only the scaling for evaluation.
        metrics: what is measured besides the loss.
    """

    recipe: Any
    sizes: tuple[int, ...]
    classes: int
    apply: Callable
    loss: Any
    objective: Any
    value_and_grad: Callable | None
    preprocessing: dict[str, Any]
    transform: Callable | None
    metrics: dict[str, Callable]

    def probabilities(self, params: Any, x: Any) -> Any:
        """What the network says of a batch of raw inputs, one row per example, made to sum to 1 over classes."""
        import jax
        import jax.numpy as jnp

        from mlpjax.data import Dataset

        batch = Dataset(x, x) if self.transform is None else self.transform(Dataset(x, x), None)
        out = jax.vmap(lambda x: self.loss.output(self.apply(params, x, key=None)))(batch.x)
        if out.shape[1] == 1:
            p = jnp.clip(out, 0, 1)
            return jnp.concatenate([1 - p, p], axis=1)
        p = jnp.clip(out, 1e-12, None)
        return p / jnp.sum(p, axis=1, keepdims=True)


def make(recipe: Any) -> Problem:
    """Translate a recipe; a name or number that makes no sense is an error here."""
    from mlpjax import activations, backprop, losses, mlp, training

    check(recipe)
    activation, loss = activations.by_name(recipe.activation), losses.by_name(recipe.loss)
    inputs, classes, preprocessing = _facts(recipe)
    outputs = classes if loss.classifies or recipe.data in PICTURES else 1
    sizes = (inputs, *recipe.hidden, outputs)
    _check.sizes(sizes)
    apply = functools.partial(mlp.apply, activation=activation, dropout_rate=recipe.dropout)
    penalty = _penalty(recipe)
    objective = training.supervised(apply, loss, penalty=penalty)
    settings: dict[str, Any] = dict(activation=activation, loss=loss, dropout_rate=recipe.dropout, penalty=penalty)
    value_and_grad = backprop.supervised(**settings) if recipe.gradients == "bp" else None
    transform = transform_of(preprocessing) if preprocessing else None
    metrics = {"accuracy": training.metric(apply, functools.partial(_accuracy, loss))}
    return Problem(recipe, sizes, classes, apply, loss, objective, value_and_grad, preprocessing, transform, metrics)


def load(problem: Problem, split: str, data_dir: Path | None, *, progress: bool = False) -> Any:
    """The examples of a split, with targets in the form that the loss takes.

    They are NumPy's, so that to take some of them, or to look at one, compiles nothing.
    """
    import jax
    import numpy as np

    from mlpjax import data, losses

    if problem.recipe.data == "xor":
        x, y, _ = jax.device_get(jax.jit(data.toy.xor)())
        return data.Dataset(x, y[:, 0].astype(np.int32) if problem.loss.classifies else y)
    if problem.recipe.data == "digits":
        examples = jax.device_get(data.digits.load(split))
    else:
        name: Any = split
        examples = jax.device_get(data.mnist.load(data_dir, split=name, progress=progress))
    if problem.loss.classifies:
        return examples
    targets = jax.jit(jax.vmap(lambda k: losses.one_hot(k, problem.classes)))
    return examples._replace(y=jax.device_get(targets(examples.y)))


def hold_out(examples: Any, fraction: float, *, seed: int, classes: int) -> tuple[Any, Any]:
    """Training and validation part, with as large a part of every class in each.

    NumPy's `RandomState` is frozen: the same seed holds out the same examples in every version, which resuming needs.
    """
    import jax
    import numpy as np

    random = np.random.RandomState(seed)
    labels = class_indices(examples.y)
    members = [random.permutation(np.flatnonzero(labels == k)) for k in range(classes)]
    held = np.sort(np.concatenate([m[: math.ceil(fraction * len(m))] for m in members]))
    kept = np.setdiff1d(np.arange(len(labels)), held)
    if not len(kept) or not len(held):
        raise ValueError(
            f"`--validation` {fraction} of {len(labels)} examples leaves nothing to train on. Hold out less."
        )
    return jax.tree.map(lambda a: a[kept], examples), jax.tree.map(lambda a: a[held], examples)


def watched_part(examples: Any, *, seed: int) -> Any:
    """A fixed part of the training set, drawn once, to look at while training."""
    import jax
    import numpy as np

    count = len(examples.x)
    if count <= WATCHED:
        return examples
    picked = np.sort(np.random.RandomState(seed).permutation(count)[:WATCHED])
    return jax.tree.map(lambda a: a[picked], examples)


def class_indices(y: Any) -> Any:
    """The class of each example, from whatever form the loss takes."""
    import numpy as np

    y = np.asarray(y)
    if y.ndim == 2:
        return y.argmax(axis=1) if y.shape[1] > 1 else (y[:, 0] > 0.5).astype(int)
    return y


def check(recipe: Any) -> None:
    """Every number of a recipe that no library function looks at by itself."""
    _check.known("data set", recipe.data, (*PICTURES, "xor"))
    _check.known("kind of gradients", recipe.gradients, ("bp", "autodiff"))
    _check.probability("dropout", recipe.dropout)
    if any(size < 1 for size in recipe.hidden):
        raise ValueError(f"`hidden` must be positive integers; got {recipe.hidden}. Give one for each hidden layer.")
    for name in ("l1", "l2"):
        _check.not_negative(name, getattr(recipe, name), "It is the strength of the penalty.")
    for name, least in {"epochs": 1, "batch_size": 0, "patience": 0, "shift": 0, "seed": 0}.items():
        if getattr(recipe, name) < least:
            raise ValueError(
                f"`{name}` must be at least {least}; got {getattr(recipe, name)}. Leave it out for the default."
            )
    for name, bits in {"epochs": 31, "batch_size": 31, "patience": 31, "seed": 32}.items():
        if getattr(recipe, name) >= 2**bits:
            raise ValueError(f"`{name}` must be less than 2^{bits}; got {getattr(recipe, name)}. Give a smaller one.")
    if not 0 <= recipe.validation < 1:
        raise ValueError(f"`validation` must be a fraction in [0, 1); got {recipe.validation}. For example 0.1.")
    if recipe.patience and not recipe.validation:
        raise ValueError("`patience` waits for a better validation loss: hold something out, with `validation` 0.1.")
    if recipe.data == "xor" and (recipe.validation or recipe.shift):
        raise ValueError("`validation` and `shift` must be 0: xor has four points, and no pictures. Leave them out.")


def check_data_dir(recipe: Any, data_dir: Path | None) -> None:
    """Only MNIST is read from files."""
    if data_dir is not None and recipe.data != "mnist":
        come = "digits come with the package" if recipe.data == "digits" else "the points of xor are known"
        raise ValueError(f"`--data-dir` is for mnist: {come}. Leave it out; got {data_dir} for {recipe.data}.")


def least_loss(problem: Problem) -> float:
    """What no network can go below: the entropy of the target, 0 where the labels are not smoothed."""
    import jax
    import numpy as np

    if not problem.loss.classifies:
        return 0.0
    z = np.zeros(problem.classes, np.float32)
    # the error of softmax outputs p is δ = p − ỹ
    target = jax.jit(lambda z, k: problem.loss.output(z) - problem.loss.delta(z, k))(z, np.int32(0))
    target = np.clip(np.asarray(target), 1e-12, 1)
    return float(-np.sum(target * np.log(target)))


def _facts(recipe: Any) -> tuple[int, int, dict[str, Any]]:
    """Inputs, classes, and how the pictures of a data set were made, which `predict` does to a new one.

    A digit of MNIST was fitted into 20 × 20 pixels and put into 28 × 28 by its center of mass. One of the small digits
    fills the height of its 8 × 8 pixels; nobody wrote down where it stands between left and right, but this rule
    gives the very column of 94 % of the training images.
    """
    from mlpjax import data

    if recipe.data == "xor":
        return 2, 2, {}
    source = data.mnist if recipe.data == "mnist" else data.digits
    place = {"mnist": {"box": 20, "mass": 1.0, "middle": 13.5}, "digits": {"box": 8, "mass": 0.5, "middle": 3.64}}
    shape = {"height": source.HEIGHT, "width": source.WIDTH, "maximum": source.MAXIMUM}
    return source.HEIGHT * source.WIDTH, source.CLASSES, {**shape, **place[recipe.data], "shift": recipe.shift}


def transform_of(preprocessing: dict[str, Any]) -> Callable:
    """Shifts and scaling of pictures; without a key, only the scaling."""
    from mlpjax.data import augment

    height, width, shift = (preprocessing[name] for name in ("height", "width", "shift"))
    shifts = [augment.shift(shift, height=height, width=width)] if shift else []
    return augment.compose(*shifts, augment.scale(preprocessing["maximum"]))


def _accuracy(loss: Any, z: Any, y: Any, *, weight: Any = None) -> Any:
    """Of logits; a single output counts as class 1 where the prediction, not the logit, exceeds one half."""
    import jax

    from mlpjax import metrics

    return metrics.accuracy(jax.vmap(loss.output)(z) - 0.5 if z.shape[1] == 1 else z, y, weight=weight)


def _penalty(recipe: Any) -> Any:
    import jax

    from mlpjax import regularizers

    made = {"l1": regularizers.l1, "l2": regularizers.l2}
    parts = [make(getattr(recipe, name)) for name, make in made.items() if getattr(recipe, name) != 0]
    if len(parts) < 2:
        return parts[0] if parts else None
    a, b = parts
    grad = lambda params: jax.tree.map(lambda u, v: u + v, a.grad(params), b.grad(params))
    return regularizers.Penalty(f"{a} + {b}", lambda params: a(params) + b(params), grad)
