"""One epoch of MNIST in PyTorch, from the start of the process to its end: the plain script at its best.

    python benchmarks/fresh/pytorch_epoch.py --data-dir DIR [--lean]

Pixels stay bytes until a batch of them is used: gathering and casting that batch was faster than gathering floats,
and the cast of all 60,000 images is saved. The optimizer is the fused one. Nothing is compiled: that alone takes longer
than the epoch. The last 96 images, less than a batch, are dropped, as by `DataLoader(drop_last=True)`.
Most of the time goes into imports: that of `torch`, and of `torch._dynamo`, which the first optimizer imports. With
`--lean` the optimizer's function is called without its class, and the second import is saved: see `lean_adam.py`.
"""

import argparse
import itertools
import json

import lean_adam
import torch
from mnist_files import load
from torch import nn
from torch.nn import functional

SIZES, BATCH, RATE = (784, 128, 10), 128, 1e-3


def tensors(directory, split):
    """Images as bytes, labels as 64-bit integers."""
    x, y = load(directory, split)
    return torch.tensor(x), torch.tensor(y, dtype=torch.int64)


def network():
    """ReLU between layers; He-normal weights, zero biases."""
    layers = [nn.Linear(n_in, n_out) for n_in, n_out in itertools.pairwise(SIZES)]
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
    return nn.Sequential(*(module for layer in layers for module in (layer, nn.ReLU())))[:-1]


def scaled(x):
    return x.float().mul_(1 / 255)


def adam(parameters, lean):
    if lean:
        return lean_adam.AdamW([{"params": list(parameters), "weight_decay": 0.0}], lr=RATE)
    return torch.optim.Adam(parameters, lr=RATE, fused=True)


def train(model, optimizer, x, y):
    """Mean loss over the steps of one epoch."""
    losses = []
    for rows in torch.randperm(len(x))[: len(x) // BATCH * BATCH].view(-1, BATCH).unbind():
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(model(scaled(x.index_select(0, rows))), y.index_select(0, rows))
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).mean().item()


@torch.inference_mode()
def accuracy(model, x, y):
    return (model(scaled(x)).argmax(1) == y).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True, metavar="DIR", help="where MNIST's four files are")
    parser.add_argument("--lean", action="store_true", help="without torch.optim's classes and what they import")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    model = network()
    loss = train(model, adam(model.parameters(), arguments.lean), *tensors(arguments.data_dir, "train"))
    found = accuracy(model, *tensors(arguments.data_dir, "test"))
    print(json.dumps({"loss": loss, "test_accuracy": found}))


if __name__ == "__main__":
    main()
