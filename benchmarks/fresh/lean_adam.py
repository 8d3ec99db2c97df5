"""AdamW by `torch.optim.adam.adam`, the public function beneath `torch.optim.AdamW`: the same kernel, the same numbers.

The first optimizer that a process makes imports `torch._dynamo`, which takes about as long as importing `torch`, for
nothing that an eager script needs. This one does not. No documentation shows it: it is here so that nobody can say that
PyTorch was held back.
"""

try:
    import torch
    from torch.optim.adam import adam
except ImportError as error:
    raise SystemExit(f"This script needs PyTorch, which `pip install -e '.[bench]'` installs: {error}") from None


class AdamW:
    """As `torch.optim.AdamW(groups, lr=..., fused=True)`, for groups with `params` and `weight_decay`."""

    def __init__(self, groups, lr=1e-3):
        self.param_groups = [{**group, "lr": lr} for group in groups]
        for group in self.param_groups:
            zeros = lambda params=group["params"]: [torch.zeros_like(p) for p in params]
            group["state"] = zeros(), zeros(), [], [torch.zeros(()) for _ in group["params"]]

    def zero_grad(self, set_to_none=True):
        """Gradients are always set to None."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    @torch.no_grad()
    def step(self):
        """One update in place."""
        rest = dict(beta1=0.9, beta2=0.999, eps=1e-8, amsgrad=False, maximize=False, fused=True)
        rest |= dict(decoupled_weight_decay=True)
        for group in self.param_groups:
            grads = [p.grad for p in group["params"]]
            hyper = dict(lr=group["lr"], weight_decay=group["weight_decay"])
            adam(group["params"], grads, *group["state"], **hyper, **rest)
