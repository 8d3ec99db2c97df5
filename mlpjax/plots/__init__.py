"""Pictures: learning curves, confusion matrices, digits, decision boundaries, first-layer weights.

Every function returns a `matplotlib.figure.Figure` and touches nothing else: no pyplot, no global state, no file. Save
one with `figure.savefig("curve.png")`; a notebook shows it by itself. Colors are those of Okabe and Ito and
perceptually uniform maps, which color-blind readers tell apart.
"""

from mlpjax.plots._confusion import confusion_matrix as confusion_matrix
from mlpjax.plots._curve import learning_curve as learning_curve
from mlpjax.plots._pictures import digits as digits
from mlpjax.plots._pictures import weights as weights
from mlpjax.plots._plane import decision_boundary as decision_boundary

__all__ = ["confusion_matrix", "decision_boundary", "digits", "learning_curve", "weights"]
