"""Linear regions of networks of rectified units, counted exactly, and the bounds on their number (DEP2).

`pieces` finds every breakpoint along a line, `polygons` every region on a rectangle of a plane, for inputs of any
dimension; `raster` makes pictures of large planes. The bounds are functions of the widths, and `zigzag` and
`general_position` are networks that attain them.
"""

from mlpjax.theory.regions._bounds import arrangement as arrangement
from mlpjax.theory.regions._bounds import lower_bound as lower_bound
from mlpjax.theory.regions._bounds import trivial_bound as trivial_bound
from mlpjax.theory.regions._bounds import upper_bound as upper_bound
from mlpjax.theory.regions._extremal import general_position as general_position
from mlpjax.theory.regions._extremal import zigzag as zigzag
from mlpjax.theory.regions._lines import Pieces as Pieces
from mlpjax.theory.regions._lines import evaluate as evaluate
from mlpjax.theory.regions._lines import pieces as pieces
from mlpjax.theory.regions._planes import Polygons as Polygons
from mlpjax.theory.regions._planes import Raster as Raster
from mlpjax.theory.regions._planes import areas as areas
from mlpjax.theory.regions._planes import polygons as polygons
from mlpjax.theory.regions._planes import raster as raster

__all__ = [
    "Pieces",
    "Polygons",
    "Raster",
    "areas",
    "arrangement",
    "evaluate",
    "general_position",
    "lower_bound",
    "pieces",
    "polygons",
    "raster",
    "trivial_bound",
    "upper_bound",
    "zigzag",
]
