"""How the gradient flows: norms, saturation and spectra, layer by layer, at one moment and during a whole run."""

from mlpjax.gradflow._bounds import Spectra as Spectra
from mlpjax.gradflow._bounds import best_case as best_case
from mlpjax.gradflow._bounds import bound as bound
from mlpjax.gradflow._bounds import jacobians as jacobians
from mlpjax.gradflow._bounds import spectra as spectra
from mlpjax.gradflow._flow import Flow as Flow
from mlpjax.gradflow._flow import trace as trace
from mlpjax.gradflow._watch import Record as Record
from mlpjax.gradflow._watch import metrics as metrics
from mlpjax.gradflow._watch import norms as norms
from mlpjax.gradflow._watch import recorded as recorded
from mlpjax.gradflow._watch import recorder as recorder

__all__ = [
    "Flow",
    "Record",
    "Spectra",
    "best_case",
    "bound",
    "jacobians",
    "metrics",
    "norms",
    "recorded",
    "recorder",
    "spectra",
    "trace",
]
