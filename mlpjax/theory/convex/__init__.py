r"""Gradient descent where its rate is known: quadratics and other smooth convex functions.

Throughout, F is L-smooth and, where a rate is geometric, μ-strongly convex (PRE6), and κ = L/μ is its condition number.
For a quadratic, μ and L are the least and the largest eigenvalue of its Hessian.

The methods are pure functions that return the whole path: `descend`, `heavy_ball`, `nesterov` and `stochastic_descend`
take the gradient as a function and work on any pytree. The theorems are functions too: `contraction` is the factor that
GD3 promises, `optimal_rate` the step that makes it least, and the tunings of momentum come with the factors that they
reach.
"""

from mlpjax.theory.convex._methods import descend as descend
from mlpjax.theory.convex._methods import heavy_ball as heavy_ball
from mlpjax.theory.convex._methods import iterate as iterate
from mlpjax.theory.convex._methods import iterate_until as iterate_until
from mlpjax.theory.convex._methods import nesterov as nesterov
from mlpjax.theory.convex._momentum import Tuning as Tuning
from mlpjax.theory.convex._momentum import heavy_ball_factor as heavy_ball_factor
from mlpjax.theory.convex._momentum import heavy_ball_tuning as heavy_ball_tuning
from mlpjax.theory.convex._momentum import nesterov_factor as nesterov_factor
from mlpjax.theory.convex._momentum import nesterov_tuning as nesterov_tuning
from mlpjax.theory.convex._quadratics import Quadratic as Quadratic
from mlpjax.theory.convex._quadratics import quadratic as quadratic
from mlpjax.theory.convex._rates import contraction as contraction
from mlpjax.theory.convex._rates import optimal_contraction as optimal_contraction
from mlpjax.theory.convex._rates import optimal_rate as optimal_rate
from mlpjax.theory.convex._rates import quadratic_factor as quadratic_factor
from mlpjax.theory.convex._stochastic import batch_noise as batch_noise
from mlpjax.theory.convex._stochastic import descent_bound as descent_bound
from mlpjax.theory.convex._stochastic import horizon_rate as horizon_rate
from mlpjax.theory.convex._stochastic import running_mean as running_mean
from mlpjax.theory.convex._stochastic import stochastic_descend as stochastic_descend

__all__ = [
    "Quadratic",
    "Tuning",
    "batch_noise",
    "contraction",
    "descend",
    "descent_bound",
    "heavy_ball",
    "heavy_ball_factor",
    "heavy_ball_tuning",
    "horizon_rate",
    "iterate",
    "iterate_until",
    "nesterov",
    "nesterov_factor",
    "nesterov_tuning",
    "optimal_contraction",
    "optimal_rate",
    "quadratic",
    "quadratic_factor",
    "running_mean",
    "stochastic_descend",
]
