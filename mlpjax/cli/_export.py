"""`mlpjax export`."""

import json
from dataclasses import dataclass
from pathlib import Path

from mlpjax.cli import _model, _run_dir
from mlpjax.cli._parser import parse

ABOUT = """Write the weights of a run as a safetensors file, in PyTorch's own layout.

Example:
  mlpjax export runs/digits-20270101-120000 model.safetensors

The activation, the loss and the preprocessing of the inputs travel along as metadata.
"""


@dataclass(frozen=True)
class Options:
    """What to write, and where to.

    Attributes:
        run_dir: a directory that mlpjax train wrote.
        out: the file to write.
    """

    run_dir: Path
    out: Path


def run(args: list[str]) -> int:
    """Export as the arguments say."""
    from mlpjax import export, trees

    (options,) = parse("export", ABOUT, args, Options, positional={"run_dir": "RUN_DIR", "out": "OUT.safetensors"})
    if options.out.suffix != ".safetensors":
        raise ValueError(f"`OUT` must end in .safetensors; got {options.out}. There is no other format.")
    model = _model.load(options.run_dir)
    recipe, sizes = model.problem.recipe, "-".join(str(size) for size in model.problem.sizes)
    metadata = {
        "activation": recipe.activation,
        "loss": recipe.loss,
        "data": recipe.data,
        "preprocessing": json.dumps(model.problem.preprocessing),
        "mlpjax": str(model.config["run"].get("mlpjax", "")),
    }
    export.to_safetensors(options.out, model.params, metadata=metadata)
    print(f"wrote {_run_dir.shown(options.out)}: {trees.count(model.params):,} parameters ({sizes})")
    return 0
