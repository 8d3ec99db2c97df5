"""Theorems as functions: what is proved of networks and of their training, computed."""

from mlpjax.theory import bumps as bumps
from mlpjax.theory import calculus as calculus
from mlpjax.theory import convex as convex
from mlpjax.theory import cpwa as cpwa
from mlpjax.theory import density as density
from mlpjax.theory import gates as gates
from mlpjax.theory import meanfield as meanfield
from mlpjax.theory import regions as regions
from mlpjax.theory import relu as relu
from mlpjax.theory import sawtooth as sawtooth
from mlpjax.theory import symmetries as symmetries

__all__ = [
    "bumps",
    "calculus",
    "convex",
    "cpwa",
    "density",
    "gates",
    "meanfield",
    "regions",
    "relu",
    "sawtooth",
    "symmetries",
]
