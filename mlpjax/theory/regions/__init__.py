"""Linear regions of networks of rectified units, counted exactly, and the bounds on their number (DEP2)."""

from mlpjax.theory.regions._lines import Pieces as Pieces
from mlpjax.theory.regions._lines import evaluate as evaluate
from mlpjax.theory.regions._lines import pieces as pieces
from mlpjax.theory.regions._planes import Polygons as Polygons
from mlpjax.theory.regions._planes import Raster as Raster
from mlpjax.theory.regions._planes import areas as areas
from mlpjax.theory.regions._planes import polygons as polygons
from mlpjax.theory.regions._planes import raster as raster

__all__ = ["Pieces", "Polygons", "Raster", "areas", "evaluate", "pieces", "polygons", "raster"]
