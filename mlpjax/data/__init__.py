r"""Data: real digits that ship with the package, MNIST, small problems, and what a run does with them.

Every loader returns a `Dataset` of arrays whose first axis counts the examples. Images are flat and `uint8`, a quarter
of the memory of `float32`; a transform from `augment` casts and scales them inside the compiled step.
"""

from mlpjax.data import augment as augment
from mlpjax.data import batching as batching
from mlpjax.data import digits as digits
from mlpjax.data import idx as idx
from mlpjax.data import mnist as mnist
from mlpjax.data import toy as toy
from mlpjax.data._dataset import Dataset as Dataset

__all__ = ["Dataset", "augment", "batching", "digits", "idx", "mnist", "toy"]
