r"""Optimizers and learning-rate schedules by the names that everybody uses, and recipes that put them to work.

Everything here is optax: any of its transformations can stand wherever one of these does. What is added is a check of
the numbers, defaults that train a multilayer perceptron well, and `averaged`, whose mean `eval_params` finds.
"""

from mlpjax.training.recipes._optimizers import optimizer as optimizer
from mlpjax.training.recipes._optimizers import reduce_on_plateau as reduce_on_plateau
from mlpjax.training.recipes._recipe import Recipe as Recipe
from mlpjax.training.recipes._recipe import digits as digits
from mlpjax.training.recipes._recipe import mnist as mnist
from mlpjax.training.recipes._recipe import xor as xor
from mlpjax.training.recipes._schedules import constant as constant
from mlpjax.training.recipes._schedules import cosine as cosine
from mlpjax.training.recipes._schedules import exponential as exponential
from mlpjax.training.recipes._schedules import one_cycle as one_cycle
from mlpjax.training.recipes._schedules import step_decay as step_decay
from mlpjax.training.recipes._schedules import warm_up as warm_up
from mlpjax.training.recipes._wrappers import averaged as averaged
from mlpjax.training.recipes._wrappers import eval_params as eval_params
from mlpjax.training.recipes._wrappers import sam as sam

__all__ = [
    "Recipe",
    "averaged",
    "constant",
    "cosine",
    "digits",
    "eval_params",
    "exponential",
    "mnist",
    "one_cycle",
    "optimizer",
    "reduce_on_plateau",
    "sam",
    "step_decay",
    "warm_up",
    "xor",
]
