"""Training: a whole run as one pure function, and one host loop around it for its effects."""

from mlpjax.training import checkpoint as checkpoint
from mlpjax.training import recipes as recipes
from mlpjax.training import stopping as stopping
from mlpjax.training._diagnose import NonFiniteError as NonFiniteError
from mlpjax.training._diagnose import diagnose as diagnose
from mlpjax.training._effects import Interrupted as Interrupted
from mlpjax.training._effects import log_jsonl as log_jsonl
from mlpjax.training._effects import log_tensorboard as log_tensorboard
from mlpjax.training._evaluate import evaluate as evaluate
from mlpjax.training._fit import fit as fit
from mlpjax.training._loop import History as History
from mlpjax.training._objective import Supervised as Supervised
from mlpjax.training._objective import metric as metric
from mlpjax.training._objective import supervised as supervised
from mlpjax.training._run import run as run
from mlpjax.training._state import TrainState as TrainState
from mlpjax.training._state import best_params as best_params
from mlpjax.training._state import revive as revive
from mlpjax.training._state import start as start

__all__ = [
    "History",
    "Interrupted",
    "NonFiniteError",
    "Supervised",
    "TrainState",
    "best_params",
    "checkpoint",
    "diagnose",
    "evaluate",
    "fit",
    "log_jsonl",
    "log_tensorboard",
    "metric",
    "recipes",
    "revive",
    "run",
    "start",
    "stopping",
    "supervised",
]
