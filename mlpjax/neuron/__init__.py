r"""One neuron: a weighted sum, a threshold, and the rule that learns it.

A `Neuron(w, b)` is a value. `apply` says 1 where $w^\top x + b \ge 0$ and 0 elsewhere; `update` is one step of the
perceptron rule, `learn` a run of it. `heaviside` is an `Activation`, and a neuron is one row of a `Dense` layer, so a
network of threshold units is `mlp.apply(params, x, activation=heaviside)`.

```python
>>> from mlpjax import data, neuron
>>> mushrooms = data.toy.mushrooms()
>>> params, history = neuron.learn(neuron.zeros(2), mushrooms, epochs=20)
>>> int((history.errors != 0).sum()), int((history.errors[-1] != 0).sum())  # mistakes in all, and at the end
(25, 0)

```
"""

from mlpjax.neuron._gates import and_gate as and_gate
from mlpjax.neuron._gates import nand_gate as nand_gate
from mlpjax.neuron._gates import nor_gate as nor_gate
from mlpjax.neuron._gates import not_gate as not_gate
from mlpjax.neuron._gates import or_gate as or_gate
from mlpjax.neuron._margin import margin as margin
from mlpjax.neuron._margin import mistake_bound as mistake_bound
from mlpjax.neuron._margin import nearest_point as nearest_point
from mlpjax.neuron._margin import radius as radius
from mlpjax.neuron._margin import separator as separator
from mlpjax.neuron._margin import signed as signed
from mlpjax.neuron._rule import History as History
from mlpjax.neuron._rule import learn as learn
from mlpjax.neuron._rule import update as update
from mlpjax.neuron._unit import Neuron as Neuron
from mlpjax.neuron._unit import apply as apply
from mlpjax.neuron._unit import distance as distance
from mlpjax.neuron._unit import heaviside as heaviside
from mlpjax.neuron._unit import pre_activation as pre_activation
from mlpjax.neuron._unit import weighted_sum as weighted_sum
from mlpjax.neuron._unit import zeros as zeros

__all__ = [
    "History",
    "Neuron",
    "and_gate",
    "apply",
    "distance",
    "heaviside",
    "learn",
    "margin",
    "mistake_bound",
    "nand_gate",
    "nearest_point",
    "nor_gate",
    "not_gate",
    "or_gate",
    "pre_activation",
    "radius",
    "separator",
    "signed",
    "update",
    "weighted_sum",
    "zeros",
]
