"""MNIST by a recipe in PyTorch, from the start of the process to an accuracy on the test set: plain, and at its best.

    python benchmarks/fresh/pytorch_accuracy.py RECIPE --data-dir DIR [--lean]

RECIPE is JSON with the names of `DEFAULTS`, whose values it may leave out; the schedule is "one-cycle" (a fifth of the
steps up, the rest down to 0) or "constant". Training is on all 60,000 images, by AdamW, which without decay is Adam. A
batch may cross from one epoch to the next, so none is smaller.

Pixels stay bytes until used, in rows between zeros: a shifted image is a slice of that memory, of which a gather
copies one for each example of the batch, and a mask blots what came from the neighboring row of pixels. That took least
of six ways that were tried. `seconds_in_process` is without the first imports: the whole is timed from outside. What
`--lean` saves is told in `lean_adam.py`.
"""

import argparse
import itertools
import json
import time

import lean_adam
import torch
from mnist_files import load
from torch import nn
from torch.nn import functional

SIDE = 28
DEFAULTS = {
    "hidden": [256, 256],
    "epochs": 3,
    "batch": 256,
    "rate": 4e-3,
    "schedule": "one-cycle",
    "shift": 1,
    "dropout": 0.0,
    "weight_decay": 0.0,
    "smoothing": 0.0,
    "seed": 0,
}


def linear(n_in, n_out):
    """A layer with He-normal weights and zero biases."""
    layer = nn.Linear(n_in, n_out)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


def network(recipe):
    """ReLU and dropout after each hidden layer."""
    sizes, rest = [SIDE**2, *recipe["hidden"]], [nn.ReLU()]
    rest += [nn.Dropout(recipe["dropout"])] if recipe["dropout"] else []
    hidden = [module for pair in itertools.pairwise(sizes) for module in (linear(*pair), *rest)]
    return nn.Sequential(*hidden, linear(sizes[-1], 10))


def optimizer(model, weight_decay, lean):
    """AdamW, whose decay, if any, is of the weights alone; without decay one group, which is faster than two."""
    of = lambda *axes: [p for p in model.parameters() if p.ndim in axes]
    groups = [{"params": of(2), "weight_decay": weight_decay}, {"params": of(1), "weight_decay": 0.0}]
    groups = groups if weight_decay else [{"params": of(1, 2), "weight_decay": 0.0}]
    return lean_adam.AdamW(groups) if lean else torch.optim.AdamW(groups, fused=True)


def learning_rates(recipe, steps, warmup=0.2):
    """Of each step."""
    if recipe["schedule"] == "constant":
        return [recipe["rate"]] * steps
    up = int(warmup * steps)
    return [recipe["rate"] * (t / up if t < up else (steps - t) / (steps - up)) for t in range(steps)]


def batches(x, y, order, shift):
    """Images, each moved by its own draw of up to `shift` pixels, and labels."""
    margin, side = shift * (SIDE + 1), 2 * shift + 1
    memory = functional.pad(x, (margin, margin))
    slices = memory.view(-1).as_strided((memory.numel() - SIDE**2 + 1, SIDE**2), (1, 1))
    source = torch.arange(SIDE**2) % SIDE + torch.arange(-shift, shift + 1)[:, None]
    masks = ((source >= 0) & (source < SIDE)).float() / 255
    down, right = torch.randint(side, order.shape), torch.randint(side, order.shape)
    starts = order * memory.shape[1] + SIDE * down + right
    for rows, start, moved in zip(order.unbind(), starts.unbind(), right.unbind(), strict=True):
        yield slices.index_select(0, start).float().mul_(masks.index_select(0, moved)), y.index_select(0, rows)


def shuffled(examples, steps, batch):
    """The examples of each step, one epoch after another."""
    epochs = -(-steps * batch // examples)
    return torch.cat([torch.randperm(examples) for _ in range(epochs)])[: steps * batch].view(steps, batch)


def train(model, optim, x, y, recipe):
    """All epochs."""
    steps = recipe["epochs"] * len(x) // recipe["batch"]
    moved = batches(x, y, shuffled(len(x), steps, recipe["batch"]), recipe["shift"])
    for rate, (images, labels) in zip(learning_rates(recipe, steps), moved, strict=True):
        for group in optim.param_groups:
            group["lr"] = rate
        optim.zero_grad(set_to_none=True)
        functional.cross_entropy(model(images), labels, label_smoothing=recipe["smoothing"]).backward()
        optim.step()


@torch.inference_mode()
def accuracy(model, x, y):
    model.eval()
    return (model(x.float().mul_(1 / 255)).argmax(1) == y).float().mean().item()


def tensors(directory, split):
    """Images as bytes, labels as 64-bit integers."""
    x, y = load(directory, split)
    return torch.tensor(x), torch.tensor(y, dtype=torch.int64)


def recipe_of(text):
    """A recipe from JSON; what it leaves out is the default's."""
    recipe = json.loads(text)
    if not isinstance(recipe, dict) or set(recipe) - set(DEFAULTS):
        raise argparse.ArgumentTypeError(f"must be a JSON object with names of {', '.join(DEFAULTS)}")
    return DEFAULTS | recipe


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=recipe_of, metavar="RECIPE")
    parser.add_argument("--data-dir", required=True, metavar="DIR", help="where MNIST's four files are")
    parser.add_argument("--lean", action="store_true", help="without torch.optim's classes and what they import")
    arguments = parser.parse_args()
    began, recipe = time.perf_counter(), arguments.recipe
    torch.manual_seed(recipe["seed"])
    model = network(recipe)
    optim = optimizer(model, recipe["weight_decay"], arguments.lean)
    train(model, optim, *tensors(arguments.data_dir, "train"), recipe)
    found = accuracy(model, *tensors(arguments.data_dir, "test"))
    print(json.dumps({"seconds_in_process": time.perf_counter() - began, "test_accuracy": found}))


if __name__ == "__main__":
    main()
