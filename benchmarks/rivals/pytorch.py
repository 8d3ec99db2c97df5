"""PyTorch on the CPU: the plain loop, the documented one, and what `torch.compile` and `torch.func` make of it.

- `eager` is the loop of the tutorials at its best: tensors that stay in memory, batches by `index_select`, the fused
  optimizer, gradients set to None, no `.item()` before the end. `eager_default` is the same with the optimizer as it
  comes, which on a CPU loops over the parameters.
- `dataloader` is the documented idiom (https://docs.pytorch.org/tutorials/beginner/basics/optimization_tutorial.html):
  a `TensorDataset` behind a `DataLoader` with its default collation, in this process, and the default optimizer.
- `compiled_model` is the first example of `torch.compile`'s documentation: network and loss compiled, the rest as in
  `eager`. `compiled` is the whole step, with the optimizer compiled as its recipe shows
  (https://docs.pytorch.org/tutorials/recipes/compiling_optimizer.html) and gradients by `torch.func.grad_and_value`:
  with `loss.backward()`, which breaks the graph, the step took twice as long for XOR. Both need g++. What nobody
  documents: 10 or 50 steps of XOR unrolled into one graph, with gradient descent written by hand, took a quarter of the
  time of `compiled`, after more than a minute of compilation.
- `ensemble` trains many networks by `torch.func.stack_module_state`, `functional_call` and `vmap`
  (https://docs.pytorch.org/tutorials/intermediate/ensembling.html), with one fused optimizer for all. `backward` of the
  summed losses was faster than `vmap` of `grad_and_value`, except compiled: `ensemble_compiled`. Without `torch.func`
  networks are trained one after another: the time of `eager` for one problem, times their number.

The number of threads is PyTorch's own choice.
"""

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.rivals.problem import Problem

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}
OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}  # their other constants are the problem's by default


def network(problem: Problem) -> nn.Sequential:
    """The problem's network with its initial values."""
    modules = []
    for W, _ in problem.layers:
        modules += [nn.Linear(*reversed(W.shape)), ACTIVATIONS[problem.activation]()]
    modules[-1:] = [nn.Sigmoid()] if problem.loss == "squared" else []
    module = nn.Sequential(*modules)
    reset(module, problem)
    return module


def reset(module: nn.Module, problem: Problem) -> None:
    """Give a network the problem's initial values (again)."""
    initial = [torch.tensor(v) for layer in problem.layers for v in layer]
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), initial, strict=True):
            parameter.copy_(value)
            parameter.grad = None


def cost(problem: Problem) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The mean loss of a batch, of the network's outputs and the targets."""
    if problem.loss == "cross-entropy":
        return functional.cross_entropy
    return lambda a, y: functional.mse_loss(a, y, reduction="sum") / (2 * len(y))


def optimizer(parameters, problem: Problem, fused: bool | None = True) -> torch.optim.Optimizer:
    """Adam or gradient descent, with the problem's learning rate."""
    return OPTIMIZERS[problem.optimizer](parameters, lr=problem.rate, fused=fused)


def tensors(problem: Problem) -> tuple[torch.Tensor, torch.Tensor]:
    """The examples; PyTorch wants class indices of 64 bits."""
    y = problem.y.astype(np.int64) if problem.loss == "cross-entropy" else problem.y
    return tuple(torch.from_numpy(np.require(v, requirements="W")) for v in (problem.x, y))


def batches(problem: Problem) -> Callable[[], Iterator[tuple[torch.Tensor, torch.Tensor]]]:
    """What starts the sequence of all batches; nothing is gathered if each is the whole data set in its order."""
    x, y = tensors(problem)
    steps, size = problem.order.shape
    if size == len(x) and (problem.order == np.arange(size)).all():
        return lambda: itertools.repeat((x, y), steps)
    order = torch.from_numpy(problem.order)
    return lambda: ((x.index_select(0, rows), y.index_select(0, rows)) for rows in order.unbind())


def mean(losses: list[torch.Tensor]) -> float:
    """Of the losses of all steps."""
    return torch.stack(losses).mean(dtype=torch.float64).item()


def stepping(forward: Callable, optim: torch.optim.Optimizer) -> Callable:
    """One step of the usual loop: `(x, y)` to the loss, of `(x, y)` to the loss with its graph."""

    def step(x, y):
        optim.zero_grad(set_to_none=True)
        loss = forward(x, y)
        loss.backward()
        optim.step()
        return loss.detach()

    return step


def loop(problem: Problem, module: nn.Module, forward: Callable, start: Callable, *, fused: bool | None) -> Callable:
    """A contestant that trains the module by the usual loop over batches."""

    def prepare():
        reset(module, problem)
        step = stepping(forward, optimizer(module.parameters(), problem, fused))
        return lambda: mean([step(x, y) for x, y in start()])

    return prepare


def evaluation(problem: Problem) -> tuple[nn.Module, Callable]:
    """A network, and its loss on a batch."""
    module, loss = network(problem), cost(problem)
    return module, lambda x, y: loss(module(x), y)


def eager(problem: Problem) -> Callable:
    """The plain loop with the fused optimizer."""
    return loop(problem, *evaluation(problem), batches(problem), fused=True)


def eager_default(problem: Problem) -> Callable:
    """The plain loop with the optimizer as it comes."""
    return loop(problem, *evaluation(problem), batches(problem), fused=None)


def dataloader(problem: Problem) -> Callable:
    """The documented loop; its sampler yields the problem's order."""
    order = problem.order.ravel().tolist()
    loader = DataLoader(TensorDataset(*tensors(problem)), batch_size=problem.order.shape[1], sampler=order)
    return loop(problem, *evaluation(problem), lambda: loader, fused=None)


def need_compiler() -> None:
    """`torch.compile` writes C++ for a CPU: better to say now that nothing can compile it."""
    wanted = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(wanted) is None:
        raise NotImplementedError(f"no compiler ({wanted}; another can be named by CXX)")


def compiled_model(problem: Problem) -> Callable:
    """The plain loop with network and loss compiled."""
    need_compiler()
    module, forward = evaluation(problem)
    start, forward = batches(problem), torch.compile(forward)
    forward(*next(start())).backward()
    return loop(problem, module, forward, start, fused=True)


def descend(optim: torch.optim.Optimizer, parameters: dict, differentiate: Callable) -> Callable:
    """One step without `backward`, for compiling it: `(x, y)` to the loss."""

    def step(x, y):
        grads, loss = differentiate({name: p.detach() for name, p in parameters.items()}, x, y)
        for name, p in parameters.items():
            p.grad = grads[name]
        optim.step()
        return loss.mean()

    return step


def forget(optim: torch.optim.Optimizer) -> None:
    """Set an optimizer back: one that a compiled step holds cannot be exchanged without compiling again."""
    for state in optim.state.values():
        for value in state.values():
            if isinstance(value, torch.Tensor):
                value.zero_()


def compiled(problem: Problem) -> Callable:
    """The whole step compiled."""
    need_compiler()
    module, loss, start = network(problem), cost(problem), batches(problem)
    parameters = dict(module.named_parameters())
    optim = optimizer(parameters.values(), problem)
    differentiate = grad_and_value(lambda values, x, y: loss(functional_call(module, values, (x,)), y))
    step = torch.compile(descend(optim, parameters, differentiate))
    warm_up(step, start)

    def prepare():
        reset(module, problem)
        forget(optim)
        return lambda: mean([step(x, y) for x, y in start()])

    return prepare


def warm_up(step: Callable, start: Callable) -> None:
    """Compile: the first step makes the optimizer's state, the second finds it."""
    for x, y in itertools.islice(start(), 2):
        step(x, y)


def members(problems: list[Problem]) -> tuple[dict[str, nn.Parameter], Callable]:
    """The values of all networks, stacked, and the loss of one network as a function of its values."""
    stacked, _ = stack_module_state([network(problem) for problem in problems])
    module, loss = network(problems[0]).to("meta"), cost(problems[0])
    return stacked, lambda values, x, y: loss(functional_call(module, values, (x,)), y)


def restore(stacked: dict[str, nn.Parameter], initial: dict[str, torch.Tensor]) -> None:
    """Give all networks their initial values again."""
    with torch.no_grad():
        for name, parameter in stacked.items():
            parameter.copy_(initial[name])
            parameter.grad = None


def ensemble(problems: list[Problem]) -> Callable:
    """Networks that differ in nothing but their initial values, trained side by side; the loss is the mean over all."""
    start, (stacked, single) = batches(problems[0]), members(problems)
    initial = {name: p.detach().clone() for name, p in stacked.items()}
    together = vmap(single, in_dims=(0, None, None))

    def prepare():
        restore(stacked, initial)
        # gradients of the sum: each network's own
        step = stepping(lambda x, y: together(stacked, x, y).sum(), optimizer(stacked.values(), problems[0]))
        return lambda: mean([step(x, y) for x, y in start()]) / len(problems)

    return prepare


def ensemble_compiled(problems: list[Problem]) -> Callable:
    """The same with the whole step of all networks compiled."""
    need_compiler()
    start, (stacked, single) = batches(problems[0]), members(problems)
    initial, optim = {n: p.detach().clone() for n, p in stacked.items()}, optimizer(stacked.values(), problems[0])
    together = vmap(grad_and_value(single), in_dims=(0, None, None))
    step = torch.compile(descend(optim, stacked, together))
    warm_up(step, start)

    def prepare():
        restore(stacked, initial)
        forget(optim)
        return lambda: mean([step(x, y) for x, y in start()])

    return prepare
